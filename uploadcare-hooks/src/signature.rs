//! Signing secrets, and the signature of a delivery. Knows bytes, nothing else: no HTTP, no JSON.

use std::{env, fmt, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{message::debug_like_display, service::MAX_SECRET_CHARS};

/// What stands before the digits; the scheme's version.
const PREFIX: &str = "v1=";

pub(crate) type MacBytes = [u8; 32];

/// The secret of one subscription. Uploadcare signs every delivery of the subscription with it.
///
/// The text, and the MAC state computed from it once, are wiped from memory when the last clone is
/// dropped; clones share them. `Debug` never shows the text.
///
/// See [Uploadcare: signed webhooks](https://uploadcare.com/docs/webhooks/#signed-webhooks).
///
/// ```
/// use uploadcare_hooks::SigningSecret;
///
/// let secret = SigningSecret::new("12345X")?;
/// let header = secret.sign(b"{}");
/// assert!(header.starts_with("v1="));
/// secret.verify(b"{}", &header)?;
/// assert!(secret.verify(b"{ }", &header).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SigningSecret(Arc<Keyed>);

struct Keyed {
    text: Zeroizing<String>,
    mac: Hmac<Sha256>,
    /// The environment variable that it was read from.
    variable: Option<String>,
}

impl SigningSecret {
    /// Takes the secret's text, as it was given to Uploadcare.
    ///
    /// Characters beyond ASCII are allowed: the key is the text's UTF-8 bytes. Two ways to write
    /// one character (`é` as one code point or as `e` and an accent) are different secrets, so a
    /// secret of ASCII letters and digits is the safer choice.
    ///
    /// # Errors
    /// [`SecretError`] if the text is empty, has more than [`MAX_SECRET_CHARS`] characters, begins
    /// or ends with white space, or has a control character. A line break at the end usually comes
    /// from a file or a shell.
    pub fn new(secret: impl Into<String>) -> Result<Self, SecretError> {
        Self::checked(Zeroizing::new(secret.into()), None)
    }

    fn checked(text: Zeroizing<String>, variable: Option<&str>) -> Result<Self, SecretError> {
        let chars = text.chars().count();
        if chars == 0 {
            return Err(SecretError::Empty);
        }
        if chars > MAX_SECRET_CHARS {
            return Err(SecretError::TooLong { chars });
        }
        if let Some(position) = text.chars().position(char::is_control) {
            return Err(SecretError::ControlCharacter { position });
        }
        if text.trim().len() != text.len() {
            return Err(SecretError::SurroundingSpace);
        }
        Self::keyed(text, variable)
    }

    fn keyed(text: Zeroizing<String>, variable: Option<&str>) -> Result<Self, SecretError> {
        // HMAC takes keys of every length, so this error never happens.
        let mac = Hmac::new_from_slice(text.as_bytes()).map_err(|_| SecretError::TooLong { chars: text.len() })?;
        Ok(Self(Arc::new(Keyed { text, mac, variable: variable.map(ToOwned::to_owned) })))
    }

    /// Takes a subscription's secret as Uploadcare lists it, without any check.
    #[cfg(feature = "client")]
    pub(crate) fn from_uploadcare(text: String) -> Result<Self, SecretError> {
        Self::keyed(Zeroizing::new(text), None)
    }

    /// The text, to be sent to Uploadcare only.
    #[cfg(feature = "client")]
    pub(crate) fn expose(&self) -> &str {
        &self.0.text
    }

    /// Reads the secret from the environment variable `variable`. Uploadcare's own examples call it
    /// `UC_SIGNING_SECRET`.
    ///
    /// # Errors
    /// [`SecretError::Variable`], which names the variable, if it is unset, not Unicode, or holds a
    /// text that [`new`](Self::new) refuses.
    pub fn from_env(variable: &str) -> Result<Self, SecretError> {
        let problem = |problem: Box<dyn std::error::Error + Send + Sync>| SecretError::Variable {
            variable: variable.to_owned(),
            problem,
        };
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err(problem("this cannot be the name of an environment variable".into()));
        }
        match env::var(variable) {
            Ok(text) => Self::checked(Zeroizing::new(text), Some(variable)).map_err(|error| problem(error.into())),
            Err(env::VarError::NotPresent) => Err(problem("it is not set".into())),
            Err(env::VarError::NotUnicode(_)) => Err(problem("its value is not Unicode text".into())),
        }
    }

    /// The environment variable that it was read from; `None` if its text was given.
    pub(crate) fn variable(&self) -> Option<&str> {
        self.0.variable.as_deref()
    }

    /// Signs a body; returns the whole value of the `X-Uc-Signature` header, `v1=` and 64
    /// lower-case hexadecimal digits.
    pub fn sign(&self, body: &[u8]) -> String {
        format!("{PREFIX}{}", hex::encode(self.mac(body)))
    }

    /// Checks a body, as it was received, against the value of its `X-Uc-Signature` header, in
    /// constant time.
    ///
    /// Call this before anything parses the body: JSON that was parsed and written again has other
    /// bytes.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] if the header is not `v1=` and 64 lower-case hexadecimal
    /// digits; [`SignatureError::Mismatch`] if it is, and belongs to another body or another
    /// secret.
    pub fn verify(&self, body: &[u8], header: &str) -> Result<(), SignatureError> {
        let claimed = parse(header.as_bytes())?;
        if self.matches(body, &claimed) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    pub(crate) fn matches(&self, body: &[u8], claimed: &MacBytes) -> bool {
        self.mac(body).ct_eq(claimed).into()
    }

    fn mac(&self, body: &[u8]) -> MacBytes {
        let mut mac = self.0.mac.clone();
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

/// Two secrets are equal if their texts are; compared in constant time.
impl PartialEq for SigningSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.text.as_bytes().ct_eq(other.0.text.as_bytes()).into()
    }
}

impl Eq for SigningSecret {}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

/// Reads a header value. Refuses upper-case digits: Uploadcare sends none, and a signature must
/// have one spelling only.
pub(crate) fn parse(header: &[u8]) -> Result<MacBytes, SignatureError> {
    let digits = header.strip_prefix(PREFIX.as_bytes()).ok_or(SignatureError::Malformed)?;
    // A fold, because it takes all digits at once where `any` looks at one after the other.
    if digits.iter().fold(false, |found, digit| found | digit.is_ascii_uppercase()) {
        return Err(SignatureError::Malformed);
    }
    let mut mac = MacBytes::default();
    hex::decode_to_slice(digits, &mut mac).map_err(|_| SignatureError::Malformed)?;
    Ok(mac)
}

/// Why a delivery's signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The header is not `v1=` followed by 64 lower-case hexadecimal digits.
    #[error("the signature is malformed: expected `v1=` and 64 lower-case hexadecimal digits")]
    Malformed,
    /// The signature is well-formed, but not that of this body with this secret.
    #[error(
        "the signature does not match: the body was signed with another secret, or changed after it was signed \
         (verify the raw bytes, before anything parses them)"
    )]
    Mismatch,
}

