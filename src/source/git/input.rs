//! Bytes that can be read anywhere.
//!
//! A pack is a graph that points back and forth within one file, so it is read by place and not in
//! order. It is never mapped: a mapped file that shrinks under the scan kills the process, a read
//! of it merely ends early.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;

use crate::source::read::open_file;
use crate::source::{Content, read_at};

/// Bytes that may be read anywhere, by several threads at once.
pub trait ReadAt: Sync {
    /// How many there are.
    fn length(&self) -> u64;

    /// Reads from `offset` until `buffer` is full or the bytes end; tells how many there were.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The bytes of a range, if they are all in memory: then nothing has to be read.
    fn in_memory(&self, _range: &Range<u64>) -> Option<&[u8]> {
        None
    }
}

/// A file, as long as it was when it was opened.
#[derive(Debug)]
pub struct FileBytes {
    file: File,
    length: u64,
}

impl FileBytes {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::new(open_file(path)?)
    }

    /// Takes an open file.
    pub fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// The file as it is.
    pub(super) fn content(&self) -> Content<'_> {
        Content::File(&self.file, self.length)
    }

    /// All of it.
    pub(super) fn into_bytes(self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(self.length).unwrap_or(usize::MAX))?;
        self.file.take(self.length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl ReadAt for FileBytes {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        read_at(&self.file, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).map_or(self.len(), |offset| offset.min(self.len()));
        let read = buffer.len().min(self.len() - from);
        buffer[..read].copy_from_slice(&self[from..from + read]);
        Ok(read)
    }

    fn in_memory(&self, range: &Range<u64>) -> Option<&[u8]> {
        self.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }
}

impl ReadAt for Vec<u8> {
    fn length(&self) -> u64 {
        self.as_slice().length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn in_memory(&self, range: &Range<u64>) -> Option<&[u8]> {
        self.as_slice().in_memory(range)
    }
}

/// What stands behind some place of other bytes: the pack of a bundle.
pub(super) struct Behind<'a> {
    pub(super) all: &'a dyn ReadAt,
    pub(super) start: u64,
}

impl ReadAt for Behind<'_> {
    fn length(&self) -> u64 {
        self.all.length().saturating_sub(self.start)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.all.read_at(buffer, self.start.saturating_add(offset))
    }

    fn in_memory(&self, range: &Range<u64>) -> Option<&[u8]> {
        let there = |offset: u64| self.start.checked_add(offset);
        self.all
            .in_memory(&(there(range.start)?..there(range.end)?))
    }
}
