//! What a newcomer reads after each mistake. The messages are those of the toolchain in `rust-toolchain.toml`;
//! `TRYBUILD=overwrite cargo test -p tests --test ui` writes them anew, to be read before they are committed.

#[test]
fn each_mistake_gives_one_clear_message() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
