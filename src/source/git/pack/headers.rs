//! Reading the headers of all entries that an index names, in order and on all threads.

use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::source::git::input::ReadAt;

use super::entries::{Base, HEADER, base_of};
use super::parents::{Parents, Places};
use super::reader::parse;
use super::shelf::{Plan, Shelf};
use super::small;

/// Entries whose headers one thread reads in a row.
pub(super) const RUN: usize = if cfg!(test) { 4 } else { 4096 };

/// Bytes read at once for their headers.
const CHUNK: usize = if cfg!(test) { 256 } else { 64 * 1024 };

/// Entries of more bytes are passed over: a read takes less time than to copy so many.
const LONG: u64 = if cfg!(test) { 150 } else { 8 * 1024 };

/// The headers of a pack.
pub(super) struct Headers<'a> {
    pub(super) pack: &'a dyn ReadAt,
    /// Where its entries start, and where the last one ends.
    pub(super) offsets: &'a [u64],
    /// Where their bases are.
    pub(super) places: &'a Places<'a>,
    pub(super) hash: gix_hash::Kind,
}

impl Headers<'_> {
    /// Reads what the entries are made from, and keeps small ones by a plan.
    pub(super) fn read(&self) -> (Parents, Plan, Shelf) {
        let all = self.offsets.first().zip(self.offsets.last());
        let is_in_memory =
            all.is_some_and(|(start, end)| self.pack.in_memory(&(*start..*end)).is_some());
        let plan = if is_in_memory {
            Plan::default()
        } else {
            Plan::new(self.offsets)
        };
        self.read_by(plan)
    }

    /// The same for a plan.
    fn read_by(&self, plan: Plan) -> (Parents, Plan, Shelf) {
        let count = self.offsets.len().saturating_sub(1);
        let runs = (0..count.div_ceil(RUN)).into_par_iter();
        let runs = runs.map(|run| self.run(run * RUN..count.min((run + 1) * RUN), &plan));
        let (runs, kept): (Vec<Parents>, _) = runs.unzip();
        let mut parents = Parents::with_capacity(count);
        for run in runs {
            parents.append(run);
        }
        (parents, plan, Shelf::new(kept))
    }

    /// What the entries of one run are made from, and the bytes of those that are kept.
    fn run(&self, run: Range<usize>, plan: &Plan) -> (Parents, Vec<u8>) {
        let mut parents = Parents::with_capacity(run.len());
        let first = plan.before(run.start);
        let mut kept = Vec::with_capacity(plan.before(run.end) - first);
        let mut buffer = Vec::new();
        let (mut start, mut held) = (0, 0);
        for (number, entry) in (small(run.start)..).zip(run) {
            let (offset, end) = (self.offsets[entry], self.offsets[entry + 1]);
            let place = plan.place(entry);
            let needed = if place.is_some() {
                end
            } else {
                end.min(offset + HEADER as u64)
            };
            if let Some(header) = self.pack.in_memory(&(offset..needed)) {
                parents.push(number, &base(header, offset, self.hash), self.places);
                continue;
            }
            if needed > start + held as u64 {
                start = offset;
                buffer.resize(CHUNK, 0);
                let ahead = &mut buffer[..self.ahead(entry)];
                // What cannot be read is told when its turn comes.
                held = self.pack.read_at(ahead, offset).unwrap_or_default();
            }
            // It was just read from here on, or lies in what was read before.
            let from = usize::try_from(offset - start).map_or(held, |from| from.min(held));
            let to = usize::try_from(needed - start).map_or(held, |to| to.min(held));
            let bytes = &buffer[from..to];
            parents.push(number, &base(bytes, offset, self.hash), self.places);
            // Behind what could not be read nothing is kept: it would not be where it is looked for.
            if let Some(place) = place
                && place.start - first == kept.len()
            {
                kept.extend_from_slice(bytes);
            }
        }
        (parents, kept)
    }

    /// How many bytes are read at once from an entry on: what follows on the header of a
    /// long one is not needed.
    fn ahead(&self, entry: usize) -> usize {
        let start = self.offsets[entry];
        for ends in self.offsets[entry..].windows(2) {
            let from = usize::try_from(ends[0] - start).unwrap_or(CHUNK);
            if from >= CHUNK {
                break;
            }
            if ends[1] - ends[0] > LONG {
                return CHUNK.min(from + HEADER);
            }
        }
        CHUNK
    }
}

/// What the entry at `offset` that starts with these bytes is made from.
fn base(bytes: &[u8], offset: u64, hash: gix_hash::Kind) -> Base {
    parse(bytes, offset, hash).map_or(Base::Unreadable, |entry| base_of(&entry, offset))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::source::git::pack::far::Far;

    use super::*;

    const SHA1: gix_hash::Kind = gix_hash::Kind::Sha1;

    /// What was kept of an entry.
    fn entry<'a>(plan: &Plan, shelf: &'a Shelf, number: u32) -> Option<&'a [u8]> {
        let number = number as usize;
        let run = number / RUN;
        let kept = |entry| small(plan.before(entry) - plan.before(run * RUN));
        shelf.bytes(run, kept(number)..kept(number + 1))
    }

    proptest! {
        #[test]
        fn what_is_kept_is_the_bytes_of_the_pack(
            lengths in proptest::collection::vec(prop_oneof![4 => 1_usize..110, 1 => 1_usize..900], 1..60),
            bytes in proptest::collection::vec(any::<u8>(), 900),
            room in prop_oneof![0_u64..3000, Just(u64::MAX)],
            end in proptest::option::of(any::<prop::sample::Index>()),
            fails in 0_usize..40,
        ) {
            let mut offsets = vec![12];
            for length in &lengths {
                offsets.push(offsets[offsets.len() - 1] + length);
            }
            let total = offsets[lengths.len()];
            // It may end before its index says so.
            let end = end.map_or(total, |end| end.index(total + 1));
            let pack: Vec<u8> = bytes.iter().copied().cycle().take(end).collect();
            let far = Far::new(&pack);
            let starts: Vec<u64> = offsets.iter().map(|offset| *offset as u64).collect();
            let places = Places::new(&starts, None);
            let headers = |pack| Headers { pack, offsets: &starts, places: &places, hash: SHA1 };
            let (parents, plan, shelf) = headers(&far).read_by(Plan::within(&starts, room));
            for (number, pair) in (0_u32..).zip(offsets.windows(2)) {
                let kept = entry(&plan, &shelf, number);
                if let Some(kept) = kept {
                    prop_assert_eq!(Some(kept), pack.get(pair[0]..pair[1]));
                }
                if end == total {
                    prop_assert_eq!(kept.is_some(), plan.place(number as usize).is_some());
                }
            }
            // Nor is anything else kept if once not all can be read.
            let once = Far::changing(&pack, fails..fails + 1, &pack[..pack.len() / 2]);
            let (_, plan, shelf) = headers(&once).read_by(plan);
            for (number, pair) in (0_u32..).zip(offsets.windows(2)) {
                if let Some(kept) = entry(&plan, &shelf, number) {
                    prop_assert_eq!(Some(kept), pack.get(pair[0]..pair[1]));
                }
            }
            // What is in memory need not be kept, and is made from the same.
            let near = headers(&pack);
            let (same, plan, nothing) = near.read();
            prop_assert_eq!(same, parents);
            if end == total {
                prop_assert!((0..60).all(|number| entry(&plan, &nothing, number).is_none()));
            }
        }
    }
}
