//! A stream that can be looked into before it is read.
//!
//! Formats whose parts are found by their signatures need to see some bytes ahead, and to know how
//! far they are; decoders then take what they need from the same buffer, so that nothing is lost
//! between the end of one part and the start of the next. This knows no format.

use std::io::{self, BufRead, Read};

/// How many bytes can be looked at, at most. The longest header of any format that is read this
/// way, a zip's with a name and extra fields of 64 KiB each, fits in.
pub(super) const SIGHT: usize = 160 * 1024;

/// Buffers a stream, and counts its bytes.
pub(super) struct PeekReader<'a> {
    inner: &'a mut dyn Read,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes that are not consumed start.
    start: usize,
    /// Where they end.
    end: usize,
    /// The offset in the stream of the first of them.
    offset: u64,
    /// Why no more bytes will come, once that is known.
    over: Option<Over>,
}

/// Why a stream is over.
enum Over {
    /// It has come to its end, or its trouble was told.
    Ended,
    /// It cannot be read any further; not told yet.
    Failed(io::Error),
}

impl<'a> PeekReader<'a> {
    /// Starts where `inner` does.
    pub(super) fn new(inner: &'a mut dyn Read) -> Self {
        Self::at(0, inner)
    }

    /// The same where `inner` starts at some offset of what it is a part of.
    pub(super) fn at(offset: u64, inner: &'a mut dyn Read) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset,
            over: None,
        }
    }

    /// Bytes consumed so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What comes next: at least `wanted` bytes (no more than [`SIGHT`]) unless the stream ends
    /// before. Trouble is told when nothing is left that was read before it, and told once.
    pub(super) fn look(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted && self.over.is_none() {
            self.fill();
        }
        if self.start == self.end
            && wanted > 0
            && matches!(self.over, Some(Over::Failed(_)))
            && let Some(Over::Failed(error)) = self.over.replace(Over::Ended)
        {
            return Err(error);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Reads once, to wherever there is room.
    fn fill(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = vec![0; SIGHT];
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && self.buffer.len() - self.end < SIGHT / 4 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.inner.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.over = Some(Over::Ended),
            Ok(read) => self.end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.over = Some(Over::Failed(error)),
        }
    }
}

impl Read for PeekReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.look(usize::from(!buffer.is_empty()))?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for PeekReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.look(1)
    }

    fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time, then fails.
    struct Fails<'a>(&'a [u8]);

    impl Read for Fails<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("broken"));
            }
            let n = buffer.len().min(3);
            self.0.read(&mut buffer[..n])
        }
    }

    #[test]
    fn what_is_looked_at_is_read_again() {
        let mut stream: &[u8] = b"0123456789";
        let mut input = PeekReader::new(&mut stream);
        assert_eq!(&input.look(4).unwrap()[..4], b"0123");
        input.consume(2);
        assert_eq!(input.offset(), 2);
        let mut rest = String::new();
        input.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "23456789");
        assert_eq!(input.offset(), 10);
        assert!(input.look(1).unwrap().is_empty());
    }

    #[test]
    fn trouble_is_told_once_behind_all_that_came_before_it() {
        let mut stream = Fails(b"01234567");
        let mut input = PeekReader::new(&mut stream);
        assert_eq!(input.look(100).unwrap(), b"01234567");
        input.consume(8);
        assert_eq!(input.look(1).unwrap_err().to_string(), "broken");
        assert!(input.look(1).unwrap().is_empty());
    }

    #[test]
    fn as_much_as_promised_can_be_looked_at_anywhere() {
        let bytes: Vec<u8> = (0..=250).cycle().take(4 * SIGHT).collect();
        let mut stream = &bytes[..];
        let mut input = PeekReader::new(&mut stream);
        for step in [1, SIGHT - 1, 5, SIGHT / 2, 77] {
            let at = usize::try_from(input.offset()).unwrap();
            let seen = input.look(SIGHT).unwrap();
            assert_eq!(seen.len(), SIGHT, "at {at}");
            assert_eq!(seen, &bytes[at..at + SIGHT]);
            input.consume(step);
        }
    }
}
