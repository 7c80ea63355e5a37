//! Folders by ripgrep's walker: for users who let the scanned trees have a say, and for systems
//! where folders have no handles.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};

use crate::vocabulary::{Origin, SkipReason};

use super::Sink;
use super::read::{self, Way};
use super::threads::Threads;
use super::walk::{Entry, LazyBuffer, Met, Onward, TreeRules, Visitor};

/// Shows what is in `folders`, and not ruled out by `tree_rules`, to `visitor`.
pub(super) fn walk(
    folders: &[PathBuf],
    tree_rules: TreeRules,
    threads: &Threads,
    visitor: &Visitor<'_>,
) {
    let Some((first, others)) = folders.split_first() else {
        return;
    };
    let mut builder = WalkBuilder::new(first);
    for folder in others {
        builder.add(folder);
    }
    builder
        .standard_filters(false)
        .follow_links(false)
        .threads(threads.count());
    let unmet = match tree_rules {
        TreeRules::Disregard => None,
        TreeRules::Obey => {
            builder
                .parents(true)
                .ignore(true)
                .git_ignore(true)
                .git_global(true)
                .git_exclude(true);
            Some(Unmet::default())
        }
    };
    let mut threaded = Threaded {
        visitor,
        unmet: unmet.as_ref(),
    };
    builder.build_parallel().visit(&mut threaded);
    if let Some(unmet) = unmet {
        unmet.tell(visitor.sink);
    }
}

/// What the walker has yet to hand over of the folders that it is in. It says nothing of what it
/// leaves out by a tree's own rules: that is what stays in here when it is done.
#[derive(Default)]
struct Unmet(Mutex<HashMap<PathBuf, HashSet<OsString>>>);

impl Unmet {
    /// A folder is entered. One that can't be read is the walker's to tell.
    fn enter(&self, folder: &Path) {
        let names: HashSet<OsString> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        if !names.is_empty() {
            self.lock().insert(folder.to_owned(), names);
        }
    }

    /// Something in a folder was handed over.
    fn meet(&self, path: &Path) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        let mut folders = self.lock();
        if let Some(names) = folders.get_mut(folder) {
            names.remove(name);
            if names.is_empty() {
                folders.remove(folder);
            }
        }
    }

    /// Tells what was left out, unless it is gone meanwhile.
    fn tell(self, sink: &dyn Sink) {
        if sink.is_done() {
            return;
        }
        let folders = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (folder, names) in folders {
            for path in names.into_iter().map(|name| folder.join(name)) {
                if path.symlink_metadata().is_ok() {
                    sink.skip(&Origin::File(&path), SkipReason::Ignored);
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, HashSet<OsString>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives each thread a buffer.
struct Threaded<'a> {
    visitor: &'a Visitor<'a>,
    unmet: Option<&'a Unmet>,
}

impl<'a> ParallelVisitorBuilder<'a> for Threaded<'a> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 'a> {
        Box::new(Thread {
            visitor: self.visitor,
            unmet: self.unmet,
            buffer: LazyBuffer::default(),
        })
    }
}

struct Thread<'a> {
    visitor: &'a Visitor<'a>,
    unmet: Option<&'a Unmet>,
    buffer: LazyBuffer,
}

impl ParallelVisitor for Thread<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.visitor.sink.is_done() {
            return WalkState::Quit;
        }
        match entry {
            Ok(entry) => self.entry(&entry),
            Err(error) => {
                tell(&error, None, self.visitor.sink);
                WalkState::Continue
            }
        }
    }
}

impl Thread<'_> {
    fn entry(&mut self, entry: &DirEntry) -> WalkState {
        let Some(kind) = entry.file_type() else {
            // Only standard input has no type, and no path stands for it here.
            return WalkState::Continue;
        };
        if entry.depth() == 0 {
            self.enter(entry.path());
            return WalkState::Continue;
        }
        if let Some(unmet) = self.unmet {
            unmet.meet(entry.path());
        }
        let met = if kind.is_dir() {
            Met::Folder
        } else if kind.is_symlink() {
            Met::Link
        } else {
            read::special(kind).map_or(Met::File, Met::Special)
        };
        let entry = Entry {
            path: entry.path(),
            way: Way::Path(entry.path()),
            met,
        };
        match self.visitor.entry(&entry, &mut self.buffer) {
            Onward::In => {
                if met == Met::Folder {
                    self.enter(entry.path);
                }
                WalkState::Continue
            }
            Onward::Past => WalkState::Skip,
        }
    }

    fn enter(&self, folder: &Path) {
        if let Some(unmet) = self.unmet {
            unmet.enter(folder);
        }
    }
}

/// Tells of an error of the walker's under the path it concerns.
fn tell(error: &ignore::Error, path: Option<&Path>, sink: &dyn Sink) {
    match error {
        ignore::Error::WithPath { path, err } => tell(err, Some(path), sink),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            tell(err, path, sink);
        }
        ignore::Error::Partial(errors) => {
            for error in errors {
                tell(error, path, sink);
            }
        }
        ignore::Error::Io(error) => {
            let path = path.unwrap_or(Path::new("."));
            sink.error(&Origin::File(path), error);
        }
        ignore::Error::Loop { child, .. } => {
            sink.error(&Origin::File(child), &io::Error::other("a loop of links"));
        }
        ignore::Error::Glob { .. }
        | ignore::Error::UnrecognizedFileType(_)
        | ignore::Error::InvalidDefinition => {
            let path = path.unwrap_or(Path::new("."));
            sink.error(&Origin::File(path), &io::Error::other(error.to_string()));
        }
    }
}
