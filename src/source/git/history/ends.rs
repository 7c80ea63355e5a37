//! What leads into a repository's history: references, stashes, indexes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

use crate::source::git::repository::{Repository, RepositoryError};
use crate::source::git::store::pointer_up_to;

/// What refers to the last stash; the earlier ones are in its log alone.
const STASH: &str = "refs/stash";

/// A log of stashes is read no further.
const LOG: u64 = 16 * 1024 * 1024;

/// The ends of a history.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// What references lead to; commits and tags, mostly.
    pub(super) references: BTreeSet<ObjectId>,
    /// What was stashed last: a reference leads to it.
    pub(super) stash: Option<ObjectId>,
    /// All that was stashed, that included. Of the others the log may outlive the objects.
    pub(super) stashes: BTreeSet<ObjectId>,
    /// Files that say what is staged, in this worktree and others.
    pub(super) indexes: Vec<PathBuf>,
}

impl Ends {
    /// Those of a repository.
    pub(super) fn of(repository: &Repository) -> Result<Self, RepositoryError> {
        let mut ends = Self {
            indexes: vec![repository.index.clone()],
            ..Self::default()
        };
        for (name, id) in repository.references("refs/")? {
            if name == STASH {
                ends.stash = Some(id);
                ends.stashes.insert(id);
            } else {
                ends.references.insert(id);
            }
        }
        // A broken one leads nowhere.
        ends.references
            .extend(repository.head().unwrap_or_default());
        let log = repository.common_dir().join("logs").join(STASH);
        ends.stashes.extend(stashes(&log));
        let worktrees = std::fs::read_dir(repository.common_dir().join("worktrees"));
        for worktree in worktrees.into_iter().flatten().flatten() {
            let folder = worktree.path();
            ends.references.extend(head_of(&folder));
            ends.indexes.push(folder.join("index"));
        }
        Ok(ends)
    }
}

/// The commit that a worktree is on, unless it is on a branch: those are known.
fn head_of(worktree: &Path) -> Option<ObjectId> {
    let text = pointer_up_to(&worktree.join("HEAD"), 1024).ok()?;
    ObjectId::from_hex(text.trim_ascii_end()).ok()
}

/// All that a log says was stashed: the second word of a line.
fn stashes(log: &Path) -> Vec<ObjectId> {
    let text = pointer_up_to(log, LOG).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n');
    let second = |line: &[u8]| {
        let id = line.split(|byte| *byte == b' ').nth(1)?;
        ObjectId::from_hex(id).ok()
    };
    lines.filter_map(second).collect()
}
