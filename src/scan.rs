//! Wires sources to the detector and gathers what comes of it.
//!
//! *Source → Unpack → Detector → Findings.* A blob is scanned on the thread that read it. One that
//! does not fit a window is read in windows that overlap, so that whatever decides about a token is
//! in sight ([`Detector::reach`], and [`SIGHT`] around it for markers); a large file is cut into
//! stretches that all threads share, so memory depends on the number of threads and not on the
//! size of anything. Whatever was not read is gathered beside the findings.

mod passing;
mod provenance;

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::detect::{Detector, Glimpse, LOOKBEHIND, LineCount, Located, WindowScanner};
use crate::findings::{Findings, Recorded, Retain, Token, Unverified};
use crate::silence::{Line, SIGHT, Silence};
use crate::source::{
    Buffer, Content, Glance, LARGE, Part, Reach, Sink, Threads, WINDOW, complete, read_at,
};
use crate::unpack::{Covered, Limits, Scanner, Unpack};
use crate::vocabulary::{
    Capped, Clock, Counters, EVENTS_KEPT, Encoding, Ending, Interrupt, Match, Origin, Place,
    ReadError, ScanReport, SilencedBy, Skip, SkipReason,
};

use passing::Passing;

/// The stretch of a large file that one thread scans at a time.
const STRETCH: u64 = 1024 * 1024;

const _: () = assert!(
    LOOKBEHIND <= SIGHT,
    "what is in sight for markers is context enough"
);

