//! A file that is read a page at a time, however small the reads are and wherever they go.
//!
//! Decoders of 7z read single bytes, and those of several streams take turns, each going back to
//! its own place before every read. A `BufReader` would forget its buffer each time.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::ReadSeek;

/// Bytes read at once.
const PAGE: usize = 64 * 1024;

/// Reads pages.
pub(super) struct Paged<'a> {
    inner: &'a mut dyn ReadSeek,
    page: Vec<u8>,
    /// The offset of the page.
    start: u64,
    /// Where the next byte is read.
    offset: u64,
}

impl<'a> Paged<'a> {
    pub(super) fn new(inner: &'a mut dyn ReadSeek) -> Self {
        Self {
            inner,
            page: Vec::new(),
            start: 0,
            offset: 0,
        }
    }

    /// What of the page comes next.
    fn ahead(&self) -> &[u8] {
        self.offset
            .checked_sub(self.start)
            .and_then(|at| self.page.get(usize::try_from(at).ok()?..))
            .unwrap_or_default()
    }

    /// Reads the page that starts at the offset.
    fn turn(&mut self) -> io::Result<()> {
        self.page.resize(PAGE, 0);
        self.start = self.offset;
        let read = self
            .inner
            .seek(SeekFrom::Start(self.start))
            .and_then(|_| self.inner.read(&mut self.page));
        self.page.truncate(*read.as_ref().unwrap_or(&0));
        read.map(|_| ())
    }
}

impl Read for Paged<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead().is_empty() {
            self.turn()?;
        }
        let ahead = self.ahead();
        let n = ahead.len().min(buffer.len());
        buffer[..n].copy_from_slice(&ahead[..n]);
        self.offset += n as u64;
        Ok(n)
    }
}

impl Seek for Paged<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let offset = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(more) => self.offset.checked_add_signed(more),
            SeekFrom::End(_) => Some(self.inner.seek(to)?),
        };
        // No file is longer, and not all readers take more.
        let offset = offset.filter(|offset| i64::try_from(*offset).is_ok());
        self.offset = offset.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}
