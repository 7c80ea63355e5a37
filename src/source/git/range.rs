//! What is new in a range of commits: what a push brings.
//!
//! Everything that can be reached from the new ends and not from the old ones: commits, the tags
//! that name them, their trees and blobs, each once. Where the dates of commits are out of order
//! more may be taken for new than is; never less.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::io;

use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Kind, TagRefIter, TreeRefIter};

use crate::source::{Content, Sink};
use crate::vocabulary::Origin;

use super::damage::Damage;
use super::history::Pushed;
use super::repository::{Repository, RepositoryError, damaged};

/// The ends of a range.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Range {
    /// What is new can be reached from these.
    new: Vec<ObjectId>,
    /// And not from these.
    old: Vec<ObjectId>,
}

/// Why a range cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum RangeError {
    /// Not `A..B`.
    #[error("{0:?} is no range; write A..B, or `-` for what git tells a hook on standard input")]
    Form(String),
    /// A name that nothing has.
    #[error("there is no commit {0:?} here")]
    Unknown(String),
    /// A line of standard input that no hook is given.
    #[error("line {0} of standard input is none that git gives to pre-push or pre-receive")]
    Line(usize),
    /// Something in the repository.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl Range {
    /// Reads `A..B`; a side left out is `HEAD`.
    pub fn parse(text: &str, repository: &Repository) -> Result<Self, RangeError> {
        let sides = text.split_once("..");
        let sides = sides.filter(|(_, new)| !new.starts_with('.'));
        let (old, new) = sides.ok_or_else(|| RangeError::Form(text.to_owned()))?;
        let resolve = |name: &str| {
            let name = if name.is_empty() { "HEAD" } else { name };
            let id = repository.resolve(name)?;
            id.ok_or_else(|| RangeError::Unknown(name.to_owned()))
        };
        Ok(Self {
            old: vec![resolve(old)?],
            new: vec![resolve(new)?],
        })
    }

    /// Reads what git gives to a hook: for pre-push, lines of local reference, local id, remote
    /// reference, remote id; for pre-receive, lines of old id, new id, reference.
    pub fn from_hook(lines: &str, repository: &Repository) -> Result<Self, RangeError> {
        let mut range = Self::default();
        for (at, line) in lines.lines().enumerate() {
            let words: Vec<&str> = line.split(' ').collect();
            let (old, new, known) = match words.as_slice() {
                [_, new, _, old] => (old, new, "refs/remotes/"),
                [old, new, _] => (old, new, "refs/"),
                _ => return Err(RangeError::Line(at + 1)),
            };
            let id = |hex: &str| {
                ObjectId::from_hex(hex.as_bytes()).map_err(|_| RangeError::Line(at + 1))
            };
            let (old, new) = (id(old)?, id(new)?);
            if new.is_null() {
                // A reference is removed, which brings nothing.
                continue;
            }
            range.new.push(new);
            if !old.is_null() && repository.objects.object(&old).is_ok() {
                range.old.push(old);
            }
            // What some other reference of the far side leads to is there already.
            let known = repository.references(known)?;
            range.old.extend(known.into_iter().map(|(_, id)| id));
        }
        range.old.sort_unstable();
        range.old.dedup();
        Ok(range)
    }

    /// Pushes every object that is new; tells of the repository they are in.
    pub fn push(&self, repository: &Repository, sink: &dyn Sink) -> Pushed {
        let mut walk = Walk {
            repository,
            sink,
            within: Origin::File(repository.git_dir()),
            seen: HashSet::new(),
        };
        let commits = walk.commits(self);
        for id in commits.into_iter().take_while(|_| !sink.is_done()) {
            if let Some(tree) = walk.object(id).and_then(|(_, bytes)| walk.tree_of(&bytes)) {
                walk.tree(tree, Told::Yes);
            }
        }
        Pushed::brought(
            repository.git_dir().to_owned(),
            repository.told.clone(),
            self.new.clone(),
        )
    }
}

/// Whether objects are pushed or only taken note of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

/// Which side of the range a commit can be reached from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    New,
    Old,
}

