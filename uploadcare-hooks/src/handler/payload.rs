//! The payload as a type of the application's own, and parameters of events that this version does
//! not know.

use serde::de::DeserializeOwned;

use super::{FromDelivery, HandlerContext, HandlerError, parameter::LastUse};
use crate::{
    event::{self, Event, UnknownEvent},
    payload,
};

/// A handler's parameter that reads the whole payload as a type of your own, for any event.
///
/// Use it for an event that this version of the crate does not know, or when you need fields that
/// the crate's types leave out. `T` is read from the body as it was sent, in the version in which
/// it was sent.
///
/// If the body does not fit `T`, the handler is not called. The router answers 422 with the code
/// `payload_mismatch`, and [`on_rejection`](crate::WebhookRouterBuilder::on_rejection) and the log
/// name the JSON path that does not fit. With a queue the job is dead at once, with that reason.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use serde::Deserialize;
/// use uploadcare_hooks::{webhook_handler, Payload};
///
/// #[derive(Deserialize)]
/// struct Moderation {
///     data: ModeratedFile,
/// }
///
/// #[derive(Deserialize)]
/// struct ModeratedFile {
///     uuid: String,
///     state: Option<String>,
/// }
///
/// #[webhook_handler(event = "moderation.state_changed", unlisted)]
/// async fn moderated(Payload(event): Payload<Moderation>) {
///     println!("{}: {:?}", event.data.uuid, event.data.state);
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payload<T>(pub T);

impl<T: DeserializeOwned, E> FromDelivery<E> for Payload<T> {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        payload::from_bytes(context.delivery().body()).map(Self).map_err(HandlerError::mismatch)
    }
}

impl FromDelivery<event::Unlisted> for UnknownEvent {
    const MOVES_EVENT: bool = true;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        of_unknown(context.delivery().event().clone())
    }

    fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
        of_unknown(context.take_event())
    }
}

fn of_unknown(event: Event) -> Result<UnknownEvent, HandlerError> {
    match event {
        Event::Unknown(unknown) => Ok(unknown),
        known => Err(HandlerError::new(format!("the delivery is of the known event `{}`", known.kind()))),
    }
}
