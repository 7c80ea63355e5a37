//! The tokens that earlier reports list, read again from where they lay, as `--from` takes them.
//!
//! The files that the reports name are scanned once more, containers, encodings and all; of what is
//! found there, only what the reports list by its fingerprint is kept.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use douse::detect::Detector;
use douse::findings::{Retain, Unverified};
use douse::report::{Extent, Listed, Listing};
use douse::silence::Silence;
use douse::source::{Again, find_again};
use douse::vocabulary::{
    Finding, Fingerprint, Kind, Outcome, Redact as _, Revocable, ScanReport, State,
};

use super::Session;
use super::scan::{History, Work};
use super::settings::Sources;

/// What came of looking again.
pub(super) struct Reported {
    /// What is still there.
    pub(super) scan: ScanReport,
    /// What became of the others.
    pub(super) gone: Vec<Outcome>,
}

/// Reads the reports, and what they list.
pub(super) fn gather(
    session: &Session,
    reports: &[PathBuf],
    threads: NonZeroUsize,
    silence: &Silence,
) -> Result<Reported> {
    let mut listing = Listing::default();
    for path in reports {
        read(path, &mut listing).with_context(|| format!("cannot use {}", path.display()))?;
    }
    let places = Places::find(&listing, session)?;
    let sources = Sources::named(places.paths, places.names, threads)?;
    // A shape that was listed was wanted; whether it is sent is the plan's affair.
    let work = Work {
        session,
        threads: &sources.threads,
        archives: sources.archives,
        retain: Retain::Secrets,
        unverified: Unverified::List,
        silence,
    };
    let mut scan = work.sources(&sources, History::Untold);
    let listed = |finding: &Finding| listing.tokens.contains_key(&finding.fingerprint);
    scan.findings.retain(listed);
    scan.silenced.retain(|silenced| listed(&silenced.finding));
    let found = scan.findings.iter();
    let found = found.chain(scan.silenced.iter().map(|silenced| &silenced.finding));
    let found: HashSet<Fingerprint> = found.map(|finding| finding.fingerprint).collect();
    let gone = listing
        .tokens
        .iter()
        .filter(|(fingerprint, _)| !found.contains(*fingerprint))
        .map(|(fingerprint, listed)| Outcome {
            fingerprint: *fingerprint,
            kind: kind(&listed.kind, &session.detector),
            state: State::Unresolved,
            reason: Some(reason(listed, &listing, &places.made_up, &session.detector)),
            request: None,
            at_ms: None,
        })
        .collect();
    Ok(Reported { scan, gone })
}

/// Adds what the report at `path` lists; `-` is standard input.
pub(super) fn read(path: &Path, listing: &mut Listing) -> Result<Extent> {
    if path.as_os_str() == "-" {
        return Ok(listing.read(io::stdin().lock())?);
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        bail!("it is a folder: name a report");
    }
    Ok(listing.read(BufReader::new(file))?)
}

/// Where to look.
#[derive(Default)]
struct Places {
    paths: Vec<PathBuf>,
    names: Vec<PathBuf>,
    /// Numbers of paths that are not read again.
    made_up: HashSet<usize>,
}

impl Places {
    fn find(listing: &Listing, session: &Session) -> Result<Self> {
        let mut places = Self::default();
        // However many names a report has for a file, it is read once.
        let mut seen = HashSet::new();
        for (number, told) in listing.paths.iter().enumerate() {
            if session.interrupt.is_raised() {
                bail!("interrupted while looking for tokens; nothing was sent");
            }
            for again in find_again(told, &session.detector) {
                match again {
                    Again::Content(path) => {
                        if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                            places.paths.push(path);
                        }
                    }
                    Again::Name(path) => places.names.push(path),
                    Again::MadeUp => {
                        places.made_up.insert(number);
                    }
                }
            }
        }
        Ok(places)
    }
}

/// Why a token could not be read again.
fn reason(
    listed: &Listed,
    listing: &Listing,
    made_up: &HashSet<usize>,
    detector: &Detector,
) -> String {
    let Some(first) = listed.paths.first() else {
        return "it came from standard input, which cannot be read again; hand it over with \
                --credentials"
            .to_owned();
    };
    let path = String::from_utf8_lossy(&listing.paths[*first]);
    let mut reason = format!(
        "it is no longer where the report says: {}",
        detector.text(&path)
    );
    let more = match listed.paths.len() - 1 {
        0 => String::new(),
        1 => " and one more place".to_owned(),
        more => format!(" and {more} more places"),
    };
    reason.push_str(&more);
    if listed.paths.iter().any(|path| made_up.contains(path)) {
        reason.push_str("; what lay in /proc or /sys is not read again");
    }
    if listed.on_stdin {
        reason.push_str("; it also came from standard input, which cannot be read again");
    }
    reason
}

/// The kind of that name; one that is not known is told by its name alone.
fn kind(id: &str, detector: &Detector) -> Arc<Kind> {
    let mut patterns = detector.patterns().patterns().iter();
    let known = patterns.find(|pattern| *pattern.kind.id == *id);
    known.map_or_else(
        || {
            let id = detector.text(id);
            Arc::new(Kind {
                id: id.as_ref().into(),
                title: id.as_ref().into(),
                prefix: "".into(),
                revocable: Revocable::ReportOnly,
            })
        },
        |pattern| Arc::clone(&pattern.kind),
    )
}
