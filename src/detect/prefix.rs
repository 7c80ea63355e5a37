//! The one automaton: every literal that a token can start with, plain or encoded, in one pass over
//! the bytes.
//!
//! # What was learned here
//!
//! All of GitHub's prefixes start with `g`. `AhoCorasick::new` sees that and searches for the one
//! byte first, which in real text stops every few dozen bytes. The packed searcher (Teddy) compares
//! the first bytes of all literals at once, 32 positions at a time, and does not care.
//!
//! Of its two variants the slim one has 8 buckets and the fat one 16, at half the speed; from 33
//! literals on it would take the fat one. The slim one holds its speed with more, if the literals
//! are arranged so that each bucket is of one mind ([`arrange`](super::arrange)); so it is asked
//! for by name. It is also faster by how few bytes of each literal it looks at: 39 literals by three
//! bytes are searched for as fast as 6 by four, or faster.
//!
//! An unanchored DFA over whole tokens, the other obvious design, does not finish building.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, Input, MatchKind, Span};

use super::arrange::MOST_LITERALS;

/// Finds where a token may start.
#[derive(Debug)]
pub(super) struct PrefixFinder {
    engine: Engine,
    longest: usize,
}

#[derive(Debug)]
enum Engine {
    /// Teddy: needs SSSE3, AVX2 or NEON, and not too many literals.
    Packed {
        searcher: packed::Searcher,
        /// Which literal each of its patterns is.
        order: Vec<usize>,
    },
    /// Everywhere else.
    Automaton(AhoCorasick),
    /// No literals: nothing is ever found.
    Nothing,
}

/// A place where one of the literals stands by which tokens are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The literal's first byte.
    pub start: usize,
    /// Which literal, by its number.
    pub literal: usize,
}

impl PrefixFinder {
    /// Prepares the search, the packed searcher being given the literals in this order. No literal
    /// may be empty or the start of another one: of two literals that start at the same byte only
    /// one is reported.
    pub(super) fn new(
        literals: &[&[u8]],
        order: Vec<usize>,
    ) -> Result<Self, aho_corasick::BuildError> {
        let longest = literals.iter().map(|literal| literal.len()).max();
        let engine = match packed(literals, order) {
            _ if literals.is_empty() => Engine::Nothing,
            Some((searcher, order)) => Engine::Packed { searcher, order },
            None => Engine::Automaton(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(literals)?,
            ),
        };
        Ok(Self {
            engine,
            longest: longest.unwrap_or(0),
        })
    }

    /// How many bytes the longest literal has.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The first candidate that starts in `from..before`. Its literal's number is the position in
    /// what [`PrefixFinder::new`] was given.
    pub(super) fn find(&self, bytes: &[u8], from: usize, before: usize) -> Option<Candidate> {
        // A literal that starts just before the limit reaches beyond it.
        let end = bytes
            .len()
            .min(before.saturating_add(self.longest).saturating_sub(1));
        if from >= end {
            return None;
        }
        let span = Span { start: from, end };
        let (start, literal) = match &self.engine {
            Engine::Packed { searcher, order } => searcher
                .find_in(bytes, span)
                .map(|found| (found.start(), order[found.pattern().as_usize()])),
            Engine::Automaton(automaton) => automaton
                .find(Input::new(bytes).span(span))
                .map(|found| (found.start(), found.pattern().as_usize())),
            Engine::Nothing => None,
        }?;
        (start < before).then_some(Candidate { start, literal })
    }
}

fn packed(literals: &[&[u8]], order: Vec<usize>) -> Option<(packed::Searcher, Vec<usize>)> {
    if order.len() > MOST_LITERALS {
        return None;
    }
    let searcher = packed::Config::new()
        .match_kind(packed::MatchKind::LeftmostFirst)
        .heuristic_pattern_limits(false)
        // Not a promise of the crate's: if it goes away, this does not compile, and leaving it out
        // costs nothing but speed.
        .only_teddy_fat(Some(false))
        .builder()
        .extend(order.iter().map(|&literal| literals[literal]))
        .build()?;
    Some((searcher, order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder(literals: &[&str]) -> PrefixFinder {
        let literals: Vec<_> = literals.iter().map(|text| text.as_bytes()).collect();
        PrefixFinder::new(&literals, (0..literals.len()).collect()).unwrap()
    }

    #[test]
    fn a_literal_may_reach_over_the_limit_but_not_start_behind_it() {
        let finder = finder(&["abcd", "xyz"]);
        let text = b"....abcd....xyz.";
        for (before, found) in [(4, None), (5, Some(4)), (12, Some(4))] {
            assert_eq!(finder.find(text, 0, before).map(|c| c.start), found);
        }
        assert_eq!(finder.find(text, 5, 12), None);
        let last = finder.find(text, 5, 16).unwrap();
        assert_eq!((last.start, last.literal), (12, 1));
        assert_eq!(finder.find(text, 16, 16), None);
        assert_eq!(finder.find(text, 99, 200), None);
    }

    #[test]
    fn no_literals_find_nothing() {
        assert_eq!(finder(&[]).find(b"anything", 0, 8), None);
    }

    #[test]
    fn both_engines_agree() {
        let literals = ["abc", "bcd", "ca"];
        let packed = finder(&literals);
        let automaton = PrefixFinder {
            engine: Engine::Automaton(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(literals)
                    .unwrap(),
            ),
            longest: 3,
        };
        // Every text of nine letters a to d.
        for n in 0..4usize.pow(9) {
            let text: Vec<u8> = (0..9).map(|i| b"abcd"[n >> (2 * i) & 3]).collect();
            let (one, two) = (packed.find(&text, 0, 9), automaton.find(&text, 0, 9));
            assert_eq!(one, two, "{text:?}");
        }
    }
}
