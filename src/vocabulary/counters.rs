//! What a scan has done so far, for those who watch it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::event::Tally;

/// Counts that all threads of a scan add to and a progress bar reads.
#[derive(Debug, Default)]
pub struct Counters {
    files: AtomicU64,
    blobs: AtomicU64,
    bytes: AtomicU64,
    unverified: AtomicU64,
    findings: AtomicU64,
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
