//! The entries of a pack and which of them is made from which.
//!
//! All that is kept of an entry until its turn comes is its offset, its children and the size of
//! its family, its place in the index and that of its bytes if they are kept: 28 bytes, with its
//! own place among the children of another. Everything else is read again when it is needed.

use std::cmp::Reverse;
use std::ops::Range;

use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::data::entry::Header;
use gix_pack::{data, index};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use crate::source::git::input::ReadAt;

use super::families::Families;
use super::headers::{Headers, RUN};
use super::parents::{NONE, Parents, Places};
use super::shelf::{Plan, Shelf};
use super::small;

/// A family of so many goes first.
const FIRST: u32 = 1024;

/// No header is longer: a size, and a base's id or distance.
pub(super) const HEADER: usize = 64;

/// What an entry is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing: it is a whole object of this kind.
    Nothing(Kind),
    /// The entry of this pack that starts there.
    At(u64),
    /// The object of this name, wherever it is.
    Named(ObjectId),
    /// Its header could not be read.
    Unreadable,
}

/// All entries of a pack by number, in the order of their offsets.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// One more than there are: it starts where the last one ends.
    all: Vec<Entry>,
    /// Those whose bytes were kept.
    shelf: Shelf,
    /// The entries made directly from each, small families first.
    children: Vec<u32>,
    /// Entries that are whole, and what they are, as are all those made from them; those with large
    /// families first.
    pub(super) roots: Vec<(u32, Kind)>,
    /// Entries that are made from what this pack's index does not name.
    pub(super) strangers: Vec<(ObjectId, u32)>,
    /// Entries that cannot be read: damaged headers, bases that are no entries.
    pub(super) broken: Vec<u32>,
}

/// What is kept of an entry, all in one place: to go from one to the next is a wait for memory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where it starts.
    start: u64,
    /// How many bytes of those before it were kept.
    kept: u32,
    /// The place of its name in the pack's index; [`NONE`] if that is not used.
    place: u32,
    /// Where its children start in `children`.
    first_child: u32,
    /// Entries in its family, itself included; none if it hangs on nothing.
    weight: u32,
}

impl Entries {
    /// Reads the headers of the entries that an index names.
    pub(super) fn read(
        pack: &dyn ReadAt,
        Indexed { offsets, places }: Indexed,
        index: &index::File<Vec<u8>>,
        hash: gix_hash::Kind,
    ) -> Self {
        let headers = Headers {
            pack,
            offsets: &offsets,
            places: &Places::new(&offsets, Some(index)),
            hash,
        };
        let (parents, plan, shelf) = headers.read();
        Self {
            shelf,
            ..Self::link(&offsets, &places, &plan, parents)
        }
    }

    /// Takes entries in the order of their offsets, made from these.
    pub(super) fn new(offsets: &[u64], bases: &[Base]) -> Self {
        let places = Places::new(offsets, None);
        let mut parents = Parents::with_capacity(bases.len());
        for (entry, base) in (0..).zip(bases) {
            parents.push(entry, base, &places);
        }
        Self::link(offsets, &[], &Plan::default(), parents)
    }

