//! Whether a host that refused tokens one by one is to be believed.
//!
//! Pure. A host that takes us for a spammer answers as it does to a token that is none, and a token
//! that stands as refused is not sent again. So a refusal has to be borne out: by the host taking
//! other tokens in the same run, and by its not going on to refuse them all. In doubt a token is
//! left for a later run: to send it once more costs a request, to lose it costs the revocation.

use super::super::answer::names_spam;
use super::super::ledger::Closed;

/// How many tokens in a row may be refused, each by itself, by a host that took others before:
/// bad ones may lie side by side.
const SIDE_BY_SIDE: u32 = 5;

/// What a run has seen of refusals so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refusals {
    /// Requests that the host took.
    accepted: u32,
    /// Tokens that it refused, each by itself, and took nothing since.
    alone: u32,
    /// Of those, the ones refused in words that name spam as well.
    in_doubt: u32,
}

impl Refusals {
    /// Notes how a request ended, and the host's words.
    pub(super) fn note(&mut self, closed: Closed, words: Option<&str>) {
        match closed {
            Closed::Accepted => {
                *self = Self {
                    accepted: self.accepted.saturating_add(1),
                    ..Self::default()
                };
            }
            Closed::TokenRejected => {
                self.alone += 1;
                self.in_doubt += u32::from(words.is_some_and(names_spam));
            }
            Closed::BatchRejected
            | Closed::Throttled
            | Closed::Refused
            | Closed::Unknown
            | Closed::NotSent => {}
        }
    }

    /// Whether nothing shows that the last of them were about the tokens.
    pub(super) fn are_doubtful(&self) -> bool {
        if self.accepted > 0 {
            self.alone > SIDE_BY_SIDE
        } else {
            // A run of a single token has nothing to compare with but the host's words.
            self.alone > 1 || self.in_doubt > 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ends: &[Closed], words: &str) -> bool {
        let mut refusals = Refusals::default();
        for end in ends {
            refusals.note(*end, Some(words));
        }
        refusals.are_doubtful()
    }

    #[test]
    fn what_is_not_borne_out_is_doubtful() {
        use Closed::{Accepted, BatchRejected, Throttled, TokenRejected as Alone};

        let invalid = "Validation Failed";
        assert!(!after(&[], invalid));
        assert!(!after(&[BatchRejected, Throttled], invalid));
        assert!(!after(&[Alone], invalid));
        assert!(after(&[Alone, Alone], invalid));
        assert!(!after(&[Alone, Alone, Accepted], invalid));
        assert!(!after(&[&[Accepted][..], &[Alone; 5]].concat(), invalid));
        assert!(after(&[&[Accepted][..], &[Alone; 6]].concat(), invalid));

        let either = "Validation failed, or the endpoint has been spammed.";
        assert!(after(&[Alone], either));
        assert!(!after(&[Alone, Accepted], either));
        assert!(!after(&[Accepted, BatchRejected, Alone], either));
    }
}
