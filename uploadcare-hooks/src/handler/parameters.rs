//! The list of a handler's parameters, and how the function is called with them.

use std::{future::Ready, marker::PhantomData, panic::RefUnwindSafe, pin::Pin};

use futures_util::future::{Either, Map};

use super::{FromDelivery, HandlerContext, HandlerError, Outcome, RequiredStates, parameter::LastUse, taken_by::Wrong};

/// A parameter of the type `T` of a handler of the event `E`.
#[derive(Debug)]
pub struct Parameter<T, E>(PhantomData<fn(E) -> T>);

impl<T, E> Parameter<T, E> {
    pub(super) const NEW: Self = Self(PhantomData);
}

/// All parameters of a handler, as a list of pairs: `(first, (second, ()))`.
pub trait Parameters: Send + Sync + RefUnwindSafe {
    /// Whether one of them moves the event out of the delivery.
    const MOVES_EVENT: bool;
    /// The parameters themselves, in the same list.
    type Made;
    /// The run of a handler whose function returns `F`. It is the same for all lists. But if a
    /// parameter is of a wrong type, the compiler does not know that, and does not report in
    /// addition that the run is not `Send`.
    type Run<F: Future>: Future<Output = Outcome>;

    /// Names the states that they need.
    fn required_states(&self, states: &mut RequiredStates);

    /// Makes the parameters in order, but the last one that moves the event after all others.
    ///
    /// # Errors
    /// The error of the first parameter that cannot be made.
    fn make(&self, context: &mut HandlerContext) -> Result<Self::Made, HandlerError>;

    /// The same run as this type. It is boxed, since it can be large and would be copied for each
    /// parameter.
    fn run<F: Future>(&self, run: Pin<Box<Run<F>>>) -> Pin<Box<Self::Run<F>>>;
}

/// The function's future, or the error of a parameter.
pub(super) type Run<F> = Either<Map<F, fn(<F as Future>::Output) -> Outcome>, Ready<Outcome>>;

impl Parameters for () {
    const MOVES_EVENT: bool = false;
    type Made = ();
    type Run<F: Future> = Run<F>;

    fn required_states(&self, _states: &mut RequiredStates) {}

    fn make(&self, _context: &mut HandlerContext) -> Result<(), HandlerError> {
        Ok(())
    }

    fn run<F: Future>(&self, run: Pin<Box<Run<F>>>) -> Pin<Box<Run<F>>> {
        run
    }
}

impl<T: FromDelivery<E>, E, Others: Parameters> Parameters for (Parameter<T, E>, Others) {
    const MOVES_EVENT: bool = T::MOVES_EVENT || Others::MOVES_EVENT;
    type Made = (T, Others::Made);
    type Run<F: Future> = Others::Run<F>;

    fn required_states(&self, states: &mut RequiredStates) {
        T::required_states(states);
        self.1.required_states(states);
    }

    #[inline]
    fn make(&self, context: &mut HandlerContext) -> Result<Self::Made, HandlerError> {
        if T::MOVES_EVENT && !Others::MOVES_EVENT {
            let others = self.1.make(context)?;
            Ok((T::move_from_delivery(LastUse::new(context))?, others))
        } else {
            Ok((T::from_delivery(context)?, self.1.make(context)?))
        }
    }

    fn run<F: Future>(&self, run: Pin<Box<Run<F>>>) -> Pin<Box<Self::Run<F>>> {
        self.1.run(run)
    }
}

/// With a second implementation for pairs the compiler does not take a parameter that it does not
/// know for one of a right type.
impl<Others: Parameters> Parameters for (Wrong, Others) {
    const MOVES_EVENT: bool = false;
    type Made = ();
    type Run<F: Future> = Run<F>;

    fn required_states(&self, _states: &mut RequiredStates) {
        match self.0 {}
    }

    fn make(&self, _context: &mut HandlerContext) -> Result<(), HandlerError> {
        match self.0 {}
    }

    fn run<F: Future>(&self, _run: Pin<Box<Run<F>>>) -> Pin<Box<Run<F>>> {
        match self.0 {}
    }
}

/// A function that is called with a list of parameters.
pub trait Call<P> {
    /// What the function returns.
    type Future: Future;

    /// Calls the function.
    fn call(&self, parameters: P) -> Self::Future;
}

macro_rules! list {
    () => { () };
    ($first:ident $($others:ident)*) => { ($first, list!($($others)*)) };
}

/// For functions with these parameters, and with fewer.
macro_rules! call {
    (with $($parameter:ident)*) => {
        impl<Function, F, $($parameter),*> Call<list!($($parameter)*)> for Function
        where
            Function: Fn($($parameter),*) -> F,
            F: Future,
        {
            type Future = F;

            #[inline]
            #[allow(non_snake_case, reason = "a parameter has the name of its type")]
            fn call(&self, list!($($parameter)*): list!($($parameter)*)) -> F {
                self($($parameter),*)
            }
        }
    };
    () => {
        call!(with);
    };
    ($first:ident $($others:ident)*) => {
        call!(with $first $($others)*);
        call!($($others)*);
    };
}

// As many as the attribute allows.
call!(A B C D E G H I J K L M N O P Q);