struct Walk<'a> {
    repository: &'a Repository,
    sink: &'a dyn Sink,
    within: Origin<'a>,
    /// Objects that were pushed, or are not new.
    seen: HashSet<ObjectId>,
}

impl Walk<'_> {
    /// The commits that are new, and takes note of what those they follow hold. Pushes the tags
    /// on the way to them.
    fn commits(&mut self, range: &Range) -> Vec<ObjectId> {
        let mut sides: HashMap<ObjectId, Side> = HashMap::new();
        let mut queue = BinaryHeap::new();
        let old = range.old.iter().filter_map(|id| self.peel(*id, Told::No));
        let old: Vec<_> = old.collect();
        let new = range.new.iter().filter_map(|id| self.peel(*id, Told::Yes));
        let new: Vec<_> = new.collect();
        let ends = old.into_iter().map(|id| (id, Side::Old));
        for (id, side) in ends.chain(new.into_iter().map(|id| (id, Side::New))) {
            let known = sides.entry(id).or_insert(side);
            *known = side.max(*known);
            queue.push((self.date(id), id));
        }
        let mut edge = HashSet::new();
        let mut done: HashMap<ObjectId, Side> = HashMap::new();
        // While something in the queue is not known to be old, something new may follow.
        while queue
            .iter()
            .any(|(_, id)| sides.get(id) == Some(&Side::New))
        {
            let Some((_, id)) = queue.pop() else { break };
            let side = sides.get(&id).copied().unwrap_or(Side::New);
            if done.get(&id).is_some_and(|known| *known >= side) || self.sink.is_done() {
                continue;
            }
            done.insert(id, side);
            for parent in self.parents(id) {
                if side == Side::New {
                    edge.insert(parent);
                }
                let known = sides.entry(parent).or_insert(side);
                *known = side.max(*known);
                if done.get(&parent).is_none_or(|known| *known < side) {
                    queue.push((self.date(parent), parent));
                }
            }
        }
        let is_old = |id: &ObjectId| sides.get(id) == Some(&Side::Old);
        for id in edge.into_iter().filter(is_old) {
            if let Ok((Kind::Commit, bytes)) = self.repository.objects.object(&id)
                && let Some(tree) = self.tree_of(&bytes)
            {
                self.tree(tree, Told::No);
            }
        }
        let mut new: Vec<ObjectId> = done.into_keys().filter(|id| !is_old(id)).collect();
        new.sort_unstable();
        new
    }

    /// The commit that an end of the range leads to. Tags on the way to a new one are new.
    fn peel(&mut self, mut id: ObjectId, told: Told) -> Option<ObjectId> {
        loop {
            let (kind, bytes) = match self.repository.objects.object(&id) {
                Ok(object) => object,
                Err(damage) => {
                    if told == Told::Yes {
                        self.error(id, damage);
                    }
                    return None;
                }
            };
            match kind {
                Kind::Commit => return Some(id),
                Kind::Tag => {
                    if told == Told::Yes {
                        self.push(id, &bytes);
                    }
                    let target = TagRefIter::from_bytes(&bytes, self.repository.hash).target_id();
                    match target {
                        Ok(target) => id = target,
                        Err(error) => {
                            self.error(id, Damage::Read(io::Error::other(error.to_string())));
                            return None;
                        }
                    }
                }
                Kind::Tree => {
                    self.tree(id, told);
                    return None;
                }
                Kind::Blob => {
                    if self.seen.insert(id) && told == Told::Yes {
                        self.push(id, &bytes);
                    }
                    return None;
                }
            }
        }
    }

    /// Pushes an object that was not seen yet.
    fn object(&mut self, id: ObjectId) -> Option<(Kind, Vec<u8>)> {
        if !self.seen.insert(id) {
            return None;
        }
        match self.repository.objects.object(&id) {
            Ok((kind, bytes)) => {
                self.push(id, &bytes);
                Some((kind, bytes))
            }
            Err(damage) => {
                self.error(id, damage);
                None
            }
        }
    }

    /// Goes through a tree and all below it that was not seen yet.
    fn tree(&mut self, top: ObjectId, told: Told) {
        let mut left = vec![(top, true)];
        while let Some((id, is_tree)) = left.pop() {
            if self.sink.is_done() {
                return;
            }
            let bytes = match told {
                Told::Yes => self.object(id),
                Told::No if !self.seen.insert(id) || !is_tree => None,
                Told::No => self.repository.objects.object(&id).ok(),
            };
            if let Some((Kind::Tree, bytes)) = bytes {
                for entry in TreeRefIter::from_bytes(&bytes, self.repository.hash) {
                    match entry {
                        Ok(entry) if entry.mode.is_commit() => {}
                        Ok(entry) => left.push((entry.oid.to_owned(), entry.mode.is_tree())),
                        Err(_) if told == Told::Yes => self.error(id, Damage::Header),
                        Err(_) => {}
                    }
                }
            }
        }
    }

    fn tree_of(&self, commit: &[u8]) -> Option<ObjectId> {
        CommitRefIter::from_bytes(commit, self.repository.hash)
            .tree_id()
            .ok()
    }

    fn parents(&self, id: ObjectId) -> Vec<ObjectId> {
        match self.repository.objects.object(&id) {
            Ok((_, bytes)) => CommitRefIter::from_bytes(&bytes, self.repository.hash)
                .parent_ids()
                .collect(),
            // A history may be cut off here; what is missing of a new commit is told when it is
            // pushed.
            Err(_) => Vec::new(),
        }
    }

    /// When a commit was made, in seconds; 0 if it does not say.
    fn date(&self, id: ObjectId) -> i64 {
        let object = self.repository.objects.object(&id);
        let date = object.ok().and_then(|(_, bytes)| {
            let commit = CommitRefIter::from_bytes(&bytes, self.repository.hash);
            Some(commit.committer().ok()?.seconds())
        });
        date.unwrap_or_default()
    }

    fn push(&self, id: ObjectId, bytes: &[u8]) {
        let name = id.to_hex().to_string();
        let origin = Origin::Member {
            within: &self.within,
            name: name.as_bytes(),
        };
        self.sink.blob(&origin, Content::Whole(bytes));
    }

    fn error(&self, id: ObjectId, damage: Damage) {
        let name = id.to_hex().to_string();
        let origin = Origin::Member {
            within: &self.within,
            name: name.as_bytes(),
        };
        self.sink.error(&origin, &damage.into());
    }
}

