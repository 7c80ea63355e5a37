//! Bytes in, hits out. Pure: no I/O, no threads, no clock.
//!
//! One automaton finds where a token may start ([`prefix`]); there, the shapes of that prefix are
//! tried and the checksum decides. A hit depends on nothing but the bytes from its first one on,
//! at most [`Detector::reach`] of them: no word boundary is asked for on either side, and whatever
//! becomes of a candidate, the search goes on one byte behind its start. So tokens glued to other
//! text or to each other are found, and a blob that is cut into overlapping windows yields exactly
//! what it yields in one piece ([`window`]).

mod prefix;
mod prove;
mod window;

use std::borrow::Cow;
use std::sync::Arc;

use crate::pattern::PatternSet;
use crate::vocabulary::{Checksum, Encoding, Kind, Redact, Standing};

use prefix::PrefixFinder;
pub use prove::{Proof, prove};
pub use window::{LineCount, Located, WindowScanner};

/// From this many characters on, what stands behind a prefix is redacted even if it is no whole
/// token: names of files seldom go on for so long, and parts of tokens do.
const REDACTED_PART: usize = 16;

/// Finds tokens in bytes. Built once, shared by all threads.
#[derive(Debug)]
pub struct Detector {
    patterns: PatternSet,
    finder: PrefixFinder,
    /// For each literal of the finder, the patterns (by index) whose prefix starts with it.
    by_literal: Vec<Vec<usize>>,
    reach: usize,
    shortest: usize,
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
    /// Prepares the search for `patterns`.
    pub fn new(patterns: PatternSet) -> Result<Self, DetectorError> {
        let prefixes: Vec<&[u8]> = patterns
            .patterns()
            .iter()
            .map(|pattern| pattern.kind.prefix.as_bytes())
            .collect();
        let mut literals = prefixes.clone();
        literals.sort_unstable();
        // Sorted, so that whatever starts with a literal stands right behind it.
        literals.dedup_by(|longer, shorter| longer.starts_with(shorter));
        let by_literal = literals.iter().map(|literal| {
            let starts = |&at: &usize| prefixes[at].starts_with(literal);
            (0..prefixes.len()).filter(starts).collect()
        });
        let by_literal = by_literal.collect();
        let finder =
            PrefixFinder::new(&literals).map_err(|error| DetectorError(error.to_string()))?;
        Ok(Self {
            reach: patterns.longest(),
            shortest: patterns.shortest(),
            finder,
            by_literal,
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

    /// Calls `on_hit` for every token that starts in `bytes[..before]`, in order.
    ///
    /// What stands behind `before` is looked at, and must be there: either `reach() - 1` more
    /// bytes, or the end of the blob.
    pub fn scan<'h>(&self, bytes: &'h [u8], before: usize, mut on_hit: impl FnMut(Hit<'h>)) {
        // Names of files, most of all: there are as many as files, and few could hold a token.
        if bytes.len() < self.shortest {
            return;
        }
        let mut from = 0;
        while let Some(candidate) = self.finder.find(bytes, from, before) {
            from = candidate.start + 1;
            let readings = self.by_literal[candidate.literal]
                .iter()
                .filter_map(|&at| self.read(at, bytes, candidate.start));
            if let Some(hit) = readings.max_by_key(Hit::rank) {
                on_hit(hit);
            }
        }
    }

    /// Whether a mere guess has run into the start of another token, as in `ghp_ghp_…`.
    fn is_overgrown(&self, hit: &Hit<'_>) -> bool {
        let token = hit.token.as_bytes();
        hit.checksum == Checksum::Unknown
            && hit.standing == Standing::Unverified
            && self.finder.find(token, 1, token.len()).is_some()
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

    /// Where a run of body characters that starts at `body` ends, or another token starts.
    fn body_end(&self, text: &[u8], body: usize) -> usize {
        let is_body = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let run = text[body..].iter().take_while(|byte| is_body(byte)).count();
        let end = body + run;
        let next = self.finder.find(text, body, end);
        next.map_or(end, |candidate| candidate.start)
    }

    /// Reads `text` as one whole token, with nothing before or behind it.
    pub fn identify<'h>(&self, text: &'h str) -> Option<Hit<'h>> {
        let mut whole = None;
        self.scan(text.as_bytes(), 1, |hit| {
            if hit.length == text.len() {
                whole = Some(hit);
            }
        });
        whole
    }
}

impl Redact for Detector {
    fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        // Whole tokens, and what may be a part of one: an error text may cut a token short.
        let mut blots: Vec<(usize, usize)> = Vec::new();
        let mut blot = |from: usize, end: usize| match blots.last_mut() {
            Some((_, last)) if from <= *last => *last = end.max(*last),
            Some(_) | None => blots.push((from, end)),
        };
        let mut from = 0;
        while let Some(candidate) = self.finder.find(text, from, text.len()) {
            from = candidate.start + 1;
            for &at in &self.by_literal[candidate.literal] {
                if let Some(hit) = self.read(at, text, candidate.start) {
                    blot(hit.start + hit.kind.prefix.len(), hit.end());
                }
                let prefix = self.patterns.patterns()[at].kind.prefix.as_bytes();
                if text[candidate.start..].starts_with(prefix) {
                    let body = candidate.start + prefix.len();
                    let end = self.body_end(text, body);
                    if end - body >= REDACTED_PART {
                        blot(body, end);
                    }
                }
            }
        }
        if blots.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut shown = Vec::with_capacity(text.len());
        let mut at = 0;
        for (from, end) in blots {
            shown.extend_from_slice(&text[at..from]);
            shown.extend_from_slice("…".as_bytes());
            at = end;
        }
        shown.extend_from_slice(&text[at..]);
        Cow::Owned(shown)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pattern::Scheme;

    pub(crate) fn detector() -> Detector {
        Detector::new(PatternSet::embedded().unwrap()).unwrap()
    }

    /// A token of `prefix` with a body made from `seed`, its checksum valid.
    pub(crate) fn token(prefix: &str, seed: u64) -> String {
        let entropy = |n: usize| -> String {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
            let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(letters[(state % 62) as usize])
            };
            (0..n).map(|_| next()).collect()
        };
        let (scheme, payload, tail) = match prefix {
            "github_pat_" => (
                Scheme::Sha256Base32,
                format!("{}_{}", entropy(22), entropy(43)),
                entropy(8),
            ),
            "ghr_" => (Scheme::Crc32Base62, entropy(70), String::new()),
            _ => (Scheme::Crc32Base62, entropy(30), String::new()),
        };
        let check = scheme.compute(prefix, &payload).unwrap();
        [prefix, &payload, &check, &tail].concat()
    }

    pub(crate) const PREFIXES: [&str; 6] = ["ghp_", "github_pat_", "gho_", "ghu_", "ghr_", "ghs_"];

    fn hits(text: &str) -> Vec<(usize, String, Checksum, Standing)> {
        let mut hits = Vec::new();
        detector().scan(text.as_bytes(), text.len(), |hit| {
            hits.push((
                hit.start,
                hit.token.into_owned(),
                hit.checksum,
                hit.standing,
            ));
        });
        hits
    }

    fn found(text: &str) -> Vec<String> {
        let hits = hits(text).into_iter();
        let findings = hits.filter(|hit| hit.3 == Standing::Finding);
        findings.map(|hit| hit.1).collect()
    }

    #[test]
    fn every_kind_is_found_whatever_stands_around_it() {
        for (seed, prefix) in PREFIXES.into_iter().enumerate() {
            let token = token(prefix, seed as u64);
            for (before, behind) in [
                ("", ""),
                (r"\n", "\\n"),
                ("%20", "_v2"),
                ("\u{1b}[31m", "\u{1b}[0m"),
                ("my_", "abc"),
                ("0123456789", "0123456789"),
                ("ghp_", ""),
                ("github_pat_", "_"),
                ("ghs_", "ghs_"),
            ] {
                let text = format!("{before}{token}{behind}");
                assert_eq!(found(&text), [token.as_str()], "{before:?} {behind:?}");
            }
        }
    }

    #[test]
    fn glued_tokens_are_all_found() {
        let tokens: Vec<_> = PREFIXES.iter().map(|prefix| token(prefix, 7)).collect();
        assert_eq!(found(&tokens.concat()), tokens);
    }

    #[test]
    fn a_typing_error_anywhere_makes_it_unverified() {
        let token = token("ghp_", 1);
        for at in 4..token.len() {
            let mut wrong = token.clone().into_bytes();
            wrong[at] = if wrong[at] == b'q' { b'r' } else { b'q' };
            let wrong = String::from_utf8(wrong).unwrap();
            let hits = hits(&wrong);
            assert_eq!(hits.len(), 1);
            assert_eq!(hits[0].2, Checksum::Invalid);
            assert_eq!(hits[0].3, Standing::Unverified);
        }
    }

    #[test]
    fn longer_shapes_are_unknown_and_unverified() {
        let text = format!("{}{}", "ghp_", "1234567890abcdef".repeat(3));
        let hits = hits(&text);
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].1.len(), 52);
        assert_eq!(
            (hits[0].2, hits[0].3),
            (Checksum::Unknown, Standing::Unverified)
        );
    }

    #[test]
    fn a_guess_ends_where_another_token_starts() {
        let token = token("ghp_", 4);
        let text = format!("ghp_{token}");
        assert_eq!(hits(&text).len(), 1);
        assert_eq!(found(&text), [token]);
    }

    #[test]
    fn an_installation_token_with_a_jwt_is_a_finding_without_a_checksum() {
        let jwt = format!(
            "eyJ{}.eyJ{}.{}",
            "a".repeat(60),
            "b".repeat(200),
            "c_-9".repeat(60)
        );
        let token = format!("{}123456_{jwt}", "ghs_");
        let hits = hits(&format!("token={token}. And so on"));
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].1, token);
        assert_eq!(
            (hits[0].2, hits[0].3),
            (Checksum::Unknown, Standing::Finding)
        );
    }

    #[test]
    fn truncated_refresh_tokens_are_nothing() {
        let token = token("ghr_", 3);
        assert_eq!(hits(&token[..79]), []);
        assert_eq!(hits(&token[..40]), []);
    }

    #[test]
    fn redaction_leaves_no_character_of_a_body() {
        let detector = detector();
        for (seed, prefix) in PREFIXES.into_iter().enumerate() {
            let token = token(prefix, seed as u64);
            let text = format!("a/{token}{token}.txt");
            let shown = detector.text(&text);
            assert_eq!(shown, format!("a/{prefix}…{prefix}….txt"));
        }
        assert!(matches!(detector.text("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn typing_errors_and_parts_of_tokens_are_redacted_too() {
        let detector = detector();
        let wrong = token("ghp_", 1).replace(|c: char| c.is_ascii_digit(), "x") + "x";
        for text in [
            format!("{wrong}_gho_backup.txt"),
            format!("{wrong}gho_.txt"),
            format!("bad credential {}", &token("ghr_", 2)[..40]),
            format!("{}...", &token("github_pat_", 3)[..30]),
        ] {
            let shown = detector.text(&text);
            let body = &text[text.find('_').unwrap() + 5..][..8];
            assert!(!shown.contains(body), "{shown}");
        }
        assert_eq!(detector.text("ghs_board.c"), "ghs_board.c");
    }

    #[test]
    fn a_typing_error_before_another_prefix_is_still_counted() {
        let mut wrong = token("ghp_", 6);
        wrong.pop();
        wrong.push('-');
        let wrong = wrong.replace('-', "q");
        let hits = hits(&format!("{wrong}gho_"));
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].2, Checksum::Invalid);
    }

    #[test]
    fn only_a_whole_token_is_identified() {
        let detector = detector();
        let token = token("ghu_", 9);
        assert!(detector.identify(&token).is_some());
        assert!(detector.identify(&format!(" {token}")).is_none());
        assert!(detector.identify(&format!("{token} ")).is_none());
        assert!(detector.identify("").is_none());
    }

    #[test]
    fn prefixes_that_start_with_each_other_are_all_tried() {
        let file = |prefix: &str, id: &str, body: &str| {
            format!(
                "[[token]]\nid = \"{id}\"\ntitle = \"x\"\nprefix = \"{prefix}\"\nrevocable = false\n\
                 [[token.shape]]\nbody = \"{body}\"\nchecksum = \"none\"\n"
            )
        };
        let text = format!(
            "schema = 1\nprovider = \"Acme\"\n{}{}",
            file("acme_", "short", "[0-9]{4}"),
            file("acme_live_", "long", "[a-z]{4}")
        );
        let detector = Detector::new(PatternSet::parse(&text).unwrap()).unwrap();
        let mut ids = Vec::new();
        let text = b"acme_1234 acme_live_abcd";
        detector.scan(text, text.len(), |hit| ids.push(hit.kind.id.to_string()));
        assert_eq!(ids, ["short", "long"]);
    }
}
