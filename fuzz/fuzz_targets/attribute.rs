//! The attribute never panics, and the function below it stays as it is written, whatever its
//! options are.
//!
//! The input is the options, a line break, and the item. A macro crate exports nothing but its
//! macros, so its modules are compiled as those of this program.
#![no_main]
// Not all of the crate is called from here.
#![allow(dead_code, unused_imports)]

use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, ItemFn};

use macros::{attr, attribute, events, expand, fallback, model, suggest, valid, written};

#[path = "../../uploadcare-hooks-macros/src"]
mod macros {
    pub(crate) mod attr;
    pub(crate) mod attribute;
    pub(crate) mod events;
    pub(crate) mod expand;
    pub(crate) mod fallback;
    pub(crate) mod model;
    pub(crate) mod suggest;
    pub(crate) mod valid;
    pub(crate) mod written;
}

/// What the expansion may not change: it may add an attribute, and after a mistake boxes a bare
/// `dyn` among the parameters, so that the compiler adds no error.
fn as_written(function: &ItemFn) -> String {
    let mut tokens = function.vis.to_token_stream();
    tokens.extend([function.sig.ident.to_token_stream(), function.block.to_token_stream()]);
    tokens.to_string()
}

fuzz_target!(|input: &str| {
    let (options, item) = input.split_once('\n').unwrap_or((input, ""));
    let (Ok(options), Ok(item)) = (TokenStream::from_str(options), TokenStream::from_str(item)) else { return };
    let expanded = attribute::expand(options, item.clone());
    let Ok(before) = syn::parse2::<ItemFn>(item) else { return };
    let printed = expanded.to_string();
    let file = syn::parse2::<syn::File>(expanded).unwrap_or_else(|error| panic!("{error} in {printed}"));
    let kept = |item: &Item| matches!(item, Item::Fn(after) if as_written(after) == as_written(&before));
    assert!(file.items.iter().any(kept), "the function is not in {printed}");
});
