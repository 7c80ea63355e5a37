//! The token itself, its fingerprint, and what may be shown of it.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// How many of a token's characters in a row are taken for a part of it, and not for chance.
pub const STRETCH: usize = 5;

/// A whole token.
///
/// It has no `Display`, no `Serialize`, and a `Debug` that shows nothing, so that it cannot slip
/// into a log or an error; its memory is overwritten when it is dropped. The one way to its text
/// is [`Secret::expose`], which only the HTTP client and the report that was asked for whole
/// tokens call.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Takes a copy of `token`.
    pub fn new(token: &str) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// The token's text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Adds to `found` those of `stretches` that stand in the token behind its first `prefix`
    /// bytes. So a text is searched for parts of a token, and the token does not leave this file.
    pub fn stretches_among(
        &self,
        stretches: &HashSet<[u8; STRETCH]>,
        prefix: usize,
        found: &mut HashSet<[u8; STRETCH]>,
    ) {
        let body = self.0.as_bytes().get(prefix..).unwrap_or_default();
        let parts = body.windows(STRETCH);
        let parts = parts.filter_map(|part| <[u8; STRETCH]>::try_from(part).ok());
        found.extend(parts.filter(|part| stretches.contains(part)));
    }

    /// The name under which this token may be known.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a token: what it is called wherever the token itself must not stand.
///
/// Tokens carry 178 bits of randomness or more, so the hash gives nothing away. GitHub's audit log
/// names tokens by the same hash in base64 ([`Fingerprint::hashed_token`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The raw hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash from its 32 raw bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The form that GitHub's audit log calls `hashed_token`: base64 with padding.
    pub fn hashed_token(&self) -> String {
        BASE64.encode(self.0)
    }
}

/// A text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads the form that [`Display`](fmt::Display) writes; capital letters are as good.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return Err(FingerprintError);
        }
        let value = |digit: u8| char::from(digit).to_digit(16).ok_or(FingerprintError);
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let both = value(pair[0])? << 4 | value(pair[1])?;
            *byte = u8::try_from(both).map_err(|_| FingerprintError)?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let secret = Secret::new("ghx_not_a_token");
        let shown = format!("{secret:?} {:?}", Some(&secret));
        assert!(!shown.contains("gh") && !shown.contains("token"), "{shown}");
    }

    #[test]
    fn fingerprints_are_the_published_sha256() {
        // NIST's example for the message "abc".
        let fingerprint = Fingerprint::of("abc");
        assert_eq!(
            fingerprint.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            fingerprint.hashed_token(),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }

    #[test]
    fn fingerprints_are_read_as_they_are_written() {
        let fingerprint = Fingerprint::of("abc");
        let text = fingerprint.to_string();
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(text.to_uppercase().parse(), Ok(fingerprint));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace('a', "g")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintError));
        }
    }
}
