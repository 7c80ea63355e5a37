//! Families: which entries are made from each, and how many in the end.

use super::parents::{NONE, Parents};
use super::small;

/// The families of a pack.
pub(super) struct Families {
    /// For each entry, where its children start in `children`.
    pub(super) first_child: Vec<u32>,
    /// The entries made directly from each.
    pub(super) children: Vec<u32>,
}

impl Families {
    /// Takes the parent of each entry, or [`NONE`].
    pub(super) fn new(parents: &[u32]) -> Self {
        let mut first = vec![0; parents.len() + 2];
        for &parent in parents.iter().filter(|parent| **parent != NONE) {
            first[parent as usize + 2] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        // Now `first[n + 1]` is where the children of `n` start; as they are filled in, it becomes
        // where they end, which is where those of `n + 1` start.
        let mut children = vec![0; first[first.len() - 1] as usize];
        for (entry, &parent) in (0..).zip(parents) {
            if parent != NONE {
                let next = &mut first[parent as usize + 1];
                children[*next as usize] = entry;
                *next += 1;
            }
        }
        first.pop();
        Self {
            first_child: first,
            children,
        }
    }

    /// Tells how many entries are in the family of each, itself included, none if it hangs on
    /// nothing; and sorts children by that.
    pub(super) fn weigh(&mut self, parents: &Parents) -> Vec<u32> {
        let of = &parents.of;
        let mut weights = vec![0; of.len()];
        let mut weigh = |entry: u32| {
            weights[entry as usize] += 1;
            let parent = of[entry as usize];
            if parent != NONE {
                weights[parent as usize] += weights[entry as usize];
            }
        };
        // Who is named by an offset starts before its children, and few are named otherwise.
        let is_before = |(entry, &parent): (u32, &u32)| parent == NONE || parent < entry;
        if (0..).zip(of).all(is_before) {
            (0..small(of.len())).rev().for_each(weigh);
        } else {
            self.downwards(parents)
                .into_iter()
                .rev()
                .for_each(&mut weigh);
        }
        for ends in self.first_child.windows(2) {
            let family = &mut self.children[ends[0] as usize..ends[1] as usize];
            if family.len() > 1 {
                family.sort_by_key(|child| weights[*child as usize]);
            }
        }
        weights
    }

    /// All entries that hang on something, parents before their children.
    fn downwards(&self, parents: &Parents) -> Vec<u32> {
        let roots = parents.roots.iter().map(|(entry, _)| entry);
        let strangers = parents.strangers.iter().map(|(_, entry)| entry);
        let tops = roots.chain(strangers).chain(&parents.broken);
        let mut order: Vec<u32> = tops.copied().collect();
        let mut next = 0;
        while let Some(&entry) = order.get(next) {
            let at = entry as usize;
            let children = self.first_child[at] as usize..self.first_child[at + 1] as usize;
            order.extend_from_slice(&self.children[children]);
            next += 1;
        }
        order
    }
}
