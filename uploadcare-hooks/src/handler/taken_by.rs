//! Which parameters a handler may have, once for each marker: the traits differ only in what the
//! compiler says about a wrong type. Generated code names them, so that the message can name the
//! handler's event and its payload, which [`FromDelivery<E>`](FromDelivery) cannot.

use std::marker::PhantomData;

use super::{FromDelivery, HandlerError, Payload, State, parameters::Parameter};
use crate::event;

/// Stands for a parameter of a wrong type, and has no value. Each trait here has a second
/// implementation with it, for no type: of two the compiler finds out which one holds before it
/// goes on. With one alone it goes on as if that held, and also reports what follows, such as a
/// future that is not `Send`.
#[derive(Debug)]
pub enum Wrong {}

/// Implemented for no type.
pub trait Never {
    /// There is none.
    const WRONG: Wrong;
}

macro_rules! taken_by {
    ($($name:ident, $marker:ident, $message:literal, $label:literal, $note:literal;)+) => {$(
        #[diagnostic::on_unimplemented(
            message = $message,
            label = $label,
            note = $note,
            note = "every handler may take `Event`, `Arc<Event>`, `Delivery`, `DeliveryId`, `State<T>` and \
                    `Payload<T>`, an `Option` or `Result<_, HandlerError>` of a parameter, and types of your own that \
                    implement `FromDelivery`"
        )]
        /// Parameters that a handler with this marker may have.
        pub trait $name<P>: Sized {
            /// The parameter, for the list of all.
            const PARAMETER: P;
        }

        // The message is about this trait instead of about `FromDelivery`.
        #[diagnostic::do_not_recommend]
        impl<T: FromDelivery<event::$marker>> $name<Parameter<T, event::$marker>> for T {
            const PARAMETER: Parameter<T, event::$marker> = Parameter::NEW;
        }

        #[diagnostic::do_not_recommend]
        impl<T: Never> $name<Wrong> for T {
            const PARAMETER: Wrong = T::WRONG;
        }
    )+};
}

taken_by! {
    TakenByUploaded, Uploaded,
        "a handler of `file.uploaded` takes `FileUploaded`, not `{Self}`",
        "expected `FileUploaded`, or a type that every handler may take",
        "the payload of `file.uploaded` is `uploadcare_hooks::FileUploaded`";
    TakenByStored, Stored,
        "a handler of `file.stored` takes `FileStored`, not `{Self}`",
        "expected `FileStored`, or a type that every handler may take",
        "the payload of `file.stored` is `uploadcare_hooks::FileStored`";
    TakenByDeleted, Deleted,
        "a handler of `file.deleted` takes `FileDeleted`, not `{Self}`",
        "expected `FileDeleted`, or a type that every handler may take",
        "the payload of `file.deleted` is `uploadcare_hooks::FileDeleted`";
    TakenByInfected, Infected,
        "a handler of `file.infected` takes `FileInfected`, not `{Self}`",
        "expected `FileInfected`, or a type that every handler may take",
        "the payload of `file.infected` is `uploadcare_hooks::FileInfected`";
    TakenByInfoUpdated, InfoUpdated,
        "a handler of `file.info_updated` takes `FileInfoUpdated`, not `{Self}`",
        "expected `FileInfoUpdated`, or a type that every handler may take",
        "the payload of `file.info_updated` is `uploadcare_hooks::FileInfoUpdated`";
    TakenByUploadedV06, UploadedV06,
        "a handler of `file.uploaded` with `version = \"0.6\"` takes `payload::v0_6::FileUploaded`, \
         not `{Self}`",
        "expected `uploadcare_hooks::payload::v0_6::FileUploaded`, or a type that every handler may take",
        "the payload of version 0.6 is `uploadcare_hooks::payload::v0_6::FileUploaded`; without `version` the \
         handler takes `FileUploaded`";
    TakenByUploadedV05, UploadedV05,
        "a handler of `file.uploaded` with `version = \"0.5\"` or `\"\"` takes \
         `payload::v0_5::FileUploaded`, not `{Self}`",
        "expected `uploadcare_hooks::payload::v0_5::FileUploaded`, or a type that every handler may take",
        "the payload of version 0.5 is `uploadcare_hooks::payload::v0_5::FileUploaded`; without `version` the \
         handler takes `FileUploaded`";
    TakenByAny, Any,
        "a handler of several events takes `Event`, not `{Self}`",
        "expected `Event`, or another type that every handler may take",
        "`match` on the `Event` to get at the payload of each event, or write one handler for each event, with \
         `event = \"..\"`";
    TakenByUnlisted, Unlisted,
        "a handler of an unlisted event takes `UnknownEvent` or `Payload<T>`, not `{Self}`",
        "expected `UnknownEvent`, or a type that every handler may take",
        "in `Payload<T>`, `T` is a type of your own that implements `serde::de::DeserializeOwned`";
}

