//! What the compiler says about a builder that is used as if it were a router.

use super::WebhookRouter;

/// A router, as opposed to its builder.
///
/// The builder has some of the router's methods, hidden and with `where for<'a> Self: Built`. So
/// they cannot be called, and the compiler shows the message below instead of "no method named
/// `mount`". Without `for<'a>` it would refuse the methods where they stand.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the router is not built yet: write `.build()?` in front of this method",
    label = "`.build()?` is missing in front of this method",
    note = "`WebhookRouterBuilder::build` checks all options, and returns a `Result<WebhookRouter, BuildError>`"
)]
pub trait Built {
    /// The router.
    fn router(&self) -> &WebhookRouter;
}

#[diagnostic::do_not_recommend]
impl Built for WebhookRouter {
    fn router(&self) -> &WebhookRouter {
        self
    }
}
