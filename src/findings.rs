//! The distinct tokens of a scan, gathered from all its threads.
//!
//! Hits are rare beside the bytes they are found in, so one lock around one map is enough. What is
//! kept, and the order in which it is told, depend on the input alone, never on the threads; unless
//! there are more distinct tokens than are kept, which makes the run incomplete.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::detect::Hit;
use crate::vocabulary::{
    Capped, Checksum, Counters, Finding, Fingerprint, Kind, MATCHES_KEPT, Match, Secret, Silenced,
    SilencedBy, Standing,
};

/// Distinct tokens kept at most: a file made of nothing but tokens must not take all memory.
const FINDINGS_KEPT: usize = 4_000_000;

/// Whether the tokens themselves are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// Only their fingerprints.
    Fingerprints,
    /// The tokens too: they are to be revoked, or the user asked to see them.
    Secrets,
}

/// Whether unverified shapes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// They are counted only.
    Count,
    /// They are listed beside the findings.
    List,
}

/// A hit on its own, free of the bytes it was found in.
#[derive(Debug)]
pub(crate) struct Token {
    fingerprint: Fingerprint,
    kind: Arc<Kind>,
    checksum: Checksum,
    standing: Standing,
    secret: Option<Secret>,
}

impl Token {
    /// Its name.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

/// Whether a hit was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It was, or only had to be counted.
    Yes,
    /// There are too many distinct tokens.
    Full,
}

/// All tokens found so far.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    retain: Retain,
    unverified: Unverified,
    counters: &'a Counters,
    kept: Mutex<HashMap<Fingerprint, Entry>>,
}

#[derive(Debug)]
struct Entry {
    kind: Arc<Kind>,
    checksum: Checksum,
    standing: Standing,
    secret: Option<Secret>,
    matches: Capped<Match>,
    /// Those that the user silenced, and why: knowing the token comes before marking a line, so
    /// all of one token's have one reason. Most tokens have none.
    silenced: Option<Box<(SilencedBy, Capped<Match>)>>,
}

/// All tokens, sorted out.
#[derive(Debug)]
pub(crate) struct Sorted {
    /// What was found, by fingerprint.
    pub(crate) findings: Vec<Finding>,
    /// What was silenced in every place, by fingerprint.
    pub(crate) silenced: Vec<Silenced>,
    /// Silenced matches of both, by reason.
    pub(crate) silenced_counts: BTreeMap<SilencedBy, u64>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(retain: Retain, unverified: Unverified, counters: &'a Counters) -> Self {
        Self {
            retain,
            unverified,
            counters,
            kept: Mutex::default(),
        }
    }

    /// Whether there are none, not even silenced ones.
    pub(crate) fn is_empty(&self) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.is_empty()
    }

    /// What is to be recorded of a hit; nothing of one that only had to be counted.
    pub(crate) fn token(&self, hit: &Hit<'_>) -> Option<Token> {
        if hit.standing == Standing::Unverified {
            self.counters.unverified();
            if self.unverified == Unverified::Count {
                return None;
            }
        }
        Some(Token {
            fingerprint: Fingerprint::of(&hit.token),
            kind: Arc::clone(&hit.kind),
            checksum: hit.checksum,
            standing: hit.standing,
            secret: match self.retain {
                Retain::Secrets => Some(Secret::new(&hit.token)),
                Retain::Fingerprints => None,
            },
        })
    }

    /// Adds one occurrence of a token, which may be silenced.
    pub(crate) fn record(
        &self,
        token: Token,
        found: Match,
        silenced: Option<SilencedBy>,
    ) -> Recorded {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let full = kept.len() >= FINDINGS_KEPT;
        let entry = match kept.entry(token.fingerprint) {
            Slot::Occupied(entry) => entry.into_mut(),
            Slot::Vacant(_) if full => return Recorded::Full,
            Slot::Vacant(slot) => slot.insert(Entry {
                kind: token.kind,
                checksum: token.checksum,
                standing: token.standing,
                secret: token.secret,
                matches: Capped::new(MATCHES_KEPT),
                silenced: None,
            }),
        };
        if let Some(by) = silenced {
            let (_, matches) = &mut **entry
                .silenced
                .get_or_insert_with(|| Box::new((by, Capped::new(MATCHES_KEPT))));
            matches.push(found);
            return Recorded::Yes;
        }
        if entry.matches.is_empty() && entry.standing == Standing::Finding {
            self.counters.finding();
        }
        entry.matches.push(found);
        Recorded::Yes
    }

    /// Everything, by fingerprint.
    pub(crate) fn into_sorted(self) -> Sorted {
        let kept = self
            .kept
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut sorted = Sorted {
            findings: Vec::new(),
            silenced: Vec::new(),
            silenced_counts: BTreeMap::new(),
        };
        for (fingerprint, entry) in kept {
            let silenced = entry.silenced.map(|silenced| {
                let (by, matches) = *silenced;
                (by, matches.into_sorted())
            });
            if let Some((by, matches)) = &silenced {
                *sorted.silenced_counts.entry(*by).or_default() += matches.total();
            }
            let mut finding = Finding {
                fingerprint,
                kind: entry.kind,
                checksum: entry.checksum,
                standing: entry.standing,
                secret: entry.secret,
                matches: entry.matches.into_sorted(),
            };
            match silenced {
                Some((by, matches)) if finding.matches.is_empty() => {
                    finding.matches = matches;
                    sorted.silenced.push(Silenced { finding, by });
                }
                Some(_) | None => sorted.findings.push(finding),
            }
        }
        sorted
            .findings
            .sort_unstable_by_key(|finding| finding.fingerprint);
        sorted
            .silenced
            .sort_unstable_by_key(|silenced| silenced.finding.fingerprint);
        sorted
    }
}
