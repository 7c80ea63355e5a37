//! Wires sources to the detector and gathers what comes of it.
//!
//! *Source → Unpack → Detector → Findings.* A blob is scanned on the thread that read it. One that
//! does not fit a window is read in windows that overlap, so that whatever decides about a token is
//! in sight ([`Detector::reach`], and [`SIGHT`] around it for markers); a large file is cut into
//! stretches that all threads share, so memory depends on the number of threads and not on the
//! size of anything. Whatever was not read is gathered beside the findings.

mod blob;
mod file;
mod passing;
mod provenance;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};
use std::sync::{Mutex, PoisonError};

use crate::detect::{Candidate, Detector, Glimpse};
use crate::findings::{Findings, Retain, Unverified};
use crate::silence::{SIGHT, Silence};
use crate::source::{Buffer, Clue, Content, End, LARGE, Lead, Reach, Sink, Threads};
use crate::unpack::{Covered, Limits, Scanner, Unpack};
use crate::vocabulary::{
    Capped, Clock, Counters, EVENTS_KEPT, Ending, Interrupt, Origin, ReadError, ScanReport, Skip,
    SkipReason,
};

use blob::Blob;

/// All that a scan needs to know.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// What is looked for.
    pub detector: &'a Detector,
    /// Who does the work.
    pub threads: &'a Threads,
    /// Tells how long it took.
    pub clock: &'a dyn Clock,
    /// Ends it early.
    pub interrupt: &'a Interrupt,
    /// Where it counts.
    pub counters: &'a Counters,
    /// Whether to keep the tokens themselves.
    pub retain: Retain,
    /// Whether to list unverified shapes.
    pub unverified: Unverified,
    /// What the user does not want to hear of.
    pub silence: &'a Silence,
    /// Whether containers are opened.
    pub archives: Archives,
}

/// Whether containers are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archives {
    /// What they hold is scanned too, within these limits.
    Open(Limits),
    /// They are bytes like any others.
    Closed,
}

impl Scan<'_> {
    /// Scans whatever `sources` push.
    pub fn run(&self, sources: impl FnOnce(&dyn Sink)) -> ScanReport {
        let start = self.clock.steady();
        let gather = Gather {
            scan: *self,
            findings: Findings::new(self.retain, self.unverified, self.counters),
            unread: Mutex::new(Unread {
                skips: Capped::new(EVENTS_KEPT),
                skip_counts: BTreeMap::new(),
                errors: Capped::new(EVENTS_KEPT),
            }),
            buffers: Mutex::default(),
        };
        match self.archives {
            Archives::Open(limits) => sources(&Unpack::new(&gather, self.clock, limits)),
            Archives::Closed => sources(&gather),
        }
        let unread = gather
            .unread
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let sorted = gather.findings.into_sorted();
        ScanReport {
            findings: sorted.findings,
            silenced: sorted.silenced,
            silenced_counts: sorted.silenced_counts,
            skips: unread.skips.into_sorted(),
            skip_counts: unread.skip_counts,
            errors: unread.errors.into_sorted(),
            tally: self.counters.tally(),
            ending: if self.interrupt.is_raised() {
                Ending::Interrupted
            } else {
                Ending::Finished
            },
            elapsed: self.clock.steady().saturating_sub(start),
        }
    }
}

/// The sink that scans.
struct Gather<'a> {
    scan: Scan<'a>,
    findings: Findings<'a>,
    unread: Mutex<Unread>,
    /// Window buffers that are not in use.
    buffers: Mutex<Vec<Buffer>>,
}

struct Unread {
    skips: Capped<Skip>,
    skip_counts: BTreeMap<SkipReason, u64>,
    errors: Capped<ReadError>,
}

impl Sink for Gather<'_> {
    fn blob(&self, origin: &Origin<'_>, content: Content<'_>) {
        self.blob_beside(origin, content, &Covered::default());
    }

    fn skip(&self, origin: &Origin<'_>, reason: SkipReason) {
        let place = origin.place(self.scan.detector);
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        *unread.skip_counts.entry(reason).or_default() += 1;
        unread.skips.push(Skip { place, reason });
    }

    fn error(&self, origin: &Origin<'_>, error: &io::Error) {
        use crate::vocabulary::Redact as _;

        let event = ReadError {
            place: origin.place(self.scan.detector),
            message: self.scan.detector.text(&error.to_string()).into_owned(),
        };
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.errors.push(event);
    }

    fn is_done(&self) -> bool {
        self.scan.interrupt.is_raised()
    }

    fn has_found(&self) -> bool {
        !self.findings.is_empty()
    }

    fn glance(&self, _bytes: &[u8], _end: End) -> bool {
        // What a blob is does not matter here.
        false
    }

    fn leads(&self, bytes: &[u8], found: &mut dyn FnMut(Lead)) {
        for candidate in self.scan.detector.candidates(bytes) {
            found(Lead {
                start: candidate.start,
                sort: candidate.literal,
            });
        }
    }

    fn follow(&self, bytes: &[u8], lead: Lead) -> Clue {
        let candidate = Candidate {
            start: lead.start,
            literal: lead.sort,
        };
        match self.scan.detector.glimpse(bytes, candidate) {
            Glimpse::Nothing => Clue::Nothing,
            Glimpse::Prefix => Clue::Start,
            Glimpse::Token => Clue::Hit,
        }
    }

    fn reach(&self) -> Reach {
        let detector = self.scan.detector;
        Reach {
            lead: detector.literal_reach(),
            start: detector.prefix_reach(),
            whole: detector.reach(),
        }
    }

    fn glanced(&self, length: u64) {
        self.scan.counters.blob();
        self.scan.counters.bytes(length);
    }

    fn opening(&self, origin: &Origin<'_>) {
        let place = origin.place(self.scan.detector);
        self.scan.counters.begins(place);
    }
}

impl Scanner for Gather<'_> {
    fn blob_beside(&self, origin: &Origin<'_>, content: Content<'_>, covered: &Covered) {
        let blob = Blob::begin(self, origin, covered);
        let read = match content {
            Content::Whole(bytes) => {
                blob.whole(bytes);
                Ok(())
            }
            Content::Stream(stream) => blob.stream(stream, &mut |_| {}),
            Content::File(file, length) => {
                if length < LARGE || self.scan.threads.count() == 1 {
                    blob.file(file, length)
                } else {
                    blob.large_file(file, length)
                }
            }
        };
        if let Err(error) = read {
            self.error(origin, &error);
        }
    }

    fn stream_along(
        &self,
        origin: &Origin<'_>,
        stream: &mut dyn Read,
        covered: &Covered,
        along: &mut dyn FnMut(&mut dyn BufRead),
    ) -> io::Result<()> {
        Blob::begin(self, origin, covered).stream(stream, along)
    }
}

impl Gather<'_> {
    /// How many bytes of a window come again in the next one: what may decide about a token that
    /// starts before them, and what may silence it.
    fn overlap(&self) -> usize {
        self.scan.detector.reach().saturating_sub(1) + SIGHT
    }

    /// Lends a buffer.
    fn with_buffer<R>(&self, work: impl FnOnce(&mut Buffer) -> R) -> R {
        let lock = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = lock().pop();
        let mut buffer = spare.unwrap_or_else(|| Buffer::new(self.overlap() + SIGHT));
        let result = work(&mut buffer);
        buffer.clear();
        lock().push(buffer);
        result
    }
}

#[cfg(test)]
mod tests;
