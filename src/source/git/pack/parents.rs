//! What the entries of a pack are made from, told by their headers one after the other.

use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::index;

use super::entries::Base;
use super::starts::Starts;

/// No entry: the parent of what is whole, or made from what is not here.
pub(super) const NONE: u32 = u32::MAX;

/// Where the bases of entries are.
pub(super) struct Places<'a> {
    starts: Starts<'a>,
    index: Option<&'a index::File<Vec<u8>>>,
}

impl<'a> Places<'a> {
    /// Takes where entries start, where the last one ends, and their index, if it is used.
    pub(super) fn new(offsets: &'a [u64], index: Option<&'a index::File<Vec<u8>>>) -> Self {
        let starts = Starts::new(offsets);
        Self { starts, index }
    }

    /// The entry that is a base, if this pack holds it.
    fn find(&self, base: &Base) -> Option<u32> {
        match base {
            Base::Nothing(_) | Base::Unreadable => None,
            Base::At(offset) => self.starts.find(*offset),
            Base::Named(id) => {
                let index = self.index?;
                let place = index.lookup(id)?;
                self.starts.find(index.pack_offset_at_index(place))
            }
        }
    }
}

/// The parents of entries, in their order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parents {
    /// That of each, or [`NONE`].
    pub(super) of: Vec<u32>,
    /// Entries that are whole, and what they are.
    pub(super) roots: Vec<(u32, Kind)>,
    /// Entries that are made from what no index names.
    pub(super) strangers: Vec<(ObjectId, u32)>,
    /// Those whose header is damaged, or whose base is no entry.
    pub(super) broken: Vec<u32>,
}

impl Parents {
    /// Room for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            of: Vec::with_capacity(count),
            ..Self::default()
        }
    }

    /// Takes what the next entry is made from.
    pub(super) fn push(&mut self, entry: u32, base: &Base, places: &Places<'_>) {
        let parent = places.find(base);
        self.of.push(parent.unwrap_or(NONE));
        match base {
            Base::Nothing(kind) => self.roots.push((entry, *kind)),
            Base::At(_) | Base::Named(_) if parent.is_some() => {}
            Base::Named(id) => self.strangers.push((*id, entry)),
            Base::At(_) | Base::Unreadable => self.broken.push(entry),
        }
    }

    /// Takes those of the entries behind these.
    pub(super) fn append(&mut self, mut next: Self) {
        self.of.append(&mut next.of);
        self.roots.append(&mut next.roots);
        self.strangers.append(&mut next.strangers);
        self.broken.append(&mut next.broken);
    }
}
