//! The entries of a pack and which of them is made from which.
//!
//! All that is kept of an entry until its turn comes is its offset, its children and the size of
//! its family: 24 bytes. Everything else is read again when it is needed.

use std::ops::Range;

use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::data::entry::Header;
use gix_pack::{data, index};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

/// Entries whose headers one thread reads in a row.
const RUN: usize = 4096;

/// Bytes read at once for their headers.
const CHUNK: usize = 64 * 1024;

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
    /// Where each starts, and where the last one ends.
    offsets: Vec<u64>,
    /// For each entry, where its children start in `children`.
    first_child: Vec<u32>,
    /// The entries made directly from each, small families first.
    children: Vec<u32>,
    /// Entries in the family of each, itself included; none if it hangs on nothing.
    weight: Vec<u32>,
    /// Entries that are whole, and what they are, as are all those made from them.
    pub(super) roots: Vec<(u32, Kind)>,
    /// Entries that are made from what this pack's index does not name.
    pub(super) strangers: Vec<(ObjectId, u32)>,
    /// Entries that cannot be read: damaged headers, bases that are no entries.
    pub(super) broken: Vec<u32>,
}

impl Entries {
    /// Reads the headers of the entries at `offsets`, which are sorted and end with the end of
    /// the last entry.
    pub(super) fn read(
        pack: &dyn ReadAt,
        offsets: Vec<u64>,
        index: &index::File<Vec<u8>>,
        hash: gix_hash::Kind,
    ) -> Self {
        let count = offsets.len().saturating_sub(1);
        let runs: Vec<Vec<Base>> = (0..count.div_ceil(RUN))
            .into_par_iter()
            .map(|run| bases(pack, &offsets, run * RUN..count.min((run + 1) * RUN), hash))
            .collect();
        Self::link(offsets, runs.into_iter().flatten(), Some(index))
    }

