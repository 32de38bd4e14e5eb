//! What a handler may take.

use std::{
    any::{Any, TypeId, type_name},
    sync::Arc,
};

use super::HandlerError;
use crate::{
    delivery::{Delivery, DeliveryId},
    event::{self, Event},
    payload::{self, v0_5, v0_6, v0_7},
};

/// What a handler of the event `E` may take as a parameter.
///
/// `E` is a marker from [`event`](crate::event). A handler of one event takes that event's payload, such as [`FileUploaded`](crate::FileUploaded)
/// for `file.uploaded`; every handler may take [`Event`], `Arc<Event>`, [`Delivery`], [`DeliveryId`] and [`State<T>`]. Implement it for every `E`
/// to give your own types a way in:
///
/// ```
/// use uploadcare_hooks::{FromDelivery, HandlerContext, HandlerError};
///
/// struct Tenant(String);
///
/// impl<E> FromDelivery<E> for Tenant {
///     fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
///         let tenant = context.delivery().event().file().and_then(|file| file.metadata.get("tenant").cloned());
///         tenant.map(Tenant).ok_or_else(|| HandlerError::discard("the file has no tenant"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken from a delivery of this handler's event",
    label = "not what a handler of this event may take",
    note = "a handler of one event takes that event's payload: `FileUploaded` for `file.uploaded`, `FileStored` for `file.stored`, `FileDeleted` for `file.deleted`, `FileInfected` for `file.infected`, `FileInfoUpdated` for `file.info_updated`; with `version = \"0.6\"` that is `payload::v0_6::FileUploaded`",
    note = "every handler may take `Event`, `Arc<Event>`, `Delivery`, `DeliveryId` and `State<T>`"
)]
pub trait FromDelivery<E>: Sized {
    /// Whether it looks at the event. The last parameter that does may move the payload out instead of copying it.
    #[doc(hidden)]
    const USES_EVENT: bool = true;

    /// Takes the parameter.
    ///
    /// # Errors
    /// The handler then is not called, and counts as failed with this error.
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError>;

    /// Names the states that it needs, so that building the router can find those that nobody provided.
    fn required_states(_states: &mut RequiredStates) {}
}

/// What a parameter of a handler is taken from: one delivery, and the router's states.
#[derive(Debug)]
pub struct HandlerContext {
    delivery: Delivery,
    states: Arc<States>,
    event_uses: usize,
}

impl HandlerContext {
    pub(crate) fn new(delivery: Delivery, states: Arc<States>, event_uses: usize) -> Self {
        Self { delivery, states, event_uses }
    }

    /// The delivery.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The state of type `T` that was given to the router's builder.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.states.get()
    }

    /// The event to own: a copy, unless no parameter needs it any more.
    fn take_event(&mut self) -> Event {
        self.event_uses = self.event_uses.saturating_sub(1);
        match self.event_uses {
            0 => self.delivery.take_event(),
            _ => self.delivery.event().clone(),
        }
    }
}

/// The states that handlers need, by type.
#[derive(Debug, Default)]
pub struct RequiredStates(Vec<(TypeId, &'static str)>);

impl RequiredStates {
    /// Names a type that must have been given to the router's builder with `state`.
    pub fn require<T: Send + Sync + 'static>(&mut self) {
        self.0.push((TypeId::of::<T>(), type_name::<T>()));
    }

    pub(crate) fn missing_from<'a>(&'a self, states: &'a States) -> impl Iterator<Item = &'static str> + 'a {
        self.0.iter().filter(|(id, _)| states.find(*id).is_none()).map(|(_, name)| *name)
    }
}

/// Values of different types, one of each.
#[derive(Debug, Default)]
pub(crate) struct States(Vec<(TypeId, Box<dyn Any + Send + Sync>)>);

impl States {
    /// Returns whether there was none of this type before.
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, state: T) -> bool {
        let new = self.find(TypeId::of::<T>()).is_none();
        if new {
            self.0.push((TypeId::of::<T>(), Box::new(state)));
        }
        new
    }

    fn get<T: 'static>(&self) -> Option<&T> {
        self.find(TypeId::of::<T>())?.downcast_ref()
    }

    fn find(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.0.iter().find(|(held, _)| *held == id).map(|(_, state)| state.as_ref())
    }
}

/// A handler's parameter that takes a clone of the state of type `T`, which was given to the router's builder with
/// [`state`](crate::WebhookRouterBuilder::state).
///
/// That nobody gave one is found when the router is built.
#[derive(Debug, Clone, Copy, Default)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static, E> FromDelivery<E> for State<T> {
    const USES_EVENT: bool = false;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        let missing = || HandlerError::new(format!("no state of type `{}` was given to the router", type_name::<T>()));
        context.state().cloned().map(State).ok_or_else(missing)
    }

    fn required_states(states: &mut RequiredStates) {
        states.require::<T>();
    }
}

impl<E> FromDelivery<E> for Event {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.take_event())
    }
}

impl<E> FromDelivery<E> for Arc<Event> {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.shared_event())
    }
}

impl<E> FromDelivery<E> for Delivery {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.clone())
    }
}

impl<E> FromDelivery<E> for DeliveryId {
    const USES_EVENT: bool = false;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(context.delivery.id())
    }
}

/// The payload of one event, for that event's marker only.
macro_rules! payload_parameter {
    ($($marker:ident => $payload:ident;)+) => {$(
        impl FromDelivery<event::$marker> for v0_7::$payload {
            fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
                match context.take_event() {
                    Event::$payload(payload) => Ok(payload),
                    other => Err(HandlerError::new(format!(
                        concat!("a handler of `", stringify!($payload), "` was given a delivery of `{}`"),
                        other.kind()
                    ))),
                }
            }
        }
    )+};
}

payload_parameter! {
    Uploaded => FileUploaded;
    Stored => FileStored;
    Deleted => FileDeleted;
    Infected => FileInfected;
    InfoUpdated => FileInfoUpdated;
}

/// The payload of an old version, as it was sent: read from the body again, since the event was lifted.
macro_rules! old_payload_parameter {
    ($($marker:ident => $payload:ty;)+) => {$(
        impl FromDelivery<event::$marker> for $payload {
            const USES_EVENT: bool = false;

            fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
                Ok(payload::from_slice(context.delivery.body())?)
            }
        }
    )+};
}

old_payload_parameter! {
    UploadedV06 => v0_6::FileUploaded;
    UploadedV05 => v0_5::FileUploaded;
}
