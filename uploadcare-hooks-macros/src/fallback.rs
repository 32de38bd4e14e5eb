//! What comes out after a mistake: the messages, the function untouched, and a descriptor that only lets it be listed, so that one
//! mistake gives one message.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Path};

use crate::{expand, model::Function};

/// `parsed` is there if the function could be read, with the path to the runtime crate.
pub(crate) fn expand(error: &Error, function: &TokenStream, parsed: Option<(Path, &Function)>) -> TokenStream {
    let messages = error.to_compile_error();
    // A type cannot stand inside an `impl`, where a function with `self` is.
    let shape = parsed
        .filter(|(_, parsed)| parsed.sig.receiver().is_none())
        .map(|(krate, parsed)| expand::shape(parsed, &krate, &quote!(#krate::__private::inert())));
    quote! {
        #messages
        #function
        #shape
    }
}