/// A trait for every marker, for parameters that are written in one way.
macro_rules! taken_as {
    ($($(#[$attr:meta])* $name:ident;)+) => {$(
        $(#[$attr])*
        pub trait $name<E, P>: Sized {
            /// The parameter, for the list of all.
            const PARAMETER: P;
        }

        #[diagnostic::do_not_recommend]
        impl<T: FromDelivery<E>, E> $name<E, Parameter<T, E>> for T {
            const PARAMETER: Parameter<T, E> = Parameter::NEW;
        }

        #[diagnostic::do_not_recommend]
        impl<T: Never, E> $name<E, Wrong> for T {
            const PARAMETER: Wrong = T::WRONG;
        }
    )+};
}

taken_as! {
    /// Parameters whose name is that of no type of this crate.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a parameter that this handler can take: take a value given to `.state(..)` as \
                   `State<{Self}>`, or the body as `Payload<{Self}>`",
        label = "expected `State<{Self}>`, or a type that implements `FromDelivery` for this handler's event",
        note = "take headers from `Delivery`",
        note = "to make a parameter of your own type, implement `FromDelivery<E>` for it, for every `E`: \
                `impl<E> FromDelivery<E> for ..`"
    )]
    TakenAsOther;

    /// Parameters whose name is that of no type of this crate, and that are seldom states.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a parameter that this handler can take: take the event's payload, such as \
                   `FileUploaded`, the headers and the body from `Delivery`, or a value given to `.state(..)` as \
                   `State<T>`",
        label = "expected a payload, `Delivery`, `State<T>`, or a type that implements `FromDelivery`",
        note = "take the body as a type of your own with `Payload<T>`; extractors of web frameworks read a request, \
                and a handler takes a delivery",
        note = "to make a parameter of your own type, implement `FromDelivery<E>` for it, for every `E`: \
                `impl<E> FromDelivery<E> for ..`"
    )]
    TakenAsExtractor;
}

/// Finds out whether a type is one of this crate's: the constants here hide that of
/// [`OfAnotherCrate`].
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

macro_rules! ours {
    ($($ours:ty),+) => {$(
        impl<T> Probe<$ours> {
            /// It is this crate's.
            pub const IS_OURS: bool = true;
        }
    )+};
}

ours!(State<T>, Option<State<T>>, Result<State<T>, HandlerError>);
ours!(Payload<T>, Option<Payload<T>>, Result<Payload<T>, HandlerError>);

/// What [`Probe`] says of every other type.
pub trait OfAnotherCrate {
    /// Whether the type is this crate's.
    const IS_OURS: bool = false;
}

impl<T> OfAnotherCrate for Probe<T> {}

/// A trait for the parameters of one kind. They are its parameter `T`: about a trait that is for
/// `T` itself, the compiler would show the message of [`TakenAsState`] and [`TakenAsPayload`].
macro_rules! taken_if {
    ($($(#[$attr:meta])* $name:ident;)+) => {$(
        $(#[$attr])*
        pub trait $name<T, E, P> {
            /// The parameter, for the list of all.
            const PARAMETER: P;
        }

        #[diagnostic::do_not_recommend]
        impl<T: FromDelivery<E>, E> $name<T, E, Parameter<T, E>> for () {
            const PARAMETER: Parameter<T, E> = Parameter::NEW;
        }

        #[diagnostic::do_not_recommend]
        impl<T: Never, E> $name<T, E, Wrong> for () {
            const PARAMETER: Wrong = T::WRONG;
        }
    )+};
}

taken_if! {
    /// Parameters that are written as `State<..>`: the message says what a state must be.
    #[diagnostic::on_unimplemented(
        message = "`{T}` cannot be shared by handlers: write `State<Arc<T>>`, with a `T` that is `Send + Sync`",
        label = "the value of a `State` must be `Clone + Send + Sync + 'static`",
        note = "each run of a handler gets a clone of the value, and runs may be on different threads: use `Arc` \
                instead of `Rc`, `Mutex` instead of `RefCell`, and `Arc<T>` if `T` is not `Clone`"
    )]
    OurState;

    /// Other types that are written as `State<..>`.
    #[diagnostic::on_unimplemented(
        message = "`{T}` is not the `State` of this crate: write `use uploadcare_hooks::State`",
        label = "expected `uploadcare_hooks::State`"
    )]
    OtherState;

    /// Parameters that are written as `Payload<..>`: the message says what the type must be.
    #[diagnostic::on_unimplemented(
        message = "`{T}` cannot be read from JSON: add `#[derive(serde::Deserialize)]` to the type inside",
        label = "the type in a `Payload` must be `serde::de::DeserializeOwned`",
        note = "a type that borrows from the JSON, such as one with a field of type `&str`, is not `DeserializeOwned`"
    )]
    OurPayload;

    /// Other types that are written as `Payload<..>`.
    #[diagnostic::on_unimplemented(
        message = "`{T}` is not the `Payload` of this crate: write `use uploadcare_hooks::Payload`",
        label = "expected `uploadcare_hooks::Payload`"
    )]
    OtherPayload;
}

/// Chooses the message by whether the type is this crate's.
macro_rules! taken_as_ours {
    ($($(#[$attr:meta])* $name:ident: $ours:ident or $other:ident;)+) => {$(
        $(#[$attr])*
        pub trait $name<const IS_OURS: bool, E, P>: Sized {
            /// The parameter, for the list of all.
            const PARAMETER: P;
        }

        impl<T, E, P> $name<true, E, P> for T
        where
            (): $ours<T, E, P>,
        {
            const PARAMETER: P = <() as $ours<T, E, P>>::PARAMETER;
        }

        impl<T, E, P> $name<false, E, P> for T
        where
            (): $other<T, E, P>,
        {
            const PARAMETER: P = <() as $other<T, E, P>>::PARAMETER;
        }
    )+};
}

taken_as_ours! {
    /// Parameters that are written as `State<..>`.
    TakenAsState: OurState or OtherState;
    /// Parameters that are written as `Payload<..>`.
    TakenAsPayload: OurPayload or OtherPayload;
}

#[cfg(test)]
mod tests {
    macro_rules! messages {
        ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {
            [$(concat!("a handler of `", $word, "` takes `", stringify!($name), "`, not `{Self}`")),+]
        };
    }

    #[test]
    fn the_message_about_a_wrong_parameter_names_the_payload_of_every_event() {
        for message in crate::payload::for_each_event!(messages) {
            assert!(include_str!("taken_by.rs").contains(message), "{message}");
        }
    }
}
