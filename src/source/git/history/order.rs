//! Commits from the oldest to the newest, and with which of them each folder came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix_hash::ObjectId;

use super::gathered::{ById, Commit, Gathered, Name, Tree};

/// No tree.
const NONE: Tree = Tree::MAX;

/// With which commit each folder came, and what it lay in there.
pub(super) struct Marks<'a> {
    gathered: &'a Gathered,
    graph: Graph,
    /// For each folder where those in it start in `inside`.
    first: Vec<u32>,
    inside: Vec<(Tree, Name)>,
    /// For each folder what it lies in, or itself at the top, and its name there; none if no commit
    /// holds it.
    parents: Vec<(Tree, Name)>,
    /// For each folder its turn: the lower, the earlier it came.
    turns: Vec<u32>,
    next_turn: u32,
    /// The commits in their order, by number, and the turn with which each began.
    commits: Vec<(u32, u32)>,
    /// For each commit the turn with which it began.
    known: Vec<u32>,
}

/// The commits by number, in the order of their ids.
struct Graph {
    ids: Vec<ObjectId>,
    numbers: ById<u32>,
    trees: Vec<Tree>,
    times: Vec<i64>,
    /// Those of them that each one follows.
    parents: Vec<Vec<u32>>,
}

impl Graph {
    fn new(commits: &ById<Commit>) -> Self {
        let mut ids: Vec<ObjectId> = commits.keys().copied().collect();
        ids.sort_unstable();
        let numbers: ById<u32> = ids.iter().copied().zip(0..).collect();
        let parents = |id: &ObjectId| {
            let parents = commits[id].parents.iter();
            let mut parents: Vec<u32> = parents
                .filter_map(|parent| numbers.get(parent).copied())
                .collect();
            parents.sort_unstable();
            parents.dedup();
            parents
        };
        Self {
            trees: ids.iter().map(|id| commits[id].tree).collect(),
            times: ids.iter().map(|id| commits[id].time).collect(),
            parents: ids.iter().map(parents).collect(),
            numbers,
            ids,
        }
    }
}

impl<'a> Marks<'a> {
    pub(super) fn new(gathered: &'a Gathered) -> Self {
        let count = gathered.trees.len();
        let mut first = vec![0_u32; count + 2];
        for &(folder, ..) in &gathered.folders {
            first[folder as usize + 2] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut inside = vec![(0, 0); gathered.folders.len()];
        for &(folder, within, name) in &gathered.folders {
            let next = &mut first[folder as usize + 1];
            inside[*next as usize] = (within, name);
            *next += 1;
        }
        let graph = Graph::new(&gathered.commits);
        Self {
            gathered,
            known: vec![u32::MAX; graph.ids.len()],
            graph,
            first,
            inside,
            parents: vec![(NONE, 0); count],
            turns: vec![u32::MAX; count],
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
        let turn = self.turns[folder as usize];
        (turn != u32::MAX).then_some(turn)
    }

    /// The turn of a commit, if it was seen.
    pub(super) fn turn_of_commit(&self, commit: &ObjectId) -> Option<u32> {
        let turn = self.known[*self.graph.numbers.get(commit)? as usize];
        (turn != u32::MAX).then_some(turn)
    }

    /// The commit that came in a turn.
    pub(super) fn commit_of(&self, turn: u32) -> Option<ObjectId> {
        let behind = self.commits.partition_point(|(first, _)| *first <= turn);
        let (_, commit) = self.commits[behind.checked_sub(1)?];
        Some(self.graph.ids[commit as usize])
    }

    /// Where a folder lies, from the top down; nothing at the top.
    pub(super) fn path_to(&self, folder: Tree) -> Vec<&'a [u8]> {
        let mut path = Vec::new();
        let mut at = folder;
        while let (parent, name) = self.parents[at as usize]
            && parent != at
            && parent != NONE
        {
            path.push(self.gathered.name(name));
            at = parent;
        }
        path.reverse();
        path
    }

    /// Goes through the commits that lead to `ends` and were not seen before, the oldest first, and
    /// takes note of the folders that are new in each.
    pub(super) fn add(&mut self, ends: impl IntoIterator<Item = ObjectId>) {
        for commit in self.oldest_first(ends) {
            let top = self.graph.trees[commit as usize];
            self.commits.push((self.next_turn, commit));
            self.known[commit as usize] = self.next_turn;
            self.come(top, (top, 0));
            let mut left = vec![top];
            // A folder that came before came with all that is in it.
            if self.turns[top as usize] != self.next_turn - 1 {
                continue;
            }
            while let Some(folder) = left.pop() {
                let at = folder as usize;
                let inside = self.first[at] as usize..self.first[at + 1] as usize;
                for position in inside.rev() {
                    let (within, name) = self.inside[position];
                    if self.turns[within as usize] == u32::MAX {
                        self.come(within, (folder, name));
                        left.push(within);
                    }
                }
            }
        }
    }

    /// Takes note of a folder, if it is new.
    fn come(&mut self, folder: Tree, parent: (Tree, Name)) {
        if self.turns[folder as usize] == u32::MAX {
            self.turns[folder as usize] = self.next_turn;
            self.parents[folder as usize] = parent;
        }
        self.next_turn += 1;
    }

    /// Unseen commits that lead to `ends`: none stands before one it follows, and otherwise the
    /// oldest stands first.
    fn oldest_first(&self, ends: impl IntoIterator<Item = ObjectId>) -> Vec<u32> {
        let count = self.graph.ids.len();
        let is_unseen = |commit: u32| self.known[commit as usize] == u32::MAX;
        // How many unseen ones each follows, if it was met.
        let mut missing: Vec<Option<usize>> = vec![None; count];
        let mut followers: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut ready = BinaryHeap::new();
        let time = |commit: u32| self.graph.times[commit as usize];
        let ends = ends.into_iter();
        let mut left: Vec<u32> = ends
            .filter_map(|end| self.graph.numbers.get(&end).copied())
            .filter(|end| is_unseen(*end))
            .collect();
        while let Some(commit) = left.pop() {
            if missing[commit as usize].is_some() {
                continue;
            }
            let parents = self.graph.parents[commit as usize].iter();
            let mut unseen = 0;
            for &parent in parents.filter(|parent| is_unseen(**parent)) {
                followers[parent as usize].push(commit);
                left.push(parent);
                unseen += 1;
            }
            missing[commit as usize] = Some(unseen);
            if unseen == 0 {
                ready.push(Reverse((time(commit), commit)));
            }
        }
        let mut order = Vec::new();
        while let Some(Reverse((_, commit))) = ready.pop() {
            order.push(commit);
            for follower in std::mem::take(&mut followers[commit as usize]) {
                let Some(missing) = &mut missing[follower as usize] else {
                    continue;
                };
                *missing -= 1;
                if *missing == 0 {
                    ready.push(Reverse((time(follower), follower)));
                }
            }
        }
        order
    }
}
