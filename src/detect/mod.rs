//! Bytes in, hits out. Pure: no I/O, no threads, no clock.
//!
//! One automaton ([`prefix`]) finds where a token may start, be it plain or encoded: it looks for
//! a few literals ([`cover`]) that between them are part of every spelling ([`spell`]) of every
//! prefix in every encoding ([`form`]). Only there is anything decoded ([`decode`]); the shapes of
//! that prefix are tried on the text and the checksum decides.
//!
//! What is found, and what not: the encodings of [`Encoding`] and no other chains of them than are
//! listed there; UTF-16, percent and all other escapes therefore not within base64 (but UTF-16LE
//! is), nor base64 within them (but there it is as it is elsewhere: the base64 of a token holds
//! nothing that they would escape). In a prefix either what is no letter or digit is escaped, or
//! all of it; in a body anything may be. Lines of base64 may be broken anywhere in a body, and in a
//! prefix where encoders do, between groups of four; of base64 in base64, only behind the prefix.
//! Encoded, a token may take up to 2 KiB.
//!
//! What a hit is depends on nothing but the bytes from its first one on, at most
//! [`Detector::reach`] of them, and, for the order of bytes in UTF-16, on [`LOOKBEHIND`] bytes
//! before: no word boundary is asked for on either side, and whatever becomes of a candidate, the
//! search goes on one byte behind it. So tokens glued to other text or to each other are found,
//! and a blob that is cut into overlapping windows yields exactly what it yields in one piece
//! ([`window`]).

mod arrange;
mod chosen;
mod cover;
mod decode;
mod encoded;
mod form;
mod frequency;
mod glimpse;
mod prefix;
mod prove;
mod redact;
mod spell;
#[cfg(test)]
pub(crate) mod tests;
mod wide;
mod window;

use std::borrow::Cow;
use std::sync::Arc;

use crate::pattern::PatternSet;
use crate::vocabulary::{Checksum, Encoding, Kind, Standing};

use cover::{Literal, Probe};
use encoded::AHEAD;
use form::Form;
pub use glimpse::Glimpse;
pub use prefix::Candidate;
use prefix::PrefixFinder;
pub use prove::{Proof, prove};
pub use window::{LOOKBEHIND, LineCount, Located, Window, WindowScanner};

/// Whether encoded tokens are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encodings {
    /// In every encoding that [`Encoding`] lists.
    All,
    /// Only plain ones: what the rest is measured against.
    PlainOnly,
}

/// Finds tokens in bytes. Built once, shared by all threads.
#[derive(Debug)]
pub struct Detector {
    patterns: PatternSet,
    stems: Vec<Stem>,
    /// Finds the literals, by index.
    finder: PrefixFinder,
    literals: Vec<Literal>,
    /// Finds the stems, by index.
    plain: PrefixFinder,
    reach: usize,
    prefix_reach: usize,
    shortest: usize,
}

/// A prefix that no other prefix is the start of.
#[derive(Debug)]
struct Stem {
    text: Vec<u8>,
    /// The patterns (by index) whose prefix starts with it.
    patterns: Vec<usize>,
    /// The longest token of theirs that can be a finding.
    longest: usize,
}

/// A token in some bytes.
#[derive(Debug, Clone)]
pub struct Hit<'h> {
    /// Where it starts.
    pub start: usize,
    /// How many bytes it takes up there.
    pub length: usize,
    /// The token, decoded.
    pub token: Cow<'h, str>,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// What its checksum says.
    pub checksum: Checksum,
    /// Whether that makes it a finding.
    pub standing: Standing,
    /// How it is written there.
    pub encoding: Encoding,
}

impl Hit<'_> {
    /// The byte behind it.
    pub fn end(&self) -> usize {
        self.start + self.length
    }

    /// Which of two readings of one candidate is believed: the greater one.
    ///
    /// A checksum that fits settles it. Otherwise a known shape without a checksum is more than a
    /// guess, and a longer guess (the shape does not end where it should) more than a failed
    /// checksum.
    fn rank(&self) -> u8 {
        match (self.checksum, self.standing) {
            (Checksum::Valid, _) => 3,
            (Checksum::Unknown, Standing::Finding) => 2,
            (Checksum::Unknown, Standing::Unverified) => 1,
            (Checksum::Invalid, _) => 0,
        }
    }
}

