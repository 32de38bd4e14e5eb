//! What the attribute expands to after a mistake: the messages, the function untouched, and an
//! inert descriptor, so that listing the handler does not add a second message.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Path};

use crate::{expand, model::Function};

/// `parsed` is the function, if it could be parsed, with the path to the runtime crate.
pub(crate) fn expand(error: &Error, function: &TokenStream, parsed: Option<(Path, &Function)>) -> TokenStream {
    let messages = error.to_compile_error();
    // A function with `self` stands inside an `impl`, where no type can be declared.
    let shape = parsed
        .filter(|(_, parsed)| parsed.sig.receiver().is_none())
        .map(|(krate, parsed)| expand::shape(parsed, &krate, &quote!(#krate::__private::inert())));
    quote! {
        #messages
        #function
        #shape
    }
}
