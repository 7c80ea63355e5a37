//! Streams before anybody knows what they are, and those that must be had as a whole.

use std::io::{self, Read};

use super::format::HEAD;

/// A stream whose first bytes were looked at; reads from its start.
pub(super) struct Peeked<'a> {
    head: [u8; HEAD],
    filled: usize,
    read: usize,
    /// What came instead of more.
    error: Option<io::Error>,
    stream: &'a mut dyn Read,
}

impl<'a> Peeked<'a> {
    /// Reads the first bytes. An error is kept until it is its turn.
    pub(super) fn new(stream: &'a mut dyn Read) -> Self {
        let mut head = [0; HEAD];
        let (filled, error) = fill(stream, &mut head);
        Self {
            head,
            filled,
            read: 0,
            error,
            stream,
        }
    }

    /// The first bytes; less than [`HEAD`] when there are no more.
    pub(super) fn head(&self) -> &[u8] {
        &self.head[..self.filled]
    }

    /// What came instead of more.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read < self.filled {
            let n = buffer.len().min(self.filled - self.read);
            buffer[..n].copy_from_slice(&self.head[self.read..self.read + n]);
            self.read += n;
            return Ok(n);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.stream.read(buffer),
        }
    }
}

/// The first bytes of a stream, or all of them.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

/// What comes behind the bytes that are held.
pub(super) enum End {
    /// Nothing.
    Reached,
    /// There may be more.
    Open,
    /// The stream could not be read on.
    Broken(io::Error),
}

/// Reads a stream into memory, up to `limit` bytes.
pub(super) fn hold(stream: &mut dyn Read, limit: u64) -> Held {
    let mut bytes = Vec::new();
    let end = match stream.take(limit).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 == limit => End::Open,
        Ok(_) => End::Reached,
        Err(error) => End::Broken(error),
    };
    Held { bytes, end }
}

/// Reads until `buffer` is full, the stream ends or fails.
pub(super) fn fill(stream: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}
