//! The application's own deduplication key, which claims and queue use.

use super::{WebhookRouter, WebhookRouterBuilder, observe, runner::contain};
use crate::delivery::{Delivery, DeliveryId};

/// The function given to [`WebhookRouterBuilder::delivery_key`].
pub(crate) type DeliveryKey = Box<dyn Fn(&Delivery) -> String + Send + Sync>;

impl WebhookRouterBuilder {
    /// Sets the key by which two deliveries count as one. Defaults to the delivery's
    /// [id](Delivery::id), which assumes that a redelivery carries the same bytes: Uploadcare does
    /// not document that.
    ///
    /// `deduplicate`, [`deduplicate_with`](Self::deduplicate_with) and `queue` use it. Two
    /// deliveries with the same key at the same path count as one, so the key should name the
    /// event, the file, and what makes one event differ from the next of its kind. With a `queue`
    /// the function is not called for a payload that cannot be read.
    pub fn delivery_key(mut self, key: impl Fn(&Delivery) -> String + Send + Sync + 'static) -> Self {
        self.delivery_key = Some(Box::new(key));
        self
    }
}

impl WebhookRouter {
    /// The key of a delivery, hashed to a fixed length.
    pub(crate) fn deduplication_key(&self, delivery: &Delivery) -> DeliveryId {
        let Some(key) = &self.core.delivery_key else { return delivery.id() };
        match contain(|| key(delivery)) {
            Ok(key) => DeliveryId::from_bytes(key.as_bytes()),
            Err(message) => {
                observe::delivery_key_panicked(delivery.id(), &message);
                delivery.id()
            }
        }
    }
}
