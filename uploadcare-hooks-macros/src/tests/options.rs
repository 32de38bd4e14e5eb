//! Each option of the attribute with each form of a value: accepted, or what the compiler says.

use std::str::FromStr;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, LitStr};

use crate::{attr, attribute};

const VALUES: [&str; 8] = [
    "",
    " = \"file.stored\"",
    " = [\"file.stored\", \"file.deleted\"]",
    " = \"0.6\"",
    " = \"/scans\"",
    " = \"SCAN_SECRET\"",
    " = renamed::hooks",
    " = 7",
];

/// The messages of the errors in an expansion.
fn errors(expanded: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(expanded).unwrap();
    let message = |item: Item| match item {
        Item::Macro(item) if item.mac.path.segments.last().unwrap().ident == "compile_error" => {
            Some(item.mac.parse_body::<LitStr>().unwrap().value())
        }
        _ => None,
    };
    file.items.into_iter().filter_map(message).collect()
}

/// What comes of an attribute with this option, beside `any` where the option names no event.
fn outcome(option: &str, value: &str) -> String {
    let names_events = matches!(option, "event" | "events" | "any");
    let other = if names_events { "" } else { "any, " };
    let options = TokenStream::from_str(&format!("{other}{option}{value}")).unwrap();
    let errors = errors(attribute::expand(options, quote! { async fn handle(event: Event) {} }));
    if errors.is_empty() { "accepted".to_owned() } else { errors.join("; ").replace('\n', " ") }
}

#[test]
fn each_option_takes_these_forms_of_a_value() {
    let mut table = String::new();
    for option in attr::NAMES {
        for value in VALUES {
            table += &format!("{option}{value}\n    {}\n", outcome(option, value));
        }
    }
    super::is_as_in("options", &table);
}
