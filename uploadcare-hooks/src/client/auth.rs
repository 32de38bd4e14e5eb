//! How requests are authenticated: keys, signatures, dates. Sends nothing.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use md5::{Digest, Md5};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::ClientError;

/// How requests are authenticated.
///
/// See [Uploadcare: REST API
/// authentication](https://uploadcare.com/api-refs/rest-api/v0.7.0/#section/Authentication).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// Each request carries a signature made with the secret key, and not the key itself. This
    /// machine's clock must be right to 15 minutes.
    #[default]
    Signed,
    /// Each request carries the secret key itself. For quick tests.
    Simple,
}

/// The API keys of a project.
#[derive(Clone)]
pub(super) struct Keys {
    public: String,
    secret: Zeroizing<String>,
}

impl Keys {
    pub(super) fn new(public: String, secret: String) -> Result<Self, ClientError> {
        let secret = Zeroizing::new(secret);
        for (name, key) in [("public", public.as_str()), ("secret", secret.as_str())] {
            let problem = if key.is_empty() {
                "is empty"
            } else if !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
                "has white space or other characters that keys do not have"
            } else {
                continue;
            };
            return Err(ClientError::Configuration(format!(
                "the {name} key {problem}: copy both keys from the project's API keys page at Uploadcare"
            )));
        }
        Ok(Self { public, secret })
    }

    /// A text of Uploadcare's without these keys. Uploadcare quotes a public key that it does not
    /// know, and if the two are exchanged, that is the secret one.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        text.replace(self.secret.as_str(), "(secret key)").replace(&self.public, "(public key)")
    }

    /// The value of the `Authorization` header of the simple scheme.
    pub(super) fn simple(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Uploadcare.Simple {}:{}", self.public, *self.secret))
    }

    /// The value of the `Authorization` header of the signed scheme.
    pub(super) fn signed(&self, request: &Signable<'_>) -> String {
        format!("Uploadcare {}:{}", self.public, request.signature(&self.secret))
    }
}

/// Shows the public key only.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The parts of a request that are signed.
pub(super) struct Signable<'a> {
    pub(super) method: &'a str,
    pub(super) body: &'a [u8],
    pub(super) content_type: &'a str,
    pub(super) date: &'a str,
    pub(super) path_and_query: &'a str,
}

impl Signable<'_> {
    fn signature(&self, secret_key: &str) -> String {
        let Self { method, body, content_type, date, path_and_query } = self;
        let digest = hex::encode(Md5::digest(body));
        let text = [method, digest.as_str(), content_type, date, path_and_query].join("\n");
        // HMAC takes keys of every length, so this never fails.
        let mac = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes());
        mac.map(|mac| hex::encode(mac.chain_update(text).finalize().into_bytes())).unwrap_or_default()
    }
}

/// The time as the `Date` header has it, such as `Thu, 22 Jul 2021 10:18:34 GMT`.
pub(super) fn http_date(time: Timestamp) -> Result<String, ClientError> {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&time);
    date.map_err(|error| {
        ClientError::Configuration(format!("the clock shows a time that the `Date` header cannot hold: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(method: &str, body: &[u8], second: i64) -> String {
        let date = http_date(Timestamp::from_second(second).unwrap()).unwrap();
        let request =
            Signable { method, body, content_type: "application/json", date: &date, path_and_query: "/webhooks/" };
        Keys::new("demopublickey".to_owned(), "demosecretkey".to_owned()).unwrap().signed(&request)
    }

    /// Requests that the live service accepted, recorded by the tests of an official client.
    #[test]
    fn the_official_vectors_are_signed() {
        assert_eq!(
            signature("GET", b"", 1_626_949_113),
            "Uploadcare demopublickey:4b73a3f9542c892973c0a85b596da8f305409e60"
        );
        let body = concat!(
            r#"{"target_url":"https://ucarecdn.com/3542c513-5cf4-4adb-97b0-bfa7fbd31fb5/11.png","#,
            r#""event":"file.uploaded","is_active":true}"#
        )
        .as_bytes();
        assert_eq!(
            signature("POST", body, 1_626_949_114),
            "Uploadcare demopublickey:709d7443bac77a68415330c5786972c57f9ddb16"
        );
    }

    #[test]
    fn a_date_is_written_as_the_header_has_it() {
        assert_eq!(http_date(Timestamp::from_second(1_626_949_114).unwrap()).unwrap(), "Thu, 22 Jul 2021 10:18:34 GMT");
        assert_eq!(http_date(Timestamp::from_second(0).unwrap()).unwrap(), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn a_key_that_cannot_be_one_is_refused_without_being_shown() {
        for (public, secret) in [("", "s3cr3t"), ("demo", ""), ("demo", "s3cr3t\n"), ("a:b", "s3cr3t")] {
            let error = Keys::new(public.to_owned(), secret.to_owned()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        }
        let keys = Keys::new("demo".to_owned(), "s3cr3t".to_owned()).unwrap();
        assert!(!format!("{keys:?}").contains("s3cr3t"));
    }
}
