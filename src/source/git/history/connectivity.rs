//! Whether a repository holds all that it names.
//!
//! A scan reads the objects that are there. That others should be there is told by what names them:
//! references and indexes, and the objects themselves. So while those pass, whatever one names is
//! looked for in the packs' indexes; what is in none of them is looked for once more at the end, when
//! loose objects, and packs that came meanwhile, count too. What then is missing is an error, with its
//! id and with what leads to it. What only dangling objects name may be missing: git removes those one
//! by one, by their age.
//!
//! Two sorts of repositories lack objects because somebody asked for that: a shallow clone, whose
//! history is cut off, and a partial one, whose remote has promised the rest. Each says so once. Where
//! a shallow one is cut off nothing is missed, and of a partial one nothing at all.
//!
//! A tree that is too large to be held in memory beside others names nothing here.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use gix_hash::{ObjectId, oid};
use gix_object::tree::EntryRef;

use crate::source::git::damage::Damage;
use crate::source::git::database::Database;
use crate::source::git::repository::{Repository, RepositoryError};
use crate::source::git::store::pointer_up_to;
use crate::source::{Sink, Threads};
use crate::vocabulary::{Held, Origin, SkipReason};

use super::links::CommitLinks;
use super::look::{Look, Place};
use super::recent::Recent;
use super::{Ends, Pushed, index_of};

/// The list of commits at which a history is cut off is not read beyond this.
const SHALLOW: u64 = 64 * 1024 * 1024;

/// A longer path is not told: no system has one.
const PATH: usize = 4096;

/// Objects that no index names and that one thread takes note of, about.
const MOST: usize = if cfg!(test) { 64 } else { 1 << 20 };

/// So many are looked for at once.
const AT_ONCE: usize = 512;

/// So many are put in order for the first time.
const FEW: usize = if cfg!(test) { 8 } else { 4096 };

/// What a repository names, as it is met.
pub(in crate::source::git) struct Connectivity {
    folder: PathBuf,
    repository: Repository,
    is_partial: bool,
    /// The commits at which the history is cut off, unless they are too many.
    cut_off: Option<BTreeSet<ObjectId>>,
    /// One for each thread of the pool, and one for who is none of them.
    desks: Vec<Mutex<Desk>>,
    /// Whether there was more than is taken note of.
    overflow: AtomicBool,
}

/// What one thread met.
#[derive(Default)]
struct Desk {
    recent: Recent<()>,
    /// What is looked for next, many at a time.
    next: Vec<ObjectId>,
    /// The pack that held what was looked for last.
    pack: usize,
    /// What no pack holds.
    unknown: Vec<ObjectId>,
    /// How many there were when they were put in order last.
    ordered: usize,
}

impl Connectivity {
    /// That of the repository in `folder`, if it is one.
    pub(in crate::source::git) fn of(folder: &Path, threads: &Threads) -> Option<Self> {
        let repository = Repository::open(folder, Pushed::met(folder).told).ok()?;
        let cut_off = pointer_up_to(&shallow(&repository), SHALLOW).unwrap_or_default();
        let is_all = (cut_off.len() as u64) < SHALLOW;
        let cut_off = cut_off.split(|byte| *byte == b'\n');
        Some(Self {
            folder: folder.to_owned(),
            is_partial: repository.objects.is_promised(),
            repository,
            cut_off: is_all.then(|| {
                cut_off
                    .filter_map(|id| ObjectId::from_hex(id).ok())
                    .collect()
            }),
            desks: (0..=threads.count()).map(|_| Mutex::default()).collect(),
            overflow: AtomicBool::new(false),
        })
    }

    /// The objects that are there.
    pub(in crate::source::git) fn objects(&self) -> &Database {
        &self.repository.objects
    }

    /// The repository.
    pub(in crate::source::git) fn into_repository(self) -> Repository {
        self.repository
    }

    /// Whether anything can be told to be missing.
    pub(in crate::source::git) fn is_asked(&self) -> bool {
        !self.is_partial && self.cut_off.is_some() && self.repository.objects.is_all()
    }

