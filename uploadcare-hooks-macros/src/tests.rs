//! What the attribute expands to, printed, and the forms that its options take.
//! `INSTA_UPDATE=always cargo test -p uploadcare-hooks-macros` writes the snapshots anew; read them
//! before you commit them.

mod options;
mod random;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Item;
use uploadcare_hooks::{__private as runtime, PayloadVersion};

use crate::events;

/// Compares a text with the file `snapshots/{name}.snap`.
fn is_as_in(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Expands, and compares with a snapshot.
fn expands_to(name: &str, options: TokenStream, function: TokenStream) {
    let mut expanded: syn::File = syn::parse2(crate::attribute::expand(options, function)).unwrap();
    expanded.items = expanded.items.into_iter().flat_map(expand_handler_type).collect();
    is_as_in(name, &prettyplease::unparse(&expanded));
}

/// Expands the attribute on the type beside a handler, as the compiler then does.
fn expand_handler_type(item: Item) -> Vec<Item> {
    let Item::Struct(mut ty) = item else { return vec![item] };
    let attribute = ty.attrs.pop().unwrap().meta;
    let arguments = attribute.require_list().unwrap().tokens.clone();
    let expanded = crate::expand::handler_type(arguments, &quote!(#ty)).unwrap();
    syn::parse2::<syn::File>(expanded).unwrap().items
}

#[test]
fn a_handler_with_state() {
    expands_to(
        "handler_with_state",
        quote!(event = "file.uploaded"),
        quote! {
            /// Puts the file into the index.
            pub(crate) async fn index_upload(event: FileUploaded, State(db): State<Db>) -> Result<(), DbError> {
                db.insert(event).await
            }
        },
    );
}

#[test]
fn every_option() {
    expands_to(
        "every_option",
        quote! {
            events = ["file.stored", "file.deleted"], version = "0.7", path = "/files", secret_env = "FILES_SECRET",
            name = "count_files", crate = renamed::hooks,
        },
        quote! {
            #[cfg(feature = "count")]
            async fn r#move(event: Event) {}
        },
    );
}

#[test]
fn a_mistake_leaves_the_function_and_something_to_list() {
    expands_to(
        "mistake",
        quote!(event = "file.uplaoded"),
        quote! {
            async fn index_upload(event: FileUploaded) {}
        },
    );
}

#[test]
fn an_unlisted_event() {
    expands_to(
        "unlisted_event",
        quote!(event = "moderation.state_changed", unlisted),
        quote! {
            async fn moderated(Payload(event): Payload<Moderation>) {}
        },
    );
}

#[test]
fn a_body_that_does_not_parse_is_passed_on() {
    let expanded = crate::attribute::expand(
        quote!(event = "file.stored"),
        quote! { async fn archive(event: FileStored) { event. } },
    );
    assert!(expanded.to_string().contains("{ event . }"), "{expanded}");
}

#[test]
fn options_come_in_any_order_and_with_or_without_a_last_comma() {
    let options = [quote!(path = "/a"), quote!(name = "b"), quote!(version = "0.7"), quote!(event = "file.stored")];
    let mut outputs = Vec::new();
    for first in 0..options.len() {
        let rotated = options.iter().cycle().skip(first).take(options.len());
        let function = quote! { async fn archive(event: FileStored) {} };
        outputs.push(crate::attribute::expand(quote!(#(#rotated,)*), function.clone()).to_string());
        let rotated = options.iter().cycle().skip(first).take(options.len());
        outputs.push(crate::attribute::expand(quote!(#(#rotated),*), function).to_string());
    }
    assert!(outputs.iter().all(|output| output == &outputs[0] && !output.contains("compile_error")), "{outputs:?}");
}

#[test]
fn the_known_events_are_those_of_the_runtime_crate() {
    let known: Vec<_> = events::EVENTS.iter().map(|event| (event.name, event.marker, event.payload)).collect();
    assert_eq!(known, runtime::EVENTS);
}

#[test]
fn the_known_versions_are_those_of_the_runtime_crate() {
    let mut known = vec![events::NEWEST_VERSION];
    known.extend(events::OLD_VERSIONS.iter().map(|(version, _)| *version));
    assert_eq!(known, PayloadVersion::KNOWN);
    let of_marker = |(marker, versions): &(&'static str, &'static [&'static str])| {
        versions.iter().map(|version| (*version, *marker)).collect::<Vec<_>>()
    };
    assert_eq!(events::OLD_VERSIONS, runtime::OLD_VERSIONS.iter().flat_map(of_marker).collect::<Vec<_>>());
}

#[test]
fn types_in_messages_are_spaced_as_users_write_them() {
    let types = [
        "State<u8>",
        "axum::extract::State<Vec<u8>>",
        "&'a str",
        "&'a mut [u8; 4]",
        "&mut (dyn Repo + Send)",
        "Arc<dyn Fn(u8, &str) -> Option<u8> + Send>",
        "<T as Trait>::Type",
        "*const u8",
    ];
    for ty in types {
        let parsed: syn::Type = syn::parse_str(ty).unwrap();
        assert_eq!(crate::written::written(parsed), ty);
    }
}