/// Why a set of patterns cannot be searched for.
#[derive(Debug, thiserror::Error)]
#[error("these prefixes cannot be searched for together: {0}")]
pub struct DetectorError(String);

impl Detector {
    /// Prepares the search for `patterns` in every encoding.
    pub fn new(patterns: PatternSet) -> Result<Self, DetectorError> {
        Self::with_encodings(patterns, Encodings::All)
    }

    /// Prepares the search for `patterns`.
    pub fn with_encodings(
        patterns: PatternSet,
        encodings: Encodings,
    ) -> Result<Self, DetectorError> {
        let stems = stems(&patterns);
        let texts: Vec<&[u8]> = stems.iter().map(|stem| stem.text.as_slice()).collect();
        let as_they_come: Vec<usize> = (0..stems.len()).collect();
        let (literals, order) = match encodings {
            Encodings::All => {
                let spellings = texts.iter().flat_map(|stem| spell::spellings(stem));
                chosen::literals(&spellings.collect::<Vec<_>>())
            }
            Encodings::PlainOnly => {
                let plain = texts.iter().map(|stem| Literal::plain(stem));
                (plain.collect(), as_they_come.clone())
            }
        };
        let finder = |literals: &[&[u8]], order| {
            PrefixFinder::new(literals, order).map_err(|error| DetectorError(error.to_string()))
        };
        let plain = finder(&texts, as_they_come)?;
        let texts: Vec<&[u8]> = literals.iter().map(|one| one.text.as_slice()).collect();
        Ok(Self {
            finder: finder(&texts, order)?,
            reach: match encodings {
                Encodings::All => patterns.longest().max(encoded::REACH),
                Encodings::PlainOnly => patterns.longest(),
            },
            prefix_reach: glimpse::prefix_reach(&stems),
            shortest: patterns.shortest(),
            plain,
            literals,
            stems,
            patterns,
        })
    }

    /// The patterns that are looked for.
    pub fn patterns(&self) -> &PatternSet {
        &self.patterns
    }

    /// How many bytes, from a hit's first one on, can decide about it.
    pub fn reach(&self) -> usize {
        self.reach
    }

    /// Calls `on_hit` for every token that starts in the part of `window` that is to be decided,
    /// in order.
    pub fn scan<'h>(&self, window: Window<'h>, mut on_hit: impl FnMut(Hit<'h>)) {
        // Names of files, most of all: there are as many as files, and few could hold a token.
        if window.bytes.len() < self.shortest {
            return;
        }
        // What is found first need not start first: an encoded token may be found by something in
        // the midst of its prefix. So hits wait until none can come before them.
        let mut waiting: Vec<Hit<'h>> = Vec::new();
        let mut from = window.from;
        let before = window.before.saturating_add(AHEAD);
        while let Some(candidate) = self.finder.find(window.bytes, from, before) {
            from = candidate.start + 1;
            for probe in &self.literals[candidate.literal].probes {
                if let Some(hit) = self.probe(window, candidate.start, *probe) {
                    wait(&mut waiting, hit);
                }
            }
            let safe = waiting.partition_point(|hit| hit.start + AHEAD <= candidate.start);
            waiting.drain(..safe).for_each(&mut on_hit);
        }
        waiting.into_iter().for_each(on_hit);
    }

