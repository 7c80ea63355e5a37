//! With which commit each folder came.

use std::collections::HashMap;

use gix_hash::ObjectId;

use super::bits::Bits;
use super::gathered::{Commit, Gathered, Name, Number, Tree};
use super::order::oldest_first;

/// No commit.
const NONE: Number = Number::MAX;

/// With which commit each folder came, and what it lay in there.
pub(super) struct Marks<'a> {
    gathered: &'a Gathered,
    /// With what each folder came; it means something if it did.
    folders: Vec<Mark>,
    /// The folders that came.
    came: Bits,
    next_turn: u32,
    /// The commits in their order, by number, and the turn with which each began; [`NONE`] for what
    /// no commit holds.
    commits: Vec<(u32, Number)>,
    /// For each commit the turn with which it began.
    known: Vec<u32>,
    /// The commits that are gone through, or led to.
    reached: Bits,
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
            reached: Bits::new(gathered.commits.len()),
            folders: vec![Mark::default(); count],
            came: Bits::new(count),
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

    /// For each commit that was not read, but only named as a parent, the turn of the first one that
    /// does so.
    pub(super) fn first_that_follow(&self) -> HashMap<Number, u32> {
        let mut first = HashMap::new();
        for &(turn, number) in &self.commits {
            let commit = self.gathered.commits.get(number as usize);
            let commit = commit.and_then(Option::as_ref);
            for &parent in commit.iter().flat_map(|commit| &commit.parents) {
                if self.gathered.commits[parent as usize].is_none() {
                    first.entry(parent).or_insert(turn);
                }
            }
        }
        first
    }

    /// The commit that came in a turn.
    pub(super) fn commit_of(&self, turn: u32) -> Option<ObjectId> {
        let behind = self.commits.partition_point(|(first, _)| *first <= turn);
        let (_, number) = self.commits[behind.checked_sub(1)?];
        let commit = self.gathered.commits.get(number as usize)?.as_ref()?;
        Some(commit.id)
    }

    /// What a folder is called, and what it lies in, and so on upwards; nothing at the top.
    pub(super) fn upwards(&self, folder: Tree) -> impl Iterator<Item = &'a [u8]> {
        let mut at = folder;
        std::iter::from_fn(move || {
            let Mark { parent, name, .. } = self.folders[at as usize];
            let is_top = std::mem::replace(&mut at, parent) == parent;
            (!is_top).then(|| self.gathered.name(name))
        })
    }

    /// Goes through the commits that lead to `ends` and were not seen before, the oldest first, and
    /// takes note of the folders that are new in each.
    pub(super) fn add(&mut self, ends: impl Iterator<Item = Number>) {
        let mut left: Vec<Number> = ends.collect();
        while let Some(commit) = left.pop() {
            if self.reached.set(commit as usize)
                && let Some(commit) = &self.gathered.commits[commit as usize]
            {
                left.extend_from_slice(&commit.parents);
            }
        }
        self.go_on();
    }

    /// Takes note of the folders that are new in these, which no commit holds.
    pub(super) fn add_trees(&mut self, tops: impl Iterator<Item = Tree>) {
        for top in tops {
            self.commits.push((self.next_turn, NONE));
            self.bring(top);
        }
    }

    /// The same for all commits.
    pub(super) fn add_all(&mut self) {
        self.reached.set_all();
        self.go_on();
    }

    /// Goes through what was reached and not seen before.
    fn go_on(&mut self) {
        let gathered = self.gathered;
        let is_new = |commit: Number| {
            self.reached.has(commit as usize) && self.known[commit as usize] == u32::MAX
        };
        let order = if self.commits.is_empty() {
            // All that they follow are among them.
            let order = gathered.order.iter().copied();
            order.filter(|commit| is_new(*commit)).collect()
        } else {
            oldest_first(&gathered.commits, is_new)
        };
        for commit in order {
            let Some(Commit { tree: top, .. }) = gathered.commits[commit as usize] else {
                continue;
            };
            self.commits.push((self.next_turn, commit));
            self.known[commit as usize] = self.next_turn;
            self.bring(top);
        }
    }

    /// Takes note of a folder at the top, and of those in it. One that came before came with all that
    /// is in it.
    fn bring(&mut self, top: Tree) {
        let mut left = Vec::new();
        if !self.has_come(top) {
            left.push(top);
        }
        self.come(top, top, 0);
        while let Some(folder) = left.pop() {
            for &(within, name) in self.gathered.folders_in(folder).iter().rev() {
                if !self.has_come(within) {
                    self.come(within, folder, name);
                    left.push(within);
                }
            }
        }
    }

    fn has_come(&self, folder: Tree) -> bool {
        self.came.has(folder as usize)
    }

    /// Takes note of a folder, if it is new.
    fn come(&mut self, folder: Tree, parent: Tree, name: Name) {
        if self.came.set(folder as usize) {
            self.folders[folder as usize] = Mark {
                turn: self.next_turn,
                parent,
                name,
            };
        }
        self.next_turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::super::gather::tests::gathered;
    use super::*;

    #[test]
    fn those_that_were_seen_are_not_waited_for() {
        // The second follows the first, which only says that it is younger than the third.
        let gathered = gathered(&[(1, 7, &[]), (2, 4, &[1]), (3, 5, &[])]);
        let number = |id: u8| {
            let id = ObjectId::from_bytes_or_panic(&[id; 20]);
            gathered.commit(&id).unwrap()
        };
        let mut marks = Marks::new(&gathered);
        marks.add(iter::once(number(1)));
        marks.add_all();
        let seen: Vec<Number> = marks.commits.iter().map(|(_, commit)| *commit).collect();
        assert_eq!(seen, [1, 2, 3].map(number));
        // All at once they stand as they follow.
        let mut marks = Marks::new(&gathered);
        marks.add_all();
        let seen: Vec<Number> = marks.commits.iter().map(|(_, commit)| *commit).collect();
        assert_eq!(seen, [3, 1, 2].map(number));
    }
}
