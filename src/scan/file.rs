//! Files, in windows, and large ones on all threads.

use std::fs::File;
use std::io;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::detect::{LOOKBEHIND, LineCount, Located, WindowScanner};
use crate::silence::{Line, SIGHT};
use crate::source::{Buffer, Sink as _, WINDOW, complete, read_at};

use super::Gather;
use super::blob::{Blob, Waiting};

/// The stretch of a large file that one thread scans at a time.
pub(super) const STRETCH: u64 = 1024 * 1024;

/// Stretches in hand at once, for each thread. Their hits wait for the line counts of those before
/// them; more stretches at once would only hold more hits.
pub(super) const STRETCHES_PER_THREAD: usize = 16;

const _: () = assert!(
    LOOKBEHIND <= SIGHT,
    "what is in sight for markers is context enough"
);

/// What one stretch of a large file came to.
struct Stretch {
    /// Its hits, with the lines counted from its own start.
    hits: Vec<Waiting>,
    /// Its newlines.
    lines: LineCount,
    read: io::Result<()>,
}

impl Blob<'_> {
    /// Scans a file on this thread. What is written behind `length` meanwhile is left alone.
    pub(super) fn file(&self, file: &File, length: u64) -> io::Result<()> {
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
    pub(super) fn large_file(&self, file: &File, length: u64) -> io::Result<()> {
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

    /// An error if a file was cut short under the scan; that we stopped is another matter.
    fn complete(&self, file: &File, end: u64, length: u64) -> io::Result<()> {
        if self.is_done() {
            Ok(())
        } else {
            complete(file, end, length)
        }
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