/// Stretches in hand at once, for each thread. Their hits wait for the line counts of those before
/// them; more stretches at once would only hold more hits.
const STRETCHES_PER_THREAD: usize = 16;

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

    fn glance(&self, bytes: &[u8], part: Part) -> Glance {
        match part {
            // What a blob is does not matter here.
            Part::Head | Part::Tail => Glance::Nothing,
            Part::Inner => match self.scan.detector.glimpse(bytes) {
                Glimpse::Nothing => Glance::Nothing,
                Glimpse::Prefix => Glance::Start,
                Glimpse::Token => Glance::Something,
            },
        }
    }

    fn reach(&self) -> Reach {
        Reach {
            start: self.scan.detector.prefix_reach(),
            whole: self.scan.detector.reach(),
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

/// One blob under the scan.
struct Blob<'a> {
    gather: &'a Gather<'a>,
    origin: &'a Origin<'a>,
    /// What of it is told elsewhere.
    covered: &'a Covered,
    /// Its place as findings tell it; most blobs never need one.
    place: OnceCell<Arc<Place>>,
    /// Whether it has a token too many.
    full: Cell<bool>,
}

/// A hit of a stretch, until the lines before the stretch are known.
struct Waiting {
    token: Token,
    silenced: Option<SilencedBy>,
    offset: u64,
    length: usize,
    encoding: Encoding,
    character: Option<u32>,
    lines: LineCount,
}

/// What one stretch of a large file came to.
struct Stretch {
    /// Its hits, with the lines counted from its own start.
    hits: Vec<Waiting>,
    /// Its newlines.
    lines: LineCount,
    read: io::Result<()>,
}

impl<'a> Blob<'a> {
    /// Counts a blob.
    fn begin(gather: &'a Gather<'a>, origin: &'a Origin<'a>, covered: &'a Covered) -> Self {
        match origin {
            Origin::Stdin | Origin::File(_) => {
                gather.scan.counters.file();
                gather.scan.counters.blob();
            }
            Origin::Member { .. } | Origin::Unpacked { .. } => gather.scan.counters.blob(),
            // Names are searched, not counted: they are no contents.
            Origin::Label { .. } => {}
        }
        let blob = Self {
            gather,
            origin,
            covered,
            place: OnceCell::new(),
            full: Cell::new(false),
        };
        blob.watched();
        blob
    }

    fn is_outermost(&self) -> bool {
        matches!(self.origin, Origin::Stdin | Origin::File(_))
    }

    /// Tells those who watch that this is being read.
    fn watched(&self) {
        let scan = &self.gather.scan;
        scan.counters.reading(|| self.origin.place(scan.detector));
    }

    fn whole(&self, bytes: &[u8]) {
        match self.origin {
            Origin::Stdin | Origin::File(_) | Origin::Member { .. } | Origin::Unpacked { .. } => {
                self.gather.scan.counters.bytes(bytes.len() as u64);
            }
            Origin::Label { .. } => {}
        }
        WindowScanner::new(self.gather.scan.detector, 0).last(bytes, |located| {
            let hit = &located.hit;
            self.consider(&located, Line::around(bytes, hit.start, hit.end()));
        });
    }

    /// Scans a stream to its end, and lets `along` read it in passing.
    fn stream(
        &self,
        stream: &mut dyn Read,
        along: &mut dyn FnMut(&mut dyn BufRead),
    ) -> io::Result<()> {
        self.gather.with_buffer(|buffer| {
            let mut passing = Passing::new(self, buffer, stream);
            along(&mut passing);
            passing.finish()
        })
    }

    /// Scans a file on this thread. What is written behind `length` meanwhile is left alone.
    fn file(&self, file: &File, length: u64) -> io::Result<()> {
        let mut scanner = WindowScanner::new(self.gather.scan.detector, 0);
        let read = |buffer: &mut [u8], offset| {
            self.watched();
            read_at(file, first(buffer, length - offset), offset)
        };
        let consider = |located: Located<'_>, line: Line<'_>| self.consider(&located, line);
        let end = self.gather.windows(&mut scanner, length, read, consider)?;
        self.gather.complete(file, end, length)
    }

    /// Scans a file on all threads, a few stretches at a time.
    fn large_file(&self, file: &File, length: u64) -> io::Result<()> {
        let threads = self.gather.scan.threads;
        let at_once = STRETCH * (STRETCHES_PER_THREAD * threads.count()) as u64;
        let mut before = LineCount::default();
        let mut read = Ok(());
        let mut start = 0;
        while start < length && !self.gather.is_done() {
            self.watched();
            let end = length.min(start + at_once);
            let stretches: Vec<Stretch> = threads.install(|| {
                let starts = (0..(end - start).div_ceil(STRETCH)).into_par_iter();
                starts
                    .map(|n| self.gather.stretch(file, start + n * STRETCH, length))
                    .collect()
            });
            for stretch in stretches {
                for mut hit in stretch.hits {
                    hit.lines = hit.lines.behind(before);
                    self.record(hit);
                }
                before = stretch.lines.behind(before);
                read = read.and(stretch.read);
            }
            start = if read.is_ok() { end } else { length };
        }
        read
    }

    /// Counts what is not wanted, and records what is.
    fn consider(&self, located: &Located<'_>, line: Line<'_>) {
        let end = located.offset + located.hit.length as u64;
        if self.covered.holds(&(located.offset..end)) {
            return;
        }
        if let Some(hit) = self.gather.waiting(located, line) {
            self.record(hit);
        }
    }

    fn record(&self, hit: Waiting) {
        let place = self
            .place
            .get_or_init(|| Arc::new(self.origin.place(self.gather.scan.detector)));
        let found = Match {
            place: Arc::clone(place),
            offset: hit.offset,
            line: hit.lines.line(),
            column: hit.lines.column(hit.offset),
            character: hit.character,
            length: u32::try_from(hit.length).unwrap_or(u32::MAX),
            encoding: hit.encoding,
            git: None,
        };
        match self.gather.findings.record(hit.token, found, hit.silenced) {
            Recorded::Yes => {}
            Recorded::Full => {
                if !self.full.replace(true) {
                    self.gather.skip(self.origin, SkipReason::TooManyFindings);
                }
            }
        }
    }
}

impl Gather<'_> {
    /// Reads windows through `read`, which is told the offset to go on at, and scans them for what
    /// starts before `limit`. Tells where the reading ended.
    fn windows(
        &self,
        scanner: &mut WindowScanner<'_>,
        limit: u64,
        mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
        mut on_hit: impl FnMut(Located<'_>, Line<'_>),
    ) -> io::Result<u64> {
        let overlap = self.overlap();
        self.with_buffer(|buffer| {
            look_back(scanner.offset(), buffer, &mut read);
            loop {
                let start = scanner.offset();
                let offset = start + buffer.held() as u64;
                let read = read(buffer.window(), offset);
                let filled = *read.as_ref().unwrap_or(&0);
                let at_end = filled < WINDOW;
                let (sight, past) = buffer.bytes_with_past(filled);
                let new = sight.len() - past;
                let undecided = if at_end { 0 } else { overlap };
                let decided = new - undecided;
                let decided =
                    usize::try_from(limit - start).map_or(decided, |left| decided.min(left));
                let end = start + new as u64;
                scanner.window(sight, past, decided, |located| {
                    let line = Line::around(sight, located.hit.start, located.hit.end());
                    on_hit(located, line);
                });
                self.scan.counters.bytes(decided as u64);
                read?;
                if at_end || scanner.offset() >= limit || self.is_done() {
                    return Ok(end);
                }
                buffer.carry(filled, undecided, SIGHT);
            }
        })
    }

    /// Scans one stretch of a large file by itself.
    fn stretch(&self, file: &File, start: u64, length: u64) -> Stretch {
        let mut scanner = WindowScanner::new(self.scan.detector, start);
        let limit = length.min(start + STRETCH);
        let needed = length.min(limit + self.overlap() as u64);
        let read =
            |buffer: &mut [u8], offset| read_at(file, first(buffer, needed - offset), offset);
        let mut hits = Vec::new();
        let end = self.windows(&mut scanner, limit, read, |located, line| {
            hits.extend(self.waiting(&located, line));
        });
        Stretch {
            hits,
            lines: scanner.lines(),
            read: end.and_then(|end| self.complete(file, end, limit)),
        }
    }

    /// What is to be recorded of a hit, if anything.
    fn waiting(&self, located: &Located<'_>, line: Line<'_>) -> Option<Waiting> {
        let token = self.findings.token(&located.hit)?;
        Some(Waiting {
            silenced: self.scan.silence.verdict(token.fingerprint(), line),
            character: line.character(),
            token,
            offset: located.offset,
            length: located.hit.length,
            encoding: located.hit.encoding,
            lines: located.lines,
        })
    }

    /// How many bytes of a window come again in the next one: what may decide about a token that
    /// starts before them, and what may silence it.
    fn overlap(&self) -> usize {
        self.scan.detector.reach().saturating_sub(1) + SIGHT
    }

    /// An error if a file was cut short under the scan; that we stopped is another matter.
    fn complete(&self, file: &File, end: u64, length: u64) -> io::Result<()> {
        if self.is_done() {
            Ok(())
        } else {
            complete(file, end, length)
        }
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

/// Puts what precedes `offset` in sight of the first window, for whoever starts within a blob.
/// Where that cannot be read, the window cannot either, and there it is told.
fn look_back(
    offset: u64,
    buffer: &mut Buffer,
    read: &mut impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) {
    let past = usize::try_from(offset).map_or(SIGHT, |offset| offset.min(SIGHT));
    let complete = read(buffer.past(past), offset - past as u64).is_ok_and(|read| read == past);
    if !complete {
        buffer.clear();
    }
}

/// The first `n` bytes of `buffer`, or all.
fn first(buffer: &mut [u8], n: u64) -> &mut [u8] {
    let n = usize::try_from(n).map_or(buffer.len(), |n| n.min(buffer.len()));
    &mut buffer[..n]
}

#[cfg(test)]
mod tests;
