//! Another signing secret, for the running router and the subscriptions together.

use std::time::Duration;

use super::{Plan, RegistrationError, Subscriptions, SyncOptions};
use crate::{client::Client, signature::SigningSecret};

impl Subscriptions {
    /// Changes the router's signing secret without losing a delivery.
    ///
    /// First the running router accepts `new` besides the secrets that it accepted before, and
    /// subscriptions are made with `new` from then on. Then the subscriptions are changed, as
    /// [`sync`](Self::sync) does it. When all of that has succeeded, the [grace
    /// period](Self::grace_period) of the replaced secrets begins; an earlier grace period of
    /// theirs goes on. [`RouterStats::replaced_secret`](crate::RouterStats::replaced_secret) and
    /// [`Delivery::secret_position`](crate::Delivery::secret_position) tell what is still signed
    /// with them. Secrets of handlers with `secret_env` stay.
    ///
    /// Another `sync` or rotation of the same router waits until this one has ended.
    ///
    /// This changes the current process only. The configuration must have both secrets before the
    /// application restarts, and where several processes run:
    /// `.signing_secret(new).signing_secret(old)`. A `sync` at boot then does the same rotation.
    ///
    /// # Errors
    /// [`RegistrationError::Client`] if the subscriptions cannot be listed, and
    /// [`RegistrationError::Steps`] if some cannot be changed: all secrets stay valid, and another
    /// call goes on from there. If [only subscriptions of unlisted events were
    /// refused](RegistrationError::is_only_refused_events), the grace period begins all the same.
    /// [`RegistrationError::NothingToRotate`] if every handler has a
    /// secret of its own, and [`RegistrationError::ConflictingSecrets`] if such a handler shares a
    /// subscription with one that uses the router's secret: nothing is changed then.
    pub async fn rotate_secret(&self, client: &Client, new: SigningSecret) -> Result<Plan, RegistrationError> {
        self.wanted(Some(&new))?;
        if self.router.handlers().all(|handler| handler.secret_env().is_some()) {
            return Err(RegistrationError::NothingToRotate);
        }
        let _turn = self.router.core.registration.lock().await;
        // Without an end for the others, until every subscription has the new one.
        self.router.replace_secret(&new, Duration::MAX);
        let rotating = Self { options: SyncOptions { is_rotation: true, ..self.options }, ..self.clone() };
        let synced = rotating.sync_in_turn(client).await;
        // A subscription that cannot be created is signed with no secret at all.
        if synced.as_ref().map_or_else(RegistrationError::is_only_refused_events, |_| true) {
            self.router.replace_secret(&new, self.options.grace_period);
        }
        synced
    }
}
