//! What the compiler gets for an attribute and what it stands on. Knows the order of the work.

use proc_macro2::TokenStream;

use crate::{attr, fallback, model, valid};

/// Never panics, whatever stands in the attribute and below it.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = syn::parse2::<attr::Options>(options);
    match syn::parse2::<model::Annotated>(item.clone()) {
        Ok(model::Annotated::Function(function)) => {
            let krate = options.as_ref().map_or_else(|_| attr::default_crate_path(), attr::Options::crate_path);
            match options.and_then(|options| valid::check(&options, &function)) {
                Ok(handler) if !function.is_out_of_order => crate::expand::expand(&handler, &function),
                checked => fallback::function(checked.err().as_ref(), &item, &function, &krate),
            }
        }
        Ok(model::Annotated::Other(other)) => fallback::other(&item, &other),
        Err(error) => fallback::unreadable(&error, &item),
    }
}
