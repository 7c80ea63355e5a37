//! What `git commit` would record: the index against `HEAD`.
//!
//! Folders that did not change are not looked into: the index remembers the trees it came from. So
//! the time this takes goes with what is staged, once the index itself is read.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use gix_hash::ObjectId;
use gix_index::extension::Tree;
use gix_index::{File, decode, entry};
use gix_object::{CommitRefIter, Kind, TreeRefIter};

use crate::source::list::to_path;
use crate::source::{Content, Rules, Sink};
use crate::vocabulary::{Label, Origin};

use super::damage::Damage;
use super::repository::{Repository, RepositoryError, damaged};

/// What is staged.
pub struct Staged<'a> {
    repository: &'a Repository,
    changes: Vec<Change>,
}

/// Which content of what is staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// As `HEAD` has it.
    Before,
    /// As it would be recorded.
    After,
}

/// A path whose content, or whose being there, is new.
struct Change {
    path: PathBuf,
    before: Option<ObjectId>,
    after: ObjectId,
    content: What,
}

/// What a staged path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    File,
    Link,
}

impl<'a> Staged<'a> {
    /// Compares the index with `HEAD`.
    pub fn new(repository: &'a Repository) -> Result<Self, RepositoryError> {
        let mut staged = Self {
            repository,
            changes: Vec::new(),
        };
        if !repository.index.exists() {
            return Ok(staged);
        }
        // Git has just written it, and checks it itself.
        let index = File::at(
            &repository.index,
            repository.hash,
            true,
            decode::Options::default(),
        );
        let index = index.map_err(|error| RepositoryError::Read {
            path: repository.index.clone(),
            error: io::Error::other(error.to_string()),
        })?;
        let tree = match repository.head()? {
            Some(commit) => Some(tree_of(repository, commit)?),
            None => None,
        };
        let mut comparison = Comparison {
            repository,
            index: &index,
            changes: Vec::new(),
            removed: HashSet::new(),
            removed_folders: Vec::new(),
        };
        let all = 0..index.entries().len();
        comparison.folder(all, b"", tree, index.tree())?;
        comparison.look_into_removed_folders()?;
        let Comparison {
            changes, removed, ..
        } = comparison;
        // A file that was only moved adds nothing.
        staged.changes = changes;
        staged
            .changes
            .retain(|change| change.before.is_some() || !removed.contains(&change.after));
        Ok(staged)
    }

    /// Pushes what is staged, and what stood there before.
    pub fn push(&self, side: Side, rules: &Rules, sink: &dyn Sink) {
        for change in self.changes.iter().take_while(|_| !sink.is_done()) {
            let file = Origin::File(&change.path);
            let path = self.repository.work_tree.join(&change.path);
            if let Some(reason) = rules.verdict_with_parents(&path, false) {
                sink.skip(&file, reason);
                continue;
            }
            let id = match side {
                Side::Before => change.before,
                Side::After => Some(change.after),
            };
            let Some(id) = id else { continue };
            let name = Origin::Label {
                of: &file,
                label: Label::Name,
            };
            sink.blob(
                &name,
                Content::Whole(change.path.as_os_str().as_encoded_bytes()),
            );
            match self.repository.objects.object(&id) {
                Ok((_, bytes)) => match change.content {
                    What::File => sink.blob(&file, Content::Whole(&bytes)),
                    What::Link => {
                        let target = Origin::Label {
                            of: &file,
                            label: Label::LinkTarget,
                        };
                        sink.blob(&target, Content::Whole(&bytes));
                    }
                },
                Err(damage) => sink.error(&file, &damage.into()),
            }
        }
    }
}

/// The tree of a commit.
fn tree_of(repository: &Repository, commit: ObjectId) -> Result<ObjectId, RepositoryError> {
    let told = |why: String| damaged(&format!("commit {commit}"), why);
    let object = repository.objects.object(&commit);
    let (kind, bytes) = object.map_err(|damage| told(damage.to_string()))?;
    if kind != Kind::Commit {
        return Err(told("it is no commit".to_owned()));
    }
    let mut commit = CommitRefIter::from_bytes(&bytes, repository.hash);
    commit.tree_id().map_err(|error| told(error.to_string()))
}

struct Comparison<'a> {
    repository: &'a Repository,
    index: &'a File,
    changes: Vec<Change>,
    /// Contents that stood at some path and no longer do.
    removed: HashSet<ObjectId>,
    /// Trees of which nothing is left.
    removed_folders: Vec<ObjectId>,
}

/// A folder with a longer path cannot be checked out, and each folder in another takes a call.
const LONGEST_FOLDER: usize = 4096;

/// What `HEAD` has in a folder: name to id and whether it is a folder.
type Listing = BTreeMap<Vec<u8>, (ObjectId, bool)>;

