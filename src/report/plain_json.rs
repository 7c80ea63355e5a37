//! JSON that is also safe to look at.
//!
//! JSON itself escapes only the oldest control characters. A name that turns its direction, hides
//! its end or moves a cursor would come through to a terminal, an editor or a review. Outside of
//! strings a JSON text is plain ASCII, so such characters can be escaped on their way out, whatever
//! wrote them; every reader reads the same text back.

use std::io::{self, Write};

use super::escape::is_unsafe;

/// Escapes, in the JSON that is written through it, what could not be seen for what it is.
pub(super) struct PlainJson<'a>(pub(super) &'a mut dyn Write);

impl Write for PlainJson<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // A string is written in runs that end at characters, never within one.
        match std::str::from_utf8(text) {
            Ok(text) if !is_plain(text.as_bytes()) && text.contains(is_hidden) => {
                self.escaped(text)?;
            }
            Ok(_) | Err(_) => self.0.write_all(text)?,
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl PlainJson<'_> {
    fn escaped(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(is_hidden) {
            self.0.write_all(&rest.as_bytes()[..at])?;
            let mut behind = rest[at..].chars();
            for c in behind.by_ref().take(1) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(self.0, "\\u{unit:04x}")?;
                }
            }
            rest = behind.as_str();
        }
        self.0.write_all(rest.as_bytes())
    }
}

/// Whether nothing but ASCII stands there that anybody can see, or that is outside of strings: nearly
/// always.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte < 0x7f)
}

/// What stands outside of strings, such as the newlines of a document that is laid out, is left.
fn is_hidden(c: char) -> bool {
    c >= '\x7f' && is_unsafe(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_escaped_and_reads_back() {
        let text = "plain é…\u{202e}\u{7f}\u{9b}0m\u{e0041}\u{1b}[2J\u{feff}";
        for pretty in [false, true] {
            let mut out = Vec::new();
            let mut plain = PlainJson(&mut out);
            let written = if pretty {
                serde_json::to_writer_pretty(&mut plain, &[text])
            } else {
                serde_json::to_writer(&mut plain, &[text])
            };
            written.unwrap();
            let out = String::from_utf8(out).unwrap();
            assert!(!out.contains(is_hidden) && !out.contains('\u{1b}'), "{out}");
            assert!(
                out.contains("é…\\u202e") && out.contains("\\udb40\\udc41"),
                "{out}"
            );
            assert_eq!(serde_json::from_str::<[String; 1]>(&out).unwrap(), [text]);
        }
    }
}
