//! What the code that `#[webhook_handler]` writes calls, by way of `__private`. The generated code
//! only passes on; the logic is here.

use futures_util::FutureExt;

pub use super::descriptor::{Declaration, HandlerFuture};
use super::{
    FromDelivery, HandlerContext, HandlerDescriptor, HandlerError, IntoOutcome, RequiredStates, parameter::LastUse,
};
use crate::payload::{for_each_event, for_each_old_payload};

/// One parameter of a handler of the event `E`, as a constant: the states that it needs, and how to
/// make it.
#[derive(Debug)]
pub struct Parameter<T> {
    make: fn(&mut HandlerContext) -> Result<T, HandlerError>,
    /// Whether it is made after all others and moves the event out of the delivery.
    moves_event: bool,
    /// Whether this or a later parameter moves the event.
    event_is_moved: bool,
    required_states: fn(&mut RequiredStates),
}

/// Describes a parameter. The last one that can move the event does so; `event_is_moved` says
/// whether a later parameter is that one.
///
/// The only function that names [`FromDelivery`], so that a wrong type gives one error.
pub const fn parameter<T: FromDelivery<E>, E>(event_is_moved: bool) -> Parameter<T> {
    let moves_event = T::MOVES_EVENT && !event_is_moved;
    Parameter {
        make: if moves_event { make_last::<T, E> } else { T::from_delivery },
        moves_event,
        event_is_moved: T::MOVES_EVENT || event_is_moved,
        required_states: T::required_states,
    }
}

fn make_last<T: FromDelivery<E>, E>(context: &mut HandlerContext) -> Result<T, HandlerError> {
    T::move_from_delivery(LastUse::new(context))
}

impl<T> Parameter<T> {
    /// Names the states that it needs.
    pub const fn required_states(&self) -> fn(&mut RequiredStates) {
        self.required_states
    }

    /// For the parameter before this one: whether this or a later parameter moves the event.
    pub const fn event_is_moved(&self) -> bool {
        self.event_is_moved
    }

    /// First, for each parameter in order: makes it, unless it is to be made last.
    pub fn make(&self, context: &mut HandlerContext) -> Result<Option<T>, HandlerError> {
        if self.moves_event { Ok(None) } else { (self.make)(context).map(Some) }
    }

    /// Then, for each parameter in order: makes it if it was to be made last.
    pub fn finish(&self, made: Option<T>, context: &mut HandlerContext) -> Result<T, HandlerError> {
        match made {
            Some(parameter) => Ok(parameter),
            None => (self.make)(context),
        }
    }
}

/// Puts a descriptor together.
pub const fn descriptor(
    declaration: Declaration,
    required_states: &'static [fn(&mut RequiredStates)],
    run: fn(HandlerContext) -> HandlerFuture,
) -> HandlerDescriptor {
    HandlerDescriptor::new(declaration, required_states, run)
}

/// Makes the parameters, then calls the function with them.
pub fn call<R, F>(
    mut context: HandlerContext,
    function: impl FnOnce(&mut HandlerContext) -> Result<F, HandlerError>,
) -> HandlerFuture
where
    F: Future<Output = R> + Send + 'static,
    R: IntoOutcome + 'static,
{
    match function(&mut context) {
        // Not an `async` block: that would hold the future, and with it the payload, twice.
        Ok(future) => Box::pin(future.map(R::into_outcome)),
        Err(error) => Box::pin(std::future::ready(Err(error))),
    }
}

/// The descriptor of a handler that did not compile: enough to list it.
pub const fn inert() -> HandlerDescriptor {
    let declaration = Declaration {
        name: "",
        module: "",
        file: "",
        line: 0,
        events: None,
        version: None,
        path: "/",
        secret_env: None,
    };
    HandlerDescriptor::new(declaration, &[], |_| {
        Box::pin(std::future::ready(Err(HandlerError::new("this handler did not compile"))))
    })
}

macro_rules! list_events {
    ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {
        /// For the test of the attribute's own list: each event with its marker and its payload.
        pub const EVENTS: &[(&str, &str, &str)] = &[$(($word, stringify!($marker), stringify!($name)),)+];
    };
}

for_each_event!(list_events);

macro_rules! list_old_payloads {
    ($($version:ident::$name:ident, marker $marker:ident, versions [$($word:literal),+] $versions:literal;)+) => {
        /// For the test of the attribute's own list: each marker of an old payload with its
        /// versions.
        pub const OLD_VERSIONS: &[(&str, &[&str])] = &[$((stringify!($marker), &[$($word),+]),)+];
    };
}

for_each_old_payload!(list_old_payloads);
