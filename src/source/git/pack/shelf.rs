//! The small entries of a pack, kept while their headers are read.
//!
//! Most entries are so small that reading one takes longer than inflating it. All of a pack goes by
//! once when the headers are read, in order and many at a time; so what is small is kept then. What
//! is kept can be told by where entries start, so that each run of them is read by itself.

use std::ops::Range;

/// Entries of more bytes are worth a read of their own.
const SMALL: u64 = if cfg!(test) { 100 } else { 512 };

/// Bytes that are kept of one pack.
const ROOM: u64 = if cfg!(test) { 600 } else { 64 << 20 };

/// Which entries are to be kept.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// For each entry how many bytes are kept before it, and in the end, of all; up to where there
    /// is no more room.
    before: Vec<u32>,
}

impl Plan {
    /// Takes where entries start, and where the last one ends.
    pub(super) fn new(offsets: &[u64]) -> Self {
        Self::within(offsets, ROOM)
    }

    /// The same with room for so many bytes.
    pub(super) fn within(offsets: &[u64], room: u64) -> Self {
        let mut before = Vec::with_capacity(offsets.len());
        let mut kept = 0;
        before.push(kept);
        for pair in offsets.windows(2) {
            let length = pair[1] - pair[0];
            if length <= SMALL {
                let with_it = u64::from(kept) + length;
                match u32::try_from(with_it) {
                    Ok(with_it) if u64::from(with_it) <= room => kept = with_it,
                    Ok(_) | Err(_) => break,
                }
            }
            before.push(kept);
        }
        Self { before }
    }

    /// How many bytes are kept before an entry.
    pub(super) fn before(&self, entry: usize) -> usize {
        let before = self.before.get(entry).or(self.before.last());
        before.map_or(0, |before| *before as usize)
    }

    /// Where among all that is kept the bytes of an entry lie, if they do.
    pub(super) fn place(&self, entry: usize) -> Option<Range<usize>> {
        let place = self.before(entry)..self.before(entry + 1);
        (!place.is_empty()).then_some(place)
    }
}

/// The entries that were kept.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// The bytes of each run, one behind the other.
    runs: Vec<Vec<u8>>,
}

impl Shelf {
    /// Takes what was kept of each run.
    pub(super) fn new(runs: Vec<Vec<u8>>) -> Self {
        Self { runs }
    }

    /// A range of what is to be kept of a run, if there is any and it was.
    pub(super) fn bytes(&self, run: usize, range: Range<u32>) -> Option<&[u8]> {
        // It ends where something could not be read.
        let kept = self.runs.get(run).filter(|_| !range.is_empty())?;
        kept.get(range.start as usize..range.end as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_small_is_kept_as_long_as_there_is_room(
            lengths in proptest::collection::vec(prop_oneof![1..2 * SMALL, 1_u64..1 << 40], 0..60),
            room in prop_oneof![0..40 * SMALL, Just(u64::MAX)],
        ) {
            let mut offsets = vec![12];
            for length in &lengths {
                offsets.push(offsets[offsets.len() - 1] + length);
            }
            let plan = Plan::within(&offsets, room);
            let (mut kept, mut is_full) = (0, false);
            for (entry, &length) in lengths.iter().enumerate() {
                prop_assert_eq!(plan.before(entry), kept);
                let small = usize::try_from(length).ok().filter(|_| length <= SMALL);
                is_full |= small.is_some_and(|small| (kept + small) as u64 > room);
                let place = small.filter(|_| !is_full).map(|small| kept..kept + small);
                prop_assert_eq!(plan.place(entry), place.clone());
                kept = place.map_or(kept, |place| place.end);
            }
            prop_assert_eq!(plan.place(lengths.len()), None);
            prop_assert_eq!(Plan::default().place(lengths.len()), None);
        }
    }
}
