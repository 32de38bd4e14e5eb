//! The signing secrets of a running router: accept, replace and drop them. Needs no REST client.

use std::time::Duration;

use super::{WebhookRouter, routes::Route};
use crate::{handler::HandlerDescriptor, signature::SigningSecret};

/// Changing the signing secret while the router runs. All clones of a router share its secrets.
///
/// `Subscriptions::rotate_secret` (feature `client`) does all of it, and updates the subscriptions
/// at Uploadcare in between.
impl WebhookRouter {
    /// Accepts another secret for handlers without `secret_env`, besides those accepted so far.
    ///
    /// Subscriptions are still made with the first one. Where several processes run, call this in
    /// each of them before any subscription gets the new secret.
    pub fn accept_secret(&self, secret: &SigningSecret) {
        self.core.keyring.accept(secret);
    }

    /// Makes `new` the secret that subscriptions are made with, and lets the others expire.
    ///
    /// Every other secret of the router is accepted for `grace_period` from now, or until the end
    /// of an earlier grace period of its own. Uploadcare redelivers for 72 hours what was signed
    /// with them. [`Duration::MAX`] gives them no end. Secrets of handlers with `secret_env` stay.
    ///
    /// Secrets expire when the router reads them: no task waits for that, and an expired text is
    /// wiped from memory with the next request, and when the application has dropped its own
    /// clones.
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use std::time::Duration;
    /// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileStored, SigningSecret, WebhookRouter};
    ///
    /// #[webhook_handler(event = "file.stored")]
    /// async fn archive(event: FileStored) {}
    ///
    /// let hooks = WebhookRouter::builder()
    ///     .signing_secret(SigningSecret::new("7kMVZivndx0ErgvhRKAr")?)
    ///     .handlers(webhook_handlers![archive])
    ///     .build()?;
    /// let new = SigningSecret::new("xb5zZtvtrbXrCzLHDTzX")?;
    /// hooks.accept_secret(&new);
    /// // Give the subscriptions at Uploadcare the new secret, then:
    /// hooks.replace_secret(&new, Duration::from_secs(72 * 60 * 60));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_secret(&self, new: &SigningSecret, grace_period: Duration) {
        self.core.keyring.replace(new, grace_period);
    }

    /// Stops accepting a secret at once, as after a leak. Returns whether the router accepted it.
    ///
    /// If it was the first, the next one takes its place, and has no end any more. A handler whose
    /// `secret_env` holds the same text goes on accepting it. Without any secret left, the router
    /// rejects every delivery for handlers without `secret_env`; with
    /// [`dangerously_accept_unsigned`](crate::WebhookRouterBuilder::dangerously_accept_unsigned) it
    /// accepts every delivery for them, signed or not.
    pub fn drop_secret(&self, secret: &SigningSecret) -> bool {
        self.core.keyring.drop_one(secret)
    }

    /// The handlers, each once.
    pub fn handlers(&self) -> impl Iterator<Item = &HandlerDescriptor> {
        self.core.routes.iter().flat_map(Route::handlers).map(|handler| &handler.descriptor)
    }

    /// The secret that Uploadcare should sign deliveries for this handler with: the value of its
    /// `secret_env`, or the router's first. `None` if it has none, or is not a handler of this
    /// router.
    pub fn signing_secret_for(&self, handler: &HandlerDescriptor) -> Option<SigningSecret> {
        let mut handlers = self.core.routes.iter().flat_map(Route::handlers);
        let known = handlers.find(|known| known.descriptor.name() == handler.name())?;
        self.core.keyring.now().to_sign_with(known.source).cloned()
    }
}
