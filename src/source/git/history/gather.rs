//! One way through a repository's packs and loose objects for all that its history is made of:
//! commits, tags, and which folder lies in which.
//!
//! Each tree is taken once, by what differs from the one that it was made from, on all threads; to
//! look trees up one by one, commit by commit, takes many times as long. Of what they hold only
//! folders are kept, and what is looked for; the same names come again and again, so each is kept
//! once. What a thread gathers lies on its desk until all are done.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryRef;

use crate::source::Threads;
use crate::source::git::pack::{Link, Outline, Revision};

use super::desk::{Desk, Wanted};
use super::gathered::{ById, Names};
use super::links::CommitLinks;
use super::numbers::Times;

/// Bytes of what is gathered. uv's history takes 40 MB; by that, the Linux kernel's, with some 20
/// million folders in folders, would take nearly so many.
const MOST: usize = 768 * 1024 * 1024;

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
    /// How many bytes it takes, and will when it is put together, about.
    pub(in crate::source::git) fn size(&self) -> usize {
        let ids = (self.wanted.len() + self.tags.len()) * size_of::<ObjectId>() * 2;
        let desks: usize = self.desks.iter().map(|desk| desk.size).sum();
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
    /// How many bytes lie on all desks, about.
    size: AtomicUsize,
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
            size: AtomicUsize::new(0),
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

    /// Whether nothing more is wanted.
    pub(super) fn is_done(&self) -> bool {
        self.is_too_much() || (self.is_done)()
    }

    /// Whether there was more than is kept: then nothing will come of it.
    pub(super) fn is_too_much(&self) -> bool {
        self.overflow.load(Ordering::Relaxed)
    }

    /// Lends this thread's desk.
    fn with_desk<T>(&self, work: impl FnOnce(&mut Desk) -> T) -> T {
        let thread = rayon::current_thread_index().unwrap_or(self.desks.len());
        let desk = &self.desks[thread.min(self.desks.len() - 1)];
        let desk = &mut *desk.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(desk);
        let growth = desk.growth();
        if growth > 0 && self.size.fetch_add(growth, Ordering::Relaxed) + growth > MOST {
            self.overflow.store(true, Ordering::Relaxed);
        }
        done
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

    /// Takes a commit.
    pub(super) fn commit(&self, id: &oid, links: &CommitLinks) {
        self.with_desk(|desk| desk.commit(id, links, &self.times));
    }

    /// Takes a tag.
    pub(super) fn tag(&self, id: &oid, target: ObjectId) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.insert(id.to_owned(), target);
        drop(tags);
        self.with_desk(|desk| desk.size += 2 * size_of::<[ObjectId; 2]>());
    }

    /// Takes a tree; `also` is told of each entry that is read.
    pub(super) fn tree(
        &self,
        id: &oid,
        tree: Revision<'_>,
        also: &mut dyn FnMut(&EntryRef<'_>),
    ) -> Outline {
        self.with_desk(|desk| {
            let outline = tree.outline(id.kind(), |entry| {
                also(entry);
                self.link(desk, entry)
            });
            desk.tree(id, &outline, &self.times);
            outline
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write as _;
    use std::num::NonZeroUsize;

    use gix_object::Kind;

    use super::super::gathered::Gathered;
    use super::super::links::Links;
    use super::*;
    use crate::source::git::pack::Take as _;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    /// Gathers commits: their ids, times and parents.
    fn unsorted(commits: &[(u8, i64, &[u8])]) -> Unsorted {
        let threads = Threads::new(NonZeroUsize::MIN);
        let gather = Gather::new(Vec::new(), &threads, &|| false);
        for (number, time, parents) in commits {
            let mut text = format!("tree {}\n", id(0));
            for parent in *parents {
                writeln!(text, "parent {}", id(*parent)).unwrap();
            }
            for role in ["author", "committer"] {
                writeln!(text, "{role} Jane <jane@example.org> {time} +0000").unwrap();
            }
            let links = Links::new(None, Some(&gather)).unwrap();
            links.object(&id(*number), Kind::Commit, text.as_bytes());
        }
        gather.finish().unwrap()
    }

    pub(in crate::source::git::history) fn gathered(commits: &[(u8, i64, &[u8])]) -> Gathered {
        Gathered::new(unsorted(commits))
    }

    #[test]
    fn parents_are_kept_once_and_counted() {
        let none = unsorted(&[(1, 0, &[])]).size();
        assert_eq!(
            unsorted(&[(1, 0, &[7; 5000])]).size(),
            unsorted(&[(1, 0, &[7])]).size()
        );
        let many: Vec<u8> = (2..=u8::MAX).collect();
        assert!(unsorted(&[(1, 0, &many)]).size() - none >= many.len() * 24);
    }
}
