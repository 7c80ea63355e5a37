//! Batches on their way, and how one is taken apart to find the token that spoils it.
//!
//! Pure. A host that finds one entry invalid may refuse the whole batch. The batch is then halved,
//! and each half sent. If the first half is accepted, the second must hold the invalid entry, so
//! it is halved at once instead of being sent: for one bad token in a thousand that makes 10 to 20
//! further requests. Were the refusal about something else, this would cost requests, but never
//! a token its revocation: every token is sent until a request with it alone is refused.

use std::collections::VecDeque;

use super::super::plan::{Batch, Planned};

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Work {
    /// Its tokens; one or more.
    pub(super) tokens: Vec<Planned>,
    /// How often it was sent without its fate being known.
    pub(super) attempts: u32,
    part: Part,
}

/// Which part of a refused batch something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    FirstHalf,
    SecondHalf,
}

/// The batches that are still to be sent, in order. A second half stands right behind its first.
#[derive(Debug)]
pub(super) struct Queue(VecDeque<Work>);

impl Queue {
    pub(super) fn new(batches: Vec<Batch>) -> Self {
        let work = |Batch(tokens)| Work {
            tokens,
            attempts: 0,
            part: Part::Whole,
        };
        Self(batches.into_iter().map(work).collect())
    }

    pub(super) fn pop(&mut self) -> Option<Work> {
        self.0.pop_front()
    }

    /// Puts work back where it was taken from.
    pub(super) fn put_back(&mut self, work: Work) {
        self.0.push_front(work);
    }

    /// Puts the halves of work that was refused in its place. A single token has no halves.
    pub(super) fn split(&mut self, mut work: Work) {
        let second = work.tokens.split_off(work.tokens.len().div_ceil(2));
        for (tokens, part) in [(second, Part::SecondHalf), (work.tokens, Part::FirstHalf)] {
            if !tokens.is_empty() {
                self.0.push_front(Work {
                    tokens,
                    attempts: 0,
                    part,
                });
            }
        }
    }

    /// Draws the conclusion from `accepted` having been accepted in full.
    pub(super) fn learn(&mut self, accepted: &Work) {
        let conclusive = |next: &Work| {
            accepted.part == Part::FirstHalf
                && next.part == Part::SecondHalf
                && next.tokens.len() > 1
        };
        if self.0.front().is_some_and(conclusive)
            && let Some(spoilt) = self.0.pop_front()
        {
            self.split(spoilt);
        }
    }

    /// All tokens that are left.
    pub(super) fn into_tokens(self) -> impl Iterator<Item = Planned> {
        self.0.into_iter().flat_map(|work| work.tokens)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::vocabulary::{Fingerprint, Kind, Revocable, Secret, State};

    /// Sends everything to a host that refuses whatever holds one of `bad`; the number of
    /// requests, and the tokens that were refused alone.
    fn play(tokens: u16, bad: &[u16]) -> (usize, Vec<u16>) {
        let kind = Arc::new(Kind {
            id: "".into(),
            title: "".into(),
            prefix: "".into(),
            revocable: Revocable::ByPossession,
        });
        let token = |n: u16| Planned {
            fingerprint: name(n),
            kind: Arc::clone(&kind),
            secret: Secret::new(""),
            resting: State::Pending,
        };
        let mut queue = Queue::new(vec![Batch((0..tokens).map(token).collect())]);
        let (mut requests, mut sent, mut refused) = (0, Vec::new(), Vec::new());
        while let Some(work) = queue.pop() {
            requests += 1;
            let names = work.tokens.iter().map(|token| number(&token.fingerprint));
            let names: Vec<u16> = names.collect();
            if !names.iter().any(|name| bad.contains(name)) {
                queue.learn(&work);
                sent.extend(names);
            } else if let [one] = names[..] {
                refused.push(one);
            } else {
                queue.split(work);
            }
        }
        sent.extend(&refused);
        sent.sort_unstable();
        assert!(
            sent.into_iter().eq(0..tokens),
            "a token was lost or settled twice"
        );
        (requests, refused)
    }

    fn name(n: u16) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        Fingerprint::from_bytes(bytes)
    }

    fn number(name: &Fingerprint) -> u16 {
        let bytes = name.as_bytes();
        u16::from_be_bytes([bytes[0], bytes[1]])
    }

    #[test]
    fn one_bad_token_is_found_wherever_it_stands() {
        let mut further = Vec::new();
        for bad in 0..1000 {
            let (requests, refused) = play(1000, &[bad]);
            assert_eq!(refused, [bad]);
            further.push(requests - 1);
        }
        further.sort_unstable();
        // The halves are not all even, so some ways are one step shorter.
        assert_eq!((further[0], further[500], further[999]), (10, 16, 20));
    }

    #[test]
    fn many_bad_tokens_are_all_found() {
        assert_eq!(play(9, &[0, 1, 8]).1, [0, 1, 8]);
        assert_eq!(play(1, &[0]), (1, vec![0]));
        let all: Vec<u16> = (0..64).collect();
        assert_eq!(play(64, &all), (127, all));
    }
}
