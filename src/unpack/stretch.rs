//! Files from outside, as decoders read them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::source::{complete, read_at};

use super::Budget;

/// A file up to a length, read without its cursor, which others may share.
pub(super) struct Stretch<'a> {
    file: &'a File,
    offset: u64,
    length: u64,
}

impl<'a> Stretch<'a> {
    pub(super) fn of(file: &'a File, length: u64) -> Self {
        Self {
            file,
            offset: 0,
            length,
        }
    }
}

impl Read for Stretch<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.offset);
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let filled = read_at(self.file, &mut buffer[..wanted], self.offset)?;
        self.offset += filled as u64;
        if filled < wanted {
            complete(self.file, self.offset, self.length)?;
        }
        Ok(filled)
    }
}

impl Seek for Stretch<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let offset = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.offset.checked_add_signed(by),
        };
        self.offset = offset.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

/// Tells the budget what is read of the file from outside.
pub(super) struct Counted<'a, I> {
    input: I,
    /// What there is to tell at most: what is read twice is paid for once.
    left: u64,
    budget: &'a Budget<'a>,
}

impl<'a, I> Counted<'a, I> {
    /// Reads `input`, of which so many bytes are told at most.
    pub(super) fn new(input: I, length: u64, budget: &'a Budget<'a>) -> Self {
        Self {
            input,
            left: length,
            budget,
        }
    }
}

impl<I: Read> Read for Counted<'_, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        let fresh = self.left.min(n as u64);
        self.left -= fresh;
        self.budget.outside(fresh);
        Ok(n)
    }
}

impl<I: Seek> Seek for Counted<'_, I> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}
