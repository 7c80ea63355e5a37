//! One way through a repository's packs and loose objects for all that its history is made of:
//! commits, tags, and which folder lies in which.
//!
//! Each tree is built once, from its delta, on all threads; to look trees up one by one, commit by
//! commit, takes many times as long. Of what they hold only folders are kept, and what is looked
//! for; the same names come again and again, so each is kept once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gix_hash::{ObjectId, oid};
use gix_object::commit::ref_iter::Token;
use gix_object::{CommitRefIter, Kind, TagRefIter};

use crate::source::Threads;
use crate::source::git::pack::Take;

use super::desk::{Desk, Load, SeenCommit, Wanted};
use super::gathered::Gathered;

/// Gathers while objects are handed out.
pub(in crate::source::git) struct Gather<'a> {
    wanted: Wanted,
    /// One for each thread of the pool, and one for who is none of them.
    desks: Vec<Mutex<Desk>>,
    is_done: &'a (dyn Fn() -> bool + Sync),
    gathered: Mutex<Gathered>,
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
            desks: (0..=threads.count()).map(|_| Mutex::default()).collect(),
            is_done,
            gathered: Mutex::new(Gathered::looking_for(wanted)),
        }
    }

    /// What was gathered; nothing if it was cut short, or was more than is kept.
    pub(in crate::source::git) fn finish(self) -> Option<Gathered> {
        if self.is_done() {
            return None;
        }
        let gathered = self.gathered.into_inner();
        let mut gathered = gathered.unwrap_or_else(PoisonError::into_inner);
        for desk in self.desks {
            let mut desk = desk.into_inner().unwrap_or_else(PoisonError::into_inner);
            gathered.take(&mut desk);
        }
        gathered.is_whole().then_some(gathered)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends this thread's desk, and takes over what lies on it when it is much.
    fn with_desk(&self, work: impl FnOnce(&mut Desk)) {
        let thread = rayon::current_thread_index().unwrap_or(self.desks.len());
        let desk = &self.desks[thread.min(self.desks.len() - 1)];
        let desk = &mut *desk.lock().unwrap_or_else(PoisonError::into_inner);
        work(desk);
        match desk.load() {
            Load::Little => {}
            Load::Much => {
                // If others are handing over just now, there is time.
                if let Ok(mut gathered) = self.gathered.try_lock() {
                    gathered.take(desk);
                }
            }
            Load::TooMuch => self.gathered().take(desk),
        }
    }

    fn tree(&self, id: &oid, bytes: &[u8]) {
        self.with_desk(|desk| {
            desk.read(id, bytes, &self.wanted, &|name| {
                self.gathered().intern_name(name)
            });
        });
    }

    fn commit(&self, id: &oid, bytes: &[u8]) {
        let (mut tree, mut parents, mut time) = (None, Vec::new(), 0);
        // Where a commit is damaged it ends, likewise.
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
        let commit = SeenCommit {
            id: id.to_owned(),
            tree,
            parents,
            time,
        };
        self.with_desk(|desk| desk.commits.push(commit));
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
