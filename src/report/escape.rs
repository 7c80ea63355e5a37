//! Names from hostile trees, made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with everything escaped that could move a cursor, hide text or turn its direction:
/// control characters, and Unicode's invisible and bidirectional format characters. Bytes that are
/// not UTF-8 become `\xNN`.
pub fn escape(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text)
        && !text.chars().any(is_unsafe)
    {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unsafe(c) {
                safe.extend(c.escape_default());
            } else {
                safe.push(c);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    Cow::Owned(safe)
}

/// Whether a character could move a cursor, hide text or turn its direction.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unsafe_comes_through() {
        for (name, safe) in [
            (&b"plain \xc3\xa9\xe2\x80\xa6"[..], "plain é…"),
            (b"a\x1b[2Jb", "a\\u{1b}[2Jb"),
            (b"a\nb\tc\r", "a\\nb\\tc\\r"),
            (b"\xe2\x80\xaetxt.exe", "\\u{202e}txt.exe"),
            (b"caf\xe9", "caf\\xe9"),
            (b"\xc2\x9b0m", "\\u{9b}0m"),
        ] {
            assert_eq!(escape(name), safe);
        }
    }
}
