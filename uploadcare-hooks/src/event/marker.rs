//! Marker types: each names an event, so that [`FromDelivery`](crate::FromDelivery) can say which
//! parameters a handler of that event may have. They have no values.

use crate::payload::{for_each_event, for_each_old_payload};

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {$(
        #[doc = concat!("The marker of `", $word, "`, for [`FromDelivery`](crate::FromDelivery).")]
        #[derive(Debug, Clone, Copy)]
        pub enum $marker {}
    )+};
}

for_each_event!(markers);

macro_rules! old_markers {
    ($($version:ident::$name:ident, marker $marker:ident, versions [$($word:literal),+] $versions:literal;)+) => {$(
        #[doc = concat!("The marker of `file.uploaded` in ", $versions, ", for [`FromDelivery`](crate::FromDelivery).")]
        #[derive(Debug, Clone, Copy)]
        pub enum $marker {}
    )+};
}

for_each_old_payload!(old_markers);

/// The marker of an event that this version of the crate does not know, for
/// [`FromDelivery`](crate::FromDelivery): handlers with `unlisted` have it.
#[derive(Debug, Clone, Copy)]
pub enum Unlisted {}

/// The marker of several events, for [`FromDelivery`](crate::FromDelivery): handlers with
/// `events = [..]` or `any` have it.
#[derive(Debug, Clone, Copy)]
pub enum Any {}