impl Comparison<'_> {
    /// Compares one folder: the entries `range` of the index, whose paths start with `prefix`, with
    /// the tree that `HEAD` has there. `known` is the tree that git knows they make.
    fn folder(
        &mut self,
        range: Range<usize>,
        prefix: &[u8],
        tree: Option<ObjectId>,
        known: Option<&Tree>,
    ) -> Result<(), RepositoryError> {
        let is_known = known.is_some_and(|known| {
            let covers = known.num_entries.is_some_and(|n| n as usize == range.len());
            covers && tree == Some(known.id)
        });
        if is_known {
            return Ok(());
        }
        if prefix.len() > LONGEST_FOLDER {
            return Err(self.wrong("a folder in it has too long a path"));
        }
        let mut listing = match tree {
            Some(tree) => self.listing(tree)?,
            None => Listing::new(),
        };
        let index = self.index;
        let entries = index.entries();
        let mut at = range.start;
        while at < range.end {
            if entries[at].mode.is_sparse() {
                return Err(self.sparse(at));
            }
            let path: &[u8] = entries[at].path(index);
            let Some(name) = path.strip_prefix(prefix) else {
                return Err(self.wrong("its entries are out of order"));
            };
            let Some(slash) = name.iter().position(|byte| *byte == b'/') else {
                let before = listing.remove(name);
                self.file(
                    at,
                    before.filter(|(_, is_folder)| !is_folder).map(|(id, _)| id),
                );
                at += 1;
                continue;
            };
            let folder = &path[..=prefix.len() + slash];
            let inside = entries[at..range.end].partition_point(|entry| {
                AsRef::<[u8]>::as_ref(entry.path(index)).starts_with(folder)
            });
            let name = &name[..slash];
            let before = listing.remove(name).filter(|(_, is_folder)| *is_folder);
            let known = known.and_then(|known| {
                known
                    .children
                    .iter()
                    .find(|child| child.name.as_slice() == name)
            });
            let inside = at..at + inside.max(1);
            at = inside.end;
            let sparse = &entries[inside.start];
            if sparse.mode.is_sparse() && before.is_some_and(|(id, _)| id == sparse.id) {
                continue;
            }
            self.folder(inside, folder, before.map(|(id, _)| id), known)?;
        }
        self.remove(listing);
        Ok(())
    }

    /// Takes note of what is left of a listing when all that is still there was taken out of it.
    fn remove(&mut self, listing: Listing) {
        for (id, is_folder) in listing.into_values() {
            if is_folder {
                self.removed_folders.push(id);
            } else {
                self.removed.insert(id);
            }
        }
    }

    /// What is new at its path may come from a folder that is gone.
    fn look_into_removed_folders(&mut self) -> Result<(), RepositoryError> {
        if self.changes.iter().all(|change| change.before.is_some()) {
            return Ok(());
        }
        while let Some(folder) = self.removed_folders.pop() {
            let listing = self.listing(folder)?;
            self.remove(listing);
        }
        Ok(())
    }

    fn file(&mut self, at: usize, before: Option<ObjectId>) {
        let entry = &self.index.entries()[at];
        let content = match entry.mode {
            entry::Mode::FILE | entry::Mode::FILE_EXECUTABLE => What::File,
            entry::Mode::SYMLINK => What::Link,
            // A submodule's commit is none of this repository's objects.
            _ => return,
        };
        let path: &[u8] = entry.path(self.index);
        let planned = entry.flags.contains(entry::Flags::INTENT_TO_ADD);
        if before == Some(entry.id) || planned {
            return;
        }
        if let Some(path) = to_path(path) {
            self.changes.push(Change {
                path,
                before,
                after: entry.id,
                content,
            });
        }
    }

    /// A folder outside of a sparse checkout that changed all the same, as a merge may do.
    fn sparse(&self, at: usize) -> RepositoryError {
        let path = self.index.entries()[at].path(self.index);
        damaged(
            &path.to_string(),
            "it is staged as a whole folder, outside of the sparse checkout; run \
             `git sparse-checkout reapply --no-sparse-index` first",
        )
    }

    /// What git would not write.
    fn wrong(&self, why: &str) -> RepositoryError {
        let advice = "it is damaged; keep a copy of it, and let `git reset` write a new one";
        RepositoryError::Read {
            path: self.repository.index.clone(),
            error: io::Error::other(format!("{why}: {advice}")),
        }
    }

    fn listing(&self, tree: ObjectId) -> Result<Listing, RepositoryError> {
        let told = |why: String| damaged(&format!("tree {tree}"), why);
        let object = self.repository.objects.object(&tree);
        let (_, bytes) = object.map_err(|damage: Damage| told(damage.to_string()))?;
        let entries = TreeRefIter::from_bytes(&bytes, self.repository.hash);
        let listing = entries.map(|entry| {
            let entry = entry.map_err(|error| told(error.to_string()))?;
            let name = entry.filename.to_vec();
            Ok((name, (entry.oid.to_owned(), entry.mode.is_tree())))
        });
        listing.collect()
    }
}
