//! What the entries of a pack are called: the ids that its index gives them.

use std::sync::OnceLock;

use gix_hash::ObjectId;
use gix_pack::index;

use super::entries::Entries;
use super::hex;

/// The names of a pack's entries. Few are ever asked for, so they are put in order on first use.
pub(super) struct Names<'a> {
    entries: &'a Entries,
    index: Option<&'a index::File<Vec<u8>>>,
    /// For each entry its place in the index.
    places: OnceLock<Vec<u32>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(entries: &'a Entries, index: Option<&'a index::File<Vec<u8>>>) -> Self {
        Self {
            entries,
            index,
            places: OnceLock::new(),
        }
    }

    /// The id of an entry, if there is an index.
    pub(super) fn id(&self, entry: u32) -> Option<ObjectId> {
        let index = self.index?;
        let places = self.places.get_or_init(|| {
            let places = 0..index.num_objects();
            let at = |place| (index.pack_offset_at_index(place), place);
            let mut places: Vec<(u64, u32)> = places.map(at).collect();
            places.sort_unstable();
            // As the entries: what is named twice is one.
            places.dedup_by_key(|(offset, _)| *offset);
            places.into_iter().map(|(_, place)| place).collect()
        });
        Some(index.oid_at_index(places[entry as usize]).to_owned())
    }

    /// What to call an entry that cannot be read: its id, or else its offset.
    pub(super) fn any(&self, entry: u32) -> String {
        let offset = self.entries.range(entry).start;
        self.id(entry)
            .map_or_else(|| format!("(offset {offset})"), |id| hex(&id))
    }
}