    /// Takes note of what some entries of a tree name: `work` tells them, one by one.
    pub(super) fn entries<T>(&self, work: impl FnOnce(&mut dyn FnMut(&EntryRef<'_>)) -> T) -> T {
        self.with_desk(|desk| {
            work(&mut |entry| {
                // What a submodule is at lies elsewhere.
                if !entry.mode.is_commit() {
                    self.note(desk, entry.oid);
                }
            })
        })
    }

    /// Takes note of what a commit names.
    pub(super) fn commit(&self, id: &oid, links: &CommitLinks) {
        self.with_desk(|desk| {
            self.note(desk, &links.tree);
            let cut_off = self.cut_off.as_ref();
            if !cut_off.is_some_and(|ids| ids.contains(id)) {
                for parent in &links.parents {
                    self.note(desk, parent);
                }
            }
        });
    }

    /// Takes note of what a tag names.
    pub(super) fn tag(&self, target: &oid) {
        self.with_desk(|desk| self.note(desk, target));
    }

    fn note(&self, desk: &mut Desk, id: &oid) {
        let mut is_new = false;
        desk.recent.get_or(id, || is_new = true);
        if is_new {
            desk.next.push(id.to_owned());
            if desk.next.len() >= AT_ONCE {
                self.look_for(desk);
            }
        }
    }

    /// Looks for what is next.
    fn look_for(&self, desk: &mut Desk) {
        let Desk {
            next,
            pack,
            unknown,
            ordered,
            ..
        } = desk;
        let objects = &self.repository.objects;
        objects.touch(next, *pack);
        for id in next.drain(..) {
            if let Some(found) = objects.packed(&id, *pack) {
                *pack = found;
                continue;
            }
            if self.overflow.load(Ordering::Relaxed) {
                continue;
            }
            if unknown.len() >= FEW.max(2 * *ordered) {
                unknown.sort_unstable();
                unknown.dedup();
                *ordered = unknown.len();
                if *ordered > MOST {
                    self.overflow.store(true, Ordering::Relaxed);
                }
            }
            unknown.push(id);
        }
    }

    /// Lends this thread's desk.
    fn with_desk<T>(&self, work: impl FnOnce(&mut Desk) -> T) -> T {
        let thread = rayon::current_thread_index().unwrap_or(self.desks.len());
        let desk = &self.desks[thread.min(self.desks.len() - 1)];
        work(&mut desk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells what the repository lacks.
    pub(in crate::source::git) fn tell(&self, threads: &Threads, sink: &dyn Sink) {
        let shallow = shallow(&self.repository);
        // Git leaves an empty one behind when the history is whole again.
        if shallow.metadata().is_ok_and(|file| file.len() > 0) {
            sink.skip(&Origin::File(&shallow), SkipReason::Shallow);
        }
        if self.is_partial {
            sink.skip(&Origin::File(&self.folder), SkipReason::Promised);
            return;
        }
        let ends = match Ends::of(&self.repository) {
            Ok(ends) if self.is_asked() => ends,
            // What cannot be opened was told when it was to be read.
            Ok(_) | Err(RepositoryError::Reftable) => return,
            Err(error) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
                return sink.error(&Origin::File(&self.folder), &error);
            }
        };
        if let Err(error) = self.repository.head() {
            let error = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
            sink.error(&Origin::File(&self.folder), &error);
        }
        let absent = self.absent(ends, sink);
        for id in &absent {
            self.tell_one(id, Damage::Absent, sink);
        }
        let mut lost = self.unknown();
        if self.overflow.load(Ordering::Relaxed) {
            return sink.skip(&Origin::File(&self.folder), SkipReason::MemoryLimit);
        }
        lost.retain(|id| !absent.contains(id));
        self.keep_missing(&mut lost, sink);
        self.tell_lost(lost, threads, sink);
    }

    /// What references and indexes name, and is missing.
    fn absent(&self, ends: Ends, sink: &dyn Sink) -> BTreeSet<ObjectId> {
        let mut named = ends.references;
        named.extend(ends.stash);
        for index in &ends.indexes {
            named.extend(index_of(index, self.repository.hash).into_keys());
        }
        self.keep_missing(&mut named, sink);
        named
    }

    /// What objects named that was in no pack.
    fn unknown(&self) -> BTreeSet<ObjectId> {
        let mut unknown = BTreeSet::new();
        for desk in &self.desks {
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            self.look_for(&mut desk);
            unknown.extend(&desk.unknown);
        }
        unknown
    }

    /// Tells of missing objects that something leads to.
    fn tell_lost(&self, lost: BTreeSet<ObjectId>, threads: &Threads, sink: &dyn Sink) {
        if lost.is_empty() || sink.is_done() {
            return;
        }
        let lost: Vec<ObjectId> = lost.into_iter().collect();
        let is_done = || sink.is_done();
        let met = Pushed::met(&self.folder);
        let told = met.look_up(&lost, threads, &is_done, |look, holders| {
            for (id, holders) in lost.iter().zip(holders).take_while(|_| !is_done()) {
                if let Some(what) = leads_to(look, &look.place(id, holders)) {
                    self.tell_one(id, Damage::Lost(what), sink);
                }
            }
        });
        if told.is_none() && !sink.is_done() {
            // There was more than is gone through: nobody knows what leads to them.
            sink.skip(&Origin::File(&self.folder), SkipReason::MemoryLimit);
        }
    }

    fn tell_one(&self, id: &ObjectId, damage: Damage, sink: &dyn Sink) {
        let name = id.to_hex().to_string();
        let origin = Origin::Member {
            within: &Origin::File(&self.folder),
            name: name.as_bytes(),
        };
        sink.error(&origin, &damage.into());
    }

    /// Keeps those of some objects that are missing.
    fn keep_missing(&self, ids: &mut BTreeSet<ObjectId>, sink: &dyn Sink) {
        let missing =
            |repository: &Repository, id: &ObjectId| !sink.is_done() && !repository.objects.has(id);
        ids.retain(|id| missing(&self.repository, id));
        if ids.is_empty() {
            return;
        }
        // Somebody may have packed them meanwhile.
        if let Ok(now) = Repository::open(&self.folder, Pushed::met(&self.folder).told) {
            ids.retain(|id| missing(&now, id));
        }
    }
}

/// The list of commits at which a history is cut off.
fn shallow(repository: &Repository) -> PathBuf {
    repository.common_dir().join("shallow")
}

/// What leads to an object that has this place in the history; nothing if nothing does.
fn leads_to(look: &Look<'_>, place: &Place) -> Option<String> {
    if place.state == Held::Dangling {
        return None;
    }
    let Some(commit) = place.commit else {
        return Some("a reference leads to it".to_owned());
    };
    let Some((folder, name)) = place.folder else {
        return Some(format!("commit {commit} follows it"));
    };
    Some(match look.path(folder, name, PATH) {
        None => format!("commit {commit} holds it"),
        Some(path) if path.is_empty() => format!("it is the tree of commit {commit}"),
        Some(path) => {
            let path = String::from_utf8_lossy(&path);
            format!("commit {commit} holds it at {path}")
        }
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::source::Content;

    /// Told of what is missing, and what was left aside.
    #[derive(Default)]
    struct Told {
        missing: Mutex<usize>,
        skips: Mutex<Vec<SkipReason>>,
    }

    impl Sink for Told {
        fn blob(&self, _origin: &Origin<'_>, _content: Content<'_>) {}

        fn skip(&self, _origin: &Origin<'_>, reason: SkipReason) {
            self.skips.lock().unwrap().push(reason);
        }

        fn error(&self, _origin: &Origin<'_>, _error: &std::io::Error) {
            *self.missing.lock().unwrap() += 1;
        }

        fn is_done(&self) -> bool {
            false
        }
    }

    /// What is told of a repository whose commits name so many parents that it lacks, over and over.
    fn told(count: usize) -> (usize, Vec<SkipReason>) {
        let folder = tempfile::tempdir().unwrap();
        let threads = Threads::new(NonZeroUsize::MIN);
        let id = |number: usize| {
            let mut bytes = [0; 20];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            ObjectId::from_bytes_or_panic(&bytes)
        };
        std::fs::create_dir(folder.path().join("objects")).unwrap();
        std::fs::write(folder.path().join("HEAD"), format!("{}\n", id(0))).unwrap();
        let connectivity = Connectivity::of(folder.path(), &threads).unwrap();
        for _ in 0..3 {
            for number in 0..count {
                connectivity.tag(&id(number));
            }
            // So that none is known from before.
            connectivity.with_desk(|desk| desk.recent = Recent::default());
        }
        let told = Told::default();
        connectivity.tell(&threads, &told);
        (
            told.missing.into_inner().unwrap(),
            told.skips.into_inner().unwrap(),
        )
    }

    #[test]
    fn what_is_more_than_is_kept_is_told() {
        // The reference's is told; what dangles is not.
        assert_eq!(told(MOST), (1, vec![]));
        assert_eq!(told(2 * MOST), (1, vec![SkipReason::MemoryLimit]));
    }
}
