//! Numbers for ids.
//!
//! Ids come by the hundred thousand, most of them many times, from all threads. To look each up in a
//! map as it comes takes two waits for memory; so they are only written down, and who is who is
//! found out at the end by putting them in order, shard by shard.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use gix_hash::oid;
use rayon::iter::{
    IntoParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _,
};

/// Lists that ids are shared out to.
const SHARDS: usize = 256;

/// Times that a thread takes at once.
const TIMES: u32 = 1024;

/// No time.
const NEVER: Time = Time::MAX;

/// A time at which some id was met. No two threads have the same.
pub(super) type Time = u32;

/// As much of an id as the shortest has. Only made-up ids share so much, and whoever makes up ids may
/// as well make up whole ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key([u32; 5]);

impl Key {
    fn of(id: &oid) -> Self {
        let mut key = [0; 5];
        let (parts, _) = id.as_bytes().as_chunks();
        for (key, part) in key.iter_mut().zip(parts) {
            *key = u32::from_be_bytes(*part);
        }
        Self(key)
    }

    fn shard(self) -> usize {
        self.0[0] as usize % SHARDS
    }
}

/// Counts how many times any id was met, by all threads.
#[derive(Debug, Default)]
pub(super) struct Times(AtomicU32);

/// The ids that one thread met.
#[derive(Debug)]
pub(super) struct Met {
    /// Each id as often as it was met, and which time that was.
    shards: Vec<Vec<(Key, Time)>>,
    /// The times that this thread may take.
    times: Range<Time>,
}

impl Default for Met {
    fn default() -> Self {
        Self {
            shards: vec![Vec::new(); SHARDS],
            times: 0..0,
        }
    }
}

impl Met {
    /// How many bytes each time takes, as it is and while numbers are given.
    pub(super) const TIME: usize = size_of::<(Key, Time)>() + 4 * size_of::<u32>();

    /// Takes note of an id; tells which time that is.
    pub(super) fn note(&mut self, id: &oid, times: &Times) -> Time {
        let time = self.times.next().unwrap_or_else(|| {
            // All that are kept can be counted.
            let start = times.0.fetch_add(TIMES, Ordering::Relaxed);
            self.times = start + 1..start + TIMES;
            start
        });
        let key = Key::of(id);
        self.shards[key.shard()].push((key, time));
        time
    }
}

/// Ids, and the numbers that they have: from 0 on, by the first time that each was met.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Each in the order of its ids.
    shards: Vec<Vec<(Key, u32)>>,
    count: usize,
}

impl Numbers {
    /// Gives numbers to the ids that threads met. Tells for each time which was met then.
    pub(super) fn new(times: &Times, met: Vec<Met>) -> (Self, Vec<u32>) {
        let mut shards = vec![Vec::new(); SHARDS];
        for met in met {
            for (shard, met) in shards.iter_mut().zip(met.shards) {
                shard.push(met);
            }
        }
        // For each time the first time that the same one was met.
        let times = 0..times.0.load(Ordering::Relaxed);
        let firsts: Vec<AtomicU32> = times.clone().map(|_| AtomicU32::new(NEVER)).collect();
        let first_of = |time: u32, first| firsts[time as usize].store(first, Ordering::Relaxed);
        let shards = shards.into_par_iter().map(|met| {
            let mut met = met.concat();
            met.sort_unstable();
            for &(_, time) in &met {
                first_of(time, time);
            }
            met.dedup_by(|(key, time), (first_key, first)| {
                if key == first_key {
                    first_of(*time, *first);
                }
                key == first_key
            });
            met.shrink_to_fit();
            met
        });
        let mut shards: Vec<Vec<(Key, u32)>> = shards.collect();
        let mut numbers: Vec<u32> = Vec::with_capacity(firsts.len());
        let mut count = 0;
        for (time, first) in times.zip(firsts) {
            let first = first.into_inner();
            if first == time {
                numbers.push(count);
                count += 1;
            } else {
                numbers.push(numbers.get(first as usize).copied().unwrap_or(NEVER));
            }
        }
        shards.par_iter_mut().flatten().for_each(|(_, number)| {
            *number = numbers[*number as usize];
        });
        let count = count as usize;
        (Self { shards, count }, numbers)
    }

    /// The number of an id, if it has one.
    pub(super) fn get(&self, id: &oid) -> Option<u32> {
        let key = Key::of(id);
        let shard = &self.shards[key.shard()];
        let place = shard.binary_search_by_key(&key, |(known, _)| *known);
        Some(shard[place.ok()?].1)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gix_hash::ObjectId;
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> ObjectId {
        // Few, and many in one shard.
        let mut bytes = [7; 20];
        bytes[7] = number % 2;
        bytes[19] = number;
        ObjectId::from_bytes_or_panic(&bytes)
    }

    proptest! {
        #[test]
        fn each_id_has_one_number_from_the_first_time_on(
            threads in proptest::collection::vec(
                proptest::collection::vec(0_u8..20, 0..40),
                0..4,
            ),
        ) {
            let times = Times::default();
            let (mut met, mut all) = (Vec::new(), BTreeMap::new());
            for ids in &threads {
                let mut one = Met::default();
                for number in ids {
                    let before = all.insert(one.note(&id(*number), &times), *number);
                    prop_assert_eq!(before, None);
                }
                met.push(one);
            }
            let (numbers, told) = Numbers::new(&times, met);
            let mut expected = BTreeMap::new();
            for (time, number) in all {
                let next = u32::try_from(expected.len()).unwrap();
                let expected = *expected.entry(number).or_insert(next);
                prop_assert_eq!(told[time as usize], expected);
            }
            prop_assert_eq!(numbers.count(), expected.len());
            for number in 0..30 {
                prop_assert_eq!(numbers.get(&id(number)), expected.get(&number).copied());
            }
        }
    }
}
