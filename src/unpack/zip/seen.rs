//! What the walk has seen, to be held against the central directory.

use std::ops::Range;

use crate::vocabulary::SkipReason;

use super::record::Central;

/// Entries that are remembered; 64 MiB.
const KEPT: usize = 1 << 21;

/// What became of an entry that the walk came upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was read to its end, and this is the CRC-32 of its contents.
    Whole(u32),
    /// It could not be read to its end, which was told.
    Broken,
    /// It was read up to a limit, which was told.
    Partly,
    /// It was left aside, which was told.
    Left(SkipReason),
}

/// One entry, by its local header.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The offset of its header.
    offset: u64,
    /// Bytes of its header.
    header: u32,
    /// The offset behind its data, or as far as they were read.
    end: u64,
    method: u16,
    fate: Fate,
}

/// How an entry of the central directory stands to what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All that a reader would find by it was seen.
    Seen,
    /// The same, and it is not what the central directory says it is.
    Other,
    /// A reader would find something else by it.
    Unseen,
}

/// All entries that have data, in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Seen {
    entries: Vec<Entry>,
    memory: Remembers,
}

/// Whether [`Seen`] can tell of all that was seen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Remembers {
    #[default]
    All,
    /// Of nothing behind the last entry that it has.
    TheFirst,
}

impl Seen {
    /// Adds the next one, while there is room.
    pub(super) fn add(&mut self, offset: u64, data: u64, end: u64, method: u16, fate: Fate) {
        if self.entries.len() == KEPT {
            self.memory = Remembers::TheFirst;
            return;
        }
        let header = u32::try_from(data - offset).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            offset,
            header,
            end,
            method,
            fate,
        });
    }

    /// Whether there were too many to hold the whole central directory against them.
    pub(super) fn is_short(&self) -> bool {
        self.memory == Remembers::TheFirst
    }

    /// How an entry of the central directory stands to what was seen, if its local header stands
    /// at `offset`.
    pub(super) fn standing(&self, central: &Central, offset: u64) -> Standing {
        if central.entry.compressed == 0 {
            return Standing::Seen;
        }
        let Ok(at) = self.entries.binary_search_by_key(&offset, |one| one.offset) else {
            let is_behind = self.entries.last().is_some_and(|last| offset > last.offset);
            return if self.is_short() && is_behind {
                // Nobody knows; that is told at the end.
                Standing::Seen
            } else {
                Standing::Unseen
            };
        };
        let seen = &self.entries[at];
        let length = seen.end - seen.offset - u64::from(seen.header);
        let is_stored = central.entry.method == 0;
        let is_encrypted = central.entry.is_encrypted();
        match seen.fate {
            _ if is_encrypted && seen.fate == Fate::Left(SkipReason::Encrypted) => Standing::Seen,
            _ if seen.method != central.entry.method => Standing::Unseen,
            Fate::Left(SkipReason::Encrypted) => Standing::Unseen,
            Fate::Left(_) | Fate::Broken | Fate::Partly if !is_stored => Standing::Seen,
            _ if is_stored && central.entry.compressed > length => Standing::Unseen,
            // By its word a reader takes fewer bytes; those are not what was summed up.
            _ if is_stored && central.entry.compressed < length => Standing::Seen,
            Fate::Whole(crc) if crc != central.entry.crc && !is_encrypted => Standing::Other,
            Fate::Whole(_) | Fate::Left(_) | Fate::Broken | Fate::Partly => Standing::Seen,
        }
    }

    /// Whether an entry that takes up `range` shares bytes with one that was seen.
    pub(super) fn overlaps(&self, range: &Range<u64>) -> bool {
        let behind = self.entries.partition_point(|one| one.offset < range.end);
        behind > 0 && self.entries[behind - 1].end > range.start
    }
}
