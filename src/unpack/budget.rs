//! What may be spent on one file from outside, and all that is nested in it.
//!
//! # Why the limits grow
//!
//! An honest log of 100 GB is read to its end, and a bomb of a few kilobytes ends within seconds.
//! No fixed number does both, and no ratio alone does either: an honest log shrinks to a thousandth,
//! and in a bomb the ratios of all levels multiply. So each limit has a floor, which is what the
//! smallest file may cost, and above it grows with what was read of the file from outside. 64 KiB
//! of it buy another gigabyte, a quarter of a second, ten thousand members: more than any single
//! compressor asks for what people keep (gzip cannot do better than 1032:1, xz and bzip2 stay below
//! 8000:1 even on zeros), and so little that what a hostile file costs is bounded by its size.
//!
//! A limit that the user sets is a plain number and does not grow.
//!
//! Once a limit is reached nothing more is unpacked from this file; its own bytes are scanned to
//! the end, and it is told once, at the member where it happened.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::source::Repositories;
use crate::vocabulary::{Clock, SkipReason};

/// Bytes of the file from outside that buy one more of each [`Limit::Growing`] step.
const STEP: u64 = 64 * 1024;

/// The part of a file's memory that may hold containers as a whole.
const HELD_PART: u64 = 3;

/// How much of something may be spent on one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So much.
    Fixed(u64),
    /// So much, and more for each 64 KiB read of the file.
    Growing {
        /// For the smallest file.
        floor: u64,
        /// For each 64 KiB.
        step: u64,
    },
}

impl Limit {
    /// The limit when so many bytes of the file have been read.
    fn after(self, read: u64) -> u64 {
        match self {
            Self::Fixed(limit) => limit,
            Self::Growing { floor, step } => {
                let more = u128::from(read) * u128::from(step) / u128::from(STEP);
                floor.saturating_add(u64::try_from(more).unwrap_or(u64::MAX))
            }
        }
    }
}

/// What may be spent on one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Containers inside each other that are opened.
    pub depth: u32,
    /// Bytes unpacked.
    pub bytes: Limit,
    /// Members looked at.
    pub entries: Limit,
    /// Milliseconds.
    pub time: Limit,
    /// Bytes of memory for what decoders must remember, and for what must be held as a whole.
    pub memory: u64,
    /// Whether the packs of git repositories are opened at all.
    pub packs: Repositories,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 8,
            bytes: Limit::Growing {
                floor: 8 << 30,
                step: 1 << 30,
            },
            entries: Limit::Growing {
                floor: 1_000_000,
                step: 10_000,
            },
            time: Limit::Growing {
                floor: 6_000,
                step: 250,
            },
            memory: 256 << 20,
            packs: Repositories::Open,
        }
    }
}

/// Why the reading of a member ended early, when that is not the member's own fault. Travels
/// through decoders as an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// What holds it could not be read on; that is told there.
    #[error("what holds it could not be read on")]
    Above,
    /// The member is left aside, for a reason that came to light while it was decoded.
    #[error("left aside: {}", .0.as_str())]
    Aside(SkipReason),
    /// A limit was reached.
    #[error("a limit was reached: {}", .0.as_str())]
    Limit(SkipReason),
    /// Nothing more is wanted.
    #[error("interrupted")]
    Done,
}

impl Halt {
    /// The halt that an error carries.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Halt> for io::Error {
    fn from(halt: Halt) -> Self {
        // Not `Interrupted`: that kind is tried again.
        Self::other(halt)
    }
}

