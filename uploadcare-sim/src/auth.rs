//! Authenticates REST requests, with both of Uploadcare's schemes.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use md5::{Digest, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use uploadcare_hooks::service::DATE_TOLERANCE;

use crate::project::Keys;

/// The parts of a request that authenticate it.
pub(crate) struct SignedParts<'a> {
    pub(crate) authorization: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) content_type: &'a str,
    /// `Date`, or `X-Uploadcare-Date`, which browsers send instead.
    pub(crate) date: Option<&'a str>,
    pub(crate) path_and_query: &'a str,
}

/// Returns what is wrong, in Uploadcare's words.
pub(crate) fn check(keys: &Keys, parts: &SignedParts<'_>, now: Timestamp) -> Result<(), String> {
    const INCORRECT: &str = "Incorrect authentication credentials.";
    let credentials = parts.authorization.and_then(|value| value.split_once(' '));
    let Some((scheme, (public, proof))) = credentials.and_then(|(scheme, pair)| Some((scheme, pair.split_once(':')?)))
    else {
        return Err(INCORRECT.to_owned());
    };
    if public != keys.public {
        return Err(format!("Public key {public} not found."));
    }
    match scheme {
        "Uploadcare.Simple" if equal(proof, &keys.secret) => Ok(()),
        "Uploadcare.Simple" => Err("Secret key not found.".to_owned()),
        "Uploadcare" => {
            let date = parts.date.ok_or(INCORRECT)?;
            let sent = parse_date(date).ok_or(INCORRECT)?;
            if now.duration_since(sent).unsigned_abs() > DATE_TOLERANCE {
                return Err(INCORRECT.to_owned());
            }
            if equal(proof, &signature(keys, parts, date)) {
                Ok(())
            } else {
                Err("Invalid signature. Please check your Secret key.".to_owned())
            }
        }
        _ => Err(INCORRECT.to_owned()),
    }
}

fn signature(keys: &Keys, parts: &SignedParts<'_>, date: &str) -> String {
    let digest = hex::encode(Md5::digest(parts.body));
    let signed = format!("{}\n{digest}\n{}\n{date}\n{}", parts.method, parts.content_type, parts.path_and_query);
    // HMAC accepts keys of any length, so this cannot fail.
    let mac = Hmac::<Sha1>::new_from_slice(keys.secret.as_bytes());
    mac.map(|mac| hex::encode(mac.chain_update(signed).finalize().into_bytes())).unwrap_or_default()
}

/// Reads an RFC 2822 date. The official Python client writes a comma behind the year, and
/// Uploadcare accepts that.
fn parse_date(date: &str) -> Option<Timestamp> {
    let (day, rest) = date.split_once(',')?;
    let date = format!("{day},{}", rest.replace(',', ""));
    DateTimeParser::new().parse_timestamp(&date).ok()
}

fn equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Thu, 22 Jul 2021 10:18:33 GMT";
    const NOW: i64 = 1_626_949_113;

    fn check(authorization: &str, date: Option<&str>, second: i64) -> Result<(), String> {
        let keys = Keys { public: "demopublickey".to_owned(), secret: "demosecretkey".to_owned() };
        let parts = SignedParts {
            authorization: Some(authorization),
            method: "GET",
            body: b"",
            content_type: "application/json",
            date,
            path_and_query: "/webhooks/",
        };
        super::check(&keys, &parts, Timestamp::from_second(second).unwrap())
    }

    /// Uploadcare accepted this request; the tests of an official client recorded it.
    #[test]
    fn the_official_vector_is_accepted_for_fifteen_minutes() {
        let signed = "Uploadcare demopublickey:4b73a3f9542c892973c0a85b596da8f305409e60";
        for off in [0, 899, -899] {
            assert_eq!(check(signed, Some(DATE), NOW + off), Ok(()));
        }
        for off in [901, -901] {
            assert_eq!(check(signed, Some(DATE), NOW + off), Err("Incorrect authentication credentials.".to_owned()));
        }
        let other_date = Some("Thu, 22 Jul 2021 10:18:34 GMT");
        assert!(check(signed, other_date, NOW).unwrap_err().starts_with("Invalid signature."));
    }

    #[test]
    fn dates_are_read_as_the_official_clients_write_them() {
        for date in [DATE, "Thu, 22 Jul 2021, 10:18:33 GMT", "Thu, 22 Jul 2021 10:18:33 +0000"] {
            assert_eq!(parse_date(date), Timestamp::from_second(NOW).ok(), "{date}");
        }
        assert_eq!(parse_date("2021-07-22T10:18:33Z"), None);
    }

    #[test]
    fn each_mistake_gets_its_own_words() {
        for (authorization, words) in [
            ("Uploadcare.Simple demopublickey:wrong", "Secret key not found."),
            ("Uploadcare.Simple demo:demosecretkey", "Public key demo not found."),
            ("Uploadcare demopublickey:00", "Invalid signature. Please check your Secret key."),
            ("Basic demopublickey:demosecretkey", "Incorrect authentication credentials."),
            ("demopublickey", "Incorrect authentication credentials."),
        ] {
            assert_eq!(check(authorization, Some(DATE), NOW), Err(words.to_owned()));
        }
        assert!(check("Uploadcare demopublickey:00", None, NOW).is_err());
        assert_eq!(check("Uploadcare.Simple demopublickey:demosecretkey", None, NOW), Ok(()));
    }
}
