//! Commits from the oldest to the newest, and with which of them each folder came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix_hash::ObjectId;

use super::gathered::{Commit, Gathered, Name, Number, Tree};

/// With which commit each folder came, and what it lay in there.
pub(super) struct Marks<'a> {
    gathered: &'a Gathered,
    /// With what each folder came; it means something if it did.
    folders: Vec<Mark>,
    /// A bit for each folder that came. Nearly all that is asked is whether it did, for each folder in
    /// each, and this is small enough to be near.
    came: Vec<u64>,
    next_turn: u32,
    /// The commits in their order, by number, and the turn with which each began.
    commits: Vec<(u32, Number)>,
    /// For each commit the turn with which it began.
    known: Vec<u32>,
}

/// With what a folder came.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    /// The lower, the earlier it came.
    turn: u32,
    /// What it lies in, or itself at the top.
    parent: Tree,
    /// Its name there.
    name: Name,
}

impl<'a> Marks<'a> {
    pub(super) fn new(gathered: &'a Gathered) -> Self {
        let count = gathered.count_of_trees();
        Self {
            gathered,
            known: vec![u32::MAX; gathered.commits.len()],
            folders: vec![Mark::default(); count],
            came: vec![0; count.div_ceil(64)],
            next_turn: 0,
            commits: Vec::new(),
        }
    }

    /// How many turns have passed.
    pub(super) fn turn(&self) -> u32 {
        self.next_turn
    }

    /// The turn in which a folder came, if a commit seen so far holds it.
    pub(super) fn turn_of(&self, folder: Tree) -> Option<u32> {
        self.has_come(folder)
            .then(|| self.folders[folder as usize].turn)
    }

    /// The turn of a commit, if it was seen.
    pub(super) fn turn_of_commit(&self, commit: &ObjectId) -> Option<u32> {
        let turn = self.known[self.gathered.commit(commit)? as usize];
        (turn != u32::MAX).then_some(turn)
    }

    /// The commit that came in a turn.
    pub(super) fn commit_of(&self, turn: u32) -> Option<ObjectId> {
        let behind = self.commits.partition_point(|(first, _)| *first <= turn);
        let (_, number) = self.commits[behind.checked_sub(1)?];
        let commit = self.gathered.commits[number as usize].as_ref()?;
        Some(commit.id)
    }

    /// Where a folder lies, from the top down; nothing at the top.
    pub(super) fn path_to(&self, folder: Tree) -> Vec<&'a [u8]> {
        let mut path = Vec::new();
        let mut at = folder;
        while let Mark { parent, name, .. } = self.folders[at as usize]
            && parent != at
        {
            path.push(self.gathered.name(name));
            at = parent;
        }
        path.reverse();
        path
    }

    /// Goes through the commits that lead to `ends` and were not seen before, the oldest first, and
    /// takes note of the folders that are new in each.
    pub(super) fn add(&mut self, ends: impl Iterator<Item = Number>) {
        for commit in self.oldest_first(ends) {
            let Some(Commit { tree: top, .. }) = self.gathered.commits[commit as usize] else {
                continue;
            };
            self.commits.push((self.next_turn, commit));
            self.known[commit as usize] = self.next_turn;
            self.come(top, top, 0);
            let mut left = vec![top];
            // A folder that came before came with all that is in it.
            if self.folders[top as usize].turn != self.next_turn - 1 {
                continue;
            }
            while let Some(folder) = left.pop() {
                for &(within, name) in self.gathered.folders_in(folder).iter().rev() {
                    if !self.has_come(within) {
                        self.come(within, folder, name);
                        left.push(within);
                    }
                }
            }
        }
    }

    /// The same for all commits.
    pub(super) fn add_all(&mut self) {
        let gathered = self.gathered;
        let commits = (0..).zip(&gathered.commits);
        let read = commits.filter(|(_, commit)| commit.is_some());
        self.add(read.map(|(number, _)| number));
    }

    fn has_come(&self, folder: Tree) -> bool {
        let folder = folder as usize;
        self.came[folder / 64] >> (folder % 64) & 1 == 1
    }

    /// Takes note of a folder, if it is new.
    fn come(&mut self, folder: Tree, parent: Tree, name: Name) {
        if !self.has_come(folder) {
            let at = folder as usize;
            self.came[at / 64] |= 1 << (at % 64);
            self.folders[at] = Mark {
                turn: self.next_turn,
                parent,
                name,
            };
        }
        self.next_turn += 1;
    }

    /// Unseen commits that lead to `ends`: none stands before one it follows, and otherwise the
    /// oldest stands first.
    fn oldest_first(&self, ends: impl Iterator<Item = Number>) -> Vec<Number> {
        let commits = &self.gathered.commits;
        // What is left to be seen of it, if anything.
        let unseen = |number: Number| {
            let commit = commits[number as usize].as_ref()?;
            (self.known[number as usize] == u32::MAX).then_some(commit)
        };
        // How many unseen ones each follows, if it was met.
        let mut missing: Vec<Option<usize>> = vec![None; commits.len()];
        let mut followers: Vec<Vec<Number>> = vec![Vec::new(); commits.len()];
        let mut ready = BinaryHeap::new();
        let turn = |number: Number, commit: &'a Commit| Reverse((commit.time, &commit.id, number));
        let mut left: Vec<Number> = ends.collect();
        while let Some(number) = left.pop() {
            let Some(commit) = unseen(number) else {
                continue;
            };
            if missing[number as usize].is_some() {
                continue;
            }
            let mut count = 0;
            for &parent in commit.parents.iter().filter(|at| unseen(**at).is_some()) {
                followers[parent as usize].push(number);
                left.push(parent);
                count += 1;
            }
            missing[number as usize] = Some(count);
            if count == 0 {
                ready.push(turn(number, commit));
            }
        }
        let mut order = Vec::new();
        while let Some(Reverse((.., commit))) = ready.pop() {
            order.push(commit);
            for follower in std::mem::take(&mut followers[commit as usize]) {
                let Some(missing) = &mut missing[follower as usize] else {
                    continue;
                };
                *missing -= 1;
                if *missing == 0
                    && let Some(commit) = unseen(follower)
                {
                    ready.push(turn(follower, commit));
                }
            }
        }
        order
    }
}
