//! `open_enum!`: an enum of the words that this version of the crate knows, which keeps every other
//! word as text. Uploadcare adds words without notice.

use std::{borrow::Cow, fmt};

/// Makes an enum with a variant for each known word, and `Other(String)` for every other word.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* #[doc = concat!("`", $word, "`")] $variant,)+
            /// A word that this version of the crate does not know, as it was sent.
            Other(String),
        }

        impl $name {
            /// The words that this version of the crate knows.
            pub const KNOWN: &[&str] = &[$($word),+];

            /// The word as Uploadcare writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }

            fn from_cow(word: ::std::borrow::Cow<'_, str>) -> Self {
                match word.as_ref() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word.into_owned()),
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::from_cow(::std::borrow::Cow::Borrowed(word))
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from_cow(::std::borrow::Cow::Owned(word))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::payload::open_enum::Word(Self::from_cow))
            }
        }
    };
}

pub(super) use open_enum;

/// Reads a word. Copies it only if it is not known.
pub(super) struct Word<T>(pub(super) fn(Cow<'_, str>) -> T);

impl<T> serde::de::Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, word: &str) -> Result<T, E> {
        Ok((self.0)(Cow::Borrowed(word)))
    }

    fn visit_string<E>(self, word: String) -> Result<T, E> {
        Ok((self.0)(Cow::Owned(word)))
    }
}
