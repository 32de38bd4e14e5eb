//! Readers for fields that vary in real deliveries. All of them read `null` as absent.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor, value},
};
use uuid::Uuid;

use super::{Text, time};

/// `null` becomes the type's default.
pub(crate) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An empty text becomes `None`: old versions send `""` for a missing link.
pub(super) fn link<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.filter(|link| !link.is_empty()))
}

/// A scalar. The readers below differ only in how they convert it.
enum Scalar<'a> {
    Null,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Fraction(f64),
    Text(&'a str),
}

/// Reads any scalar and passes it to a function.
struct ScalarVisitor<F> {
    expected: &'static str,
    make: F,
}

macro_rules! visit_scalars {
    ($($method:ident($type:ty) => $variant:ident;)+) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<T, E> {
            self.finish(Scalar::$variant(value))
        })+
    };
}

impl<F> ScalarVisitor<F> {
    fn finish<T, E: Error>(self, scalar: Scalar<'_>) -> Result<T, E>
    where
        F: FnOnce(&Scalar<'_>) -> Option<T>,
    {
        let Self { expected, make } = self;
        make(&scalar).ok_or_else(|| {
            let found = match scalar {
                Scalar::Null => Unexpected::Unit,
                Scalar::Bool(value) => Unexpected::Bool(value),
                Scalar::Whole(value) => Unexpected::Unsigned(value),
                Scalar::Negative(value) => Unexpected::Signed(value),
                Scalar::Fraction(value) => Unexpected::Float(value),
                Scalar::Text(value) => Unexpected::Str(value),
            };
            E::invalid_value(found, &expected)
        })
    }
}

impl<'de, T, F: FnOnce(&Scalar<'_>) -> Option<T>> Visitor<'de> for ScalarVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    visit_scalars! {
        visit_bool(bool) => Bool;
        visit_u64(u64) => Whole;
        visit_i64(i64) => Negative;
        visit_f64(f64) => Fraction;
        visit_str(&str) => Text;
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        self.finish(Scalar::Null)
    }

    fn visit_none<E: Error>(self) -> Result<T, E> {
        self.finish(Scalar::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A whole number. A fraction is rounded; a number outside of the type's range counts as absent.
pub(super) fn whole<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    deserializer.deserialize_any(ScalarVisitor { expected: "a number", make: |scalar: &Scalar<'_>| as_whole(scalar) })
}

fn as_whole<T: TryFrom<u64>>(scalar: &Scalar<'_>) -> Option<Option<T>> {
    /// 2^64, the first number that does not fit into `u64`.
    const BEYOND: f64 = 18_446_744_073_709_551_616.0;
    let whole = match *scalar {
        Scalar::Whole(value) => Some(value),
        Scalar::Fraction(value) => {
            let value = value.round();
            // The range was checked, so the cast neither wraps nor saturates.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            (0.0..BEYOND).contains(&value).then_some(value as u64)
        }
        Scalar::Null | Scalar::Negative(_) => None,
        Scalar::Bool(_) | Scalar::Text(_) => return None,
    };
    Some(whole.and_then(|value| T::try_from(value).ok()))
}

/// A number of channels. Old versions document it as a text; a text that is not a number counts as
/// absent.
pub(super) fn channels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let make = |scalar: &Scalar<'_>| match *scalar {
        Scalar::Text(text) => Some(text.trim().parse().ok()),
        _ => as_whole(scalar),
    };
    deserializer.deserialize_any(ScalarVisitor { expected: "a number or a string", make })
}

/// A text, which may be sent as another scalar.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    as_text(deserializer, Text::of)
}

/// A text of its own, which may be sent as another scalar.
#[cfg(feature = "client")]
pub(crate) fn string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    as_text(deserializer, str::to_owned)
}

fn as_text<'de, D, T>(deserializer: D, of: impl Fn(&str) -> T) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
{
    let make = |scalar: &Scalar<'_>| {
        Some(match *scalar {
            Scalar::Null => None,
            Scalar::Bool(value) => Some(of(&value.to_string())),
            Scalar::Whole(value) => Some(of(&value.to_string())),
            Scalar::Negative(value) => Some(of(&value.to_string())),
            Scalar::Fraction(value) => Some(of(&value.to_string())),
            Scalar::Text(value) => Some(of(value)),
        })
    };
    deserializer.deserialize_any(ScalarVisitor { expected: "a string", make })
}

