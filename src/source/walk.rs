//! Folders, walked in parallel, and files named outright.
//!
//! Everything is read: hidden, ignored, binary. Symbolic links met in a folder are not followed
//! (the name they point to is scanned, which is all they hold); one that the user named stands for
//! its target. Devices, sockets and named pipes are not opened.
//!
//! Large files are put off until the walk is done and then shared out: inside the walk one of them
//! would keep a single thread busy long after the others have nothing left to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::vocabulary::{Label, Origin, SkipReason};

use super::buffer::Buffer;
use super::filtered;
use super::git::{self, Repositories, Stores};
use super::read::{self, Large, Named, Pushed, Way};
use super::rules::Rules;
use super::threads::Threads;
use super::{Content, Sink};

/// From this many files on, named files are shared out over threads.
const MANY_FILES: usize = 32;

/// Whether ignore rules inside what is scanned are obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeRules {
    /// They are read like any other file and change nothing.
    Disregard,
    /// `.gitignore`, `.ignore` and git's own excludes leave things out, uncounted.
    Obey,
}

/// Paths to read, and what to leave out.
#[derive(Debug)]
pub struct Walk<'a> {
    /// Files and folders.
    pub paths: &'a [PathBuf],
    /// What the user asked to leave out.
    pub rules: &'a Rules,
    /// Whether the scanned trees have a say.
    pub tree_rules: TreeRules,
    /// What becomes of git repositories.
    pub repositories: Repositories,
    /// Who does the work.
    pub threads: &'a Threads,
}

impl Walk<'_> {
    /// Pushes everything into `sink`; tells which repositories were among it.
    pub fn push(&self, sink: &dyn Sink) -> Vec<git::Pushed> {
        let mut files = Vec::new();
        let mut folders = Vec::new();
        for path in self.paths {
            match self.classify(path, sink) {
                Some(Root::File) => files.push(path.clone()),
                Some(Root::Folder(path)) => folders.push(path),
                None => {}
            }
        }
        let stores = Stores::new(self.repositories);
        let large = Mutex::new(Vec::new());
        let visit = |buffer: &mut Buffer, path: &Path, way: Way<'_>, named: Named| {
            stores.meet_file(path);
            if stores.take_alone(path) {
                return;
            }
            if read::push(path, way, named, Large::Defer, buffer, sink) == Pushed::Deferred {
                let mut large = large.lock().unwrap_or_else(PoisonError::into_inner);
                large.push((path.to_owned(), named));
            }
        };
        if files.len() < MANY_FILES {
            let mut buffer = LazyBuffer::default();
            for path in files.iter().take_while(|_| !sink.is_done()) {
                visit(buffer.get(), path, Way::Path(path), Named::Outright);
            }
        } else {
            self.threads.install(|| {
                files
                    .into_par_iter()
                    .for_each_init(LazyBuffer::default, |buffer, path| {
                        if !sink.is_done() {
                            visit(buffer.get(), &path, Way::Path(&path), Named::Outright);
                        }
                    });
            });
        }
        let mut walked: Vec<PathBuf> = Vec::new();
        while !folders.is_empty() && !sink.is_done() {
            for folder in &folders {
                stores.meet_folder(folder);
            }
            self.walk(&folders, &stores, sink, &visit);
            let real = folders
                .iter()
                .filter_map(|folder| folder.canonicalize().ok());
            walked.extend(real);
            folders = self.further(&stores, &walked, sink);
        }
        let large = large.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.push_large(large, sink);
        stores.push(self.rules, self.threads, sink)
    }

    /// What a path named by the user is; tells the sink if it is nothing to read.
    fn classify(&self, path: &Path, sink: &dyn Sink) -> Option<Root> {
        let origin = Origin::File(path);
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                sink.error(&origin, &error);
                return None;
            }
        };
        if let Some(reason) = self.rules.verdict_with_parents(path, metadata.is_dir()) {
            sink.skip(&origin, reason);
            return None;
        }
        if let Some(reason) = read::special(metadata.file_type()) {
            read::refuse(&origin, Named::Outright, reason, sink);
            return None;
        }
        push_name(path, sink);
        if metadata.is_dir() {
            // With a slash behind it the walker takes a link for the folder it points to.
            let path = if path.is_symlink() {
                path.join("")
            } else {
                path.to_owned()
            };
            Some(Root::Folder(path))
        } else {
            Some(Root::File)
        }
    }

    fn walk(&self, folders: &[PathBuf], stores: &Stores, sink: &dyn Sink, visit: &Visit<'_>) {
        let visitor = Visitor {
            rules: self.rules,
            stores,
            sink,
            visit,
        };
        match self.tree_rules {
            #[cfg(unix)]
            TreeRules::Disregard => super::descent::descend(folders, self.threads, &visitor),
            tree_rules => filtered::walk(folders, tree_rules, self.threads, &visitor),
        }
    }

    /// Repositories outside of what was walked that files in it point to.
    fn further(&self, stores: &Stores, walked: &[PathBuf], sink: &dyn Sink) -> Vec<PathBuf> {
        let mut further = stores.take_pointed(walked);
        further.retain(|folder| {
            let verdict = self.rules.verdict_with_parents(folder, true);
            if let Some(reason) = verdict {
                sink.skip(&Origin::File(folder), reason);
            }
            verdict.is_none()
        });
        further
    }

    fn push_large(&self, mut large: Vec<(PathBuf, Named)>, sink: &dyn Sink) {
        if large.is_empty() {
            return;
        }
        large.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        self.threads.install(|| {
            large.into_par_iter().for_each(|(path, named)| {
                if !sink.is_done() {
                    // Its buffer is for files that shrank below a window meanwhile.
                    let way = Way::Path(&path);
                    read::push(&path, way, named, Large::Now, &mut Buffer::new(0), sink);
                }
            });
        });
    }
}

