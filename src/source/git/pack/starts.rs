//! Finding entries by where they start.

/// Where entries start.
pub(super) struct Starts<'a> {
    offsets: &'a [u64],
    /// For each stretch of the pack, 2 to this power bytes long, the first entry that starts in it
    /// or behind it.
    stretches: Vec<u32>,
    shift: u32,
}

impl<'a> Starts<'a> {
    /// Takes where entries start, and where the last one ends. A stretch has one of them, on average.
    pub(super) fn new(offsets: &'a [u64]) -> Self {
        let (end, entries) = offsets.split_last().unwrap_or((&0, &[]));
        let average = end / (entries.len() as u64).max(1);
        let shift = average.checked_ilog2().unwrap_or(0);
        let mut stretches = Vec::with_capacity(2 * entries.len() + 2);
        for (entry, offset) in (0..).zip(entries) {
            while stretches.len() as u64 <= offset >> shift {
                stretches.push(entry);
            }
        }
        Self {
            offsets: entries,
            stretches,
            shift,
        }
    }

    /// The entry that starts at `offset`.
    pub(super) fn find(&self, offset: u64) -> Option<u32> {
        let stretch = usize::try_from(offset >> self.shift).ok()?;
        let first = *self.stretches.get(stretch)?;
        let end = self.stretches.get(stretch + 1);
        let end = end.map_or(self.offsets.len(), |end| *end as usize);
        let place = self.offsets[first as usize..end].binary_search(&offset);
        Some(first + u32::try_from(place.ok()?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_are_found_by_where_they_start(
            lengths in proptest::collection::vec(prop_oneof![1_u64..30, 1_u64..1 << 40], 0..60),
        ) {
            let mut offsets = vec![12];
            for length in lengths {
                offsets.push(offsets[offsets.len() - 1] + length);
            }
            let starts = Starts::new(&offsets);
            prop_assert!(starts.stretches.len() <= 2 * offsets.len());
            let entries = &offsets[..offsets.len() - 1];
            for (entry, &offset) in (0..).zip(entries) {
                prop_assert_eq!(starts.find(offset), Some(entry));
                for other in [offset - 1, offset + 1] {
                    prop_assert_eq!(starts.find(other).is_some(), entries.contains(&other));
                }
            }
            prop_assert_eq!(starts.find(offsets[offsets.len() - 1]), None);
            prop_assert_eq!(starts.find(u64::MAX), None);
        }
    }
}
