//! The attribute of `uploadcare-hooks`. Its documentation is in that crate.
//!
//! In the order of the work: `attr` parses the options and `model` the function, `valid` checks
//! both, `expand` writes the generated code, and `fallback` what is left after a mistake. `events`
//! lists the known events; `suggest` finds the word that a mistyped one may mean, and `written`
//! prints types in messages.

mod attr;
mod events;
mod expand;
mod fallback;
mod model;
mod suggest;
mod valid;
mod written;

use proc_macro2::TokenStream;

/// See `uploadcare_hooks::webhook_handler`.
#[proc_macro_attribute]
pub fn webhook_handler(options: proc_macro::TokenStream, function: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_attribute(options.into(), function.into()).into()
}

/// Stands on the type beside each handler. Only generated code names it.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn handler_type(arguments: proc_macro::TokenStream, ty: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::handler_type(arguments.into(), &ty.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand_attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = syn::parse2::<attr::Options>(options);
    match syn::parse2::<model::Annotated>(item.clone()) {
        Ok(model::Annotated::Function(function)) => {
            let krate = options.as_ref().map_or_else(|_| attr::default_crate_path(), attr::Options::crate_path);
            match options.and_then(|options| valid::check(&options, &function)) {
                Ok(handler) if !function.is_out_of_order => expand::expand(&handler, &function),
                checked => fallback::function(checked.err().as_ref(), &item, &function, &krate),
            }
        }
        Ok(model::Annotated::Other(other)) => fallback::other(&item, &other),
        Err(error) => fallback::unreadable(&error, &item),
    }
}

#[cfg(test)]
mod tests;
