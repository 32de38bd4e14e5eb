//! `Text`: a text of a payload, as a part of the body that it was read from.
//!
//! `serde` passes nothing along but the JSON itself, so the body that is being read waits in a
//! variable of the thread, where the texts look whether they are parts of it.

use std::{
    borrow::Borrow,
    cell::RefCell,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use bytestring::ByteString;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::repair::repair;

/// A text of a payload: dereferences to [`str`], and costs no copy.
///
/// It shares the buffer that the server read the delivery into, and **keeps all of it in memory**,
/// some kilobytes for a short name: an application that holds a text for longer than its handler
/// runs takes [`into_string`](Self::into_string), which copies the text alone. A clone copies
/// nothing.
///
/// ```
/// use uploadcare_hooks::{Event, payload::Text};
///
/// let event = Event::from_slice(
///     br#"{
///         "hook": {"event": "file.stored"},
///         "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b", "original_filename": "cat.jpg"}
///     }"#,
/// )?;
/// let Event::FileStored(event) = event else { panic!("another event") };
/// let name: Text = event.data.original_filename.expect("a name");
/// assert!(name == "cat.jpg" && name.ends_with(".jpg"));
/// let kept: String = name.into_string();
/// # assert_eq!(kept, "cat.jpg");
/// # Ok::<(), uploadcare_hooks::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct Text {
    body: Arc<ByteString>,
    /// Where the text is in the body.
    start: usize,
    end: usize,
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.body.get(self.start..self.end).unwrap_or_default()
    }

    /// The text alone, copied out of the body.
    pub fn into_string(self) -> String {
        self.as_str().to_owned()
    }

    /// A part of the body that is being read, or a copy if the text is none: one with escapes was
    /// put together elsewhere.
    pub(crate) fn of(text: &str) -> Self {
        let part = |body: &RefCell<Option<Body>>| body.borrow().as_ref().and_then(|body| body.part(text));
        // A thread that ends has no such variable any more.
        BODY.try_with(part).ok().flatten().unwrap_or_else(|| text.into())
    }
}

thread_local! {
    /// The body that this thread is reading.
    static BODY: RefCell<Option<Body>> = const { RefCell::new(None) };
}

/// A body whose parts are texts.
#[derive(Clone)]
pub(crate) struct Body(Arc<ByteString>);

impl Body {
    pub(crate) fn new(body: ByteString) -> Self {
        Self(Arc::new(body))
    }

    /// The body of a delivery, with U+FFFD in place of what is not Unicode if it is not UTF-8.
    pub(crate) fn read(body: &Bytes) -> Self {
        let repaired = || repair(body).and_then(|repaired| String::from_utf8(repaired).ok()).unwrap_or_default();
        Self::new(body.clone().try_into().unwrap_or_else(|_| repaired().into()))
    }

    /// Calls `read`, and lets texts be parts of this body meanwhile.
    pub(crate) fn share<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        let _others = Others(BODY.try_with(|body| body.replace(Some(self.clone()))).ok().flatten());
        read(&self.0)
    }

    /// The body that the text is a part of.
    pub(super) fn of(text: &Text) -> Self {
        Self(Arc::clone(&text.body))
    }

    /// The text that is here in the body.
    fn part(&self, text: &str) -> Option<Text> {
        let start = text.as_ptr().addr().checked_sub(self.0.as_ptr().addr())?;
        let end = start.checked_add(text.len())?;
        (end <= self.0.len()).then(|| Text { body: Arc::clone(&self.0), start, end })
    }
}

/// The body that was being read before, to which the thread goes back in the end, also after a
/// panic.
struct Others(Option<Body>);

impl Drop for Others {
    fn drop(&mut self) {
        let _ = BODY.try_with(|body| body.replace(self.0.take()));
    }
}

impl Default for Text {
    fn default() -> Self {
        static EMPTY: LazyLock<Arc<ByteString>> = LazyLock::new(Arc::default);
        Self { body: Arc::clone(&EMPTY), start: 0, end: 0 }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { start: 0, end: text.len(), body: Arc::new(text.into()) }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.into_string()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

macro_rules! equal_to {
    ($($other:ty),+) => {$(
        impl PartialEq<$other> for Text {
            fn eq(&self, other: &$other) -> bool {
                self.as_str() == &**other
            }
        }

        impl PartialEq<Text> for $other {
            fn eq(&self, other: &Text) -> bool {
                &**self == other.as_str()
            }
        }
    )+};
}

equal_to!(&str, String);

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Text> for str {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::of(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn body(text: &str) -> Body {
        Body::new(text.into())
    }

    #[test]
    fn a_text_without_escapes_is_a_part_of_the_body_and_one_with_escapes_a_copy() {
        let body = body(r#"["cat.jpg", "a\nb", "", "é"]"#);
        let texts: Vec<Text> = body.share(|json| serde_json::from_str(json).unwrap());
        assert_eq!(texts, ["cat.jpg", "a\nb", "", "é"].map(Text::from));
        let shared = |text: &Text| Arc::ptr_eq(&text.body, &body.0);
        assert_eq!(texts.iter().map(shared).collect::<Vec<_>>(), [true, false, true, true]);
    }

    #[test]
    fn what_is_read_meanwhile_or_afterwards_from_elsewhere_is_copied() {
        let (outer, inner) = (body(r#""outer""#), body(r#""inner""#));
        let read = |json: &str| serde_json::from_str::<Text>(json).unwrap();
        outer.share(|json| {
            assert!(!Arc::ptr_eq(&read(r#""elsewhere""#).body, &outer.0));
            assert!(Arc::ptr_eq(&inner.share(read).body, &inner.0));
            assert!(Arc::ptr_eq(&read(json).body, &outer.0), "the inner one is done");
            assert!(catch_unwind(|| inner.share(|_| panic!("a broken type"))).is_err());
            assert!(Arc::ptr_eq(&read(json).body, &outer.0), "the inner one has failed");
        });
        assert!(!Arc::ptr_eq(&read(&outer.0).body, &outer.0));
    }

    #[test]
    fn a_text_is_like_a_string() {
        let text = Text::from("cat");
        let string = "cat".to_owned();
        let equal = [text == "cat", "cat" == text, text == *"cat", *"cat" == text, text == string, string == text];
        assert_eq!(equal, [true; 6]);
        assert!(text > Text::default());
        assert_eq!(format!("{text:>5}|{text:?}"), "  cat|\"cat\"");
        assert_eq!((Text::default().as_str(), String::from(text.clone())), ("", "cat".to_owned()));
        let map = std::collections::HashMap::from([(text, 1)]);
        assert_eq!(map.get("cat"), Some(&1));
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"cat":1}"#);
        assert_eq!(size_of::<Option<Text>>(), size_of::<Option<String>>());
    }
}