/// A thread's buffer, made when its first file is read.
#[derive(Default)]
pub(super) struct LazyBuffer(Option<Buffer>);

impl LazyBuffer {
    fn get(&mut self) -> &mut Buffer {
        self.0.get_or_insert_with(|| Buffer::new(0))
    }
}

/// What a path named by the user turned out to be.
enum Root {
    File,
    Folder(PathBuf),
}

type Visit<'a> = dyn Fn(&mut Buffer, &Path, Way<'_>, Named) + Sync + 'a;

/// Something met in a folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) path: &'a Path,
    pub(super) way: Way<'a>,
    pub(super) met: Met,
}

/// What was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    File,
    Folder,
    /// A symbolic link.
    Link,
    /// Something that is not opened.
    Special(SkipReason),
}

/// Where a walk goes on from a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// Into it.
    In,
    /// Past it.
    Past,
}

/// Deals with whatever is met in folders; shared by all threads.
pub(super) struct Visitor<'a> {
    rules: &'a Rules,
    stores: &'a Stores,
    pub(super) sink: &'a dyn Sink,
    visit: &'a Visit<'a>,
}

impl Visitor<'_> {
    pub(super) fn entry(&self, entry: &Entry<'_>, buffer: &mut LazyBuffer) -> Onward {
        let Entry { path, way, met } = *entry;
        let origin = Origin::File(path);
        if let Some(reason) = self.rules.verdict(path, met == Met::Folder) {
            self.sink.skip(&origin, reason);
            return Onward::Past;
        }
        push_name(path, self.sink);
        match met {
            Met::File if self.stores.holds(path) => {}
            Met::File => (self.visit)(buffer.get(), path, way, Named::InFolder),
            Met::Folder => self.stores.meet_folder(path),
            Met::Link => {
                push_link(path, way, self.sink);
                self.stores.meet_folder(path);
            }
            Met::Special(reason) => self.sink.skip(&origin, reason),
        }
        Onward::In
    }
}

/// Pushes the last part of a path: a token may stand in a name.
pub fn push_name(path: &Path, sink: &dyn Sink) {
    if let Some(name) = path.file_name() {
        let file = Origin::File(path);
        let origin = Origin::Label {
            of: &file,
            label: Label::Name,
        };
        sink.blob(&origin, Content::Whole(name.as_encoded_bytes()));
    }
}

/// Pushes what a symbolic link holds: the path it points to.
fn push_link(path: &Path, way: Way<'_>, sink: &dyn Sink) {
    let file = Origin::File(path);
    match way.read_link() {
        Ok(target) => {
            let origin = Origin::Label {
                of: &file,
                label: Label::LinkTarget,
            };
            sink.blob(&origin, Content::Whole(&target));
            sink.skip(&file, SkipReason::Symlink);
        }
        Err(error) => sink.error(&file, &error),
    }
}
