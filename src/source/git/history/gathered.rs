//! What is known of a history: its commits, its tags, and which folder lies in which.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gix_hash::{ObjectId, oid};
use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};

use super::desk::SeenCommit;
use super::gather::Unsorted;
use super::numbers::{Met, Numbers, Time};
use super::order::oldest_first;

/// What is kept by the id of an object. Ids are as good as random, but whoever makes an index can
/// choose them: so they are hashed, with a seed.
pub(super) type ById<T> = HashMap<ObjectId, T, foldhash::fast::RandomState>;

/// Bytes of different names that are kept.
const NAMES: usize = 64 * 1024 * 1024;

/// A folder, by its number.
pub(super) type Tree = u32;

/// What a folder calls something in it, by its number.
pub(super) type Name = u32;

/// Names and their numbers.
pub(super) type ByName = HashMap<Arc<[u8]>, Name, foldhash::fast::RandomState>;

/// A commit, by its number.
pub(super) type Number = u32;

/// A commit that was read.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) id: ObjectId,
    pub(super) tree: Tree,
    /// Those that it follows, each once.
    pub(super) parents: Vec<Number>,
    /// When it was made, in seconds; 0 if it does not say.
    pub(super) time: i64,
}

/// What was gathered.
#[derive(Debug)]
pub(in crate::source::git) struct Gathered {
    /// The objects looked for, by number.
    wanted: Vec<ObjectId>,
    trees: Numbers,
    /// Where in `folders` those stand that lie in each tree.
    inside: Vec<Inside>,
    /// The folders in folders, as each thread gathered them; those of one stand together, in their
    /// order.
    folders: Vec<Vec<(Tree, Name)>>,
    /// Folders, and which of the objects looked for, by number, lies in them.
    holders: Vec<(Tree, u32, Name)>,
    names: Names,
    commit_ids: Numbers,
    /// The commits, by number; none for one that was not read, but only named.
    pub(super) commits: Vec<Option<Commit>>,
    /// Those that were read, the oldest first.
    pub(super) order: Vec<Number>,
    /// Tags, and what they name.
    pub(super) tags: ById<ObjectId>,
}

/// Where the folders of a tree stand: which thread gathered them, and from where to where. As it is
/// made it says that there are none.
#[derive(Debug, Clone, Copy, Default)]
struct Inside {
    desk: u32,
    start: u32,
    end: u32,
}

impl Gathered {
    /// Puts together what was gathered, on all threads of the pool that this one is of.
    pub(super) fn new(unsorted: Unsorted) -> Self {
        let Unsorted {
            wanted,
            names,
            tags,
            times,
            mut desks,
        } = unsorted;
        let met_commits: Vec<Met> = desks
            .iter_mut()
            .map(|desk| std::mem::take(&mut desk.met_commits))
            .collect();
        let met_trees: Vec<Met> = desks
            .iter_mut()
            .map(|desk| std::mem::take(&mut desk.met_trees))
            .collect();
        let seen: Vec<SeenCommit> = desks
            .iter_mut()
            .flat_map(|desk| std::mem::take(&mut desk.commits))
            .collect();
        let ((commit_ids, mut commits, order), (trees, tree_at)) = rayon::join(
            || {
                let (ids, number_at) = Numbers::new(&times, met_commits);
                let commits = numbered(seen, &number_at, ids.count());
                let order = oldest_first(&commits, |_| true);
                (ids, commits, order)
            },
            || Numbers::new(&times, met_trees),
        );
        for commit in commits.iter_mut().flatten() {
            commit.tree = tree_at[commit.tree as usize];
        }
        let mut inside = vec![Inside::default(); trees.count()];
        let (mut folders, mut holders) = (Vec::new(), Vec::new());
        for (number, desk) in (0..).zip(desks) {
            let mut start = 0;
            for (tree, end) in desk.trees {
                let inside = &mut inside[tree_at[tree as usize] as usize];
                // One that lies in several places is the same in each, or else the first one counts.
                if inside.start == inside.end {
                    *inside = Inside {
                        desk: number,
                        start,
                        end,
                    };
                }
                start = end;
            }
            let held = desk.holders.into_iter();
            holders.extend(held.map(|(tree, object, name)| (tree_at[tree as usize], object, name)));
            folders.push(desk.folders);
        }
        folders.par_iter_mut().flatten().for_each(|(folder, _)| {
            *folder = tree_at[*folder as usize];
        });
        Self {
            wanted,
            trees,
            inside,
            folders,
            holders,
            names,
            commit_ids,
            commits,
            order,
            tags,
        }
    }

