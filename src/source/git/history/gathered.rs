//! What is known of a history: its commits, its tags, and which folder lies in which.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gix_hash::{ObjectId, oid};

use super::desk::{Desk, Folder};

/// Folders in folders, and objects looked for in folders, that are kept: 12 bytes each. The
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

/// A commit, as far as it matters here.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) tree: Tree,
    pub(super) parents: Vec<ObjectId>,
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
    /// Which of them were read; the others are only named in them.
    read: Vec<bool>,
    /// Folders, and the folders in them; those of one lie together, in their order.
    pub(super) folders: Vec<(Tree, Tree, Name)>,
    /// Folders, and which of the objects looked for, by number, lies in them.
    holders: Vec<(Tree, u32, Name)>,
    names: Vec<Arc<[u8]>>,
    numbers_of_names: ByName,
    /// Bytes of all names.
    named: usize,
    pub(super) commits: ById<Commit>,
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
                || self.commits.contains_key(id)
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
        names + links * size_of::<(Tree, Tree, Name)>() + self.trees.len() * TREE + commits * COMMIT
    }

    pub(super) fn intern(&mut self, id: ObjectId) -> Tree {
        let next = Tree::try_from(self.trees.len()).unwrap_or(Tree::MAX);
        *self.numbers.entry(id).or_insert_with(|| {
            self.trees.push(id);
            self.read.push(false);
            next
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

    /// Takes over what a thread gathered of trees.
    pub(super) fn take(&mut self, desk: &mut Desk) {
        let more = desk.folders.len() + desk.held.len();
        self.overflow |= self.folders.len() + self.holders.len() + more > LINKS;
        let (mut folders, mut held) = (0, 0);
        for seen in desk.trees.drain(..) {
            let tree = self.intern(seen.id);
            let mine = (folders..seen.folders, held..seen.held);
            (folders, held) = (seen.folders, seen.held);
            if self.overflow || std::mem::replace(&mut self.read[tree as usize], true) {
                continue;
            }
            for (folder, name) in &desk.folders[mine.0] {
                let number = match *folder {
                    Folder::Known(number) => number,
                    Folder::New(id) => {
                        let number = self.intern(id);
                        desk.recent.insert(id, number);
                        number
                    }
                };
                self.folders.push((tree, number, *name));
            }
            let held = desk.held[mine.1].iter();
            self.holders
                .extend(held.map(|&(object, name)| (tree, object, name)));
        }
        desk.folders.clear();
        desk.held.clear();
    }
}
