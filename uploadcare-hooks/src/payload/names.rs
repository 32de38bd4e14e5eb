//! The words that Uploadcare uses from lists that grow: events, versions, initiators, add-ons, colour modes.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enum of the words known today that keeps every other word as text.
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

            fn from_cow(word: Cow<'_, str>) -> Self {
                match word.as_ref() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word.into_owned()),
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::from_cow(Cow::Borrowed(word))
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from_cow(Cow::Owned(word))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Word(Self::from_cow))
            }
        }
    };
}

/// Reads a word without copying it, where the input allows.
struct Word<T>(fn(Cow<'_, str>) -> T);

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

open_enum! {
    /// What happened, as `hook.event` names it.
    ///
    /// See [Uploadcare: event types](https://uploadcare.com/docs/webhooks/).
    ///
    /// ```
    /// use uploadcare_hooks::EventKind;
    ///
    /// assert_eq!(EventKind::from("file.stored"), EventKind::FileStored);
    /// assert_eq!(EventKind::from("file.moved").as_str(), "file.moved");
    /// ```
    EventKind {
        /// A file was uploaded, copied within the project, or made by a conversion or an add-on:
        FileUploaded = "file.uploaded",
        /// A file was stored, that is, will not be deleted after a day:
        FileStored = "file.stored",
        /// A file was deleted:
        FileDeleted = "file.deleted",
        /// A virus scan found a file infected:
        FileInfected = "file.infected",
        /// A file's `metadata` or `appdata` changed:
        FileInfoUpdated = "file.info_updated",
    }
}

impl EventKind {
    pub(crate) const COUNT: usize = Self::KNOWN.len() + 1;
    pub(crate) fn index(&self) -> usize {
        Self::KNOWN.iter().position(|known| *known == self.as_str()).unwrap_or(Self::KNOWN.len())
    }
}

open_enum! {
    /// The version of a payload, as `hook.version` names it.
    ///
    /// It belongs to the subscription and is chosen when that is created. See
    /// [Uploadcare: REST API 0.7, create webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhookCreate).
    #[derive(Default)]
    PayloadVersion {
        /// The newest:
        V0_7 = "0.7",
        /// `file.uploaded` only, with `image_info` and `rekognition_info`:
        V0_6 = "0.6",
        /// `file.uploaded` only, like 0.6:
        V0_5 = "0.5",
        /// The oldest, empty or not named at all:
        #[default]
        Unversioned = "",
    }
}

open_enum! {
    /// Who caused an event.
    InitiatorKind {
        /// A request to an API:
        Api = "api",
        /// Uploadcare itself:
        System = "system",
        /// An add-on's run:
        Addon = "addon",
    }
}

open_enum! {
    /// The add-on that caused an event.
    ///
    /// See [Uploadcare: add-ons](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Add-Ons).
    AddonName {
        /// Labels for what an image shows:
        AwsRekognitionDetectLabels = "aws_rekognition_detect_labels",
        /// Labels for unsafe content:
        AwsRekognitionDetectModerationLabels = "aws_rekognition_detect_moderation_labels",
        /// The virus scan:
        UcClamavVirusScan = "uc_clamav_virus_scan",
        /// Background removal:
        RemoveBg = "remove_bg",
        /// Document conversion:
        ZamzarConvertDocument = "zamzar_convert_document",
        /// Video conversion:
        ZencoderConvertVideo = "zencoder_convert_video",
    }
}

open_enum! {
    /// How an image stores its colours, in the words of the Python Imaging Library.
    ColorMode {
        /// Red, green, blue:
        Rgb = "RGB",
        /// With an alpha channel:
        Rgba = "RGBA",
        /// With a premultiplied alpha channel:
        RgbaPremultiplied = "RGBa",
        /// With padding:
        Rgbx = "RGBX",
        /// Greyscale:
        L = "L",
        /// Greyscale with an alpha channel:
        La = "LA",
        /// Greyscale with a premultiplied alpha channel:
        LaPremultiplied = "La",
        /// A palette:
        P = "P",
        /// A palette with an alpha channel:
        Pa = "PA",
        /// Cyan, magenta, yellow, black:
        Cmyk = "CMYK",
        /// Luma and chroma:
        YCbCr = "YCbCr",
        /// Hue, saturation, value:
        Hsv = "HSV",
        /// CIE L\*a\*b\*:
        Lab = "LAB",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_comes_back_as_itself_and_others_are_kept() {
        for word in EventKind::KNOWN {
            let kind = EventKind::from(*word);
            assert!(!matches!(kind, EventKind::Other(_)), "{word}");
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
        }
        let other: EventKind = serde_json::from_str(r#""file.\u0074urned""#).unwrap();
        assert_eq!(other, EventKind::Other("file.turned".to_owned()));
    }
}
