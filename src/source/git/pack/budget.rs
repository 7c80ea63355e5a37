//! What may be spent on one pack.
//!
//! A delta of twenty bytes may copy half a gigabyte, and a million of them fit into little. An
//! honest pack costs a few hundred bytes of work for each of its own; what a hostile one may cost
//! grows with its size, as it does for containers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of work that the smallest pack may take: inflated, copied, looked at or hashed.
const FLOOR: u64 = if cfg!(test) { 2 << 20 } else { 8 << 30 };

/// Bytes of work that each byte of a pack adds.
const RATIO: u64 = if cfg!(test) { 16 } else { 16 * 1024 };

/// Bytes of objects that may wait in memory for those that are made from them.
const ALIVE: u64 = 1 << 30;

/// What may be spent, and what was.
#[derive(Debug)]
pub(super) struct Budget {
    work: AtomicU64,
    allowed: u64,
    alive: AtomicU64,
}

impl Budget {
    /// That of a pack of `length` bytes.
    pub(super) fn new(length: u64) -> Self {
        Self {
            work: AtomicU64::new(0),
            allowed: FLOOR.saturating_add(length.saturating_mul(RATIO)),
            alive: AtomicU64::new(0),
        }
    }

    /// Spends so many bytes of work.
    pub(super) fn spend(&self, bytes: usize) {
        self.work.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether all that was allowed is spent.
    pub(super) fn is_spent(&self) -> bool {
        self.work.load(Ordering::Relaxed) > self.allowed
    }

    /// Takes memory for an object that has others made from it; none if there is not so much.
    pub(super) fn keep(&self, bytes: usize) -> Option<Kept<'_>> {
        let kept = Kept {
            budget: self,
            bytes: bytes as u64,
        };
        let before = self.alive.fetch_add(kept.bytes, Ordering::Relaxed);
        // Dropping it gives back what was too much.
        (before.saturating_add(kept.bytes) <= ALIVE).then_some(kept)
    }
}

/// Memory that is given back when the object is gone.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.budget.alive.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
