//! Reading what says how long it is, and holding it to that.

use std::io::{self, Read};

use super::damage::Damage;

/// Reads bytes of which there must be an exact number.
pub(super) struct Exactly<R> {
    inner: R,
    left: u64,
    said: u64,
}

impl<R> Exactly<R> {
    /// `left` more bytes of an object of `said` bytes.
    pub(super) fn new(inner: R, left: u64, said: u64) -> Self {
        Self { inner, left, said }
    }

    /// How many bytes there should still be.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let ended = read == 0 && !buffer.is_empty();
        match self.left.checked_sub(read as u64) {
            Some(left) if !ended || left == 0 => self.left = left,
            Some(_) | None => return Err(Damage::Length { said: self.said }.into()),
        }
        Ok(read)
    }
}
