//! Commits from the oldest to the newest, and with which of them each folder came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix_hash::ObjectId;

use super::gather::{ById, Gathered, Tree};

/// No tree.
const NONE: Tree = Tree::MAX;

/// With which commit each folder came, and what it lay in there.
pub(super) struct Marks<'a> {
    gathered: &'a Gathered,
    /// For each folder where those in it start in `inside`.
    first: Vec<u32>,
    inside: Vec<Tree>,
    /// For each folder what it lies in, or itself at the top; none if no commit holds it.
    parents: Vec<Tree>,
    /// For each folder its turn: the lower, the earlier it came.
    turns: Vec<u32>,
    next_turn: u32,
    /// The commits in their order, and the turn with which each began.
    commits: Vec<(u32, ObjectId)>,
    /// The same the other way round.
    known: ById<u32>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(gathered: &'a Gathered) -> Self {
        let count = gathered.trees.len();
        let mut first = vec![0_u32; count + 2];
        for &(folder, _) in &gathered.folders {
            first[folder as usize + 2] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut inside = vec![0; gathered.folders.len()];
        for &(folder, within) in &gathered.folders {
            let next = &mut first[folder as usize + 1];
            inside[*next as usize] = within;
            *next += 1;
        }
        Self {
            gathered,
            first,
            inside,
            parents: vec![NONE; count],
            turns: vec![u32::MAX; count],
            next_turn: 0,
            commits: Vec::new(),
            known: ById::default(),
        }
    }

    /// How many turns have passed.
    pub(super) fn turn(&self) -> u32 {
        self.next_turn
    }

    /// The turn in which a folder came, if a commit seen so far holds it.
    pub(super) fn turn_of(&self, folder: Tree) -> Option<u32> {
        let turn = self.turns[folder as usize];
        (turn != u32::MAX).then_some(turn)
    }

    /// The turn of a commit, if it was seen.
    pub(super) fn turn_of_commit(&self, commit: &ObjectId) -> Option<u32> {
        self.known.get(commit).copied()
    }

    /// The commit that came in a turn.
    pub(super) fn commit_of(&self, turn: u32) -> Option<ObjectId> {
        let behind = self.commits.partition_point(|(first, _)| *first <= turn);
        Some(self.commits[behind.checked_sub(1)?].1)
    }

    /// The folders from the top down to one.
    pub(super) fn way_to(&self, folder: Tree) -> Vec<Tree> {
        let mut way = vec![folder];
        let mut at = folder;
        while let parent = self.parents[at as usize]
            && parent != at
            && parent != NONE
        {
            way.push(parent);
            at = parent;
        }
        way.reverse();
        way
    }

    /// Goes through the commits that lead to `ends` and were not seen before, the oldest first, and
    /// takes note of the folders that are new in each.
    pub(super) fn add(&mut self, ends: impl IntoIterator<Item = ObjectId>) {
        for id in self.oldest_first(ends) {
            let top = self.gathered.commits[&id].tree;
            self.commits.push((self.next_turn, id));
            self.known.insert(id, self.next_turn);
            self.come(top, top);
            let mut left = vec![top];
            // A folder that came before came with all that is in it.
            if self.turns[top as usize] != self.next_turn - 1 {
                continue;
            }
            while let Some(folder) = left.pop() {
                let at = folder as usize;
                let inside = self.first[at] as usize..self.first[at + 1] as usize;
                for position in inside.rev() {
                    let within = self.inside[position];
                    if self.turns[within as usize] == u32::MAX {
                        self.come(within, folder);
                        left.push(within);
                    }
                }
            }
        }
    }

    /// Takes note of a folder, if it is new.
    fn come(&mut self, folder: Tree, parent: Tree) {
        if self.turns[folder as usize] == u32::MAX {
            self.turns[folder as usize] = self.next_turn;
            self.parents[folder as usize] = parent;
        }
        self.next_turn += 1;
    }

    /// Unseen commits that lead to `ends`: none stands before one it follows, and otherwise the
    /// oldest stands first.
    fn oldest_first(&self, ends: impl IntoIterator<Item = ObjectId>) -> Vec<ObjectId> {
        let commits = &self.gathered.commits;
        let mut missing: ById<usize> = ById::default();
        let mut followers: ById<Vec<ObjectId>> = ById::default();
        let mut ready = BinaryHeap::new();
        let mut left: Vec<ObjectId> = ends.into_iter().collect();
        while let Some(id) = left.pop() {
            let Some(commit) = commits.get(&id) else {
                continue;
            };
            if self.known.contains_key(&id) || missing.contains_key(&id) {
                continue;
            }
            let unseen = |parent: &&ObjectId| {
                commits.contains_key(*parent) && !self.known.contains_key(*parent)
            };
            let mut parents: Vec<ObjectId> =
                commit.parents.iter().filter(unseen).copied().collect();
            parents.sort_unstable();
            parents.dedup();
            missing.insert(id, parents.len());
            if parents.is_empty() {
                ready.push(Reverse((commit.time, id)));
            }
            for parent in parents {
                followers.entry(parent).or_default().push(id);
                left.push(parent);
            }
        }
        let mut order = Vec::with_capacity(missing.len());
        while let Some(Reverse((_, id))) = ready.pop() {
            order.push(id);
            for follower in followers.remove(&id).unwrap_or_default() {
                let missing = missing.entry(follower).or_default();
                *missing = missing.saturating_sub(1);
                if *missing == 0 {
                    ready.push(Reverse((commits[&follower].time, follower)));
                }
            }
        }
        order
    }
}