/// Why a text cannot be a signing secret. Never shows the text.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is empty.
    #[error("the signing secret is empty")]
    Empty,
    /// The text is longer than Uploadcare takes.
    #[error("the signing secret has {chars} characters: Uploadcare takes at most {MAX_SECRET_CHARS}")]
    TooLong {
        /// How many characters it has.
        chars: usize,
    },
    /// The text begins or ends with white space.
    #[error("the signing secret begins or ends with white space: remove it")]
    SurroundingSpace,
    /// The text has a control character.
    #[error(
        "character {} of the signing secret is a control character (such as a line break): remove it", .position + 1
    )]
    ControlCharacter {
        /// How many characters stand before it.
        position: usize,
    },
    /// An environment variable has no usable secret.
    #[error(
        "cannot take a signing secret from the environment variable `{variable}`: {problem}; \
         set it to the secret of the subscription at Uploadcare"
    )]
    Variable {
        /// The variable's name.
        variable: String,
        /// What is wrong with it.
        problem: Box<dyn std::error::Error + Send + Sync>,
    },
}

debug_like_display!(SecretError);

#[cfg(test)]
mod tests {
    use super::*;

    /// A delivery as Uploadcare sent it in 2021, and the signature that its official Ruby client
    /// checks it against.
    const BODY: &[u8] = include_bytes!("../fixtures/unversioned_uploaded.json");
    const HEADER: &str = "v1=9b31c7dd83fdbf4a2e12b19d7f2b9d87d547672a325b9492457292db4f513c70";

