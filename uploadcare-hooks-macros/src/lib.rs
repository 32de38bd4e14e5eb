//! The attribute of `uploadcare-hooks`. Its documentation is in that crate.
//!
//! In the order of the work, which `attribute` calls: `attr` parses the options and `model` the
//! function, `valid` checks both, `expand` writes the generated code, and `fallback` what is left
//! after a mistake. `events` lists the known events; `suggest` finds the word that a mistyped one
//! may mean, and `written` prints types in messages.

mod attr;
mod attribute;
mod events;
mod expand;
mod fallback;
mod model;
mod suggest;
mod valid;
mod written;

/// See `uploadcare_hooks::webhook_handler`.
#[proc_macro_attribute]
pub fn webhook_handler(options: proc_macro::TokenStream, function: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute::expand(options.into(), function.into()).into()
}

/// Stands on the type beside each handler. Only generated code names it.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn handler_type(arguments: proc_macro::TokenStream, ty: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::handler_type(arguments.into(), &ty.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

#[cfg(test)]
mod tests;