    /// How many trees were met.
    pub(super) fn count_of_trees(&self) -> usize {
        self.inside.len()
    }

    /// The number of a tree, if it was met.
    pub(super) fn number(&self, id: &oid) -> Option<Tree> {
        self.trees.get(id)
    }

    /// Whether all that is to be known of these objects was gathered: they were looked for, or are
    /// what history is made of.
    pub(super) fn suffices_for(&self, objects: &[ObjectId]) -> bool {
        let looked_for: HashSet<&ObjectId> = self.wanted.iter().collect();
        objects.iter().all(|id| {
            looked_for.contains(id)
                || self.commit(id).is_some()
                || self.tags.contains_key(id)
                || self.number(id).is_some()
        })
    }

    /// For each of these objects the folders that it lies in, and what it is called there.
    pub(super) fn holders_of(&self, objects: &[ObjectId]) -> Vec<Vec<(Tree, Name)>> {
        let places: HashMap<&ObjectId, usize> = objects.iter().zip(0..).collect();
        let mut holders = vec![Vec::new(); objects.len()];
        for &(tree, object, name) in &self.holders {
            if let Some(&place) = places.get(&self.wanted[object as usize]) {
                holders[place].push((tree, name));
            }
        }
        holders
    }

    /// The number of a commit, if it was read.
    pub(super) fn commit(&self, id: &oid) -> Option<Number> {
        let number = self.commit_ids.get(id)?;
        self.commits[number as usize].is_some().then_some(number)
    }

    /// The number of a commit that was not read, but only named.
    pub(super) fn unread(&self, id: &oid) -> Option<Number> {
        let number = self.commit_ids.get(id)?;
        self.commits[number as usize].is_none().then_some(number)
    }

    /// The folders in a folder, and what they are called there, in their order.
    pub(super) fn folders_in(&self, folder: Tree) -> &[(Tree, Name)] {
        let Inside { desk, start, end } = self.inside[folder as usize];
        &self.folders[desk as usize][start as usize..end as usize]
    }

    /// A name.
    pub(super) fn name(&self, name: Name) -> &[u8] {
        &self.names.all[name as usize]
    }
}

/// The commits that were read, by number, but for their trees, which are told by the times that they
/// were met.
fn numbered(seen: Vec<SeenCommit>, number_at: &[Number], count: usize) -> Vec<Option<Commit>> {
    let mut commits = vec![None; count];
    for commit in seen {
        let number = |time: Time| number_at[time as usize];
        commits[number(commit.met) as usize] = Some(Commit {
            id: commit.id,
            tree: commit.tree,
            parents: commit.parents.into_iter().map(number).collect(),
            time: commit.time,
        });
    }
    commits
}

/// The names of what lies in folders.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By number.
    all: Vec<Arc<[u8]>>,
    numbers: ByName,
    /// How many bytes they have.
    bytes: usize,
}

impl Names {
    /// The number of a name, and the name as it is kept; nothing once there are too many.
    pub(super) fn intern(&mut self, name: &[u8]) -> Option<(Name, Arc<[u8]>)> {
        if let Some((name, &number)) = self.numbers.get_key_value(name) {
            return Some((number, Arc::clone(name)));
        }
        if self.bytes + name.len() > NAMES {
            return None;
        }
        self.bytes += name.len();
        let number = Name::try_from(self.all.len()).unwrap_or(Name::MAX);
        let name: Arc<[u8]> = name.into();
        self.all.push(Arc::clone(&name));
        self.numbers.insert(Arc::clone(&name), number);
        Some((number, name))
    }

    /// How many bytes they take, about.
    pub(super) fn size(&self) -> usize {
        self.bytes + self.all.len() * size_of::<(Arc<[u8]>, Name)>() * 2
    }
}