    fn secret() -> SigningSecret {
        SigningSecret::new("12345X").unwrap()
    }

    #[test]
    fn the_official_vector_is_signed_and_verified() {
        assert_eq!(BODY.len(), 1163);
        assert_eq!(secret().sign(BODY), HEADER);
        assert_eq!(secret().verify(BODY, HEADER), Ok(()));
    }

    #[test]
    fn a_flipped_bit_in_the_body_is_rejected() {
        let mut body = BODY.to_vec();
        for bit in 0..body.len() * 8 {
            body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(secret().verify(&body, HEADER), Err(SignatureError::Mismatch), "bit {bit}");
            body[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_flipped_bit_in_the_signature_is_rejected() {
        let mut header = HEADER.as_bytes().to_vec();
        for bit in 0..header.len() * 8 {
            header[bit / 8] ^= 1 << (bit % 8);
            let accepted = parse(&header).is_ok_and(|claimed| secret().matches(BODY, &claimed));
            assert!(!accepted, "bit {bit}");
            header[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_header_of_another_form_is_malformed() {
        for header in ["", "v1", "v1=", &HEADER[3..], &HEADER.to_uppercase(), &HEADER[..66], &format!("{HEADER}0")] {
            assert_eq!(secret().verify(BODY, header), Err(SignatureError::Malformed), "{header}");
        }
        for upper in ["9B31c7", "9B31C7"] {
            assert_eq!(secret().verify(BODY, &HEADER.replace("9b31c7", upper)), Err(SignatureError::Malformed));
        }
        assert_eq!(secret().verify(BODY, &format!("{HEADER}, {HEADER}")), Err(SignatureError::Malformed));
    }

    #[test]
    fn a_secret_that_uploadcare_would_not_take_is_refused_without_showing_it() {
        assert!(matches!(SigningSecret::new(""), Err(SecretError::Empty)));
        assert!(SigningSecret::new("é".repeat(32)).is_ok());
        let error = SigningSecret::new("s3cr3t".repeat(6)).unwrap_err();
        assert!(matches!(error, SecretError::TooLong { chars: 36 }));
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        let error = SigningSecret::new("s3cr3t\n").unwrap_err();
        assert!(matches!(error, SecretError::ControlCharacter { position: 6 }));
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_secret_with_spaces_around_it_is_refused_and_one_inside_is_not() {
        for text in [" s3cr3t", "s3cr3t ", "\u{a0}s3cr3t", "s3cr3t\u{3000}", " "] {
            let error = SigningSecret::new(text).unwrap_err();
            assert!(matches!(error, SecretError::SurroundingSpace), "{text:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        }
        assert!(SigningSecret::new("two words").is_ok());
    }

    #[test]
    fn debug_hides_the_secret() {
        assert_eq!(format!("{:?}", secret()), "SigningSecret(redacted)");
    }

    #[test]
    fn an_unset_variable_is_named() {
        let error = SigningSecret::from_env("UPLOADCARE_HOOKS_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("`UPLOADCARE_HOOKS_NO_SUCH_VARIABLE`: it is not set"), "{error}");
        assert!(SigningSecret::from_env("A=B").is_err());
        assert!(SigningSecret::from_env("").is_err());
    }

    #[test]
    fn a_variable_of_the_environment_is_read() {
        // cargo sets this one for every test that it runs.
        let secret = SigningSecret::from_env("CARGO_PKG_NAME").unwrap();
        assert_eq!(secret, SigningSecret::new("uploadcare-hooks").unwrap());
        assert_ne!(secret, SigningSecret::new("uploadcare-hook").unwrap());
    }
}
