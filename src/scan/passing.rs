//! A stream that is scanned while somebody else reads it.
//!
//! A decoder pulls: it asks for bytes when it needs them. So the scanner stands behind it, and
//! scans what has been read before the window is read into again. Nothing is read twice, and
//! nothing is kept.

use std::io::{self, BufRead, Read};

use crate::detect::WindowScanner;
use crate::silence::{Line, SIGHT};
use crate::source::{Buffer, Sink as _};
use crate::unpack::Halt;

use super::Blob;

/// A stream under the scan, for one who reads along. What was read is scanned before the window
/// is read into again.
pub(super) struct Passing<'a, 's> {
    blob: &'a Blob<'a>,
    scanner: WindowScanner<'a>,
    buffer: &'a mut Buffer,
    stream: &'s mut dyn Read,
    /// Bytes in the window.
    filled: usize,
    /// How many of those the one who reads along has read.
    read: usize,
    state: Flow,
}

/// Whether there is more of a stream than stands in the window.
enum Flow {
    /// There may be.
    More,
    /// There is not.
    End,
    /// Nobody wants to know.
    Stopped,
    /// Nobody knows: it cannot be read on.
    Broken(io::Error),
}

impl<'a, 's> Passing<'a, 's> {
    /// A stream from its start.
    pub(super) fn new(
        blob: &'a Blob<'a>,
        buffer: &'a mut Buffer,
        stream: &'s mut dyn Read,
    ) -> Self {
        Self {
            blob,
            scanner: WindowScanner::new(blob.gather.scan.detector, 0),
            buffer,
            stream,
            filled: 0,
            read: 0,
            state: Flow::More,
        }
    }

    /// Scans the window and reads the next one.
    fn advance(&mut self) {
        let gather = self.blob.gather;
        let overlap = gather.overlap();
        let bytes = self.buffer.bytes(self.filled);
        // Before the first window there is nothing, and so nothing to decide.
        let decided = bytes.len().saturating_sub(overlap);
        let undecided = bytes.len() - decided;
        self.scan(decided);
        self.buffer.carry(self.filled, undecided, SIGHT);
        self.filled = 0;
        self.read = 0;
        if gather.is_done() {
            self.state = Flow::Stopped;
            return;
        }
        if !self.blob.is_outermost() {
            // Who watches is told of what is innermost: what holds it goes on with it.
            self.blob.watched();
        }
        let window = self.buffer.window();
        while self.filled < window.len() {
            match self.stream.read(&mut window[self.filled..]) {
                Ok(0) => {
                    self.state = Flow::End;
                    break;
                }
                Ok(n) => self.filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.state = Flow::Broken(error);
                    break;
                }
            }
        }
    }

    /// Scans what starts in the first `decided` bytes that are held.
    fn scan(&mut self, decided: usize) {
        let blob = self.blob;
        let (sight, past) = self.buffer.bytes_with_past(self.filled);
        self.scanner.window(sight, past, decided, |located| {
            let line = Line::around(sight, located.hit.start, located.hit.end());
            blob.consider(&located, line);
        });
        blob.covered.forget_before(self.scanner.offset());
        blob.gather.scan.counters.bytes(decided as u64);
    }

    /// Scans to the end of the stream.
    pub(super) fn finish(mut self) -> io::Result<()> {
        while matches!(self.state, Flow::More) {
            self.advance();
        }
        self.scan(self.buffer.bytes(self.filled).len());
        match self.state {
            Flow::More | Flow::End | Flow::Stopped => Ok(()),
            Flow::Broken(error) => Err(error),
        }
    }
}

impl Read for Passing<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Passing<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read == self.filled && matches!(self.state, Flow::More) {
            self.advance();
        }
        if self.read == self.filled {
            match self.state {
                Flow::More | Flow::End => {}
                Flow::Stopped => return Err(Halt::Done.into()),
                Flow::Broken(_) => return Err(Halt::Above.into()),
            }
        }
        Ok(&self.buffer.window()[self.read..self.filled])
    }

    fn consume(&mut self, n: usize) {
        self.read = self.filled.min(self.read + n);
    }
}
