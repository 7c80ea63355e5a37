//! What a scan tells besides its findings: what it did not read, and how much it did.

use std::collections::BTreeMap;
use std::time::Duration;

use super::capped::Listed;
use super::exit::Exit;
use super::finding::{Finding, Match, Silenced, SilencedBy, Standing};
use super::origin::Place;

/// How many skips, and how many errors, are listed one by one; all are counted.
pub const EVENTS_KEPT: usize = 10_000;

/// Something that was left aside on purpose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// What was left aside.
    pub place: Place,
    /// Why.
    pub reason: SkipReason,
}

/// Why something was left aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// A symbolic link: its target's name was scanned, its target is not followed.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
    /// The user's ignore file names it.
    Ignored,
    /// An `--exclude` names it.
    Excluded,
    /// What it is made from is larger than what is kept in memory.
    TooLarge,
    /// There are more distinct tokens than a run keeps; the rest of this blob's are not listed.
    TooManyFindings,
    /// It is encrypted.
    Encrypted,
    /// It is packed in a way that is known and not read here.
    Unsupported,
    /// It is a container inside more containers than are opened.
    DepthLimit,
    /// More bytes would have to be unpacked from this file than may be.
    BytesLimit,
    /// There are more members in this file than are looked at.
    EntriesLimit,
    /// Unpacking this file takes longer than it may.
    TimeLimit,
    /// Unpacking it takes more memory than there may be.
    MemoryLimit,
    /// It shares its bytes with other members, more often than can be honest.
    Overlapping,
    /// It stands in a part of a stream that was passed, and there is no way back.
    Unseekable,
    /// The user asked for a clone without the older commits: what is cut off was not read.
    Shallow,
    /// The user asked for a clone without all objects: what the remote has yet to send was not read.
    Promised,
}

/// Whether leaving something aside leaves a hole in what the scan can vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Nothing is missing: it holds no data of its own, or the user asked to leave it out.
    None,
    /// Something that should have been read was not.
    Open,
}

impl SkipReason {
    /// Its name in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Device => "device",
            Self::Ignored => "ignored",
            Self::Excluded => "excluded",
            Self::TooLarge => "too_large",
            Self::TooManyFindings => "too_many_findings",
            Self::Encrypted => "encrypted",
            Self::Unsupported => "unsupported",
            Self::DepthLimit => "depth_limit",
            Self::BytesLimit => "bytes_limit",
            Self::EntriesLimit => "entries_limit",
            Self::TimeLimit => "time_limit",
            Self::MemoryLimit => "memory_limit",
            Self::Overlapping => "overlapping",
            Self::Unseekable => "unseekable",
            Self::Shallow => "shallow",
            Self::Promised => "promised",
        }
    }

    /// Whether it leaves a hole.
    pub fn gap(self) -> Gap {
        match self {
            Self::Symlink
            | Self::Fifo
            | Self::Socket
            | Self::Device
            | Self::Ignored
            | Self::Excluded
            | Self::Shallow
            | Self::Promised => Gap::None,
            Self::TooLarge
            | Self::TooManyFindings
            | Self::Encrypted
            | Self::Unsupported
            | Self::DepthLimit
            | Self::BytesLimit
            | Self::EntriesLimit
            | Self::TimeLimit
            | Self::MemoryLimit
            | Self::Overlapping
            | Self::Unseekable => Gap::Open,
        }
    }
}

/// Something that should have been read and could not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadError {
    /// What could not be read.
    pub place: Place,
    /// The system's or the decoder's words; redacted.
    pub message: String,
}

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files opened, standard input included.
    pub files: u64,
    /// Blobs scanned: files, and whatever was inside them.
    pub blobs: u64,
    /// Bytes of blobs scanned.
    pub bytes: u64,
    /// Occurrences of token shapes that nothing proves to be tokens.
    pub unverified: u64,
}

/// Whether a run got to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It did.
    Finished,
    /// A signal ended it; what was found until then is told.
    Interrupted,
}

/// All that a scan found and did not read, in the order in which it is reported.
#[derive(Debug)]
pub struct ScanReport {
    /// Findings by fingerprint; unverified ones only when they were asked for.
    pub findings: Vec<Finding>,
    /// Tokens that are no findings because the user silenced them, by fingerprint.
    pub silenced: Vec<Silenced>,
    /// How many matches were silenced, by reason; those of findings too.
    pub silenced_counts: BTreeMap<SilencedBy, u64>,
    /// What was left aside.
    pub skips: Listed<Skip>,
    /// How much was left aside, by reason.
    pub skip_counts: BTreeMap<SkipReason, u64>,
    /// What could not be read.
    pub errors: Listed<ReadError>,
    /// How much was read.
    pub tally: Tally,
    /// Whether it got to its end.
    pub ending: Ending,
    /// How long it took.
    pub elapsed: Duration,
}

impl ScanReport {
    /// Whether everything that should have been read was.
    pub fn is_complete(&self) -> bool {
        self.ending == Ending::Finished
            && self.errors.total() == 0
            && self
                .skip_counts
                .keys()
                .all(|reason| reason.gap() == Gap::None)
    }

    /// Distinct tokens that count as found.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.standing == Standing::Finding)
    }

    /// The report that silences, in a later run, all that this one found and what an earlier
    /// baseline silenced in it.
    pub fn into_baseline(mut self) -> Self {
        let known = self
            .silenced
            .extract_if(.., |silenced| silenced.by == SilencedBy::Baseline);
        self.findings.extend(known.map(|silenced| silenced.finding));
        self.findings
            .sort_unstable_by_key(|finding| finding.fingerprint);
        self.silenced_counts.remove(&SilencedBy::Baseline);
        self
    }

    /// Takes away what is no addition to `before`: the matches in a place that held the very token
    /// at least as often.
    pub fn additions_to(mut self, before: &Self) -> Self {
        self.findings.retain_mut(|finding| {
            let Ok(known) = before
                .findings
                .binary_search_by_key(&finding.fingerprint, |known| known.fingerprint)
            else {
                return true;
            };
            let known = &before.findings[known].matches.items;
            let count = |matches: &[Match], place: &Place| {
                matches
                    .iter()
                    .filter(|found| *found.place == *place)
                    .count()
            };
            let all = std::mem::take(&mut finding.matches.items);
            let added = |found: &&Match| count(&all, &found.place) > count(known, &found.place);
            finding.matches.items = all.iter().filter(added).cloned().collect();
            !finding.matches.is_empty()
        });
        self
    }

    /// How the run ends for the shell.
    pub fn exit(&self) -> Exit {
        if !self.is_complete() {
            Exit::Trouble
        } else if self.found().next().is_some() {
            Exit::Found
        } else {
            Exit::Clean
        }
    }
}
