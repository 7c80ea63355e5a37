//! What is known of ids that were named of late: a tree names mostly what the one before named.

use gix_hash::{ObjectId, oid};

/// How many ids are kept; a power of two.
const PLACES: usize = 1024;

/// What is known of the ids named of late. Each has one place, told by its first bytes.
#[derive(Debug)]
pub(in crate::source::git) struct Recent<T>(Vec<Option<(ObjectId, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Recent<T> {
    /// What is known of an id; it is found out if it was not named of late.
    pub(in crate::source::git) fn get_or(&mut self, id: &oid, find: impl FnOnce() -> T) -> T {
        if self.0.is_empty() {
            self.0.resize(PLACES, None);
        }
        let place = &mut self.0[first_two(id) % PLACES];
        match place {
            Some((known, found)) if *known == id => *found,
            Some(_) | None => place.insert((id.to_owned(), find())).1,
        }
    }
}

/// The first two bytes of an id, which are as good as random.
pub(super) fn first_two(id: &oid) -> usize {
    let first = id.as_bytes().first_chunk().copied();
    first.map_or(0, u16::from_le_bytes).into()
}
