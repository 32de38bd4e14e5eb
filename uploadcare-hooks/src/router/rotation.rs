//! What registration asks of a router: which secret each handler's deliveries are to be signed with, and another one from now on.

use std::{sync::Arc, time::Duration};

use super::{WebhookRouter, dispatch::Route, secrets::SecretSource};
use crate::{handler::HandlerDescriptor, signature::SigningSecret};

/// A handler, and the secret that its deliveries are to be signed with.
pub(crate) type WithSecret<'r> = (&'r HandlerDescriptor, Option<SigningSecret>);

impl WebhookRouter {
    /// Each handler. `instead` is taken for the router's own secret, if it is given.
    pub(crate) fn handlers(&self, instead: Option<&SigningSecret>) -> Vec<WithSecret<'_>> {
        let secrets = self.inner.keyring.now();
        let with_secret = |source| match (source, instead) {
            (SecretSource::Router, Some(instead)) => Some(instead.clone()),
            _ => secrets.to_sign_with(source).cloned(),
        };
        let handlers = self.inner.routes.iter().flat_map(Route::all);
        handlers.map(|handler| (&handler.descriptor, with_secret(handler.source))).collect()
    }

    /// Accepts another secret, which is the one to sign with from now on. Those that were there stay valid.
    pub(crate) fn sign_with(&self, secret: &SigningSecret) {
        self.inner.keyring.put_first(secret);
    }

    /// Drops the router's secrets that were replaced, after a grace period.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub(crate) fn drop_replaced_secrets(&self, grace_period: Duration) {
        let replaced = self.inner.keyring.expire_replaced(grace_period);
        if replaced.is_empty() {
            return;
        }
        tracing::info!("the signing secrets {replaced:?} were replaced, and are accepted for another {grace_period:?}");
        // Not the router itself: this must not keep it alive.
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            tokio::time::sleep(grace_period).await;
            if let Some(inner) = inner.upgrade() {
                let dropped = inner.keyring.drop_expired();
                tracing::info!("the signing secrets {dropped:?}, which were replaced, are not accepted any more");
            }
        });
    }
}
