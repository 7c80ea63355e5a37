//! Finding ids in a pack's index by their first bits.
//!
//! A history names objects by the hundred thousand, and each look into an index is a wait for memory
//! (of uv's history 7 % of the whole time, one by one). Ids are as good as random, so their first bits
//! tell nearly where they stand: that can be read for many before any of them is waited for.

use std::hint::black_box;

use gix_hash::oid;
use gix_pack::index;

/// More bits are not used: it would take too much memory.
const MOST: u32 = 20;

/// Where in an index ids stand that start with the same bits.
pub(super) struct Prefixes {
    bits: u32,
    /// For each prefix the place of the first id that has it or a higher one, and in the end how many
    /// ids there are.
    starts: Vec<u32>,
}

impl Prefixes {
    /// Takes the ids of an index: a few for each prefix.
    pub(super) fn new(index: &index::File<Vec<u8>>) -> Self {
        let count = index.num_objects();
        let bits = (count / 4).checked_ilog2().unwrap_or(0).min(MOST);
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for place in 0..count {
            while starts.len() <= prefix(index.oid_at_index(place), bits) {
                starts.push(place);
            }
        }
        starts.resize((1 << bits) + 1, count);
        Self { bits, starts }
    }

    /// Reads what an id will be compared with. Nothing waits for it, so for many ids it is about one
    /// wait for memory; and then it is near.
    pub(super) fn touch(&self, index: &index::File<Vec<u8>>, id: &oid) {
        let prefix = prefix(id, self.bits);
        let (from, to) = (self.starts[prefix], self.starts[prefix + 1]);
        if from < to {
            black_box(index.oid_at_index(from.midpoint(to)).first_byte());
        }
    }

    /// Whether the index, from which these are, holds an id.
    pub(super) fn has(&self, index: &index::File<Vec<u8>>, id: &oid) -> bool {
        let prefix = prefix(id, self.bits);
        let (mut from, mut to) = (self.starts[prefix], self.starts[prefix + 1]);
        while from < to {
            let middle = from.midpoint(to);
            match index.oid_at_index(middle).cmp(id) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        false
    }
}

/// The first bits of an id.
fn prefix(id: &oid, bits: u32) -> usize {
    let first = id.as_bytes().first_chunk().copied();
    let first = u64::from(first.map_or(0, u32::from_be_bytes));
    // No more than `MOST` bits.
    usize::try_from(first >> (u32::BITS - bits)).unwrap_or(0)
}
