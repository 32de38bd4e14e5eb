//! What the code that `#[webhook_handler]` writes calls, by way of `__private`. The generated code
//! only passes on; the logic is here.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    FutureExt,
    future::{Either, Map},
};

pub use super::descriptor::{Declaration, HandlerFuture};
use super::{
    FromDelivery, HandlerContext, HandlerDescriptor, HandlerError, Outcome, RequiredStates, parameter::LastUse,
};
use crate::payload::{for_each_event, for_each_old_payload};

/// One parameter of a handler, as a constant: the states that it needs, and how to make it.
#[derive(Debug)]
pub struct Parameter<T> {
    make: fn(&mut HandlerContext) -> Result<T, HandlerError>,
    /// Makes it after all others, so that it may move the event out of the delivery.
    make_last: fn(&mut HandlerContext) -> Result<T, HandlerError>,
    /// Whether it can move the event.
    can_move_event: bool,
    /// Whether a later parameter moves the event.
    later_moves_event: bool,
    required_states: fn(&mut RequiredStates),
}

impl<T> Parameter<T> {
    /// The parameter of a handler of the event `E`.
    pub(super) const fn new<E>() -> Self
    where
        T: FromDelivery<E>,
    {
        Self {
            make: T::from_delivery,
            make_last: make_last::<T, E>,
            can_move_event: T::MOVES_EVENT,
            later_moves_event: false,
            required_states: T::required_states,
        }
    }

    /// The last parameter that can move the event does so; `event_is_moved` says whether a later
    /// parameter is that one.
    pub const fn before(self, event_is_moved: bool) -> Self {
        Self { later_moves_event: event_is_moved, ..self }
    }

    /// Names the states that it needs.
    pub const fn required_states(&self) -> fn(&mut RequiredStates) {
        self.required_states
    }

    /// For the parameter before this one: whether this or a later parameter moves the event.
    pub const fn event_is_moved(&self) -> bool {
        self.can_move_event || self.later_moves_event
    }

    /// First, for each parameter in order: makes it, unless it is to be made last.
    #[inline]
    pub fn make(&self, context: &mut HandlerContext) -> Result<Option<T>, HandlerError> {
        if self.is_made_last() { Ok(None) } else { (self.make)(context).map(Some) }
    }

    /// Then, for each parameter in order: makes it if it was to be made last.
    #[inline]
    pub fn finish(&self, made: Option<T>, context: &mut HandlerContext) -> Result<T, HandlerError> {
        match made {
            Some(parameter) => Ok(parameter),
            None => (self.make_last)(context),
        }
    }

    const fn is_made_last(&self) -> bool {
        self.can_move_event && !self.later_moves_event
    }

    /// True. A constant that is made from this value has no value if the parameter is of a type
    /// that a handler cannot take.
    pub const fn is_taken(&self) -> bool {
        true
    }
}

#[inline]
fn make_last<T: FromDelivery<E>, E>(context: &mut HandlerContext) -> Result<T, HandlerError> {
    T::move_from_delivery(LastUse::new(context))
}

/// Puts a descriptor together.
pub const fn descriptor(
    declaration: Declaration,
    required_states: &'static [fn(&mut RequiredStates)],
    run: fn(HandlerContext) -> HandlerFuture,
) -> HandlerDescriptor {
    HandlerDescriptor::new(declaration, required_states, run)
}

/// Makes the parameters, then calls the function with them. Generated code boxes the future, and
/// there the compiler finds that it is not `Send`.
///
/// `TAKEN` is a constant without a value if a parameter is of a wrong type. Then the type of the
/// future is wrong too, and the compiler does not report in addition that it is not `Send`.
#[inline]
pub fn call<const TAKEN: bool, F: Future>(
    mut context: HandlerContext,
    into_outcome: fn(F::Output) -> Outcome,
    function: impl FnOnce(&mut HandlerContext) -> Result<F, HandlerError>,
) -> Run<F, TAKEN> {
    match function(&mut context) {
        // Not an `async` block: that would hold the future, and with it the payload, twice.
        Ok(future) => Either::Left(future.map(into_outcome)),
        Err(error) => Either::Right(NotCalled(Some(error))),
    }
}

/// The run of a handler.
pub type Run<F, const TAKEN: bool> = Either<Map<F, fn(<F as Future>::Output) -> Outcome>, NotCalled<TAKEN>>;

/// The run of a handler that is not called, because a parameter could not be made.
#[derive(Debug)]
pub struct NotCalled<const TAKEN: bool>(Option<HandlerError>);

impl<const TAKEN: bool> Future for NotCalled<TAKEN> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Outcome> {
        // It is not polled again after that.
        Poll::Ready(self.0.take().map_or(Ok(()), Err))
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
