//! What one thread gathers of trees and commits.

use std::sync::Arc;

use gix_hash::{ObjectId, oid};

use crate::source::git::pack::{Link, Outline};

use super::bits::Bits;
use super::gathered::{ById, ByName, Name};
use super::links::CommitLinks;
use super::numbers::{Met, Time, Times};
use super::recent::{Recent, first_two};

/// A commit that was read.
pub(super) struct SeenCommit {
    pub(super) id: ObjectId,
    pub(super) met: Time,
    pub(super) tree: Time,
    pub(super) parents: Vec<Time>,
    /// When it was made, in seconds; 0 if it does not say.
    pub(super) time: i64,
}

/// What one thread works with, and what it gathered.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) met_trees: Met,
    pub(super) met_commits: Met,
    /// When trees were met that were named of late.
    recent: Recent<Time>,
    /// The numbers of names that it met.
    names: ByName,
    /// The trees that it took, and where what lies in each ends, among that of those before it.
    pub(super) trees: Vec<(Time, u32)>,
    /// The folders in them. What was copied may have been met by another thread.
    pub(super) folders: Vec<(Time, Name)>,
    /// Which of the objects looked for, by number, lie in them.
    pub(super) holders: Vec<(Time, u32, Name)>,
    /// The commits that it took.
    pub(super) commits: Vec<SeenCommit>,
    /// How many bytes all that takes, and will when it is put together, about.
    pub(super) size: usize,
    /// How many of them were told.
    told: usize,
}

impl Desk {
    /// A folder, which may have been met of late.
    pub(super) fn folder(&mut self, id: &oid, times: &Times) -> Time {
        let Self {
            met_trees,
            recent,
            size,
            ..
        } = self;
        recent.get_or(id, || {
            *size += Met::TIME;
            met_trees.note(id, times)
        })
    }

    /// Takes a tree.
    pub(super) fn tree(&mut self, id: &oid, outline: &Outline, times: &Times) {
        const TREE: usize = 4 * size_of::<u32>() + size_of::<(Time, u32)>();

        let tree = self.met_trees.note(id, times);
        let before = (self.folders.len(), self.holders.len());
        for link in outline.links() {
            match link {
                Link::Folder(folder, name) => self.folders.push((folder, name)),
                Link::Wanted(object, name) => self.holders.push((tree, object, name)),
            }
        }
        // More are never kept.
        let end = u32::try_from(self.folders.len()).unwrap_or(u32::MAX);
        self.trees.push((tree, end));
        let folders = &self.folders[before.0..];
        let holders = &self.holders[before.1..];
        self.size += Met::TIME + TREE + size_of_val(folders) + size_of_val(holders);
    }

    /// Takes a commit.
    pub(super) fn commit(&mut self, id: &oid, links: &CommitLinks, times: &Times) {
        const COMMIT: usize = 2 * size_of::<SeenCommit>() + 2 * Met::TIME;

        let met = &mut self.met_commits;
        let commit = SeenCommit {
            id: id.to_owned(),
            met: met.note(id, times),
            tree: self.met_trees.note(&links.tree, times),
            parents: (links.parents.iter())
                .map(|id| met.note(id, times))
                .collect(),
            time: links.time,
        };
        self.size += COMMIT + links.parents.len() * (Met::TIME + size_of::<Time>());
        self.commits.push(commit);
    }

    /// By how many bytes it grew since that was asked; none while they are few.
    pub(super) fn growth(&mut self) -> usize {
        const FEW: usize = 64 * 1024;

        let growth = self.size - self.told;
        if growth < FEW {
            return 0;
        }
        self.told = self.size;
        growth
    }

    /// The number of a name. One that is new here is asked for; so is the name as it is kept, if it
    /// is.
    pub(super) fn name(
        &mut self,
        name: &[u8],
        ask: impl FnOnce(&[u8]) -> Option<(Name, Arc<[u8]>)>,
    ) -> Name {
        // In both maps, and by itself.
        const NAME: usize = 5 * size_of::<(Arc<[u8]>, Name)>();

        if let Some(&number) = self.names.get(name) {
            return number;
        }
        // Where there was too much, nothing of it will be asked for.
        ask(name).map_or(0, |(number, name)| {
            self.size += NAME;
            self.names.insert(name, number);
            number
        })
    }
}

/// The objects looked for. There are few, and each entry of each tree is asked about.
pub(super) struct Wanted {
    /// A bit for each pair of first bytes that one of them has.
    starts: Bits,
    numbers: ById<u32>,
}

impl Wanted {
    pub(super) fn new(ids: &[ObjectId]) -> Self {
        let mut starts = Bits::new(1 << 16);
        for id in ids {
            starts.set(first_two(id));
        }
        Self {
            starts,
            numbers: ids.iter().copied().zip(0..).collect(),
        }
    }

    /// The number of an object, if it is looked for.
    pub(super) fn number(&self, id: &oid) -> Option<u32> {
        if !self.starts.has(first_two(id)) {
            return None;
        }
        self.numbers.get(id).copied()
    }
}
