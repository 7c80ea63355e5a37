//! What is known of a history: its commits, its tags, and which folder lies in which.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gix_hash::{ObjectId, oid};

use super::desk::{Desk, Folder};

/// Folders in folders, and objects looked for in folders, that are kept: 8 and 12 bytes each. The
/// Linux kernel's history has some 20 million.
const LINKS: usize = 32 * 1024 * 1024;

/// Bytes of different names that are kept.
const NAMES: usize = 64 * 1024 * 1024;

/// What is kept by the id of an object. There are hundreds of thousands, and each is asked for many
/// times. Ids are as good as random, but whoever makes an index can choose them: so they are
/// hashed, with a seed.
pub(super) type ById<T> = HashMap<ObjectId, T, foldhash::fast::RandomState>;

/// A folder, by its number.
pub(super) type Tree = u32;

/// What a folder calls something in it, by its number.
pub(super) type Name = u32;

/// Names and their numbers.
pub(super) type ByName = HashMap<Arc<[u8]>, Name, foldhash::fast::RandomState>;

/// A commit, by its number.
pub(super) type Number = u32;

/// A commit that was met.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) id: ObjectId,
    /// What it says, as far as it matters here; none if it was not read, but only named.
    pub(super) said: Option<Said>,
}

/// What a commit says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) tree: Tree,
    /// Those that it follows, each once.
    pub(super) parents: Vec<Number>,
    /// When it was made, in seconds; 0 if it does not say.
    pub(super) time: i64,
}

/// What was gathered.
#[derive(Debug, Default)]
pub(in crate::source::git) struct Gathered {
    /// The objects looked for, by number.
    wanted: Vec<ObjectId>,
    /// The trees, by number.
    pub(super) trees: Vec<ObjectId>,
    numbers: ById<Tree>,
    /// Where in `folders` those stand that lie in each; none if it was not read, but only named.
    inside: Vec<Option<(u32, u32)>>,
    /// The folders in folders; those of one stand together, in their order.
    folders: Vec<(Tree, Name)>,
    /// Folders, and which of the objects looked for, by number, lies in them.
    holders: Vec<(Tree, u32, Name)>,
    names: Vec<Arc<[u8]>>,
    numbers_of_names: ByName,
    /// Bytes of all names.
    named: usize,
    /// The commits, by number.
    pub(super) commits: Vec<Commit>,
    numbers_of_commits: ById<Number>,
    /// Tags, and what they name.
    pub(super) tags: ById<ObjectId>,
    /// Whether there was more than is kept.
    overflow: bool,
}

impl Gathered {
    /// Nothing yet; these objects are looked for in folders. They are in order.
    pub(super) fn looking_for(wanted: Vec<ObjectId>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// Whether all that was met is there, as far as it is looked for.
    pub(super) fn is_whole(&self) -> bool {
        !self.overflow
    }

    /// The number of a tree, if it was met.
    pub(super) fn number(&self, id: &oid) -> Option<Tree> {
        self.numbers.get(id).copied()
    }

    /// Whether all that is to be known of these objects was gathered: they were looked for, or are
    /// what history is made of.
    pub(super) fn suffices_for(&self, objects: &[ObjectId]) -> bool {
        let looked_for: HashSet<&ObjectId> = self.wanted.iter().collect();
        objects.iter().all(|id| {
            looked_for.contains(id)
                || self.commit(id).is_some()
                || self.tags.contains_key(id)
                || self.numbers.contains_key(id)
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

    /// How many bytes it takes, about.
    pub(in crate::source::git) fn size(&self) -> usize {
        const TREE: usize = 2 * size_of::<(ObjectId, Tree)>();
        const COMMIT: usize = 2 * size_of::<(ObjectId, Commit)>();
        let links = self.folders.len() + self.holders.len();
        let commits = self.commits.len() + self.tags.len() + self.wanted.len();
        let names = self.named + self.names.len() * size_of::<(Arc<[u8]>, Name)>() * 2;
        names + links * size_of::<(Tree, u32, Name)>() + self.trees.len() * TREE + commits * COMMIT
    }

    pub(super) fn intern(&mut self, id: ObjectId) -> Tree {
        let next = Tree::try_from(self.trees.len()).unwrap_or(Tree::MAX);
        *self.numbers.entry(id).or_insert_with(|| {
            self.trees.push(id);
            self.inside.push(None);
            next
        })
    }

    /// The number of a commit, if it was read.
    pub(super) fn commit(&self, id: &oid) -> Option<Number> {
        let number = *self.numbers_of_commits.get(id)?;
        let commit = &self.commits[number as usize];
        commit.said.is_some().then_some(number)
    }

    pub(super) fn intern_commit(&mut self, id: ObjectId) -> Number {
        let next = Number::try_from(self.commits.len()).unwrap_or(Number::MAX);
        *self.numbers_of_commits.entry(id).or_insert_with(|| {
            self.commits.push(Commit { id, said: None });
            next
        })
    }

    /// The folders in a folder, and what they are called there, in their order.
    pub(super) fn folders_in(&self, folder: Tree) -> &[(Tree, Name)] {
        let inside = self.inside[folder as usize];
        inside.map_or(&[], |(start, end)| {
            &self.folders[start as usize..end as usize]
        })
    }

    /// A name.
    pub(super) fn name(&self, name: Name) -> &[u8] {
        &self.names[name as usize]
    }

    /// The number of a name, and the name as it is kept; nothing once there was too much.
    pub(super) fn intern_name(&mut self, name: &[u8]) -> Option<(Name, Arc<[u8]>)> {
        if let Some((name, &number)) = self.numbers_of_names.get_key_value(name) {
            return Some((number, Arc::clone(name)));
        }
        self.named += name.len();
        self.overflow |= self.named > NAMES;
        if self.overflow {
            return None;
        }
        let number = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        let name: Arc<[u8]> = name.into();
        self.names.push(Arc::clone(&name));
        self.numbers_of_names.insert(Arc::clone(&name), number);
        Some((number, name))
    }

    /// Takes over what a thread gathered.
    pub(super) fn take(&mut self, desk: &mut Desk) {
        let more = desk.folders.len() + desk.held.len();
        self.overflow |= self.folders.len() + self.holders.len() + more > LINKS;
        let (mut folders, mut held) = (0, 0);
        for seen in desk.trees.drain(..) {
            let tree = self.intern(seen.id);
            let mine = (folders..seen.folders, held..seen.held);
            (folders, held) = (seen.folders, seen.held);
            if self.overflow || self.inside[tree as usize].is_some() {
                continue;
            }
            let start = self.folders.len();
            for (folder, name) in &desk.folders[mine.0] {
                let number = match *folder {
                    Folder::Known(number) => number,
                    Folder::New(id) => {
                        let number = self.intern(id);
                        desk.recent.insert(id, number);
                        number
                    }
                };
                self.folders.push((number, *name));
            }
            // There are no more than can be counted so.
            let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
            self.inside[tree as usize] = Some((place(start), place(self.folders.len())));
            let held = desk.held[mine.1].iter();
            self.holders
                .extend(held.map(|&(object, name)| (tree, object, name)));
        }
        desk.folders.clear();
        desk.held.clear();
        for seen in desk.commits.drain(..) {
            let number = self.intern_commit(seen.id);
            let parents = seen.parents.into_iter();
            let mut parents: Vec<Number> = parents.map(|id| self.intern_commit(id)).collect();
            parents.sort_unstable();
            parents.dedup();
            let said = Said {
                tree: self.intern(seen.tree),
                parents,
                time: seen.time,
            };
            self.commits[number as usize].said = Some(said);
        }
    }
}
