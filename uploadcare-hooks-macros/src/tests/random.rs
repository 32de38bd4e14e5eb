//! Random options on random functions: the attribute never panics, and always leaves the function
//! as it is written.

use std::str::FromStr;

use proc_macro2::TokenStream;
use proptest::{collection, prelude::*, sample::select};
use quote::ToTokens;
use syn::{Item, ItemFn};

/// What options are made of, right and wrong.
const PIECES: [&str; 28] = [
    "event",
    "events",
    "any",
    "unlisted",
    "version",
    "path",
    "secret_env",
    "name",
    "crate",
    "evnet",
    "=",
    "=",
    "=",
    ",",
    ",",
    ",",
    "\"file.uploaded\"",
    "\"file.stored\"",
    "\"file.moved\"",
    "\"0.6\"",
    "\"\"",
    "\"/scans\"",
    "\"scans\"",
    "[\"file.stored\", \"file.deleted\"]",
    "[]",
    "7",
    "self::hooks",
    "b\"\\xff\"",
];

fn options() -> impl Strategy<Value = String> {
    let soup = collection::vec(select(&PIECES), 0..10).prop_map(|pieces| pieces.join(" "));
    // Some of it is well formed.
    let option = (select(&PIECES[..10]), select(&PIECES[16..])).prop_map(|(name, value)| format!("{name} = {value}"));
    let listed = collection::vec(option, 0..4).prop_map(|options| options.join(", "));
    prop_oneof![soup, listed]
}

fn function() -> impl Strategy<Value = String> {
    let before = select(&["", "pub ", "pub(crate) ", "/// Doc.\n", "#[inline] pub "]);
    let kind = select(&["async ", "", "const ", "unsafe ", "async unsafe ", "extern \"C\" "]);
    let name = select(&["index", "r#type", "__out", "Ünder"]);
    let generics = select(&["", "<T>", "<'a>", "<const N: usize>"]);
    // Without a bare `dyn`, which is boxed after a mistake so that the compiler adds no error.
    let parameters = [
        "event: FileUploaded",
        "event: FileStored",
        "State(db): State<Db>",
        "_: Event",
        "mut event: Event",
        "self",
        "&self",
        "db: &Db",
        "event: impl Clone",
        "Payload(x): Payload<Vec<u8>>",
        "x: Option<State<u8>>",
        "x: !",
        "#[cfg(any())] x: u8",
        "x: [u8; { 1 }]",
        "x: fn(u8) -> u8",
        "x: (Event,)",
    ];
    let parameters = collection::vec(select(parameters.to_vec()), 0..4);
    let returned = select(&["", "-> Result<(), E> ", "-> u8 ", "-> impl Sized ", "where u8: Copy "]);
    let body = select(&["{}", "{ let x = 1; x }", "{ loop { break } }", "{ async {}.await }"]);
    (before, kind, name, generics, parameters, returned, body).prop_map(
        |(before, kind, name, generics, parameters, returned, body)| {
            let parameters = parameters.join(", ");
            format!("{before}{kind}fn {name}{generics}({parameters}) {returned}{body}")
        },
    )
}

/// The function without its attributes, to which the expansion may add one.
fn as_written(function: &ItemFn) -> String {
    let mut tokens = function.vis.to_token_stream();
    tokens.extend([function.sig.to_token_stream(), function.block.to_token_stream()]);
    tokens.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn the_function_stays_as_it_is_written(options in options(), function in function()) {
        let Ok(options) = TokenStream::from_str(&options) else { return Ok(()) };
        let item = TokenStream::from_str(&function).unwrap();
        let expanded = crate::attribute::expand(options, item.clone());
        // What is no function for syn is none for the compiler, and is passed on to it.
        let Ok(before) = syn::parse2::<ItemFn>(item) else { return Ok(()) };
        let printed = expanded.to_string();
        let file = syn::parse2::<syn::File>(expanded);
        let file = file.map_err(|error| TestCaseError::fail(format!("{error} in {printed}")))?;
        let kept = file.items.iter().any(|item| {
            matches!(item, Item::Fn(after) if as_written(after) == as_written(&before))
        });
        prop_assert!(kept, "the function is not in {}", printed);
        let ty = file.items.iter().any(|item| {
            matches!(item, Item::Struct(item) if item.ident == before.sig.ident)
        });
        // A method stands in an `impl`, where no type can stand beside it.
        let is_method = before.sig.receiver().is_some();
        prop_assert!(ty != is_method, "`webhook_handlers!` would add a second error to {}", printed);
    }

    #[test]
    fn no_item_makes_the_attribute_panic(options in options(), pieces in collection::vec(select(&PIECES), 0..12)) {
        let (Ok(options), Ok(item)) =
            (TokenStream::from_str(&options), TokenStream::from_str(&pieces.join(" "))) else { return Ok(()) };
        crate::attribute::expand(options, item);
    }
}
