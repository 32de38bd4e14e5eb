//! Lists of handlers.

use super::HandlerDescriptor;

/// What [`handlers`](crate::WebhookRouterBuilder::handlers) takes: everything that iterates over
/// [`HandlerDescriptor`]s, such as the `Vec` that [`webhook_handlers!`](crate::webhook_handlers)
/// makes. Applications do not implement it themselves.
#[diagnostic::on_unimplemented(
    message = "the functions must be listed with `webhook_handlers!`: write `.handlers(webhook_handlers![index, ..])`",
    label = "not a list of handlers",
    note = "a list of handlers is any `IntoIterator` whose items are `HandlerDescriptor`s, such as the `Vec` that \
            `webhook_handlers![..]` makes"
)]
pub trait IntoHandlers {
    /// The handlers.
    fn into_handlers(self) -> Vec<HandlerDescriptor>;
}

// The message is about the list instead of about its items.
#[diagnostic::do_not_recommend]
impl<I: IntoIterator<Item = HandlerDescriptor>> IntoHandlers for I {
    fn into_handlers(self) -> Vec<HandlerDescriptor> {
        self.into_iter().collect()
    }
}
