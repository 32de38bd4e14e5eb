//! The parameters of handlers, and what they are taken from.

use std::sync::Arc;

use super::{HandlerError, RequiredStates, States};
use crate::{
    delivery::{Delivery, DeliveryId},
    event::{self, Event},
    payload::{self, for_each_event, for_each_old_payload, v0_5, v0_6, v0_7},
};

/// A type that a handler of the event `E` may have as a parameter.
///
/// `E` is a marker from [`event`](crate::event). A handler of one event takes that event's payload,
/// such as [`FileUploaded`](crate::FileUploaded) for `file.uploaded`. Every handler may take
/// [`Event`], `Arc<Event>`, [`Delivery`], [`DeliveryId`], [`Payload<T>`](crate::Payload) and
/// [`State<T>`](crate::State). `Option<T>` and `Result<T, HandlerError>` of any parameter `T` are
/// parameters too: the handler then runs also if `T` cannot be made.
///
/// Implement the trait for every `E` to make a parameter of your own type, such as the tenant that
/// the uploader wrote into the file's metadata. End users can write it as well, so check it before
/// you trust it:
///
/// ```
/// use uploadcare_hooks::{FromDelivery, HandlerContext, HandlerError};
///
/// struct Tenant(String);
///
/// impl<E> FromDelivery<E> for Tenant {
///     fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
///         let file = context.delivery().event().file();
///         let tenant = file.and_then(|file| file.metadata.get("tenant").cloned());
///         tenant.map(String::from).map(Tenant).ok_or_else(|| HandlerError::discard("the file has no tenant"))
///     }
/// }
/// ```
///
/// A parameter can be made of a state. Name the state in `required_states`, so that a router
/// without it is not built. It is made without waiting, so a handler asks a database by itself:
///
/// ```
/// use uploadcare_hooks::{FromDelivery, HandlerContext, HandlerError, RequiredStates};
///
/// #[derive(Clone)]
/// struct Database;
///
/// struct Transaction(Database);
///
/// impl<E> FromDelivery<E> for Transaction {
///     fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
///         let database = context.state::<Database>().cloned();
///         database.map(Self).ok_or_else(|| HandlerError::new("there is no database"))
///     }
///
///     fn required_states(states: &mut RequiredStates) {
///         states.require::<Database>();
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken from a delivery of this handler's event",
    label = "a handler of this event cannot take this type",
    note = "a handler of one event takes that event's payload: `FileUploaded` for `file.uploaded`, \
            `FileStored` for `file.stored`, `FileDeleted` for `file.deleted`, `FileInfected` for `file.infected`, \
            `FileInfoUpdated` for `file.info_updated`; with `version = \"0.6\"` that is \
            `payload::v0_6::FileUploaded`",
    note = "every handler may take `Event`, `Arc<Event>`, `Delivery`, `DeliveryId` and `State<T>`"
)]
pub trait FromDelivery<E>: Sized {
    /// Whether [`move_from_delivery`](Self::move_from_delivery) moves the event out of the
    /// delivery.
    #[doc(hidden)]
    const MOVES_EVENT: bool = false;

    /// Makes the parameter from a delivery.
    ///
    /// # Errors
    /// Then the handler is not called, and counts as failed with this error.
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError>;

    /// Makes the parameter after all others, so that it may have the event to itself.
    #[doc(hidden)]
    fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
        Self::from_delivery(context.0)
    }

    /// Names the states that the parameter needs, so that building the router fails if one of them
    /// was not provided.
    fn required_states(_states: &mut RequiredStates) {}
}

/// What a handler's parameters are made from: one delivery, and the router's states.
#[derive(Debug)]
pub struct HandlerContext {
    delivery: Delivery,
    states: Arc<States>,
}

impl HandlerContext {
    #[inline]
    pub(crate) fn new(delivery: Delivery, states: Arc<States>) -> Self {
        Self { delivery, states }
    }

    /// The delivery.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The state of type `T` that was given to the router's builder.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.states.get()
    }
}

/// A context that no other parameter looks at any more. Only generated code gets one.
#[derive(Debug)]
#[doc(hidden)]
pub struct LastUse<'a>(&'a mut HandlerContext);

impl<'a> LastUse<'a> {
    pub(super) fn new(context: &'a mut HandlerContext) -> Self {
        Self(context)
    }

    /// The event: moved out of the delivery, or a copy if the delivery is shared.
    #[inline]
    pub(super) fn take_event(self) -> Event {
        self.0.delivery.take_event()
    }

    /// Like [`take_event`](Self::take_event), to be shared.
    fn take_shared_event(self) -> Arc<Event> {
        self.0.delivery.take_shared_event()
    }
}

impl<E> FromDelivery<E> for Event {
    const MOVES_EVENT: bool = true;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.event().clone())
    }

    fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
        Ok(context.take_event())
    }
}

impl<E> FromDelivery<E> for Arc<Event> {
    const MOVES_EVENT: bool = true;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.shared_event())
    }

    fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
        Ok(context.take_shared_event())
    }
}

impl<E> FromDelivery<E> for Delivery {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.clone())
    }
}

impl<E> FromDelivery<E> for DeliveryId {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.id())
    }
}

/// The payload of one event, for that event's marker only.
macro_rules! payload_parameters {
    ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {$(
        impl FromDelivery<event::$marker> for v0_7::$name {
            const MOVES_EVENT: bool = true;

            fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
                match context.delivery.event() {
                    Event::$name(payload) => Ok(payload.clone()),
                    other => Err(of_another_event($word, other)),
                }
            }

            #[inline]
            fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
                match context.take_event() {
                    Event::$name(payload) => Ok(payload),
                    other => Err(of_another_event($word, &other)),
                }
            }
        }
    )+};
}

for_each_event!(payload_parameters);

#[cold]
fn of_another_event(expected: &str, event: &Event) -> HandlerError {
    let kind = event.kind();
    HandlerError::new(format!("the delivery is of the event {:?}, not `{expected}`", kind.as_str()))
}

/// The payload of an old version as it was sent. It is read from the body again, since the event
/// was lifted.
macro_rules! old_payload_parameters {
    ($($version:ident::$name:ident, marker $marker:ident, versions [$($word:literal),+] $versions:literal;)+) => {$(
        impl FromDelivery<event::$marker> for $version::$name {
            fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
                payload::from_bytes(context.delivery.body()).map_err(HandlerError::mismatch)
            }
        }
    )+};
}

for_each_old_payload!(old_payload_parameters);

#[cfg(test)]
mod tests {
    macro_rules! event_list {
        ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {
            [$(concat!("`", stringify!($name), "` for `", $word, "`")),+]
        };
    }

    #[test]
    fn the_note_for_a_wrong_parameter_names_the_payload_of_every_event() {
        let (source, _) = include_str!("parameter.rs").split_once("pub trait FromDelivery").unwrap();
        let note = source.replace("\\\n", "").split_whitespace().collect::<Vec<_>>().join(" ");
        for entry in crate::payload::for_each_event!(event_list) {
            assert!(note.contains(entry), "{entry}");
        }
    }
}
