//! How applications annotate functions and list them. The attribute's documentation is here, and
//! not in the macro crate, so that its examples are compiled.

#[cfg(feature = "macros")]
#[doc = include_str!("../docs/webhook_handler.md")]
pub use uploadcare_hooks_macros::webhook_handler;

/// Lists annotated functions, by name or by path, for
/// [`WebhookRouterBuilder::handlers`](crate::WebhookRouterBuilder::handlers): a `Vec` of
/// [`HandlerDescriptor`](crate::HandlerDescriptor)s.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileStored};
///
/// mod scan {
///     use uploadcare_hooks::{webhook_handler, FileInfected};
///
///     #[webhook_handler(event = "file.infected")]
///     pub async fn quarantine(event: FileInfected) {}
/// }
///
/// #[webhook_handler(event = "file.stored")]
/// async fn archive(event: FileStored) {}
///
/// assert_eq!(webhook_handlers![archive, scan::quarantine].len(), 2);
/// # }
/// ```
#[macro_export]
macro_rules! webhook_handlers {
    ($($handler:ty),* $(,)?) => {
        $crate::__private::Vec::<$crate::HandlerDescriptor>::from([
            $(<$handler as $crate::Webhook>::DESCRIPTOR),*
        ])
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "list functions by name or by path: `webhook_handlers![index, scan::quarantine]`"
        )
    };
}

/// Submits a handler for `WebhookRouterBuilder::discovered_handlers`. Only generated code calls it.
#[cfg(feature = "discover")]
#[macro_export]
#[doc(hidden)]
macro_rules! __submit_handler {
    ($handler:ident) => {
        // The compiler has warned about a deprecated function itself already.
        #[allow(deprecated)]
        const _: () = {
            $crate::__private::inventory::submit! {
                $crate::__private::Submitted(<$handler as $crate::Webhook>::DESCRIPTOR)
            }
        };
    };
}

/// Without the feature `discover` a handler is found only where it is listed.
#[cfg(not(feature = "discover"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __submit_handler {
    ($handler:ident) => {};
}
