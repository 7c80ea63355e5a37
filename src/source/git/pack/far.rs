//! Bytes as those of a file, for tests: they must be read, and may change meanwhile.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::source::git::input::ReadAt;

/// Bytes that are not in memory.
pub(super) struct Far {
    /// What they are at first.
    bytes: Vec<u8>,
    /// In some reads they are others, though still said to be as many.
    change: (Range<usize>, Vec<u8>),
    reads: AtomicUsize,
}

impl Far {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self::changing(bytes, 0..0, &[])
    }

    pub(super) fn changing(bytes: &[u8], when: Range<usize>, then: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            change: (when, then.to_vec()),
            reads: AtomicUsize::new(0),
        }
    }

    /// How often they were read.
    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

impl ReadAt for Far {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let (when, then) = &self.change;
        if when.contains(&self.reads.fetch_add(1, Ordering::Relaxed)) {
            then.read_at(buffer, offset)
        } else {
            self.bytes.read_at(buffer, offset)
        }
    }
}
