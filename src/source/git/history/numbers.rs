//! Numbers for ids.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use gix_hash::{ObjectId, oid};

/// What is kept by the id of an object. There are hundreds of thousands, and each is asked for many
/// times. Ids are as good as random, but whoever makes an index can choose them: so they are
/// hashed, with a seed.
pub(super) type ById<T> = HashMap<ObjectId, T, foldhash::fast::RandomState>;

/// Maps that the ids are shared out to, so that threads seldom meet.
const SHARDS: usize = 64;

/// Gives numbers, from 0 on, to ids that several threads ask for.
#[derive(Debug)]
pub(super) struct Numbers {
    shards: Vec<Mutex<ById<u32>>>,
    next: AtomicU32,
}

/// Ids, and the numbers that they have.
#[derive(Debug)]
pub(super) struct Numbered {
    shards: Vec<ById<u32>>,
    count: usize,
}

impl Numbers {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            next: AtomicU32::new(0),
        }
    }

    /// The number of an id.
    pub(super) fn of(&self, id: &oid) -> u32 {
        let shard = self.shards[shard(id)].lock();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        // There are no more than fit into memory, at 40 bytes each.
        let next = || self.next.fetch_add(1, Ordering::Relaxed);
        *shard.entry(id.to_owned()).or_insert_with(next)
    }

    /// All of them, when nobody asks for new ones any more.
    pub(super) fn finish(self) -> Numbered {
        let shards = self.shards.into_iter();
        let shards: Vec<ById<u32>> = shards
            .map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        Numbered {
            count: shards.iter().map(HashMap::len).sum(),
            shards,
        }
    }
}

impl Numbered {
    /// The number of an id, if it has one.
    pub(super) fn get(&self, id: &oid) -> Option<u32> {
        self.shards[shard(id)].get(id).copied()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// All ids with their numbers, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ObjectId, u32)> + '_ {
        let all = self.shards.iter().flatten();
        all.map(|(id, number)| (*id, *number))
    }
}

fn shard(id: &oid) -> usize {
    usize::from(id.first_byte()) % SHARDS
}
