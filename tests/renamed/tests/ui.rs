//! What the compiler says about methods whose feature is not enabled. This crate enables none.

#[test]
fn a_method_whose_feature_is_not_enabled_names_the_feature() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
