//! One blob under the scan: what is told of it, and where.

use std::cell::{Cell, OnceCell};
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use crate::detect::{LineCount, Located, WindowScanner};
use crate::findings::{Recorded, Token};
use crate::silence::Line;
use crate::source::Sink as _;
use crate::unpack::Covered;
use crate::vocabulary::{Encoding, Match, Origin, Place, SilencedBy, SkipReason};

use super::Gather;
use super::passing::Passing;

/// One blob under the scan.
pub(super) struct Blob<'a> {
    pub(super) gather: &'a Gather<'a>,
    origin: &'a Origin<'a>,
    /// What of it is told elsewhere.
    pub(super) covered: &'a Covered,
    /// Its place as findings tell it; most blobs never need one.
    place: OnceCell<Arc<Place>>,
    /// Whether it has a token too many.
    full: Cell<bool>,
}

/// A hit of a stretch, until the lines before the stretch are known.
pub(super) struct Waiting {
    token: Token,
    silenced: Option<SilencedBy>,
    offset: u64,
    length: usize,
    encoding: Encoding,
    character: Option<u32>,
    pub(super) lines: LineCount,
}

impl<'a> Blob<'a> {
    /// Counts a blob.
    pub(super) fn begin(
        gather: &'a Gather<'a>,
        origin: &'a Origin<'a>,
        covered: &'a Covered,
    ) -> Self {
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

    pub(super) fn is_outermost(&self) -> bool {
        matches!(self.origin, Origin::Stdin | Origin::File(_))
    }

    /// Tells those who watch that this is being read.
    pub(super) fn watched(&self) {
        let scan = &self.gather.scan;
        scan.counters.reading(|| self.origin.place(scan.detector));
    }

    pub(super) fn whole(&self, bytes: &[u8]) {
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
    pub(super) fn stream(
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

    /// Counts what is not wanted, and records what is.
    pub(super) fn consider(&self, located: &Located<'_>, line: Line<'_>) {
        let end = located.offset + located.hit.length as u64;
        if self.covered.holds(&(located.offset..end)) {
            return;
        }
        if let Some(hit) = self.gather.waiting(located, line) {
            self.record(hit);
        }
    }

    pub(super) fn record(&self, hit: Waiting) {
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
    /// What is to be recorded of a hit, if anything.
    pub(super) fn waiting(&self, located: &Located<'_>, line: Line<'_>) -> Option<Waiting> {
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
}
