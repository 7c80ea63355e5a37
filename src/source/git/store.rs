//! The object stores that a walk comes upon, each read once.
//!
//! A walk tells what it meets: a folder `objects` beside a `HEAD`, or a file `.git` that points to
//! a repository elsewhere. What belongs to a store but lies outside the walk (alternates, the
//! common folder of a linked worktree) is found here. Stores are told apart by their real paths;
//! of the paths that lead to one, the first in order names it, whatever the threads did.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::source::list::to_path;
use crate::source::read::open_file;
use crate::source::{HEAD, Rules, Sink, Threads};
use crate::vocabulary::Origin;

use super::bundle::{holds_pack, push_pack};
use super::damage::Damage;
use super::history::{Connectivity, Pushed};
use super::input::{FileBytes, ReadAt as _};
use super::objects::{Objects, OpenPack, is_object};
use super::pack::{Nowhere, nobody};

/// Alternates of alternates are followed so far; git's own limit.
pub(super) const ALTERNATES: usize = 5;

/// A file that points somewhere is not read beyond this.
const POINTER: u64 = 64 * 1024;

/// Bytes of what is gathered of the histories of all stores of a walk.
const GATHERED: usize = 128 * 1024 * 1024;

/// The folder of a repository that holds its objects.
const OBJECTS: &str = "objects";

/// What becomes of repositories that a walk comes upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repositories {
    /// Their objects are read.
    Open,
    /// Their files are read as they are; what is packed in them is not.
    Plain,
}

/// How a folder of objects was reached; what was walked names it first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// By the walk.
    Walked(PathBuf),
    /// From another store.
    Borrowed(PathBuf),
}

impl Reached {
    fn path(&self) -> &Path {
        match self {
            Self::Walked(path) | Self::Borrowed(path) => path,
        }
    }
}

/// Stores found and not yet read.
#[derive(Debug)]
pub(in crate::source) struct Stores {
    treatment: Repositories,
    /// Folders of objects: the real path, and how it was reached.
    found: Mutex<BTreeMap<PathBuf, Reached>>,
    /// Repositories that a file pointed to, by their real paths.
    pointed: Mutex<BTreeSet<PathBuf>>,
    /// Packs and bundles that lie in no store.
    alone: Mutex<BTreeSet<PathBuf>>,
}

impl Stores {
    pub(in crate::source) fn new(treatment: Repositories) -> Self {
        Self {
            treatment,
            found: Mutex::default(),
            pointed: Mutex::default(),
            alone: Mutex::default(),
        }
    }

    /// Takes note of a folder, or a link to one, if it holds the objects of a repository.
    pub(in crate::source) fn meet_folder(&self, path: &Path) {
        let named = path.file_name().is_some_and(|name| name == OBJECTS);
        if self.treatment == Repositories::Open && named && has_head(path) && path.is_dir() {
            self.add(Reached::Walked(path.to_owned()));
        }
    }

    /// Takes note of a file, if it is one that points to a repository elsewhere.
    pub(in crate::source) fn meet_file(&self, path: &Path) {
        let named = path.file_name().is_some_and(|name| name == ".git");
        if self.treatment == Repositories::Open && named {
            let repository = pointed_to(path).and_then(|folder| folder.canonicalize().ok());
            let mut pointed = self.pointed.lock().unwrap_or_else(PoisonError::into_inner);
            // A repository that is gone cannot be read; the file that points to it is, as text.
            pointed.extend(repository);
        }
    }

    /// Whether a file is read as an object of a store.
    pub(in crate::source) fn holds(&self, path: &Path) -> bool {
        // Packs and loose objects lie two levels below the folder of objects.
        let Some(objects) = path.parent().and_then(Path::parent) else {
            return false;
        };
        self.treatment == Repositories::Open
            && objects.file_name().is_some_and(|name| name == OBJECTS)
            && path.strip_prefix(objects).is_ok_and(is_object)
            && has_head(objects)
    }

    /// Takes over a file that is a pack or a bundle and lies in no store; tells whether it does.
    /// One without the usual name is found by who opens containers, and read there.
    pub(in crate::source) fn take_alone(&self, path: &Path) -> bool {
        let named = path
            .extension()
            .is_some_and(|ending| ending == "pack" || ending == "bundle");
        if self.treatment == Repositories::Plain || !named || !starts_like_pack(path) {
            return false;
        }
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        alone.insert(path.to_owned())
    }

    /// Repositories that files pointed to and that lie in none of the folders `walked`.
    pub(in crate::source) fn take_pointed(&self, walked: &[PathBuf]) -> Vec<PathBuf> {
        let mut pointed = self.pointed.lock().unwrap_or_else(PoisonError::into_inner);
        let all = std::mem::take(&mut *pointed).into_iter();
        let inside = |path: &PathBuf| walked.iter().any(|folder| path.starts_with(folder));
        all.filter(|path| !inside(path)).collect()
    }

