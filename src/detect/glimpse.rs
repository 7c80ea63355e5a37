//! A look at some bytes that reports nothing: is there a token, or at least the start of one?
//!
//! Who reads many blobs that are made from each other asks this. A token stands up to
//! [`Detector::reach`] bytes long, so whatever changes within as many may make one of what was none.
//! But it starts with a prefix, and that takes [`Detector::prefix_reach`] bytes at most, in whatever
//! encoding, and nothing else has a say in whether one stands there. So where there was no prefix,
//! only what changes within that many bytes can bring one.

use super::cover::Probe;
use super::form::Form;
use super::{Detector, Stem, Window};

/// The most bytes that one character of an encoded prefix takes up: `&#00000103;`.
const CHARACTER: usize = 12;

/// What folding may add to a prefix: a line break and the deepest indent, nearly twice.
const FOLDS: usize = 128;

/// How much of a token stands in some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glimpse {
    /// Not so much as a prefix.
    Nothing,
    /// A prefix, and nothing that would be a hit.
    Prefix,
    /// Something that is a hit.
    Token,
}

/// How many bytes the longest of these prefixes takes up, however it is encoded.
pub(super) fn prefix_reach(stems: &[Stem]) -> usize {
    let longest = stems.iter().map(|stem| stem.text.len()).max();
    CHARACTER * longest.unwrap_or(0) + FOLDS
}

impl Detector {
    /// How many bytes, from the first one of a prefix on, can decide whether it is one.
    pub fn prefix_reach(&self) -> usize {
        self.prefix_reach
    }

    /// Looks for tokens, and tells no more than whether there are any.
    pub fn glimpse(&self, bytes: &[u8]) -> Glimpse {
        let window = Window::whole(bytes);
        let mut seen = Glimpse::Nothing;
        let mut from = 0;
        while let Some(candidate) = self.finder.find(bytes, from, bytes.len()) {
            from = candidate.start + 1;
            for &probe in &self.literals[candidate.literal].probes {
                if !self.begins(bytes, candidate.start, probe) {
                    continue;
                }
                if self.probe(window, candidate.start, probe).is_some() {
                    return Glimpse::Token;
                }
                seen = Glimpse::Prefix;
            }
        }
        seen
    }

    /// Whether what a literal found at `found` may be a part of is a prefix.
    fn begins(&self, bytes: &[u8], found: usize, probe: Probe) -> bool {
        let Probe { offset, form } = probe;
        match form {
            Form::Plain => found
                .checked_sub(offset)
                .is_some_and(|start| self.stem(&bytes[start..]).is_some()),
            Form::Base64(_)
            | Form::Base64Twice { .. }
            | Form::Base64Utf16(_)
            | Form::Wide
            | Form::Hex
            | Form::Escaped(_) => form
                .start(bytes, found, offset)
                .is_some_and(|start| self.prefix(bytes, start, form).is_some()),
        }
    }

    /// The stem that stands encoded at `start`, and where it ends.
    pub(super) fn prefix(&self, bytes: &[u8], start: usize, form: Form) -> Option<(&Stem, usize)> {
        let end = bytes.len().min(start.saturating_add(self.prefix_reach));
        self.stem_of(form.decode(&bytes[..end], start))
    }
}
