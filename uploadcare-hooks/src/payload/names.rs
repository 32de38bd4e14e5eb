//! Lists of words that may grow: versions, initiators, add-ons, colour modes. The events are in a
//! table of their own, `events.rs`.

use super::open_enum::open_enum;

open_enum! {
    /// The version of a payload, as `hook.version` names it.
    ///
    /// It belongs to the subscription and is chosen when the subscription is created. See
    /// [Uploadcare: REST API 0.7, create webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhookCreate).
    #[derive(Default)]
    PayloadVersion {
        /// The newest version:
        V0_7 = "0.7",
        /// `file.uploaded` only, with `image_info` and `rekognition_info`:
        V0_6 = "0.6",
        /// `file.uploaded` only, like 0.6:
        V0_5 = "0.5",
        /// The oldest version, whose name is empty or absent:
        #[default]
        Unversioned = "",
    }
}

open_enum! {
    /// What caused an event.
    InitiatorKind {
        /// A request to an API:
        Api = "api",
        /// Uploadcare itself:
        System = "system",
        /// An add-on:
        Addon = "addon",
    }
}

open_enum! {
    /// The add-on that caused an event.
    ///
    /// See [Uploadcare: add-ons](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Add-Ons).
    AddonName {
        /// Labels for the content of an image:
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
