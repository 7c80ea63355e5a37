//! What one thread gathers of trees and commits.

use std::sync::Arc;

use gix_hash::{ObjectId, oid};

use crate::source::git::pack::{Link, Outline};

use super::gathered::{ById, ByName, Commit, Name};
use super::numbers::{Met, Times};

/// What one thread works with, and what it gathered. A tree or commit is told by a time at which it
/// was met; not always by this thread.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) met_trees: Met,
    pub(super) met_commits: Met,
    recent: Recent,
    /// The numbers of names that it met.
    names: ByName,
    /// The trees that it took, and where what lies in each ends, among that of those before it.
    pub(super) trees: Vec<(u32, u32)>,
    /// The folders in them.
    pub(super) folders: Vec<(u32, Name)>,
    /// Which of the objects looked for, by number, lie in them.
    pub(super) holders: Vec<(u32, u32, Name)>,
    /// The commits that it took.
    pub(super) commits: Vec<(u32, Commit)>,
    /// Links that were counted.
    counted: usize,
}

impl Desk {
    /// A folder, which may have been met of late.
    pub(super) fn folder(&mut self, id: &oid, times: &Times) -> u32 {
        let met = &mut self.met_trees;
        self.recent.get_or(id, || met.note(id, times))
    }

    /// Takes a tree.
    pub(super) fn take(&mut self, id: &oid, outline: &Outline, times: &Times) {
        let tree = self.met_trees.note(id, times);
        for link in outline.links() {
            match link {
                Link::Folder(folder, name) => self.folders.push((folder, name)),
                Link::Wanted(object, name) => self.holders.push((tree, object, name)),
            }
        }
        // More are never kept.
        let end = u32::try_from(self.folders.len()).unwrap_or(u32::MAX);
        self.trees.push((tree, end));
    }

    /// How many bytes what was gathered takes, about.
    pub(super) fn size(&self) -> usize {
        const COMMIT: usize = 2 * size_of::<Commit>();
        let met = self.met_trees.size() + self.met_commits.size();
        let trees = size_of_val(self.trees.as_slice()) + size_of_val(self.folders.as_slice());
        met + trees + size_of_val(self.holders.as_slice()) + self.commits.len() * COMMIT
    }

    /// How many links were taken that were not counted before; none while they are few.
    pub(super) fn uncounted(&mut self) -> usize {
        const FEW: usize = 4096;

        let links = self.folders.len() + self.holders.len();
        let uncounted = links - self.counted;
        if uncounted < FEW {
            return 0;
        }
        self.counted = links;
        uncounted
    }

    /// The number of a name. One that is new here is asked for; so is the name as it is kept, if it
    /// is.
    pub(super) fn name(
        &mut self,
        name: &[u8],
        ask: impl FnOnce(&[u8]) -> Option<(Name, Arc<[u8]>)>,
    ) -> Name {
        if let Some(&number) = self.names.get(name) {
            return number;
        }
        // Where there was too much, nothing of it will be asked for.
        ask(name).map_or(0, |(number, name)| {
            self.names.insert(name, number);
            number
        })
    }
}

/// When trees were met that were named of late: a tree names mostly what the one before named. Each
/// has one place, told by its id.
#[derive(Default)]
struct Recent(Vec<Option<(ObjectId, u32)>>);

impl Recent {
    /// How many are kept; a power of two.
    const PLACES: usize = 1024;

    /// A time at which one was met; if it is not known, that is now.
    fn get_or(&mut self, id: &oid, now: impl FnOnce() -> u32) -> u32 {
        if self.0.is_empty() {
            self.0.resize(Self::PLACES, None);
        }
        let place = &mut self.0[first_two(id) % Self::PLACES];
        match place {
            Some((known, time)) if *known == id => *time,
            Some(_) | None => place.insert((id.to_owned(), now())).1,
        }
    }
}

/// The objects looked for. There are few, and each entry of each tree is asked about.
pub(super) struct Wanted {
    /// A bit for each pair of first bytes that one of them has.
    starts: Vec<u64>,
    numbers: ById<u32>,
}

impl Wanted {
    pub(super) fn new(ids: &[ObjectId]) -> Self {
        let mut starts = vec![0; (1 << 16) / 64];
        for id in ids {
            let start = first_two(id);
            starts[start / 64] |= 1 << (start % 64);
        }
        Self {
            starts,
            numbers: ids.iter().copied().zip(0..).collect(),
        }
    }

    /// The number of an object, if it is looked for.
    pub(super) fn number(&self, id: &oid) -> Option<u32> {
        let start = first_two(id);
        if self.starts[start / 64] >> (start % 64) & 1 == 0 {
            return None;
        }
        self.numbers.get(id).copied()
    }
}

/// The first two bytes of an id, which are as good as random.
fn first_two(id: &oid) -> usize {
    let first = id.as_bytes().first_chunk().copied();
    first.map_or(0, u16::from_le_bytes).into()
}