    /// Pushes the objects of all stores; tells whose they were.
    pub(in crate::source) fn push(
        &self,
        rules: &Rules,
        threads: &Threads,
        sink: &dyn Sink,
    ) -> Vec<Pushed> {
        self.add_alternates(sink);
        let found = {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *found)
        };
        let mut stores: Vec<Reached> = found.into_values().collect();
        stores.sort_unstable();
        let stores: Vec<&Path> = stores.iter().map(Reached::path).collect();
        let mut repositories = Vec::with_capacity(stores.len());
        let mut room = GATHERED;
        for &store in stores.iter().take_while(|_| !sink.is_done()) {
            let mut pushed = Pushed::met(repository(store));
            let within = Origin::File(repository(store));
            let wanted = |path: &Path| rules.verdict_with_parents(path, false).is_none();
            sink.opening(&within);
            match Objects::list(store, &wanted) {
                Ok(objects) => {
                    let connectivity = Connectivity::of(repository(store), threads);
                    let gathered = objects.push(&within, connectivity.as_ref(), threads, sink);
                    if let Some(connectivity) = &connectivity {
                        connectivity.tell(threads, sink);
                    }
                    let repository = connectivity.map(Connectivity::into_repository);
                    if let (Some(gathered), Some(repository)) = (gathered, repository) {
                        let size = gathered.size() + repository.objects.open();
                        // What there is no room for is gathered again, if it is needed.
                        if size <= room {
                            room -= size;
                            pushed.keep(repository, gathered);
                        }
                    }
                }
                Err(error) => sink.error(&Origin::File(store), &error),
            }
            repositories.push(pushed);
        }
        let alone = {
            let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *alone)
        };
        for path in alone.iter().take_while(|_| !sink.is_done()) {
            if let Err(error) = push_alone(path, threads, sink) {
                sink.error(&Origin::File(path), &error);
            }
        }
        repositories
    }

    /// Takes note of a folder of objects; tells whether it is a new one.
    fn add(&self, reached: Reached) -> bool {
        // What has no real path cannot be read either; that is told when it is listed.
        let real = reached.path().canonicalize();
        let real = real.unwrap_or_else(|_| reached.path().to_owned());
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match found.entry(real) {
            Entry::Occupied(mut known) => {
                if reached < *known.get() {
                    known.insert(reached);
                }
                false
            }
            Entry::Vacant(slot) => {
                slot.insert(reached);
                true
            }
        }
    }

    /// Adds the stores that those found borrow from.
    fn add_alternates(&self, sink: &dyn Sink) {
        let mut next: Vec<PathBuf> = {
            let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found
                .values()
                .map(|reached| reached.path().to_owned())
                .collect()
        };
        for _ in 0..=ALTERNATES {
            let mut further = Vec::new();
            for store in &next {
                let list = store.join("info/alternates");
                match alternates(store, &list) {
                    Ok(paths) => further.extend(paths.into_iter().filter(|path| {
                        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
                        self.add(Reached::Borrowed(path))
                    })),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => sink.error(&Origin::File(&list), &error),
                }
            }
            next = further;
        }
        for store in next {
            sink.error(&Origin::File(&store), &Damage::Alternates.into());
        }
    }
}

/// Whether a file starts like a pack or a bundle. One that cannot be opened is told by who reads it
/// as any file.
fn starts_like_pack(path: &Path) -> bool {
    let mut head = [0; HEAD];
    let file = FileBytes::open(path);
    let read = file.and_then(|file| file.read_at(&mut head, 0));
    read.is_ok_and(|read| holds_pack(&head[..read]))
}

/// Pushes the objects of a pack or a bundle that lies in no store.
fn push_alone(path: &Path, threads: &Threads, sink: &dyn Sink) -> io::Result<()> {
    let within = Origin::File(path);
    let pack = OpenPack::new(path)?;
    if pack.is_pack() {
        pack.push(&within, &Nowhere, threads, sink, &nobody);
    } else {
        push_pack(&pack.bytes, &within, threads, sink);
    }
    Ok(())
}

/// Whether a folder of objects belongs to a repository: its `HEAD` lies beside it.
fn has_head(objects: &Path) -> bool {
    objects.with_file_name("HEAD").symlink_metadata().is_ok()
}

/// The repository that a file named `.git` points to: what a linked worktree shares with others.
fn pointed_to(path: &Path) -> Option<PathBuf> {
    pointed_to_folder(path).map(|folder| common_folder(&folder))
}

/// The folder that a file named `.git` names.
pub(super) fn pointed_to_folder(path: &Path) -> Option<PathBuf> {
    let text = pointer(path).ok()?;
    let target = to_path(text.strip_prefix(b"gitdir: ")?.trim_ascii_end())?;
    Some(path.parent().unwrap_or(Path::new("")).join(target))
}

/// Where a repository's objects and references lie: a linked worktree has a folder of its own and
/// shares all else.
pub(super) fn common_folder(git_dir: &Path) -> PathBuf {
    let common = pointer(&git_dir.join("commondir")).ok();
    match common.and_then(|text| to_path(text.trim_ascii_end())) {
        Some(common) => git_dir.join(common),
        None => git_dir.to_owned(),
    }
}

/// The folder that reports name: the one that holds the folder of objects.
fn repository(store: &Path) -> &Path {
    match store.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => store,
    }
}

/// The folders of objects that `store` borrows from.
pub(super) fn alternates(store: &Path, list: &Path) -> io::Result<Vec<PathBuf>> {
    let text = pointer(list)?;
    let lines = text.split(|byte| *byte == b'\n');
    let paths = lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .filter_map(|line| Some(store.join(to_path(line)?)));
    Ok(paths.collect())
}

/// A small file, whole.
pub(super) fn pointer(path: &Path) -> io::Result<Vec<u8>> {
    pointer_up_to(path, POINTER)
}

/// A file, or its first bytes.
pub(super) fn pointer_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    open_file(path)?.take(most).read_to_end(&mut text)?;
    Ok(text)
}
