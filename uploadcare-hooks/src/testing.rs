//! Helpers for the tests of an application. Needs the feature `testing`.

mod clock;

pub use self::clock::Clock;
