//! Makes tokens of every kind, with checksums that fit.
//!
//! It shares no code with the program, so that an error in one is not repeated in the other: the
//! schemes are computed here from their descriptions alone. Tokens are made at run time, so that
//! no whole one stands in the repository.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The kinds of tokens, as their issuer tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ghp_`
    Personal,
    /// `github_pat_`
    FineGrained,
    /// `gho_`
    OAuth,
    /// `ghu_`
    AppUser,
    /// `ghr_`
    Refresh,
    /// `ghs_`, in its short form
    Installation,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Personal,
        Self::FineGrained,
        Self::OAuth,
        Self::AppUser,
        Self::Refresh,
        Self::Installation,
    ];

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "ghp_",
            Self::FineGrained => "github_pat_",
            Self::OAuth => "gho_",
            Self::AppUser => "ghu_",
            Self::Refresh => "ghr_",
            Self::Installation => "ghs_",
        }
    }

    /// The identifier that reports carry.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Personal => "github_personal_access_token",
            Self::FineGrained => "github_fine_grained_personal_access_token",
            Self::OAuth => "github_oauth_access_token",
            Self::AppUser => "github_app_user_access_token",
            Self::Refresh => "github_refresh_token",
            Self::Installation => "github_app_installation_access_token",
        }
    }

    /// The length of a whole token.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Personal | Self::OAuth | Self::AppUser | Self::Installation => 40,
            Self::FineGrained => 93,
            Self::Refresh => 80,
        }
    }

    pub(crate) fn is_revocable(self) -> bool {
        match self {
            Self::Personal | Self::FineGrained | Self::OAuth | Self::AppUser | Self::Refresh => {
                true
            }
            Self::Installation => false,
        }
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The token of a kind that a seed stands for. Other seeds make other tokens.
pub(crate) fn token(kind: Kind, seed: u64) -> String {
    let mut random = Random(seed ^ (kind as u64) << 56);
    match kind {
        Kind::FineGrained => {
            let (first, second) = (random.text(22), random.text(43));
            with_sha256(&format!("{first}_{second}"), &random.text(8))
        }
        Kind::Refresh => with_crc32(kind.prefix(), &random.text(70)),
        Kind::Personal | Kind::OAuth | Kind::AppUser | Kind::Installation => {
            with_crc32(kind.prefix(), &random.text(30))
        }
    }
}

/// What differs from a token in one character of its checksum: a typing error.
pub(crate) fn mistyped(kind: Kind, seed: u64) -> String {
    let mut token = token(kind, seed).into_bytes();
    let at = match kind {
        Kind::FineGrained => 80,
        Kind::Personal | Kind::OAuth | Kind::AppUser | Kind::Refresh | Kind::Installation => {
            token.len() - 1
        }
    };
    token[at] = if token[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(token).unwrap()
}

/// The long form of an installation token: an app's number and a signed text.
pub(crate) fn long_installation(seed: u64) -> String {
    let mut random = Random(seed);
    let (head, claims, signature) = (random.text(33), random.text(180), random.text(260));
    format!("{}987654_eyJ{head}.eyJ{claims}.{signature}", "ghs_")
}

/// What of a token must not be shown: all that follows its prefix.
pub(crate) fn body(token: &str) -> &str {
    let prefix = Kind::ALL.map(Kind::prefix);
    let prefix = prefix.iter().find(|prefix| token.starts_with(**prefix));
    &token[prefix.map_or(0, |prefix| prefix.len())..]
}

/// Lower-case hex of the SHA-256: what a token is called.
pub(crate) fn fingerprint(token: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(token.as_bytes()) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// The prefix, the entropy and its CRC-32 in six digits to the base 62.
fn with_crc32(prefix: &str, entropy: &str) -> String {
    let mut rest = crc32fast::hash(entropy.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{prefix}{entropy}{}", std::str::from_utf8(&digits).unwrap())
}

/// The prefix, the payload, 40 bits of the SHA-256 of both to the base 32, and the tail.
fn with_sha256(payload: &str, tail: &str) -> String {
    let head = format!("github_pat_{payload}");
    let hash = Sha256::digest(head.as_bytes());
    let bits = hash
        .iter()
        .take(5)
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let digit = |at: u32| char::from(BASE32[(bits >> (35 - 5 * at) & 31) as usize]);
    let check: String = (0..8).map(digit).collect();
    format!("{head}{check}{tail}")
}

/// `SplitMix64`: good enough for bodies that repeat in no other token.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn text(&mut self, length: usize) -> String {
        let letters = (0..length).map(|_| char::from(BASE62[self.below(62)]));
        letters.collect()
    }
}

/// The vectors that were checked against public tokens; in pieces, for none may stand here whole.
#[test]
fn the_published_vectors_hold() {
    for (entropy, check) in [
        ("0".repeat(30), "2C8GjS"),
        ("A".repeat(30), "0uCPlr"),
        ("abcdefghijklmnopqrstuvwxyz0123".to_owned(), "2LolCm"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123".to_owned(), "4KGnwg"),
        ("abcdefghij".repeat(7), "4Rwbld"),
    ] {
        assert!(with_crc32("ghp_", &entropy).ends_with(check), "{entropy}");
    }
    let payload = [
        "11AAAAAAA0abcdefghijkl_ABCDEFGHIJKLMN",
        "OPQRSTUVWXYZabcdefghijklmnopq",
    ];
    let token = with_sha256(&payload.concat(), "rstuvwxy");
    assert_eq!(&token[77..85], "JGYMPEWL");
    assert_eq!(token.len(), Kind::FineGrained.length());
}

#[test]
fn tokens_have_their_lengths_and_differ() {
    for kind in Kind::ALL {
        let made = token(kind, 1);
        assert_eq!(made.len(), kind.length());
        assert!(made.starts_with(kind.prefix()));
        assert_eq!(made, token(kind, 1));
        assert_ne!(made, token(kind, 2));
        assert_ne!(made, mistyped(kind, 1));
        assert_eq!(body(&made).len() + kind.prefix().len(), made.len());
    }
    assert_eq!(
        fingerprint("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
