//! What the attribute expands to after a mistake: the messages, the item, and an inert descriptor,
//! so that listing the handler does not add a second message. The item is untouched, unless the
//! compiler would report the same mistake in it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Path};

use crate::{
    attr, expand,
    model::{Function, Other},
};

/// After a mistake in the options or the signature. There is no message if the compiler has
/// reported the mistake, as it does about words in a wrong order: it reports it again, in the same
/// words, about the function that is returned here, and shows that once.
pub(crate) fn function(error: Option<&Error>, item: &TokenStream, parsed: &Function, krate: &Path) -> TokenStream {
    let messages = error.map(Error::to_compile_error);
    let replacement = parsed.replacement();
    let item = replacement.as_ref().unwrap_or(item);
    // Inside an `impl` no type can be declared.
    let shape = (!parsed.is_associated()).then(|| expand::shape(parsed, krate, &quote!(#krate::__private::inert())));
    quote! {
        #messages
        #item
        #shape
    }
}

/// On an item that is not a function.
pub(crate) fn other(item: &TokenStream, other: &Other) -> TokenStream {
    let Other { keyword, ty } = other;
    let message = format!(
        "`#[webhook_handler]` goes on an `async fn`, not on this `{keyword}`: annotate a free function, outside of any \
         `impl`\n\n\
         note: expected `async fn index(event: FileUploaded) -> Result<(), Error>`; to share values with a handler, \
         take them as `State<T>`"
    );
    let message = Error::new(keyword.span(), message).to_compile_error();
    let krate = attr::default_crate_path();
    let listed = ty.as_ref().map(|ty| {
        quote! {
            #[automatically_derived]
            impl #krate::Webhook for #ty {
                const DESCRIPTOR: #krate::HandlerDescriptor = #krate::__private::inert();
            }
        }
    });
    quote! {
        #message
        #item
        #listed
    }
}

/// On what cannot be parsed.
pub(crate) fn unreadable(error: &Error, item: &TokenStream) -> TokenStream {
    let message = error.to_compile_error();
    quote! {
        #message
        #item
    }
}
