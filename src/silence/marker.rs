//! The markers that people put beside a token to say that it is meant to be there.
//!
//! They are those of the tools in this field, so that nobody has to mark a line twice. Where they
//! are written down: the manuals of gitleaks, betterleaks, trufflehog and detect-secrets.

use memchr::{memchr, memchr_iter, memrchr};

/// How far a marker is looked for, in bytes before a token's start and behind its end. A line that
/// goes on for longer is no line that a person marks, and a log of a million tokens on one line
/// must not be read a million times. A marker further off silences nothing.
pub const SIGHT: usize = 1024;

/// Each marker, parted at its colon: the one character that all of them have.
const MARKERS: [(&[u8], &[u8]); 5] = [
    (b"douse", b"allow"),
    (b"gitleaks", b"allow"),
    (b"betterleaks", b"allow"),
    (b"trufflehog", b"ignore"),
    (b"pragma", b" allowlist secret"),
];

/// The line that a match stands on, as far as it is in sight.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    before: &'a [u8],
    behind: &'a [u8],
}

impl<'a> Line<'a> {
    /// The line around `bytes[start..end]`. The caller sees to it that there are at least [`SIGHT`]
    /// bytes on either side, or the ends of the blob.
    pub fn around(bytes: &'a [u8], start: usize, end: usize) -> Self {
        let before = &bytes[start.saturating_sub(SIGHT)..start];
        let behind = &bytes[end..bytes.len().min(end + SIGHT)];
        Self {
            before: memrchr(b'\n', before).map_or(before, |newline| &before[newline + 1..]),
            behind: memchr(b'\n', behind).map_or(behind, |newline| &behind[..newline]),
        }
    }

    /// The column of the match in characters (Unicode code points), from 1: where all that stands
    /// before it on its line is in sight, and is text.
    pub(crate) fn character(self) -> Option<u32> {
        // What fills the sight may have begun before it.
        if self.before.len() >= SIGHT || self.before.contains(&0) {
            return None;
        }
        let text = std::str::from_utf8(self.before).ok()?;
        u32::try_from(text.chars().count() + 1).ok()
    }

    /// Whether a marker stands on it.
    pub(super) fn is_marked(self) -> bool {
        [self.before, self.behind].into_iter().any(holds_marker)
    }
}

fn holds_marker(text: &[u8]) -> bool {
    memchr_iter(b':', text).any(|colon| {
        let (before, behind) = (&text[..colon], &text[colon + 1..]);
        MARKERS
            .iter()
            .any(|(name, word)| before.ends_with(name) && behind.starts_with(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_marked(text: &str) -> bool {
        let at = text.find("TOKEN").unwrap();
        Line::around(text.as_bytes(), at, at + "TOKEN".len()).is_marked()
    }

    #[test]
    fn characters_are_counted_where_all_of_them_are_seen() {
        let column = |before: &[u8]| {
            let text = [before, b"TOKEN"].concat();
            Line::around(&text, before.len(), text.len()).character()
        };
        for (before, expected) in [
            (&b""[..], Some(1)),
            (b"a\nKEY=", Some(5)),
            ("clé🔑=".as_bytes(), Some(6)),
            (b"caf\xe9=", None),
            (b"K\0E\0Y\0", None),
            (&[b'x'; SIGHT - 1], Some(1024)),
            (&[b'x'; SIGHT], None),
        ] {
            assert_eq!(column(before), expected, "{before:?}");
        }
    }

    #[test]
    fn every_marker_silences_its_line() {
        for marker in [
            "douse:allow",
            "gitleaks:allow",
            "betterleaks:allow",
            "trufflehog:ignore",
            "pragma: allowlist secret",
        ] {
            assert!(is_marked(&format!("a = \"TOKEN\" # {marker}")), "{marker}");
            assert!(
                is_marked(&format!("x\n/* {marker} */ TOKEN\ny")),
                "{marker}"
            );
            assert!(is_marked(&format!("TOKEN {marker}\r\n")), "{marker}");
            assert!(!is_marked(&format!("TOKEN\n# {marker}")), "{marker}");
            assert!(!is_marked(&format!("# {marker}\nTOKEN")), "{marker}");
            let space = " ".repeat(SIGHT);
            assert!(!is_marked(&format!("TOKEN{space}{marker}")), "{marker}");
        }
    }

    #[test]
    fn what_only_looks_like_a_marker_is_text() {
        for text in [
            "TOKEN",
            ":TOKEN:",
            "TOKEN allow",
            "douse: TOKEN :allow",
            "TOKEN douse:deny",
            "TOKEN pragma:allowlist secret",
            "TOKEN DOUSE:ALLOW",
        ] {
            assert!(!is_marked(text), "{text}");
        }
    }
}