    /// Links entries to their parents.
    fn link(offsets: &[u64], places: &[u32], plan: &Plan, parents: Parents) -> Self {
        let mut families = Families::new(&parents.of);
        let weights = families.weigh(&parents);
        let Parents {
            mut roots,
            strangers,
            broken,
            ..
        } = parents;
        // The largest families first: what is begun last, one thread is at when the others are done.
        roots.sort_by_key(|(root, _)| {
            let weight = weights[*root as usize];
            Reverse(if weight < FIRST { 0 } else { weight })
        });
        let entry = |(at, &start): (usize, &u64)| Entry {
            start,
            kept: small(plan.before(at)),
            place: places.get(at).copied().unwrap_or(NONE),
            first_child: families.first_child[at],
            weight: weights.get(at).copied().unwrap_or(0),
        };
        Self {
            all: offsets.iter().enumerate().map(entry).collect(),
            shelf: Shelf::default(),
            children: families.children,
            roots,
            strangers,
            broken,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.len().saturating_sub(1)
    }

    /// An entry, and the one behind it.
    fn pair(&self, entry: u32) -> [Entry; 2] {
        let at = entry as usize;
        [self.all[at], self.all[at + 1]]
    }

    /// Where an entry lies.
    pub(super) fn range(&self, entry: u32) -> Range<u64> {
        let [this, next] = self.pair(entry);
        this.start..next.start
    }

    /// All bytes of an entry, if they were kept.
    pub(super) fn kept(&self, entry: u32) -> Option<&[u8]> {
        let [this, next] = self.pair(entry);
        let run = entry as usize / RUN;
        let before = self.all[run * RUN].kept;
        let range = this.kept - before..next.kept - before;
        self.shelf.bytes(run, range)
    }

    /// The place of an entry's name in the pack's index.
    pub(super) fn place(&self, entry: u32) -> Option<u32> {
        let place = self.all.get(entry as usize)?.place;
        (place != NONE).then_some(place)
    }

    /// The entries made directly from one, the largest family last.
    pub(super) fn children(&self, entry: u32) -> &[u32] {
        let [this, next] = self.pair(entry);
        &self.children[this.first_child as usize..next.first_child as usize]
    }

    /// How many entries are made from one, directly or not, itself included.
    pub(super) fn weight(&self, entry: u32) -> u32 {
        self.all[entry as usize].weight
    }

    /// Entries that are made from themselves in a circle.
    pub(super) fn circles(&self) -> impl Iterator<Item = u32> {
        (0..)
            .zip(&self.all[..self.count()])
            .filter_map(|(number, entry)| (entry.weight == 0).then_some(number))
    }
}

/// What an entry at `offset` is made from.
pub(super) fn base_of(entry: &data::Entry, offset: u64) -> Base {
    match entry.header {
        Header::Commit => Base::Nothing(Kind::Commit),
        Header::Tree => Base::Nothing(Kind::Tree),
        Header::Blob => Base::Nothing(Kind::Blob),
        Header::Tag => Base::Nothing(Kind::Tag),
        Header::RefDelta { base_id } => Base::Named(base_id),
        Header::OfsDelta { base_distance } => {
            Header::verified_base_pack_offset(offset, base_distance)
                .map_or(Base::Unreadable, Base::At)
        }
    }
}

/// What an index says of a pack.
pub(super) struct Indexed {
    /// Where its entries start, in order, and where the last one ends.
    pub(super) offsets: Vec<u64>,
    /// For each entry the place of its name in the index.
    pub(super) places: Vec<u32>,
}

/// What an index says of a pack of `said` objects that end at `end`; nothing if that cannot be.
pub(super) fn indexed(index: &index::File<Vec<u8>>, said: u64, end: u64) -> Option<Indexed> {
    let places = (0..index.num_objects()).into_par_iter();
    let mut entries: Vec<(u64, u32)> = places
        .map(|place| (index.pack_offset_at_index(place), place))
        .collect();
    // Compared as one number they are sorted sooner.
    entries.par_sort_unstable_by_key(|&(offset, place)| {
        u128::from(offset) << u32::BITS | u128::from(place)
    });
    // What is named twice is one.
    entries.dedup_by_key(|(offset, _)| *offset);
    let start = data::header::SIZE as u64;
    let fits = entries.first().is_none_or(|(first, _)| *first == start)
        && entries.last().is_none_or(|(last, _)| *last < end);
    if !fits || entries.len() as u64 != said {
        return None;
    }
    let (mut offsets, places): (Vec<u64>, Vec<u32>) = entries.into_iter().unzip();
    offsets.push(end);
    Some(Indexed { offsets, places })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn families_are_weighed_whoever_comes_first(
            picks in proptest::collection::vec(proptest::option::of(any::<prop::sample::Index>()), 1..40),
            is_in_order: bool,
        ) {
            let count = picks.len();
            let mut parents = Parents::default();
            for (entry, pick) in picks.iter().enumerate() {
                let among = if is_in_order { entry } else { count };
                let pick = pick.filter(|_| among > 0);
                parents.of.push(pick.map_or(NONE, |pick| small(pick.index(among))));
                if pick.is_none() {
                    parents.roots.push((small(entry), Kind::Blob));
                }
            }
            let mut weights = vec![0; count];
            for entry in 0..small(count) {
                let parent = |entry: &u32| Some(parents.of[*entry as usize]).filter(|parent| *parent != NONE);
                let line: Vec<u32> = std::iter::successors(Some(entry), parent).take(count + 1).collect();
                // Who has more ancestors than there are entries goes round in a circle.
                if line.len() <= count {
                    for above in line {
                        weights[above as usize] += 1;
                    }
                }
            }
            let of = parents.of.clone();
            let offsets: Vec<u64> = (0..=count as u64).collect();
            let entries = Entries::link(&offsets, &[], &Plan::default(), parents);
            for (entry, &weight) in (0..).zip(&weights) {
                prop_assert_eq!(entries.weight(entry), weight);
                let mut children: Vec<u32> = (0..).zip(&of).filter(|(_, of)| **of == entry).map(|(child, _)| child).collect();
                children.sort_by_key(|child| weights[*child as usize]);
                prop_assert_eq!(entries.children(entry), children);
            }
        }
    }
}
