//! The attribute of `uploadcare-hooks`. Its documentation is in that crate.
//!
//! In the order of the work: `attr` parses the options and `model` the function, `valid` checks
//! both, `expand` writes the generated code, and `fallback` what is left after a mistake. `events`
//! lists the known events; `suggest` finds the word that a mistyped one may mean.

mod attr;
mod events;
mod expand;
mod fallback;
mod model;
mod suggest;
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
