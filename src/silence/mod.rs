//! What the user does not want to hear of: tokens that are known **by value**, and matches whose
//! line carries a marker.
//!
//! A token is known by its fingerprint, never by its position: moved to another file or line it
//! stays known, and another token in its old place is new. A marker silences the match beside it
//! and no other, so that a token which also lies somewhere else is still found.
//!
//! Nothing that is silenced goes uncounted. The room reads finished bytes; where a list or a
//! report lies, and where a match lies, it does not know.

mod allow_list;
mod marker;

use std::collections::HashMap;

use crate::vocabulary::{Fingerprint, SilencedBy};

pub use allow_list::{AllowList, AllowListError};
pub use marker::{Line, SIGHT};

/// Whether markers are heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markers {
    /// A marker silences the matches on its line.
    Heed,
    /// Markers are text like any other.
    Disregard,
}

/// Everything that is to be silenced.
#[derive(Debug)]
pub struct Silence {
    known: HashMap<Fingerprint, SilencedBy>,
    markers: Markers,
}

impl Silence {
    /// Nothing is known yet.
    pub fn new(markers: Markers) -> Self {
        Self {
            known: HashMap::new(),
            markers,
        }
    }

    /// Takes note of tokens. Of two reasons to know one, the first in the order of [`SilencedBy`]
    /// stands.
    pub fn know(&mut self, tokens: impl IntoIterator<Item = Fingerprint>, by: SilencedBy) {
        for token in tokens {
            let reason = self.known.entry(token).or_insert(by);
            *reason = by.min(*reason);
        }
    }

    /// Why a token is silenced wherever it stands, if it is.
    pub fn knows(&self, token: &Fingerprint) -> Option<SilencedBy> {
        self.known.get(token).copied()
    }

    /// Why a match is silenced, if it is.
    pub(crate) fn verdict(&self, token: &Fingerprint, line: Line<'_>) -> Option<SilencedBy> {
        self.knows(token).or_else(|| match self.markers {
            Markers::Heed if line.is_marked() => Some(SilencedBy::Marker),
            Markers::Heed | Markers::Disregard => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowing_a_token_comes_before_marking_its_line() {
        let marked = Line::around(b"x # douse:allow", 0, 1);
        let plain = Line::around(b"x", 0, 1);
        let [one, two, three] = ["1", "2", "3"].map(Fingerprint::of);
        let mut silence = Silence::new(Markers::Heed);
        silence.know([one, two], SilencedBy::AllowList);
        silence.know([two], SilencedBy::Baseline);
        silence.know([two], SilencedBy::AllowList);
        for line in [marked, plain] {
            assert_eq!(silence.verdict(&one, line), Some(SilencedBy::AllowList));
            assert_eq!(silence.verdict(&two, line), Some(SilencedBy::Baseline));
        }
        assert_eq!(silence.verdict(&three, marked), Some(SilencedBy::Marker));
        assert_eq!(silence.verdict(&three, plain), None);
        let deaf = Silence::new(Markers::Disregard);
        assert_eq!(deaf.verdict(&three, marked), None);
    }
}
