//! A look at one candidate that reports nothing: is it a token, or at least the start of one?
//!
//! Who reads many blobs that are made from each other asks this. A token stands up to
//! [`Detector::reach`] bytes long, so whatever changes within as many may make one of what was none.
//! But it starts with a prefix, and that takes [`Detector::prefix_reach`] bytes at most, in whatever
//! encoding, and nothing else has a say in whether one stands there. And nothing is a prefix in which
//! no literal stands, which [`Detector::literal_reach`] bytes decide.

use super::cover::Probe;
use super::form::Form;
use super::{Candidate, Detector, Stem, Window};

/// The most bytes that one character of an encoded prefix takes up: `&#00000103;`.
const CHARACTER: usize = 12;

/// What folding may add to a prefix: a line break and the deepest indent, nearly twice.
const FOLDS: usize = 128;

/// How much of a token stands somewhere.
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

    /// How many bytes, from the first one of a literal on, can decide whether it is one.
    pub fn literal_reach(&self) -> usize {
        self.finder.longest()
    }

    /// Every place where a literal stands, in order.
    pub fn candidates(&self, bytes: &[u8]) -> impl Iterator<Item = Candidate> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let candidate = self.finder.find(bytes, from, bytes.len())?;
            from = candidate.start + 1;
            Some(candidate)
        })
    }

    /// How much of a token stands at a candidate.
    pub fn glimpse(&self, bytes: &[u8], candidate: Candidate) -> Glimpse {
        let Candidate { start, literal } = candidate;
        let probes = self.literals[literal].probes.iter();
        let mut seen = Glimpse::Nothing;
        for &probe in probes.filter(|probe| self.begins(bytes, start, **probe)) {
            if self.probe(Window::whole(bytes), start, probe).is_some() {
                return Glimpse::Token;
            }
            seen = Glimpse::Prefix;
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
