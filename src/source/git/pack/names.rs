//! What the entries of a pack are called: the ids that its index gives them.

use gix_hash::ObjectId;
use gix_pack::index;

use super::entries::Entries;
use super::hex;

/// The names of a pack's entries.
pub(super) struct Names<'a> {
    entries: &'a Entries,
    index: Option<&'a index::File<Vec<u8>>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(entries: &'a Entries, index: Option<&'a index::File<Vec<u8>>>) -> Self {
        Self { entries, index }
    }

    /// The id of an entry, if there is an index.
    pub(super) fn id(&self, entry: u32) -> Option<ObjectId> {
        let place = self.entries.place(entry)?;
        Some(self.index?.oid_at_index(place).to_owned())
    }

    /// What to call an entry that cannot be read: its id, or else its offset.
    pub(super) fn any(&self, entry: u32) -> String {
        let offset = self.entries.range(entry).start;
        self.id(entry)
            .map_or_else(|| format!("(offset {offset})"), |id| hex(&id))
    }
}
