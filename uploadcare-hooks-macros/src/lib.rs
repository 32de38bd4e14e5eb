//! The attribute of `uploadcare-hooks`. Its documentation stands in that crate.
//!
//! From top to bottom: `attr` reads the options, `model` the function, `valid` checks both, `expand` writes the shim, and
//! `fallback` what comes out after a mistake.

mod attr;
mod expand;
mod fallback;
mod model;
mod valid;

use proc_macro2::TokenStream;

/// See `uploadcare_hooks::webhook_handler`.
#[proc_macro_attribute]
pub fn webhook_handler(options: proc_macro::TokenStream, function: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_attribute(options.into(), function.into()).into()
}

fn expand_attribute(options: TokenStream, function: TokenStream) -> TokenStream {
    let options = syn::parse2::<attr::Options>(options);
    let parsed = syn::parse2::<model::Function>(function.clone());
    match (options, parsed) {
        (Ok(options), Ok(parsed)) => match valid::check(&options, &parsed) {
            Ok(handler) => expand::expand(&handler, &parsed),
            Err(error) => fallback::expand(&error, &function, Some((options.crate_path(), &parsed))),
        },
        (Err(error), Ok(parsed)) => fallback::expand(&error, &function, Some((attr::default_crate_path(), &parsed))),
        (_, Err(error)) => fallback::expand(&error, &function, None),
    }
}

#[cfg(test)]
mod tests;
