//! One way through a repository's packs and loose objects for all that its history is made of:
//! commits, tags, and which folder lies in which.
//!
//! Each tree is built once, from its delta, on all threads; to look trees up one by one, commit by
//! commit, takes many times as long. Of the names in them nothing is kept.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gix_hash::{ObjectId, oid};
use gix_object::{CommitRefIter, Kind, TagRefIter, TreeRefIter};

use crate::source::git::pack::Take;

/// Folders in folders, and objects looked for in folders, that are kept: 8 bytes each. The
/// Linux kernel's history has some 20 million.
const LINKS: usize = 32 * 1024 * 1024;

/// A folder, by its number.
pub(super) type Tree = u32;

/// A commit, as far as it matters here.
pub(super) struct Commit {
    pub(super) tree: Tree,
    pub(super) parents: Vec<ObjectId>,
    /// When it was made, in seconds; 0 if it does not say.
    pub(super) time: i64,
}

/// What was gathered.
#[derive(Default)]
pub(super) struct Gathered {
    /// The trees, by number.
    pub(super) trees: Vec<ObjectId>,
    numbers: HashMap<ObjectId, Tree>,
    /// Which of them were read; the others are only named in them.
    read: Vec<bool>,
    /// Folders, and the folders in them; those of one lie together, in their order.
    pub(super) folders: Vec<(Tree, Tree)>,
    /// Folders, and which of the objects looked for, by number, lies in them.
    pub(super) holders: Vec<(Tree, u32)>,
    pub(super) commits: HashMap<ObjectId, Commit>,
    /// Tags, and what they name.
    pub(super) tags: HashMap<ObjectId, ObjectId>,
    /// Whether there was more than is kept.
    overflow: bool,
}

impl Gathered {
    /// The number of a tree, if it was met.
    pub(super) fn number(&self, id: &oid) -> Option<Tree> {
        self.numbers.get(id).copied()
    }

    /// Whether all that was met is there.
    pub(super) fn is_whole(&self) -> bool {
        !self.overflow
    }

    fn intern(&mut self, id: ObjectId) -> Tree {
        let next = Tree::try_from(self.trees.len()).unwrap_or(Tree::MAX);
        *self.numbers.entry(id).or_insert_with(|| {
            self.trees.push(id);
            self.read.push(false);
            next
        })
    }

    fn tree(&mut self, id: &oid, folders: Vec<ObjectId>, held: &[u32]) {
        let tree = self.intern(id.to_owned());
        let links = self.folders.len() + self.holders.len() + folders.len() + held.len();
        self.overflow |= links > LINKS;
        if self.overflow || std::mem::replace(&mut self.read[tree as usize], true) {
            return;
        }
        for folder in folders {
            let folder = self.intern(folder);
            self.folders.push((tree, folder));
        }
        self.holders
            .extend(held.iter().map(|&object| (tree, object)));
    }
}

/// Gathers while objects are handed out.
pub(super) struct Gather<'a> {
    /// The objects looked for, by number.
    wanted: HashMap<&'a oid, u32>,
    is_done: &'a (dyn Fn() -> bool + Sync),
    gathered: Mutex<Gathered>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(wanted: &'a [ObjectId], is_done: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self {
            wanted: wanted.iter().map(AsRef::as_ref).zip(0..).collect(),
            is_done,
            gathered: Mutex::default(),
        }
    }

    pub(super) fn finish(self) -> Gathered {
        let gathered = self.gathered.into_inner();
        gathered.unwrap_or_else(PoisonError::into_inner)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tree(&self, id: &oid, bytes: &[u8]) {
        let (mut folders, mut held) = (Vec::new(), Vec::new());
        // Where a tree is damaged its entries end; that was told when it was scanned.
        for entry in TreeRefIter::from_bytes(bytes, id.kind()).map_while(Result::ok) {
            if entry.mode.is_tree() {
                folders.push(entry.oid.to_owned());
            } else if let Some(&object) = self.wanted.get(entry.oid) {
                held.push(object);
            }
        }
        self.gathered().tree(id, folders, &held);
    }

    fn commit(&self, id: &oid, bytes: &[u8]) {
        let commit = || CommitRefIter::from_bytes(bytes, id.kind());
        let Ok(tree) = commit().tree_id() else { return };
        let time = commit()
            .committer()
            .map_or(0, |committer| committer.seconds());
        let parents = commit().parent_ids().collect();
        let mut gathered = self.gathered();
        let tree = gathered.intern(tree);
        let commit = Commit {
            tree,
            parents,
            time,
        };
        gathered.commits.insert(id.to_owned(), commit);
    }
}

impl Take for Gather<'_> {
    fn is_done(&self) -> bool {
        (self.is_done)()
    }

    fn wants(&self, kind: Kind) -> bool {
        match kind {
            Kind::Commit | Kind::Tree | Kind::Tag => true,
            Kind::Blob => false,
        }
    }

    fn object(&self, id: &oid, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Tree => self.tree(id, bytes),
            Kind::Commit => self.commit(id, bytes),
            Kind::Tag => {
                let target = TagRefIter::from_bytes(bytes, id.kind()).target_id();
                if let Ok(target) = target {
                    self.gathered().tags.insert(id.to_owned(), target);
                }
            }
            Kind::Blob => {}
        }
    }
}
