//! The compiler's output after each mistake. The messages are those of the toolchain in
//! `rust-toolchain.toml`. `TRYBUILD=overwrite cargo test -p tests-ui` writes them anew; read
//! them before you commit them.

#[test]
fn each_mistake_gives_one_clear_message() {
    trybuild::TestCases::new().compile_fail("*.rs");
}
