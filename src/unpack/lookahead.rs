//! Input of which the next bytes can be looked at before they are taken.

use std::io::{self, BufRead, Read};

use memchr::memmem;

/// Bytes that can be had in one piece.
const HEAD: usize = 32;

/// Input of which some bytes can be had in one piece before they are taken.
pub(super) struct Lookahead<'a> {
    input: &'a mut dyn BufRead,
    head: [u8; HEAD],
    /// What of `head` is still to come.
    from: usize,
    to: usize,
    /// Bytes that were taken.
    position: u64,
}

impl<'a> Lookahead<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self {
            input,
            head: [0; HEAD],
            from: 0,
            to: 0,
            position: 0,
        }
    }

    /// The next [`HEAD`] bytes; less when there are no more.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        self.head.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        while self.to < HEAD {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let n = bytes.len().min(HEAD - self.to);
            self.head[self.to..self.to + n].copy_from_slice(&bytes[..n]);
            self.input.consume(n);
            self.to += n;
        }
        Ok(&self.head[..self.to])
    }

    /// Some of the next bytes; none only at the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.from < self.to {
            return Ok(&self.head[self.from..self.to]);
        }
        self.input.fill_buf()
    }

    /// Bytes that were taken so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.position += n as u64;
        if self.from < self.to {
            self.from += n;
        } else {
            self.input.consume(n);
        }
    }

    /// Goes to the next place where `magic` stands, if there is one.
    pub(super) fn find(&mut self, magic: &[u8]) -> io::Result<bool> {
        let keep = magic.len() - 1;
        loop {
            let mut bytes = self.fill()?;
            if bytes.len() <= keep {
                bytes = self.head()?;
            }
            let is_end = bytes.len() <= keep;
            let passed = match memmem::find(bytes, magic) {
                Some(at) => {
                    self.consume(at);
                    return Ok(true);
                }
                None if is_end => bytes.len(),
                None => bytes.len() - keep,
            };
            self.consume(passed);
            if is_end {
                return Ok(false);
            }
        }
    }
}

impl Read for Lookahead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill()?;
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Lookahead<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill()
    }

    fn consume(&mut self, n: usize) {
        Lookahead::consume(self, n);
    }
}
