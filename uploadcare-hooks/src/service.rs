//! What is known of Uploadcare itself: names, numbers and limits, each with where it is documented.
//!
//! The events are in [`EventKind::KNOWN`](crate::EventKind::KNOWN). A test compares both with
//! Uploadcare's official OpenAPI description.

use std::time::Duration;

/// The base URL of the REST API.
///
/// See [Uploadcare: REST API](https://uploadcare.com/api-refs/rest-api/v0.7.0/).
pub const API_BASE: &str = "https://api.uploadcare.com";

/// The value of `Accept` in each request to the REST API, which names the version 0.7.
///
/// See [Uploadcare: REST API](https://uploadcare.com/api-refs/rest-api/v0.7.0/).
pub const MEDIA_TYPE: &str = "application/vnd.uploadcare-v0.7+json";

/// The name of the header that carries a delivery's signature.
///
/// See [Uploadcare: signed webhooks](https://uploadcare.com/docs/webhooks/#signed-webhooks).
pub const SIGNATURE_HEADER: &str = "x-uc-signature";

/// The most characters that Uploadcare takes for a signing secret.
///
/// See [Uploadcare: create a
/// webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhookCreate).
pub const MAX_SECRET_CHARS: usize = 32;

/// The most characters that Uploadcare takes for a target URL.
///
/// See [Uploadcare: create a
/// webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhookCreate).
pub const MAX_TARGET_URL_CHARS: usize = 255;

/// The versions of payloads that a subscription may have, newest first. New subscriptions get the
/// first one; the empty version is an old name of 0.5.
///
/// See [Uploadcare: list of
/// webhooks](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhooksList).
pub const PAYLOAD_VERSIONS: [&str; 4] = ["0.7", "0.6", "0.5", ""];

/// How long Uploadcare repeats a delivery that was not acknowledged.
///
/// An earlier edition of [Uploadcare: webhooks](https://uploadcare.com/docs/webhooks/) says so. The
/// newest one says only that 2xx is success.
pub const REDELIVERED_FOR: Duration = Duration::from_secs(72 * 60 * 60);

/// How far the date of a signed request to the REST API may be from Uploadcare's time.
///
/// See [Uploadcare:
/// authentication](https://uploadcare.com/api-refs/rest-api/v0.7.0/#section/Authentication).
pub const DATE_TOLERANCE: Duration = Duration::from_secs(15 * 60);

/// The names of the applications whose results have a type in
/// [`payload::appdata`](crate::payload::appdata), as they stand in a file's `appdata`.
///
/// See [Uploadcare: add-ons](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Add-Ons).
pub mod application {
    /// [`VirusScan`](crate::payload::appdata::VirusScan), by ClamAV.
    pub const VIRUS_SCAN: &str = "uc_clamav_virus_scan";
    /// [`Labels`](crate::payload::appdata::Labels), by Amazon Rekognition.
    pub const LABELS: &str = "aws_rekognition_detect_labels";
    /// [`ModerationLabels`](crate::payload::appdata::ModerationLabels), by Amazon Rekognition.
    pub const MODERATION_LABELS: &str = "aws_rekognition_detect_moderation_labels";
    /// [`RemoveBg`](crate::payload::appdata::RemoveBg), by remove.bg.
    pub const REMOVE_BG: &str = "remove_bg";
}
