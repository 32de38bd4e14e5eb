//! Parameters that may be missing: `Option<T>` and `Result<T, HandlerError>` of any parameter `T`.

use super::{FromDelivery, HandlerContext, HandlerError, parameter::LastUse};

/// `None` if the parameter cannot be made, for any reason. `Option<State<T>>` is `None` if no such
/// state was provided, and building the router does not fail then.
impl<T: FromDelivery<E>, E> FromDelivery<E> for Option<T> {
    const MOVES_EVENT: bool = T::MOVES_EVENT;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(T::from_delivery(context).ok())
    }

    fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
        Ok(T::move_from_delivery(context).ok())
    }
}

/// The handler decides what to do about a parameter that cannot be made.
impl<T: FromDelivery<E>, E> FromDelivery<E> for Result<T, HandlerError> {
    const MOVES_EVENT: bool = T::MOVES_EVENT;

    fn from_delivery(context: &mut HandlerContext) -> Result<Self, HandlerError> {
        Ok(T::from_delivery(context))
    }

    fn move_from_delivery(context: LastUse<'_>) -> Result<Self, HandlerError> {
        Ok(T::move_from_delivery(context))
    }
}
