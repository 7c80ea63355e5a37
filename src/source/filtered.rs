//! Folders by ripgrep's walker: for users who let the scanned trees have a say, and for systems
//! where folders have no handles.

use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};

use crate::vocabulary::Origin;

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
    match tree_rules {
        TreeRules::Disregard => {}
        TreeRules::Obey => {
            builder
                .parents(true)
                .ignore(true)
                .git_ignore(true)
                .git_global(true)
                .git_exclude(true);
        }
    }
    builder.build_parallel().visit(&mut Threaded(visitor));
}

/// Gives each thread a buffer.
struct Threaded<'a>(&'a Visitor<'a>);

impl<'a> ParallelVisitorBuilder<'a> for Threaded<'a> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 'a> {
        Box::new(Thread {
            visitor: self.0,
            buffer: LazyBuffer::default(),
        })
    }
}

struct Thread<'a> {
    visitor: &'a Visitor<'a>,
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
            return WalkState::Continue;
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
            Onward::In => WalkState::Continue,
            Onward::Past => WalkState::Skip,
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
