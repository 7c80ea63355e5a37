//! One way through a repository's packs and loose objects for all that its history is made of:
//! commits, tags, and which folder lies in which.
//!
//! Each tree is taken once, by what differs from the one that it was made from, on all threads; to
//! look trees up one by one, commit by commit, takes many times as long. Of what they hold only
//! folders are kept, and what is looked for; the same names come again and again, so each is kept
//! once. Threads share nothing but the numbers of trees, commits and names: what each gathers lies on
//! its desk until all are done.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix_hash::{ObjectId, oid};
use gix_object::commit::ref_iter::Token;
use gix_object::tree::EntryRef;
use gix_object::{CommitRefIter, Kind, TagRefIter};

use crate::source::Threads;
use crate::source::git::pack::{Link, Outline, Revision, Take};

use super::desk::{Desk, Wanted};
use super::gathered::{ById, Commit, Names};
use super::numbers::Times;

/// Folders in folders, and objects looked for in folders, that are kept: 8 and 12 bytes each. The
/// Linux kernel's history has some 20 million.
const LINKS: usize = 32 * 1024 * 1024;

/// What was gathered, as it lies on the desks of all threads.
pub(in crate::source::git) struct Unsorted {
    /// The objects looked for, by number.
    pub(super) wanted: Vec<ObjectId>,
    pub(super) names: Names,
    pub(super) tags: ById<ObjectId>,
    pub(super) times: Times,
    pub(super) desks: Vec<Desk>,
}

impl Unsorted {
    /// How many bytes it takes, about, and will when it is put together.
    pub(in crate::source::git) fn size(&self) -> usize {
        let ids = (self.wanted.len() + self.tags.len()) * size_of::<ObjectId>() * 2;
        let desks: usize = self.desks.iter().map(Desk::size).sum();
        self.names.size() + ids + desks
    }
}

/// Gathers while objects are handed out.
pub(in crate::source::git) struct Gather<'a> {
    /// In order.
    wanted_ids: Vec<ObjectId>,
    wanted: Wanted,
    /// How many times trees or commits were met.
    times: Times,
    names: Mutex<Names>,
    /// Tags, and what they name.
    tags: Mutex<ById<ObjectId>>,
    /// One for each thread of the pool, and one for who is none of them.
    desks: Vec<Mutex<Desk>>,
    /// How many links there are, about.
    links: AtomicUsize,
    /// Whether there was more than is kept.
    overflow: AtomicBool,
    is_done: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Gather<'a> {
    /// Looks for what trees hold the `wanted`.
    pub(in crate::source::git) fn new(
        mut wanted: Vec<ObjectId>,
        threads: &Threads,
        is_done: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            wanted: Wanted::new(&wanted),
            wanted_ids: wanted,
            times: Times::default(),
            names: Mutex::default(),
            tags: Mutex::default(),
            desks: (0..=threads.count()).map(|_| Mutex::default()).collect(),
            links: AtomicUsize::new(0),
            overflow: AtomicBool::new(false),
            is_done,
        }
    }

    /// What was gathered; nothing if it was cut short, or was more than is kept.
    pub(in crate::source::git) fn finish(self) -> Option<Unsorted> {
        if self.is_done() {
            return None;
        }
        let desks = self.desks.into_iter();
        let names = self.names.into_inner();
        let tags = self.tags.into_inner();
        Some(Unsorted {
            wanted: self.wanted_ids,
            names: names.unwrap_or_else(PoisonError::into_inner),
            tags: tags.unwrap_or_else(PoisonError::into_inner),
            times: self.times,
            desks: desks
                .map(|desk| desk.into_inner().unwrap_or_else(PoisonError::into_inner))
                .collect(),
        })
    }

    /// Lends this thread's desk.
    fn with_desk<T>(&self, work: impl FnOnce(&mut Desk) -> T) -> T {
        let thread = rayon::current_thread_index().unwrap_or(self.desks.len());
        let desk = &self.desks[thread.min(self.desks.len() - 1)];
        work(&mut desk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What an entry of a tree is to this.
    fn link(&self, desk: &mut Desk, entry: &EntryRef<'_>) -> Option<Link> {
        let ask = |name: &[u8]| {
            let names = self.names.lock();
            let mut names = names.unwrap_or_else(PoisonError::into_inner);
            let number = names.intern(name);
            if number.is_none() {
                self.overflow.store(true, Ordering::Relaxed);
            }
            number
        };
        if !entry.mode.is_tree() {
            let object = self.wanted.number(entry.oid)?;
            return Some(Link::Wanted(object, desk.name(entry.filename, ask)));
        }
        let folder = desk.folder(entry.oid, &self.times);
        Some(Link::Folder(folder, desk.name(entry.filename, ask)))
    }

    fn commit(&self, id: &oid, bytes: &[u8]) {
        let (mut tree, mut parents, mut time) = (None, Vec::new(), 0);
        // Where a commit is damaged it ends; that was told when it was scanned.
        for token in CommitRefIter::from_bytes(bytes, id.kind()).map_while(Result::ok) {
            match token {
                Token::Tree { id } => tree = Some(id),
                Token::Parent { id } => parents.push(id),
                Token::Committer { signature } => {
                    time = signature.seconds();
                    break;
                }
                Token::Author { .. }
                | Token::Encoding(_)
                | Token::ExtraHeader(_)
                | Token::Message(_) => {}
            }
        }
        let Some(tree) = tree else { return };
        self.with_desk(|desk| {
            let Desk {
                met_trees,
                met_commits,
                commits,
                ..
            } = desk;
            let parents = parents.iter();
            let commit = Commit {
                id: id.to_owned(),
                tree: met_trees.note(&tree, &self.times),
                parents: parents
                    .map(|id| met_commits.note(id, &self.times))
                    .collect(),
                time,
            };
            commits.push((met_commits.note(id, &self.times), commit));
        });
    }
}

impl Take for Gather<'_> {
    fn is_done(&self) -> bool {
        self.overflow.load(Ordering::Relaxed) || (self.is_done)()
    }

    fn wants(&self, kind: Kind) -> bool {
        match kind {
            Kind::Commit | Kind::Tree | Kind::Tag => true,
            Kind::Blob => false,
        }
    }

    fn object(&self, id: &oid, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Tree => drop(self.tree(id, Revision::whole(bytes))),
            Kind::Commit => self.commit(id, bytes),
            Kind::Tag => {
                let target = TagRefIter::from_bytes(bytes, id.kind()).target_id();
                if let Ok(target) = target {
                    let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
                    tags.insert(id.to_owned(), target);
                }
            }
            Kind::Blob => {}
        }
    }

    fn tree(&self, id: &oid, tree: Revision<'_>) -> Outline {
        if self.overflow.load(Ordering::Relaxed) {
            return Outline::default();
        }
        self.with_desk(|desk| {
            let outline = tree.outline(id.kind(), |entry| self.link(desk, entry));
            desk.take(id, &outline, &self.times);
            let more = desk.uncounted();
            if more > 0 && self.links.fetch_add(more, Ordering::Relaxed) + more > LINKS {
                self.overflow.store(true, Ordering::Relaxed);
            }
            outline
        })
    }
}
