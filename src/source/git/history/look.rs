//! How single objects came into a history that was gone through.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use gix_hash::ObjectId;
use gix_object::{CommitRefIter, TagRefIter};

use crate::source::git::repository::Repository;
use crate::vocabulary::{Held, Provenance};

use super::gathered::{Gathered, Name, Number, Tree};
use super::marks::Marks;
use super::{Ends, index_of};

/// Tags of tags are followed so far.
const TAGS: usize = 16;

/// Where an object has its place in a history.
pub(super) struct Place {
    pub(super) state: Held,
    /// The first commit that holds it, or follows it if it was not read.
    pub(super) commit: Option<ObjectId>,
    /// The folder that it lies in there, and what it is called in it, unless it is that itself.
    pub(super) folder: Option<(Tree, Option<Name>)>,
}

/// What is known of a history when it was gone through.
pub(super) struct Look<'a> {
    repository: &'a Repository,
    gathered: &'a Gathered,
    marks: Marks<'a>,
    /// None if the references could not be read.
    ends: Option<Ends>,
    /// The turns before these are those of what is committed, of folders that references lead to by
    /// themselves, and of what is stashed.
    committed: u32,
    tagged: u32,
    stashed: u32,
    /// What is staged, in hexadecimal, and where.
    staged: BTreeMap<ObjectId, Vec<u8>>,
    /// What references lead to, by tags too; found out when it is asked for.
    named: OnceLock<HashSet<ObjectId>>,
    /// The first turn in which each commit was named that was not read; likewise.
    followed: OnceLock<HashMap<Number, u32>>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        gathered: &'a Gathered,
        ends: Option<Ends>,
        brought: &[ObjectId],
    ) -> Self {
        let mut marks = Marks::new(gathered);
        let commit = |id: &ObjectId| gathered.commit(&peel(gathered, *id));
        let tree = |id: &ObjectId| gathered.number(&peel(gathered, *id));
        let (mut committed, mut tagged, mut stashed) = (0, 0, 0);
        let mut staged = BTreeMap::new();
        if let Some(ends) = &ends {
            marks.add(ends.references.iter().chain(brought).filter_map(commit));
            committed = marks.turn();
            marks.add_trees(ends.references.iter().filter_map(tree));
            tagged = marks.turn();
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
            tagged,
            stashed,
            staged,
            named: OnceLock::new(),
            followed: OnceLock::new(),
        }
    }

    /// How an object came into the history that lies in these folders.
    pub(super) fn provenance(&self, id: &ObjectId, holders: &[(Tree, Name)]) -> Provenance {
        if self.gathered.tags.contains_key(id) {
            return self.by_tag(id);
        }
        let Place {
            state,
            commit,
            folder,
        } = self.place(id, holders);
        let path = if state == Held::Staged {
            self.staged.get(id).cloned()
        } else {
            folder.and_then(|(folder, name)| self.path(folder, name, usize::MAX))
        };
        let (author, author_time_ms) = commit.map_or((None, None), |commit| self.author(&commit));
        Provenance {
            state,
            commit: commit.map(|commit| commit.to_hex().to_string()),
            path,
            author,
            author_time_ms,
        }
    }

    /// Where an object has its place that lies in these folders.
    pub(super) fn place(&self, id: &ObjectId, holders: &[(Tree, Name)]) -> Place {
        let by_commit = |state, commit| Place {
            state,
            commit: Some(commit),
            folder: None,
        };
        if self.gathered.commit(id).is_some() {
            return by_commit(self.state_of_commit(id), *id);
        }
        if let Some(turn) = self.first_that_follows(id)
            && let Some(follower) = self.marks.commit_of(turn)
        {
            return by_commit(self.state(turn), follower);
        }
        let as_tree = self.gathered.number(id).map(|tree| (tree, None));
        let holder = holders
            .iter()
            .map(|(tree, name)| (*tree, Some(*name)))
            .chain(as_tree)
            .filter_map(|(tree, name)| Some((self.marks.turn_of(tree)?, (tree, name))))
            .min_by_key(|(turn, _)| *turn);
        let state = match (holder, &self.ends) {
            (Some((turn, _)), _) => self.state(turn),
            (None, None) => Held::Unknown,
            (None, Some(ends)) if self.is_named(id, ends) => Held::Tagged,
            (None, Some(_)) => Held::Dangling,
        };
        if state == Held::Dangling && self.staged.contains_key(id) {
            return Place {
                state: Held::Staged,
                commit: None,
                folder: None,
            };
        }
        Place {
            state,
            commit: holder.and_then(|(turn, _)| self.marks.commit_of(turn)),
            folder: holder.map(|(_, folder)| folder),
        }
    }

    /// Who leads to what came in a turn.
    fn state(&self, turn: u32) -> Held {
        if self.ends.is_none() {
            Held::Unknown
        } else if turn < self.committed {
            Held::Committed
        } else if turn < self.tagged {
            Held::Tagged
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

    /// Who wrote a commit, and when, in milliseconds.
    fn author(&self, commit: &ObjectId) -> (Option<String>, Option<i64>) {
        let object = self.repository.objects.object(commit);
        let author = object.ok().and_then(|(_, bytes)| {
            let author = CommitRefIter::from_bytes(&bytes, commit.kind());
            let author = author.author().ok()?;
            let time = author.seconds().saturating_mul(1000);
            Some((shown(author.name, author.email), time))
        });
        author.unzip()
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
        let named = self.named.get_or_init(|| {
            let next = |id: &ObjectId| self.gathered.tags.get(id).copied();
            let chains = ends.references.iter();
            let chains = chains.map(|end| std::iter::successors(Some(*end), next).take(TAGS));
            chains.flatten().collect()
        });
        named.contains(object)
    }

    /// The turn of the first commit that follows one that was not read, but only named.
    fn first_that_follows(&self, unread: &ObjectId) -> Option<u32> {
        let unread = self.gathered.unread(unread)?;
        let followed = self.followed.get_or_init(|| self.marks.first_that_follow());
        followed.get(&unread).copied()
    }

    /// Where a folder lies in the commit that it came with, and what an object is called in it; nothing
    /// if that is longer than `most`.
    pub(super) fn path(&self, folder: Tree, name: Option<Name>, most: usize) -> Option<Vec<u8>> {
        let name = name.map(|name| self.gathered.name(name));
        let (mut path, mut length) = (Vec::new(), 0);
        for name in name.into_iter().chain(self.marks.upwards(folder)) {
            length += name.len() + 1;
            if length > most {
                return None;
            }
            path.push(name);
        }
        path.reverse();
        Some(path.join(&b'/'))
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
