//! The values of the application that handlers share, by type.

use std::any::{Any, TypeId, type_name};

use super::{FromDelivery, HandlerContext, HandlerError};

/// The types of state that handlers need.
#[derive(Debug, Default)]
pub struct RequiredStates(Vec<(TypeId, &'static str)>);

impl RequiredStates {
    /// Requires that a value of the type `T` is given to the router's builder with `state`.
    pub fn require<T: Send + Sync + 'static>(&mut self) {
        self.0.push((TypeId::of::<T>(), type_name::<T>()));
    }

    pub(crate) fn missing_from<'a>(&'a self, states: &'a States) -> impl Iterator<Item = &'static str> + 'a {
        self.0.iter().filter(|(id, _)| states.find(*id).is_none()).map(|(_, name)| *name)
    }
}

/// Values of different types, one of each.
#[derive(Debug, Default)]
pub(crate) struct States(Vec<(TypeId, &'static str, Box<dyn Any + Send + Sync>)>);

impl States {
    /// Adds a value. Returns whether it is the first value of its type; a second one is not added.
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, state: T) -> bool {
        let new = self.find(TypeId::of::<T>()).is_none();
        if new {
            self.0.push((TypeId::of::<T>(), type_name::<T>(), Box::new(state)));
        }
        new
    }

    /// The types of the values.
    pub(crate) fn type_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|(_, name, _)| *name)
    }

    pub(super) fn get<T: 'static>(&self) -> Option<&T> {
        self.find(TypeId::of::<T>())?.downcast_ref()
    }

    fn find(&self, id: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.0.iter().find(|(held, ..)| *held == id).map(|(_, _, state)| state.as_ref())
    }
}

/// A handler's parameter that takes a clone of the state of type `T`, which was given to the
/// router's builder with [`state`](crate::WebhookRouterBuilder::state).
///
/// Building the router fails if no state of type `T` was provided.
#[derive(Debug, Clone, Copy, Default)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static, E> FromDelivery<E> for State<T> {
    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        let missing = || HandlerError::new(format!("no state of type `{}` was provided", type_name::<T>()));
        context.state().cloned().map(State).ok_or_else(missing)
    }

    fn required_states(states: &mut RequiredStates) {
        states.require::<T>();
    }
}