    /// Links entries to their bases.
    pub(super) fn link(
        offsets: Vec<u64>,
        bases: impl Iterator<Item = Base>,
        index: Option<&index::File<Vec<u8>>>,
    ) -> Self {
        let mut entries = Self {
            offsets,
            ..Self::default()
        };
        let mut parents = Vec::with_capacity(entries.count());
        for (entry, base) in (0..).zip(bases) {
            let parent = match base {
                Base::Nothing(kind) => {
                    entries.roots.push((entry, kind));
                    None
                }
                Base::At(offset) => {
                    let parent = entries.before(entry, offset);
                    if parent.is_none() {
                        entries.broken.push(entry);
                    }
                    parent
                }
                Base::Named(id) => {
                    let place = index.and_then(|index| {
                        let at = index.lookup(id)?;
                        entries.at(index.pack_offset_at_index(at))
                    });
                    if place.is_none() {
                        entries.strangers.push((id, entry));
                    }
                    place
                }
                Base::Unreadable => {
                    entries.broken.push(entry);
                    None
                }
            };
            // What is its own base hangs on nothing.
            parents.push(parent.unwrap_or(u32::MAX));
        }
        entries.adopt(&parents);
        entries.weigh();
        entries
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Where an entry lies.
    pub(super) fn range(&self, entry: u32) -> Range<u64> {
        let at = entry as usize;
        self.offsets[at]..self.offsets[at + 1]
    }

    /// The entry that starts at `offset`.
    pub(super) fn at(&self, offset: u64) -> Option<u32> {
        let starts = &self.offsets[..self.count()];
        let at = starts.binary_search(&offset).ok()?;
        u32::try_from(at).ok()
    }

    /// The entry that starts at `offset`, before another one: seldom far.
    fn before(&self, entry: u32, offset: u64) -> Option<u32> {
        let (mut low, mut high, mut step) = (entry as usize, entry as usize, 1);
        while low > 0 && self.offsets[low] > offset {
            high = low;
            low = low.saturating_sub(step);
            step *= 2;
        }
        let place = self.offsets[low..=high].binary_search(&offset).ok()?;
        u32::try_from(low + place).ok()
    }

    /// The entries made directly from one, the largest family last.
    pub(super) fn children(&self, entry: u32) -> &[u32] {
        let at = entry as usize;
        &self.children[self.first_child[at] as usize..self.first_child[at + 1] as usize]
    }

    /// How many entries are made from one, directly or not, itself included.
    pub(super) fn weight(&self, entry: u32) -> u32 {
        self.weight[entry as usize]
    }

    /// Entries that are made from themselves in a circle.
    pub(super) fn circles(&self) -> impl Iterator<Item = u32> {
        (0..)
            .zip(&self.weight)
            .filter_map(|(entry, weight)| (*weight == 0).then_some(entry))
    }

    /// Fills in `children`.
    fn adopt(&mut self, parents: &[u32]) {
        let mut first = vec![0; parents.len() + 2];
        for &parent in parents.iter().filter(|parent| **parent != u32::MAX) {
            first[parent as usize + 2] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        // Now `first[n + 1]` is where the children of `n` start; as they are filled in, it becomes
        // where they end, which is where those of `n + 1` start.
        self.children = vec![0; first[first.len() - 1] as usize];
        for (entry, &parent) in (0..).zip(parents) {
            if parent != u32::MAX {
                let next = &mut first[parent as usize + 1];
                self.children[*next as usize] = entry;
                *next += 1;
            }
        }
        first.pop();
        self.first_child = first;
    }

    /// Fills in the weights, and sorts children by them.
    fn weigh(&mut self) {
        self.weight = vec![0; self.count()];
        let roots = self.roots.iter().map(|(entry, _)| entry);
        let strangers = self.strangers.iter().map(|(_, entry)| entry);
        let tops = roots.chain(strangers).chain(&self.broken);
        let mut order: Vec<u32> = tops.copied().collect();
        let mut next = 0;
        while let Some(&entry) = order.get(next) {
            let at = entry as usize;
            let children = self.first_child[at] as usize..self.first_child[at + 1] as usize;
            order.extend_from_slice(&self.children[children]);
            next += 1;
        }
        for &entry in order.iter().rev() {
            let at = entry as usize;
            let children = self.first_child[at] as usize..self.first_child[at + 1] as usize;
            let weight = &self.weight;
            self.children[children.clone()].sort_by_key(|child| weight[*child as usize]);
            let family = self.children[children].iter();
            let below: u32 = family.map(|child| self.weight[*child as usize]).sum();
            self.weight[at] = below + 1;
        }
    }
}

/// What the entries of one run are made from.
fn bases(pack: &dyn ReadAt, offsets: &[u64], run: Range<usize>, hash: gix_hash::Kind) -> Vec<Base> {
    let mut buffer = Vec::new();
    let (mut start, mut held) = (0, 0);
    let mut bases = Vec::with_capacity(run.len());
    for entry in run {
        let (offset, end) = (offsets[entry], offsets[entry + 1]);
        let needed = end.min(offset + HEADER as u64);
        if let Some(header) = pack.in_memory(&(offset..needed)) {
            bases.push(base(header, offset, hash).unwrap_or(Base::Unreadable));
            continue;
        }
        if needed > start + held as u64 {
            start = offset;
            buffer.resize(CHUNK, 0);
            // What cannot be read is told when its turn comes.
            held = pack.read_at(&mut buffer, offset).unwrap_or_default();
        }
        // It was just read from here on, or lies in what was read before.
        let from = usize::try_from(offset - start).map_or(held, |from| from.min(held));
        let to = usize::try_from(needed - start).map_or(held, |to| to.min(held));
        bases.push(base(&buffer[from..to], offset, hash).unwrap_or(Base::Unreadable));
    }
    bases
}

/// What the entry with this header is made from.
fn base(header: &[u8], offset: u64, hash: gix_hash::Kind) -> Result<Base, Damage> {
    let entry = data::Entry::from_bytes(header, offset, hash).map_err(|_| Damage::Header)?;
    Ok(base_of(&entry, offset))
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

/// The offsets that an index names, sorted, and the end of the last entry; nothing if they cannot
/// be those of this pack.
pub(super) fn indexed(index: &index::File<Vec<u8>>, said: u64, end: u64) -> Option<Vec<u64>> {
    let mut offsets = index.sorted_offsets();
    offsets.dedup();
    let start = data::header::SIZE as u64;
    let fits = offsets.first().is_none_or(|first| *first == start)
        && offsets.last().is_none_or(|last| *last < end);
    if !fits || offsets.len() as u64 != said {
        return None;
    }
    offsets.push(end);
    Some(offsets)
}
