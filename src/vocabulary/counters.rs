//! What a scan has done so far, for those who watch it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::event::Tally;
use super::origin::Place;

/// Counts that all threads of a scan add to and a progress bar reads.
#[derive(Debug, Default)]
pub struct Counters {
    files: AtomicU64,
    blobs: AtomicU64,
    bytes: AtomicU64,
    unverified: AtomicU64,
    findings: AtomicU64,
    /// Somebody wants to know what is being read.
    is_asked: AtomicBool,
    reading: Mutex<Option<Place>>,
}

impl Counters {
    /// One more file was opened.
    pub fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// One more blob was begun.
    pub fn blob(&self) {
        self.blobs.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more bytes were scanned.
    pub fn bytes(&self, n: u64) {
        self.bytes.fetch_add(n, Ordering::Relaxed);
    }

    /// One more unverified shape was seen.
    pub fn unverified(&self) {
        self.unverified.fetch_add(1, Ordering::Relaxed);
    }

    /// One more distinct token was found.
    pub fn finding(&self) {
        self.findings.fetch_add(1, Ordering::Relaxed);
    }

    /// Distinct tokens found so far.
    pub fn findings(&self) -> u64 {
        self.findings.load(Ordering::Relaxed)
    }

    /// Tells what is being read, if anybody has asked since it was last told: to name a place costs
    /// more than to scan a small blob.
    pub fn reading(&self, place: impl FnOnce() -> Place) {
        if self.is_asked.load(Ordering::Relaxed) && self.is_asked.swap(false, Ordering::Relaxed) {
            self.begins(place());
        }
    }

    /// Tells that the reading of something begins that takes its time and names nothing meanwhile.
    pub fn begins(&self, place: Place) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// What was being read shortly before; and asks for what is read next.
    pub fn ask(&self) -> Option<Place> {
        self.is_asked.store(true, Ordering::Relaxed);
        let reading = self.reading.lock();
        reading.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The other counts so far.
    pub fn tally(&self) -> Tally {
        Tally {
            files: self.files.load(Ordering::Relaxed),
            blobs: self.blobs.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            unverified: self.unverified.load(Ordering::Relaxed),
        }
    }
}