    /// What a literal found at `found` may be a part of, if it is.
    fn probe<'h>(&self, window: Window<'h>, found: usize, probe: Probe) -> Option<Hit<'h>> {
        let hit = match probe.form {
            Form::Plain => self.plain(window, found.checked_sub(probe.offset)?),
            Form::Base64(_)
            | Form::Base64Twice { .. }
            | Form::Base64Utf16(_)
            | Form::Wide
            | Form::Hex
            | Form::Escaped(_) => self.encoded(window, found, probe),
        }?;
        let ours = (window.from..window.before).contains(&hit.start);
        (ours && hit.start + AHEAD >= found).then_some(hit)
    }

    /// The token whose plain prefix starts at `start`. Its body may hold escapes.
    fn plain<'h>(&self, window: Window<'h>, start: usize) -> Option<Hit<'h>> {
        let stem = self.stem(&window.bytes[start..])?;
        let readings = stem.patterns.iter();
        let readings = readings.filter_map(|&at| self.read(at, window.bytes, start));
        let plain = readings.max_by_key(Hit::rank);
        match &plain {
            Some(hit) if hit.standing == Standing::Finding => plain,
            Some(_) | None => self.escaped_body(window, start, stem).or(plain),
        }
    }

    /// The stem that `text` starts with.
    fn stem(&self, text: &[u8]) -> Option<&Stem> {
        self.stems.iter().find(|stem| text.starts_with(&stem.text))
    }

    /// Whether a mere guess has run into the start of another token, as in `ghp_ghp_…`.
    fn is_overgrown(&self, hit: &Hit<'_>) -> bool {
        let token = hit.token.as_bytes();
        hit.checksum == Checksum::Unknown
            && hit.standing == Standing::Unverified
            && self.plain.find(token, 1, token.len()).is_some()
    }

    /// Tries the shapes of a pattern, by its index, on what stands at `start`.
    fn read<'h>(&self, pattern: usize, bytes: &'h [u8], start: usize) -> Option<Hit<'h>> {
        let pattern = &self.patterns.patterns()[pattern];
        let prefix = &pattern.kind.prefix;
        let behind = bytes[start..].strip_prefix(prefix.as_bytes())?;
        let mut best: Option<Hit<'h>> = None;
        for shape in &pattern.shapes {
            let Some(fit) = shape.fit(behind) else {
                continue;
            };
            let length = prefix.len() + fit;
            // Shapes match ASCII only, so this never fails.
            let Ok(token) = std::str::from_utf8(&bytes[start..start + length]) else {
                continue;
            };
            let checksum = shape.judge(prefix, &token[prefix.len()..]);
            let hit = Hit {
                start,
                length,
                token: Cow::Borrowed(token),
                kind: Arc::clone(&pattern.kind),
                checksum,
                standing: match checksum {
                    Checksum::Valid => Standing::Finding,
                    Checksum::Invalid => Standing::Unverified,
                    Checksum::Unknown => shape.standing,
                },
                encoding: Encoding::Plain,
            };
            if checksum == Checksum::Valid {
                return Some(hit);
            }
            if self.is_overgrown(&hit) {
                continue;
            }
            if best.as_ref().is_none_or(|best| best.rank() < hit.rank()) {
                best = Some(hit);
            }
        }
        best
    }

    /// Reads `text` as one whole token, plain and with nothing before or behind it.
    pub fn identify<'h>(&self, text: &'h str) -> Option<Hit<'h>> {
        let stem = self.stem(text.as_bytes())?;
        let readings = stem.patterns.iter();
        let readings = readings.filter_map(|&at| self.read(at, text.as_bytes(), 0));
        let hit = readings.max_by_key(Hit::rank)?;
        (hit.length == text.len()).then_some(hit)
    }
}

/// The prefixes of `patterns`, less those that start with another one.
fn stems(patterns: &PatternSet) -> Vec<Stem> {
    let patterns = patterns.patterns();
    let mut texts: Vec<&[u8]> = patterns.iter().map(|p| p.kind.prefix.as_bytes()).collect();
    texts.sort_unstable();
    // Sorted, so that whatever starts with a stem stands right behind it.
    texts.dedup_by(|longer, shorter| longer.starts_with(shorter));
    let stem = |text: &[u8]| {
        let starts = |at: &usize| patterns[*at].kind.prefix.as_bytes().starts_with(text);
        let of_stem: Vec<usize> = (0..patterns.len()).filter(starts).collect();
        let longest = of_stem.iter().map(|&at| patterns[at].longest_finding());
        Stem {
            text: text.to_vec(),
            longest: longest.max().unwrap_or(0),
            patterns: of_stem,
        }
    };
    texts.into_iter().map(stem).collect()
}

/// Puts `hit` in its place among those that wait, unless it is there: two literals may lead to it.
fn wait<'h>(waiting: &mut Vec<Hit<'h>>, hit: Hit<'h>) {
    let place = waiting.partition_point(|other| other.start <= hit.start);
    let same = |other: &Hit<'_>| other.start == hit.start && other.token == hit.token;
    if !waiting[..place].iter().rev().take(2).any(same) {
        waiting.insert(place, hit);
    }
}