/// A point in time, with or without a fraction and an offset. Without an offset it is UTC. An empty
/// text counts as absent.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let make = |scalar: &Scalar<'_>| match *scalar {
        Scalar::Null | Scalar::Text("") => Some(None),
        Scalar::Text(text) => time::parse(text).map(Some),
        _ => None,
    };
    deserializer
        .deserialize_any(ScalarVisitor { expected: "a date and time such as 2021-11-18T06:17:42.730459Z", make })
}

/// `{key: value}` of texts. A key with the value `null` counts as absent.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Text, Text>, D::Error> {
    Ok(deserializer.deserialize_option(Entries(|AnyText(value)| value))?.unwrap_or_default())
}

/// `{key: value}` of texts, where `null` means that the key did not exist before; `None` if the
/// whole object is absent.
pub(super) fn previous_texts<'de, D>(deserializer: D) -> Result<Option<BTreeMap<Text, Option<Text>>>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_option(Entries(|AnyText(value)| Some(value)))
}

/// `{conversion path: uuid}`. A path with the value `null` counts as absent.
pub(super) fn variations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Text, Uuid>, D::Error> {
    Ok(deserializer.deserialize_option(Entries(|uuid: Option<Uuid>| uuid))?.unwrap_or_default())
}

/// `{label: confidence}`. A label with the value `null` counts as absent.
pub(super) fn confidences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Text, f64>, D::Error> {
    Ok(deserializer.deserialize_option(Entries(|confidence: Option<f64>| confidence))?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(transparent)]
struct AnyText(#[serde(deserialize_with = "text")] Option<Text>);

/// The most entries of an object with keys of any name. Uploadcare allows 50 of `metadata`.
const MOST_ENTRIES: usize = 10_000;

/// The most objects of a list. A file has a handful of streams.
const MOST_OF_A_LIST: usize = 1000;

/// Three bytes of JSON become a hundred bytes in memory, so a payload must not have any number of
/// them.
fn check_number<E: Error>(number: usize, most: usize) -> Result<(), E> {
    if number <= most { Ok(()) } else { Err(E::custom(format_args!("more than {most} entries"))) }
}

/// An object with entries of one kind, or `null`. The function makes the value of an entry of what
/// is sent, or `None` if the entry counts as absent.
struct Entries<S, V>(fn(S) -> Option<V>);

impl<'de, S: Deserialize<'de>, V> Visitor<'de> for Entries<S, V> {
    type Value = Option<BTreeMap<Text, V>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, sent)) = map.next_entry::<Text, S>()? {
            // The last one of a key counts.
            match (self.0)(sent) {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
            check_number(entries.len(), MOST_ENTRIES)?;
        }
        Ok(Some(entries))
    }
}

/// A list, or one object instead of a list of one, as old versions send it.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

/// One object, or the first one of a list; `None` for an empty list.
pub(super) fn first<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(one_or_many(deserializer)?.into_iter().next())
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects, or one object")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(value::MapAccessDeserializer::new(map)).map(|one| vec![one])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = seq.next_element::<Option<T>>()? {
            many.extend(one);
            check_number(many.len(), MOST_OF_A_LIST)?;
        }
        Ok(many)
    }
}

/// Two numbers, horizontal and vertical. A list of another length counts as absent.
pub(super) fn pair<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[f64; 2]>, D::Error> {
    struct Pair;

    impl<'de> Visitor<'de> for Pair {
        type Value = Option<[f64; 2]>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of two numbers")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let horizontal = seq.next_element::<Option<f64>>()?.flatten();
            let vertical = seq.next_element::<Option<f64>>()?.flatten();
            let mut more = false;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                more = true;
            }
            Ok(horizontal.zip(vertical).filter(|_| !more).map(|(horizontal, vertical)| [horizontal, vertical]))
        }
    }

    deserializer.deserialize_any(Pair)
}
