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
mod marks;
mod numbers;
mod order;
mod recent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use gix_hash::ObjectId;
use gix_object::{CommitRefIter, TagRefIter};
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

use crate::source::Threads;
use crate::vocabulary::{Held, Provenance};

use super::objects::Objects;
use super::repository::{Repository, Told};
use super::store::pointer_up_to;

pub(super) use connectivity::Connectivity;
use ends::Ends;
pub(super) use gather::{Gather, Unsorted};
use gathered::{Gathered, Name, Tree};
pub(super) use links::Links;
use marks::Marks;

/// Tags of tags are followed so far.
const TAGS: usize = 16;

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

    /// Keeps it open, and what was gathered of its history.
    pub(super) fn keep(&mut self, repository: Repository, unsorted: Unsorted) {
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
        let opened;
        let repository = match &self.kept {
            Some(kept) => &kept.repository,
            None => match Repository::open(&self.within, self.told.clone()) {
                Ok(repository) => {
                    opened = repository;
                    &opened
                }
                Err(_) => return Provenances::new(),
            },
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
        let gathered = match kept.filter(|kept| kept.suffices_for(&wanted)) {
            Some(kept) => kept,
            None => match gather(repository, &wanted, threads, is_done) {
                Some(gathered) => {
                    anew = gathered;
                    &anew
                }
                None => return Provenances::new(),
            },
        };
        let look = Look::new(repository, gathered, ends, &self.brought);
        let holders = gathered.holders_of(&wanted);
        // Each looks a commit up, through all that it is made from.
        let found = wanted.par_iter().zip(&holders);
        threads.install(|| {
            found
                .map(|(id, holders)| (id.to_hex().to_string(), look.provenance(id, holders)))
                .collect()
        })
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

/// What is known of a history when it was gone through.
struct Look<'a> {
    repository: &'a Repository,
    gathered: &'a Gathered,
    marks: Marks<'a>,
    /// None if the references could not be read.
    ends: Option<Ends>,
    /// The turns before these are those of what is committed, and of what is stashed.
    committed: u32,
    stashed: u32,
    /// What is staged, in hexadecimal, and where.
    staged: BTreeMap<ObjectId, Vec<u8>>,
}

impl<'a> Look<'a> {
    fn new(
        repository: &'a Repository,
        gathered: &'a Gathered,
        ends: Option<Ends>,
        brought: &[ObjectId],
    ) -> Self {
        let mut marks = Marks::new(gathered);
        let commit = |id: &ObjectId| gathered.commit(&peel(gathered, *id));
        let (mut committed, mut stashed) = (0, 0);
        let mut staged = BTreeMap::new();
        if let Some(ends) = &ends {
            marks.add(ends.references.iter().chain(brought).filter_map(commit));
            committed = marks.turn();
            marks.add(ends.stashes.iter().filter_map(commit));
            stashed = marks.turn();
            for index in &ends.indexes {
                staged.extend(index_of(index, repository.hash));
            }
        }
        marks.add_all();
        Self {
            repository,
            gathered,
            marks,
            ends,
            committed,
            stashed,
            staged,
        }
    }

    fn provenance(&self, id: &ObjectId, holders: &[(Tree, Name)]) -> Provenance {
        if self.gathered.commit(id).is_some() {
            let state = self.state_of_commit(id);
            return self.by_commit(state, *id, None);
        }
        if self.gathered.tags.contains_key(id) {
            return self.by_tag(id);
        }
        if let Some((turn, follower)) = self.marks.first_that_follows(id) {
            return self.by_commit(self.state(turn), follower, None);
        }
        let as_tree = self.gathered.number(id).map(|tree| (tree, None));
        let holder = holders
            .iter()
            .map(|(tree, name)| (*tree, Some(*name)))
            .chain(as_tree)
            .filter_map(|(tree, name)| Some((self.marks.turn_of(tree)?, tree, name)))
            .min_by_key(|(turn, ..)| *turn);
        let state = holder.map_or(Held::Dangling, |(turn, ..)| self.state(turn));
        let staged = self.staged.get(id);
        match (holder, staged) {
            (_, Some(path)) if state == Held::Dangling => Provenance {
                state: Held::Staged,
                commit: None,
                path: Some(path.clone()),
                author: None,
                author_time_ms: None,
            },
            (Some((turn, tree, name)), _) => {
                let path = self.path(tree, name);
                match self.marks.commit_of(turn) {
                    Some(commit) => self.by_commit(state, commit, Some(path)),
                    None => held_by_nothing(state),
                }
            }
            (None, _) => held_by_nothing(match &self.ends {
                None => Held::Unknown,
                Some(ends) if self.is_named(id, ends) => Held::Tagged,
                Some(_) => Held::Dangling,
            }),
        }
    }

    /// Who leads to what came in a turn.
    fn state(&self, turn: u32) -> Held {
        if self.ends.is_none() {
            Held::Unknown
        } else if turn < self.committed {
            Held::Committed
        } else if turn < self.stashed {
            Held::Stashed
        } else {
            Held::Dangling
        }
    }

    fn state_of_commit(&self, id: &ObjectId) -> Held {
        let turn = self.marks.turn_of_commit(id);
        turn.map_or(Held::Dangling, |turn| self.state(turn))
    }

    fn by_commit(&self, state: Held, commit: ObjectId, path: Option<Vec<u8>>) -> Provenance {
        let object = self.repository.objects.object(&commit);
        let author = object.ok().and_then(|(_, bytes)| {
            let author = CommitRefIter::from_bytes(&bytes, commit.kind())
                .author()
                .ok()?;
            Some((shown(author.name, author.email), author.seconds()))
        });
        let (author, seconds) = author.unzip();
        Provenance {
            state,
            commit: Some(commit.to_hex().to_string()),
            path,
            author,
            author_time_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
        }
    }

    fn by_tag(&self, id: &ObjectId) -> Provenance {
        let object = self.repository.objects.object(id);
        let tagger = object.ok().and_then(|(_, bytes)| {
            let tagger = TagRefIter::from_bytes(&bytes, id.kind()).tagger().ok()??;
            Some((shown(tagger.name, tagger.email), tagger.seconds()))
        });
        let (author, seconds) = tagger.unzip();
        let commit = peel(self.gathered, *id);
        let is_commit = self.gathered.commit(&commit).is_some();
        Provenance {
            state: match &self.ends {
                None => Held::Unknown,
                Some(ends) if self.is_named(id, ends) => Held::Tagged,
                Some(_) => Held::Dangling,
            },
            commit: is_commit.then(|| commit.to_hex().to_string()),
            path: None,
            author,
            author_time_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
        }
    }

    /// Whether a reference leads to an object, or to a tag that names it.
    fn is_named(&self, object: &ObjectId, ends: &Ends) -> bool {
        ends.references.iter().any(|end| {
            let named = |id: &ObjectId| self.gathered.tags.get(id).copied();
            std::iter::successors(Some(*end), named)
                .take(TAGS)
                .any(|id| id == *object)
        })
    }

    /// Where a folder lies in the commit that it came with, and what an object is called in it.
    fn path(&self, folder: Tree, name: Option<Name>) -> Vec<u8> {
        let mut path = self.marks.path_to(folder);
        path.extend(name.map(|name| self.gathered.name(name)));
        path.join(&b'/')
    }
}

fn held_by_nothing(state: Held) -> Provenance {
    Provenance {
        state,
        commit: None,
        path: None,
        author: None,
        author_time_ms: None,
    }
}

/// What a tag names in the end.
fn peel(gathered: &Gathered, id: ObjectId) -> ObjectId {
    let next = |id: &ObjectId| gathered.tags.get(id).copied();
    let chain = std::iter::successors(Some(id), next);
    chain.take(TAGS).last().unwrap_or(id)
}

/// A person as git shows one.
fn shown(name: &[u8], address: &[u8]) -> String {
    let (name, address) = (
        String::from_utf8_lossy(name),
        String::from_utf8_lossy(address),
    );
    format!("{name} <{address}>")
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
