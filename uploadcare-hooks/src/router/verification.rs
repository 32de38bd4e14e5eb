//! The checks of a request, in their order: path, method and announced size, then the signature.

use std::borrow::Cow;

use http::HeaderMap;

use super::{
    Rejection, RejectionReason, TriedSecrets, WebhookRouter,
    keyring::MatchedSecret,
    span::Observed,
    stage::{Admitted, Unverified, Verified, announced_length},
};
use crate::{
    delivery::{DeliveryId, Received},
    service::SIGNATURE_HEADER,
    signature::{self, MacBytes, SignatureError},
};

impl WebhookRouter {
    /// The checks that need no body. `path` is relative to the mount, and decoded once, by
    /// [`decode_path`] or by the server.
    pub(crate) fn check_head(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Admitted<'_>, Box<Rejection>> {
        let wanted = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        let Some(route) = self.core.routes.iter().find(|route| route.path == wanted) else {
            return Err(Rejection::at(path, RejectionReason::UnknownPath));
        };
        if method != "POST" {
            return Err(Rejection::at(path, RejectionReason::MethodNotAllowed { method: method.to_owned() }));
        }
        let body_limit = self.core.limits.body;
        let admitted = Admitted { route, body_limit };
        match announced_length(headers) {
            Some(announced) if announced > body_limit as u64 => {
                Err(admitted.reject(RejectionReason::BodyTooLarge { limit: body_limit }))
            }
            _ => Ok(admitted),
        }
    }

    /// Checks the signature over the raw bytes.
    #[inline]
    pub(super) fn verify<'r>(
        &self,
        unverified: Unverified<'r>,
        observed: &'r Observed,
    ) -> Result<Verified<'r>, Box<Rejection>> {
        observed.read(unverified.body.len());
        let (id, secret) = self.find_secret(&unverified).map_err(|(tried, reason)| unverified.reject(tried, reason))?;
        let Unverified { route, headers, body, watcher } = unverified;
        observed.verified(id, secret, body.len());
        Ok(Verified { route, request: Received { id, path: route.path, headers, body, secret }, observed, watcher })
    }

    /// The secret that the body was signed with; `None` if it is not signed and need not be.
    #[inline]
    fn find_secret(
        &self,
        unverified: &Unverified<'_>,
    ) -> Result<(DeliveryId, Option<MatchedSecret>), (TriedSecrets, RejectionReason)> {
        let Unverified { route, headers, body, .. } = unverified;
        let accept_unsigned = self.core.accept_unsigned;
        let untried = |reason: RejectionReason| (TriedSecrets::None, reason);
        let mut sent = headers.get_all(SIGNATURE_HEADER).iter();
        let claimed: MacBytes = match (sent.next(), sent.next()) {
            (None, _) if accept_unsigned => return Ok((DeliveryId::from_bytes(body), None)),
            (None, _) => return Err(untried(RejectionReason::SignatureMissing)),
            (Some(one), None) => signature::parse(one.as_bytes()).map_err(|error| untried(error.into()))?,
            (Some(_), Some(_)) => return Err(untried(SignatureError::Malformed.into())),
        };
        let secrets = self.core.keyring.now();
        let Some(secret) = secrets.find(&route.sources, body, &claimed) else {
            let tried = secrets.positions(&route.sources);
            // Without a secret there is nothing to check a signature with, so it counts as none.
            if accept_unsigned && tried.is_empty() {
                return Ok((DeliveryId::from_bytes(body), None));
            }
            return Err((TriedSecrets::Failed(tried), SignatureError::Mismatch.into()));
        };
        let id = DeliveryId::from_mac(&claimed);
        if secrets.is_replaced(secret) {
            self.core.observer.replaced_secret(id, secret.position);
        }
        Ok((id, Some(secret)))
    }
}

/// A path with its percent-encoded letters, digits, `-`, `.`, `_` and `~` decoded: the characters
/// that a handler's path may have, which mean the same in both forms ([RFC 3986, section
/// 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)). All others stay encoded, so that
/// `%2F` never separates segments.
pub(crate) fn decode_path(path: &str) -> Cow<'_, str> {
    let mut parts = path.split('%');
    let Some(plain) = parts.next().filter(|plain| plain.len() < path.len()) else { return Cow::Borrowed(path) };
    let mut decoded = plain.to_owned();
    for part in parts {
        match part.split_at_checked(2).and_then(|(code, rest)| Some((unreserved(code)?, rest))) {
            Some((character, rest)) => {
                decoded.push(character);
                decoded.push_str(rest);
            }
            None => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    Cow::Owned(decoded)
}

/// The character with this code of two hexadecimal digits, if a handler's path may have it.
fn unreserved(code: &str) -> Option<char> {
    if !code.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let character = char::from(u8::from_str_radix(code, 16).ok()?);
    (character.is_ascii_alphanumeric() || "-._~".contains(character)).then_some(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_that_a_handlers_path_may_have_are_decoded() {
        for (sent, decoded) in [
            ("/scans", "/scans"),
            ("/sc%61ns", "/scans"),
            ("/%73%63%61%6e%73", "/scans"),
            ("/a%2Db%2ec%5Fd%7e", "/a-b.c_d~"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a%2561", "/a%2561"),
            ("/%", "/%"),
            ("/%6", "/%6"),
            ("/%+1", "/%+1"),
            ("/%6é", "/%6é"),
            ("/%C3%A9", "/%C3%A9"),
            ("", ""),
        ] {
            assert_eq!(decode_path(sent), decoded, "{sent}");
        }
    }
}
