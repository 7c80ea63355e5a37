//! What the walk has seen, to be held against the central directory.

use std::ops::Range;

use crate::vocabulary::SkipReason;

use super::super::checked::Claim;
use super::record::Central;

/// What became of an entry that the walk came upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was read to its end.
    Whole(Claim),
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
}

impl Seen {
    /// Adds the next one.
    pub(super) fn add(&mut self, offset: u64, data: u64, end: u64, method: u16, fate: Fate) {
        let header = u32::try_from(data - offset).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            offset,
            header,
            end,
            method,
            fate,
        });
    }

    /// How an entry of the central directory stands to what was seen, if its local header stands
    /// at `offset`.
    pub(super) fn standing(&self, central: &Central, offset: u64) -> Standing {
        if central.entry.compressed == 0 {
            return Standing::Seen;
        }
        let Ok(at) = self.entries.binary_search_by_key(&offset, |one| one.offset) else {
            return Standing::Unseen;
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
            Fate::Whole(claim) if claim.crc != central.entry.crc && !is_encrypted => {
                Standing::Other
            }
            Fate::Whole(_) | Fate::Left(_) | Fate::Broken | Fate::Partly => Standing::Seen,
        }
    }

    /// Whether an entry that takes up `range` shares bytes with one that was seen.
    pub(super) fn overlaps(&self, range: &Range<u64>) -> bool {
        let behind = self.entries.partition_point(|one| one.offset < range.end);
        behind > 0 && self.entries[behind - 1].end > range.start
    }
}
