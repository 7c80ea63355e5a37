//! Commits from the oldest to the newest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::gathered::{Commit, Number};

/// The commits that were read and are `wanted`: none stands before one it follows, and otherwise the
/// oldest stands first. (Of those that lead to some ends, all that they follow being among them, the
/// order is the same whether others are wanted or not.)
pub(super) fn oldest_first(
    commits: &[Option<Commit>],
    wanted: impl Fn(Number) -> bool,
) -> Vec<Number> {
    let read = |number: Number| {
        let commit = commits[number as usize].as_ref();
        commit.filter(|_| wanted(number))
    };
    let turn = |number: Number, commit: &Commit| Reverse((commit.time, commit.id, number));
    // How many each follows that did not come yet.
    let mut missing = vec![0_usize; commits.len()];
    // Those that are followed, and who follows them.
    let mut followers: Vec<(Number, Number)> = Vec::new();
    let mut ready = BinaryHeap::new();
    for number in (0..).take(commits.len()) {
        let Some(commit) = read(number) else {
            continue;
        };
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
    let mut order = Vec::new();
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

#[cfg(test)]
mod tests {
    use gix_hash::ObjectId;
    use proptest::prelude::*;

    use super::*;

    fn commit(id: u8, time: i64, parents: Vec<Number>) -> Commit {
        Commit {
            id: ObjectId::from_bytes_or_panic(&[id; 20]),
            tree: 0,
            parents,
            time,
        }
    }

    proptest! {
        #[test]
        fn none_stands_before_one_it_follows_and_the_oldest_stand_first(
            drawn in proptest::collection::vec(
                (any::<u8>(), 0_i64..4, proptest::collection::vec(0_usize..12, 0..3), any::<bool>()),
                1..12,
            ),
            end in 0_usize..12,
        ) {
            let mut commits = Vec::new();
            for (number, (id, time, parents, is_read)) in drawn.into_iter().enumerate() {
                let parents = parents.into_iter().filter(|parent| *parent < number);
                let mut parents: Vec<Number> =
                    parents.map(|parent| u32::try_from(parent).unwrap()).collect();
                parents.sort_unstable();
                parents.dedup();
                commits.push((is_read || number == 0).then(|| commit(id, time, parents)));
            }
            // The next is always the oldest of those that may come.
            let order = oldest_first(&commits, |_| true);
            let mut left: Vec<Number> = (0..)
                .zip(&commits)
                .filter_map(|(number, commit)| commit.as_ref().map(|_| number))
                .collect();
            for &next in &order {
                let key = |number: &Number| {
                    let commit = commits[*number as usize].as_ref().unwrap();
                    (commit.time, commit.id, *number)
                };
                let may_come = |number: &&Number| {
                    let commit = commits[**number as usize].as_ref().unwrap();
                    !commit.parents.iter().any(|parent| left.contains(parent))
                };
                let expected = left.iter().filter(may_come).min_by_key(|number| key(number));
                prop_assert_eq!(Some(&next), expected);
                left.retain(|number| *number != next);
            }
            prop_assert!(left.is_empty());
            // Those that lead to one stand as they would alone.
            let mut leading = vec![false; commits.len()];
            let mut reached = vec![end % commits.len()];
            while let Some(number) = reached.pop() {
                leading[number] = true;
                let parents = commits[number].iter().flat_map(|commit| &commit.parents);
                reached.extend(parents.map(|parent| *parent as usize));
            }
            let alone = oldest_first(&commits, |number| leading[number as usize]);
            let filtered: Vec<Number> =
                order.into_iter().filter(|number| leading[*number as usize]).collect();
            prop_assert_eq!(alone, filtered);
        }
    }
}
