//! What the code that `#[webhook_handler]` writes calls, by way of `__private`. The generated code
//! only names the function and its parameters; the logic is here.

use std::{future::ready, panic::RefUnwindSafe};

use futures_util::{FutureExt, future::Either};

pub use super::descriptor::Declaration;
use super::{
    HandlerContext, HandlerDescriptor, HandlerError, Outcome, RequiredStates,
    descriptor::{AnyHandler, HandlerFuture},
    parameters::{Call, Parameters, Run},
};
use crate::payload::{for_each_event, for_each_old_payload};

/// A function, with the list of its parameters.
#[derive(Debug)]
pub struct Handler<P, Function, Output> {
    parameters: P,
    function: Function,
    into_outcome: fn(Output) -> Outcome,
}

impl<P, Function, Output> Handler<P, Function, Output> {
    /// A function whose output turns into an outcome in this way.
    pub const fn new(parameters: P, function: Function, into_outcome: fn(Output) -> Outcome) -> Self {
        Self { parameters, function, into_outcome }
    }
}

/// Puts a descriptor together. The compiler finds here that the function's future is not `Send`.
pub const fn descriptor<P, Function, F>(
    declaration: Declaration,
    handler: &'static Handler<P, Function, F::Output>,
) -> HandlerDescriptor
where
    P: Parameters,
    Function: Call<P::Made, Future = F> + Send + Sync + RefUnwindSafe,
    F: Future,
    P::Run<F>: Send + 'static,
{
    HandlerDescriptor::new(declaration, handler)
}

impl<P, Function, F> AnyHandler for Handler<P, Function, F::Output>
where
    P: Parameters,
    Function: Call<P::Made, Future = F> + Send + Sync + RefUnwindSafe,
    F: Future,
    P::Run<F>: Send + 'static,
{
    fn required_states(&self, states: &mut RequiredStates) {
        self.parameters.required_states(states);
    }

    fn run(&self, mut context: HandlerContext) -> HandlerFuture {
        let run: Run<F> = match self.parameters.make(&mut context) {
            // Not an `async` block: that would hold the future, and with it the payload, twice.
            Ok(made) => Either::Left(self.function.call(made).map(self.into_outcome)),
            Err(error) => Either::Right(ready(Err(error))),
        };
        self.parameters.run(Box::pin(run))
    }
}

/// The descriptor of a handler that did not compile: enough to list it.
pub const fn inert() -> HandlerDescriptor {
    HandlerDescriptor::new(Declaration::new("", "", "", 0, "/"), &Inert)
}

/// A handler that did not compile.
struct Inert;

impl AnyHandler for Inert {
    fn required_states(&self, _states: &mut RequiredStates) {}

    fn run(&self, _context: HandlerContext) -> HandlerFuture {
        Box::pin(ready(Err(HandlerError::new("this handler did not compile"))))
    }
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
