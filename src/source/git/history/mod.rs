//! The second look: when something was found in objects, how they came into the repository.
//!
//! For each object the first commit that holds it: none of those before it does. "First" goes
//! through the commits that references lead to, from the oldest to the newest and none before what
//! it follows; then through those that only a stash leads to; then through the dangling ones. This
//! takes one way through the commits and trees of all packs, whatever the number of objects asked
//! for, and is gone only when there is something to ask for.

mod bits;
mod connectivity;
mod desk;
mod ends;
mod gather;
mod gathered;
mod links;
mod look;
mod marks;
mod numbers;
mod order;
mod recent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use gix_hash::ObjectId;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

use crate::source::Threads;
use crate::vocabulary::Provenance;

use super::objects::Objects;
use super::repository::{Repository, Told};
use super::store::pointer_up_to;

pub(super) use connectivity::Connectivity;
use ends::Ends;
pub(super) use gather::{Gather, Unsorted};
use gathered::{Gathered, Name, Tree};
pub(super) use links::Links;
use look::Look;

/// An index is not read beyond this; that of a million files takes a tenth of it.
const INDEX: u64 = 1024 * 1024 * 1024;

/// A repository whose objects were pushed.
#[derive(Clone)]
pub struct Pushed {
    /// What the objects were pushed as members of.
    pub within: PathBuf,
    /// Where its references lie.
    pub(super) told: Told,
    /// What leads into its history beside its references: what a push brings.
    pub(super) brought: Vec<ObjectId>,
    /// What is kept of it from when its objects were pushed.
    kept: Option<Arc<Kept>>,
}

/// A repository, and what was gathered of its history.
struct Kept {
    repository: Repository,
    gathered: Later,
}

/// What is put together when it is needed: by one alone, as the threads that it is done on might else
/// come to wait for themselves.
type Later = LazyLock<Gathered, Box<dyn FnOnce() -> Gathered + Send>>;

/// How objects came into a repository, by their ids in hexadecimal.
pub type Provenances = BTreeMap<String, Provenance>;

impl Pushed {
    /// A repository that a walk came upon: the folder with its `objects`.
    pub(super) fn met(folder: &Path) -> Self {
        Self {
            within: folder.to_owned(),
            told: Told {
                git_dir: Some(folder.to_owned()),
                common_dir: Some(folder.to_owned()),
                ..Told::default()
            },
            brought: Vec::new(),
            kept: None,
        }
    }

    /// One that was pushed as a member of `within`, and what was brought to it.
    pub(super) fn brought(within: PathBuf, told: Told, brought: Vec<ObjectId>) -> Self {
        Self {
            within,
            told,
            brought,
            kept: None,
        }
    }

    /// Keeps its indexes, and what was gathered of its history.
    pub(super) fn keep(&mut self, mut repository: Repository, unsorted: Unsorted) {
        repository.objects.close();
        let put_together: Box<dyn FnOnce() -> Gathered + Send> =
            Box::new(move || Gathered::new(unsorted));
        self.kept = Some(Arc::new(Kept {
            repository,
            gathered: LazyLock::new(put_together),
        }));
    }

    /// How the objects of these names came into it. An object of which nothing is known is left
    /// out; so are all when `is_done` says that nothing more is wanted.
    pub fn provenances<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        threads: &Threads,
        is_done: &(dyn Fn() -> bool + Sync),
    ) -> Provenances {
        let ids = names.filter_map(|name| ObjectId::from_hex(name.as_bytes()).ok());
        let mut wanted: Vec<ObjectId> = ids.collect();
        wanted.sort_unstable();
        wanted.dedup();
        let found = self.look_up(&wanted, threads, is_done, |look, holders| {
            // Each looks a commit up, through all that it is made from.
            let found = wanted.par_iter().zip(holders).filter(|_| !is_done());
            let found =
                found.map(|(id, holders)| (id.to_hex().to_string(), look.provenance(id, holders)));
            found.collect()
        });
        found.unwrap_or_default()
    }

    /// Does some work with what is known of its history, and with the folders that each of the
    /// `wanted` objects lies in; on the threads' pool. Nothing if the history is not had.
    fn look_up<T: Send>(
        &self,
        wanted: &[ObjectId],
        threads: &Threads,
        is_done: &(dyn Fn() -> bool + Sync),
        work: impl FnOnce(&Look<'_>, &[Vec<(Tree, Name)>]) -> T + Send,
    ) -> Option<T> {
        let opened;
        let repository = if let Some(kept) = &self.kept {
            &kept.repository
        } else {
            opened = Repository::open(&self.within, self.told.clone()).ok()?;
            &opened
        };
        // What is borrowed from others was not there to be gathered from.
        let kept = self.kept.as_ref();
        let kept = kept.filter(|_| repository.objects.folders().len() == 1);
        let (ends, kept) = threads.install(|| {
            let ends = || {
                repository.objects.open();
                // Without references the objects can be read all the same.
                Ends::of(repository).ok()
            };
            rayon::join(ends, || kept.map(|kept| LazyLock::force(&kept.gathered)))
        });
        let anew;
        let gathered = if let Some(kept) = kept.filter(|kept| kept.suffices_for(wanted)) {
            kept
        } else {
            anew = gather(repository, wanted, threads, is_done)?;
            &anew
        };
        let look = Look::new(repository, gathered, ends, &self.brought);
        let holders = gathered.holders_of(wanted);
        Some(threads.install(|| work(&look, &holders)))
    }
}

/// Goes through all objects of a repository; nothing if that was cut short, or was too much.
fn gather(
    repository: &Repository,
    wanted: &[ObjectId],
    threads: &Threads,
    is_done: &(dyn Fn() -> bool + Sync),
) -> Option<Gathered> {
    let gather = Gather::new(wanted.to_vec(), threads, is_done);
    let links = Links::new(None, Some(&gather))?;
    for folder in repository.objects.folders() {
        if let Ok(objects) = Objects::list(folder, &|_| true) {
            objects.each(&repository.objects, threads, &links);
        }
    }
    let unsorted = gather.finish()?;
    Some(threads.install(|| Gathered::new(unsorted)))
}

/// What an index says is staged, and where. A damaged one was told when it was scanned.
fn index_of(path: &Path, hash: gix_hash::Kind) -> BTreeMap<ObjectId, Vec<u8>> {
    let Ok(bytes) = pointer_up_to(path, INDEX) else {
        return BTreeMap::new();
    };
    let options = gix_index::decode::Options {
        thread_limit: Some(1),
        alloc_limit_bytes: usize::try_from(INDEX).ok(),
        ..Default::default()
    };
    // When it was written says which files must be compared anew, and nothing here.
    let written = filetime::FileTime::zero();
    let read = gix_index::State::from_bytes(&bytes, written, hash, options);
    let Ok((index, _)) = read else {
        return BTreeMap::new();
    };
    let entries = index.entries().iter().rev();
    entries
        .filter(|entry| {
            // A folder outside of a sparse checkout, and a submodule's commit.
            !entry.mode.is_sparse() && !entry.mode.is_submodule()
        })
        .map(|entry| (entry.id, entry.path(&index).to_vec()))
        .collect()
}
