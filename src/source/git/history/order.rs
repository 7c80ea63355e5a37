//! Commits from the oldest to the newest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::gathered::{Commit, Number};

/// All commits that were read: none stands before one it follows, and otherwise the oldest stands
/// first. (Those that lead to some of them are in the same order as they would be without the others:
/// when each may come is decided by what it follows.)
pub(super) fn oldest_first(commits: &[Option<Commit>]) -> Vec<Number> {
    let read = |number: Number| commits[number as usize].as_ref();
    let turn = |number: Number, commit: &Commit| Reverse((commit.time, commit.id, number));
    // How many each follows that did not come yet.
    let mut missing = vec![0_usize; commits.len()];
    // Those that are followed, and who follows them.
    let mut followers: Vec<(Number, Number)> = Vec::with_capacity(commits.len());
    let mut ready = BinaryHeap::new();
    for (number, commit) in (0..).zip(commits) {
        let Some(commit) = commit else { continue };
        let parents = commit.parents.iter();
        for &parent in parents.filter(|parent| read(**parent).is_some()) {
            followers.push((parent, number));
            missing[number as usize] += 1;
        }
        if missing[number as usize] == 0 {
            ready.push(turn(number, commit));
        }
    }
    followers.sort_unstable();
    let mut order = Vec::with_capacity(commits.len());
    while let Some(Reverse((.., commit))) = ready.pop() {
        order.push(commit);
        let first = followers.partition_point(|(parent, _)| *parent < commit);
        let behind = followers[first..].iter();
        for &(_, follower) in behind.take_while(|(parent, _)| *parent == commit) {
            missing[follower as usize] -= 1;
            if missing[follower as usize] == 0
                && let Some(commit) = read(follower)
            {
                ready.push(turn(follower, commit));
            }
        }
    }
    order
}
