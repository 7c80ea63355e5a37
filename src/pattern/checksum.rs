//! The two checksums that GitHub's tokens carry.
//!
//! Both are cheap beside what they save: a random body of the right length passes the CRC-32 once
//! in 57 billion tries, so nothing else (word boundaries, entropy, nearby words) has to be asked.

use sha2::{Digest as _, Sha256};

use crate::vocabulary::Checksum;

/// How a body proves that it was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// The last six characters are the CRC-32 (ISO-HDLC, zlib's) of the characters between them
    /// and the prefix, in base 62 (`0-9A-Za-z`, most significant first, padded with `0`).
    Crc32Base62,
    /// Before the last eight characters stand eight of RFC 4648 base 32: the first 40 bits of the
    /// SHA-256 of all that precedes them, the prefix included.
    Sha256Base32,
    /// None.
    None,
}

const CRC_DIGITS: usize = 6;
const SHA_DIGITS: usize = 8;
const SHA_TAIL: usize = 8;

impl Scheme {
    /// Holds the checksum inside `body` against the rest.
    pub fn judge(self, prefix: &str, body: &str) -> Checksum {
        let (payload, check) = match self {
            Self::None => return Checksum::Unknown,
            Self::Crc32Base62 => split_end(body, CRC_DIGITS),
            Self::Sha256Base32 => split_end(split_end(body, SHA_TAIL).0, SHA_DIGITS),
        };
        if self.compute(prefix, payload).as_deref() == Some(check) {
            Checksum::Valid
        } else {
            Checksum::Invalid
        }
    }

    /// The checksum that belongs behind `payload`; `None` where the scheme has none.
    pub fn compute(self, prefix: &str, payload: &str) -> Option<String> {
        match self {
            Self::None => None,
            Self::Crc32Base62 => Some(base62(crc32fast::hash(payload.as_bytes()))),
            Self::Sha256Base32 => {
                let mut hash = Sha256::new();
                hash.update(prefix);
                hash.update(payload);
                Some(base32(&hash.finalize()))
            }
        }
    }
}

/// `text` without its last `n` bytes, and those; all of a shorter text counts as the end.
fn split_end(text: &str, n: usize) -> (&str, &str) {
    text.split_at_checked(text.len().saturating_sub(n))
        .unwrap_or(("", text))
}

fn base62(mut value: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; CRC_DIGITS];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(value % 62) as usize];
        value /= 62;
    }
    text.iter().copied().map(char::from).collect()
}

fn base32(hash: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = hash
        .iter()
        .take(5)
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..SHA_DIGITS)
        .rev()
        .map(|digit| char::from(DIGITS[(bits >> (5 * digit) & 31) as usize]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_base62_agrees_with_public_tokens() {
        // Payloads and checksums of published and long expired tokens' scheme.
        let ten = "abcdefghij";
        for (payload, check) in [
            ("0".repeat(30), "2C8GjS"),
            ("A".repeat(30), "0uCPlr"),
            ("abcdefghijklmnopqrstuvwxyz0123".to_owned(), "2LolCm"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123".to_owned(), "4KGnwg"),
            (ten.repeat(7), "4Rwbld"),
        ] {
            assert_eq!(
                Scheme::Crc32Base62.compute("", &payload).as_deref(),
                Some(check)
            );
            let body = payload + check;
            assert_eq!(Scheme::Crc32Base62.judge("", &body), Checksum::Valid);
        }
        assert_eq!(base62(u32::MAX), "4gfFC3");
    }

    #[test]
    fn sha256_base32_covers_the_prefix() {
        let payload = "11AAAAAAA0abcdefghijkl_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq";
        let prefix = ["github", "_pat_"].concat();
        assert_eq!(
            Scheme::Sha256Base32.compute(&prefix, payload).as_deref(),
            Some("JGYMPEWL")
        );
        let body = format!("{payload}JGYMPEWLrstuvwxy");
        assert_eq!(Scheme::Sha256Base32.judge(&prefix, &body), Checksum::Valid);
        assert_eq!(Scheme::Sha256Base32.judge("ghx_", &body), Checksum::Invalid);
    }

    #[test]
    fn every_single_typing_error_is_caught() {
        let body = format!("{}2LolCm", "abcdefghijklmnopqrstuvwxyz0123");
        for at in 0..body.len() {
            let mut wrong = body.clone().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(Scheme::Crc32Base62.judge("", &wrong), Checksum::Invalid);
        }
    }

    #[test]
    fn bodies_too_short_for_a_checksum_are_invalid() {
        for body in ["", "a", "abcde"] {
            assert_eq!(Scheme::Crc32Base62.judge("", body), Checksum::Invalid);
            assert_eq!(Scheme::Sha256Base32.judge("", body), Checksum::Invalid);
        }
    }
}
