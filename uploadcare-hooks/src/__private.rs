//! What the code that `#[webhook_handler]` writes calls. Not part of the public interface: it changes with every release.

pub use std::vec::Vec;

use futures_util::FutureExt;

use crate::handler::{FromDelivery, HandlerContext, HandlerDescriptor, HandlerError, IntoOutcome, RequiredStates};
pub use crate::handler::{HandlerFuture, Options, ParameterNeeds};

/// One parameter of a handler of the event `E`, as a constant: what it needs, and how to take it.
#[derive(Debug)]
pub struct Parameter<T> {
    take: fn(&mut HandlerContext) -> Result<T, HandlerError>,
    states: fn(&mut RequiredStates),
    uses_event: bool,
}

/// The only place that names [`FromDelivery`], so that a wrong type gives one error.
pub const fn parameter<T: FromDelivery<E>, E>() -> Parameter<T> {
    Parameter { take: T::from_delivery, states: T::required_states, uses_event: T::USES_EVENT }
}

impl<T> Parameter<T> {
    pub const fn needs(&self) -> ParameterNeeds {
        ParameterNeeds { states: self.states, uses_event: self.uses_event }
    }

    pub fn take(&self, context: &mut HandlerContext) -> Result<T, HandlerError> {
        (self.take)(context)
    }
}

/// Puts a descriptor together.
pub const fn descriptor(
    options: Options,
    parameters: &'static [ParameterNeeds],
    run: fn(HandlerContext) -> HandlerFuture,
) -> HandlerDescriptor {
    HandlerDescriptor { options, parameters, run }
}

/// Takes the parameters, then calls the function with them.
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

/// What a handler gets that did not compile: enough to be listed.
pub const fn inert() -> HandlerDescriptor {
    HandlerDescriptor {
        options: Options {
            name: "",
            module: "",
            file: "",
            line: 0,
            events: None,
            version: None,
            path: "/",
            secret_env: None,
        },
        parameters: &[],
        run: |_| Box::pin(std::future::ready(Err(HandlerError::new("this handler did not compile")))),
    }
}
