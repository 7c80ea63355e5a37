//! Taking tokens out of text that is about to be shown or stored.

use std::borrow::Cow;

/// Replaces every token-shaped text by its kind's prefix and an ellipsis.
///
/// File names, error texts and a server's answers can all carry a token; whatever comes from
/// outside passes through here before it is shown, logged or stored. The detector implements it;
/// the rooms that need it know no more than this trait.
pub trait Redact: Sync {
    /// `text` with its tokens redacted, borrowed when there was nothing to do.
    fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]>;

    /// The same for a string.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// Leaves text as it is: for tests, and for text known to hold no token.
#[derive(Debug, Clone, Copy)]
pub struct RedactNothing;

impl Redact for RedactNothing {
    fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(text)
    }
}
