//! What the entries of a pack are called: the ids that its index gives them.

use gix_hash::ObjectId;
use gix_pack::index;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use super::entries::Entries;
use super::hex;

/// Bytes of ids that are kept in the order of the entries.
const KEPT: usize = 64 * 1024 * 1024;

/// Ids that one thread puts in that order at once.
const RUN: usize = 4096;

/// The names of a pack's entries.
pub(super) struct Names<'a> {
    entries: &'a Entries,
    index: Option<&'a index::File<Vec<u8>>>,
    /// The ids of the first entries, one behind the other. In the index they stand in another order:
    /// to look up one there is a wait for memory, each time; for many at once it is about one wait.
    ids: Vec<u8>,
}

impl<'a> Names<'a> {
    /// Takes the names on all threads of the pool that this one is of.
    pub(super) fn new(entries: &'a Entries, index: Option<&'a index::File<Vec<u8>>>) -> Self {
        let mut names = Self {
            entries,
            index,
            ids: Vec::new(),
        };
        if let Some(index) = index {
            let length = index.object_hash().len_in_bytes();
            let mut ids = vec![0; length * entries.count().min(KEPT / length)];
            ids.par_chunks_mut(length * RUN)
                .enumerate()
                .for_each(|(run, ids)| {
                    for (entry, id) in (run * RUN..).zip(ids.chunks_exact_mut(length)) {
                        if let Some(place) = entries.place(super::small(entry)) {
                            id.copy_from_slice(index.oid_at_index(place).as_bytes());
                        }
                    }
                });
            names.ids = ids;
        }
        names
    }

    /// The id of an entry, if there is an index.
    pub(super) fn id(&self, entry: u32) -> Option<ObjectId> {
        let index = self.index?;
        let length = index.object_hash().len_in_bytes();
        let start = entry as usize * length;
        if let Some(id) = self.ids.get(start..start + length) {
            return ObjectId::try_from(id).ok();
        }
        let place = self.entries.place(entry)?;
        Some(index.oid_at_index(place).to_owned())
    }

    /// What to call an entry that cannot be read: its id, or else its offset.
    pub(super) fn any(&self, entry: u32) -> String {
        let offset = self.entries.range(entry).start;
        self.id(entry)
            .map_or_else(|| format!("(offset {offset})"), |id| hex(&id))
    }
}