/// What has been spent on one file from outside.
pub(super) struct Budget<'a> {
    limits: Limits,
    clock: &'a dyn Clock,
    start: Duration,
    /// Bytes read of the file from outside.
    read: Cell<u64>,
    bytes: Cell<u64>,
    entries: Cell<u64>,
    memory: Rc<Cell<u64>>,
    held: Rc<Cell<u64>>,
    reached: Cell<Option<SkipReason>>,
    told: Cell<bool>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: Limits, clock: &'a dyn Clock) -> Self {
        Self {
            limits,
            clock,
            start: clock.steady(),
            read: Cell::new(0),
            bytes: Cell::new(0),
            entries: Cell::new(0),
            memory: Rc::default(),
            held: Rc::default(),
            reached: Cell::new(None),
            told: Cell::new(false),
        }
    }

    /// Containers inside each other that are opened.
    pub(super) fn depth(&self) -> u32 {
        self.limits.depth
    }

    /// Notes that so many more bytes of the file from outside were read.
    pub(super) fn outside(&self, n: u64) {
        self.read.set(self.read.get().saturating_add(n));
    }

    /// Asks for one more member.
    pub(super) fn entry(&self) -> Result<(), Halt> {
        self.spend(
            &self.entries,
            1,
            self.limits.entries,
            SkipReason::EntriesLimit,
        )?;
        self.check()
    }

    /// Notes that so many more bytes were unpacked.
    pub(super) fn unpacked(&self, n: u64) -> Result<(), Halt> {
        self.spend(&self.bytes, n, self.limits.bytes, SkipReason::BytesLimit)
    }

    /// Whether anything may go on.
    pub(super) fn check(&self) -> Result<(), Halt> {
        if self.reached.get().is_none() {
            let spent = self.clock.steady().saturating_sub(self.start).as_millis();
            if spent > u128::from(self.limits.time.after(self.read.get())) {
                self.reached.set(Some(SkipReason::TimeLimit));
            }
        }
        match self.reached.get() {
            Some(reason) => Err(Halt::Limit(reason)),
            None => Ok(()),
        }
    }

    /// Memory to take from; none is taken yet.
    pub(super) fn memory(&self) -> Memory {
        Memory {
            all: Rc::clone(&self.memory),
            limit: self.limits.memory,
            taken: 0,
        }
    }

    /// Memory for containers that must be had as a whole. It is a part of what there may be, for
    /// what is held is there to its last byte; decoders seldom use all that they ask for.
    pub(super) fn held(&self) -> Memory {
        Memory {
            all: Rc::clone(&self.held),
            limit: self.limits.memory / HELD_PART,
            taken: 0,
        }
    }

    /// Whether this is the first time that someone wants to tell that a limit was reached.
    pub(super) fn is_first_to_tell(&self) -> bool {
        !self.told.replace(true)
    }

    fn spend(
        &self,
        spent: &Cell<u64>,
        n: u64,
        limit: Limit,
        reason: SkipReason,
    ) -> Result<(), Halt> {
        spent.set(spent.get().saturating_add(n));
        if spent.get() > limit.after(self.read.get()) && self.reached.get().is_none() {
            self.reached.set(Some(reason));
        }
        match self.reached.get() {
            Some(reason) => Err(Halt::Limit(reason)),
            None => Ok(()),
        }
    }
}

/// Memory that is taken from what one file from outside may have, for as long as this lives.
#[derive(Debug)]
pub(super) struct Memory {
    /// What all that is nested in the file has taken.
    all: Rc<Cell<u64>>,
    limit: u64,
    taken: u64,
}

impl Memory {
    /// So many bytes, which nobody else takes.
    #[cfg(test)]
    pub(super) fn of(limit: u64) -> Self {
        Self {
            all: Rc::default(),
            limit,
            taken: 0,
        }
    }

    /// Bytes that are taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes that may be taken besides those.
    pub(super) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.all.get())
    }

    /// Takes more, until it is `bytes` in all; false when there is not so much.
    #[must_use]
    pub(super) fn grow_to(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.taken);
        if more > self.left() {
            return false;
        }
        self.all.set(self.all.get() + more);
        self.taken += more;
        true
    }
}

impl Memory {
    /// Gives back what is more than `bytes` in all.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        let less = self.taken.saturating_sub(bytes);
        self.all.set(self.all.get() - less);
        self.taken -= less;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.taken);
    }
}