impl Repository {
    /// The object that a name stands for: an id, a reference, and steps back from there (`~2`,
    /// `^`, `^2`).
    fn resolve(&self, name: &str) -> Result<Option<ObjectId>, RepositoryError> {
        let end = name.find(['~', '^']).unwrap_or(name.len());
        let (name, mut steps) = name.split_at(end);
        let Some(mut id) = self.named(name)? else {
            return Ok(None);
        };
        while !steps.is_empty() {
            let digits = steps[1..].find(|c: char| !c.is_ascii_digit());
            let (step, rest) = steps.split_at(digits.map_or(steps.len(), |at| at + 1));
            let number = match &step[1..] {
                "" => 1,
                number => number
                    .parse()
                    .map_err(|_| damaged(name, "a step too far"))?,
            };
            // `~n` goes back n commits by the first parent, `^n` to the nth parent of one.
            let (times, parent) = if step.starts_with('~') {
                (number, 1)
            } else {
                (1, number)
            };
            for _ in 0..times {
                let object = self.objects.object(&id);
                let (_, bytes) = object.map_err(|error| damaged(name, error.to_string()))?;
                let commit = CommitRefIter::from_bytes(&bytes, self.hash);
                let Some(next) = commit.parent_ids().nth(usize::max(parent, 1) - 1) else {
                    return Ok(None);
                };
                id = next;
            }
            steps = rest;
        }
        Ok(Some(id))
    }

    fn named(&self, name: &str) -> Result<Option<ObjectId>, RepositoryError> {
        if name.len() == self.hash.len_in_hex()
            && let Ok(id) = ObjectId::from_hex(name.as_bytes())
        {
            return Ok(Some(id));
        }
        for folder in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
            if let Some(id) = self.follow(&format!("{folder}{name}"))? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}
