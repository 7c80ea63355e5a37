//! What commits, trees and tags name, read once for all who ask.

use gix_hash::{ObjectId, oid};
use gix_object::commit::ref_iter::Token;
use gix_object::tree::EntryRef;
use gix_object::{CommitRefIter, Kind, TagRefIter};

use crate::source::git::pack::{Outline, Revision, Take};

use super::connectivity::Connectivity;
use super::gather::Gather;

/// Tells what the objects name that are handed to it.
pub(in crate::source::git) struct Links<'a> {
    /// Who misses what is named and not there.
    connectivity: Option<&'a Connectivity>,
    /// Who asks for the history.
    gather: Option<&'a Gather<'a>>,
}

/// What a commit names, and when it was made.
pub(super) struct CommitLinks {
    pub(super) tree: ObjectId,
    /// Each once.
    pub(super) parents: Vec<ObjectId>,
    /// In seconds; 0 if it does not say.
    pub(super) time: i64,
}

impl CommitLinks {
    /// Those of a commit, unless it names no tree.
    fn read(bytes: &[u8], hash: gix_hash::Kind) -> Option<Self> {
        let (mut tree, mut parents, mut time) = (None, Vec::new(), 0);
        // Where a commit is damaged it ends; that was told when it was scanned.
        for token in CommitRefIter::from_bytes(bytes, hash).map_while(Result::ok) {
            match token {
                Token::Tree { id } => tree = Some(id),
                Token::Parent { id } => parents.push(id),
                Token::Committer { signature } => {
                    time = signature.seconds();
                    break;
                }
                Token::Author { .. }
                | Token::Encoding(_)
                | Token::ExtraHeader(_)
                | Token::Message(_) => {}
            }
        }
        parents.sort_unstable();
        parents.dedup();
        Some(Self {
            tree: tree?,
            parents,
            time,
        })
    }
}

impl<'a> Links<'a> {
    /// Tells it to those who ask; nothing if nobody does.
    pub(in crate::source::git) fn new(
        connectivity: Option<&'a Connectivity>,
        gather: Option<&'a Gather<'a>>,
    ) -> Option<Self> {
        let is_asked = connectivity.is_some() || gather.is_some();
        is_asked.then_some(Self {
            connectivity,
            gather,
        })
    }

    fn outline(
        &self,
        id: &oid,
        tree: Revision<'_>,
        note: &mut dyn FnMut(&EntryRef<'_>),
    ) -> Outline {
        match self.gather.filter(|gather| !gather.is_too_much()) {
            Some(gather) => gather.tree(id, tree, note),
            None => tree.outline(id.kind(), |entry| {
                note(entry);
                None
            }),
        }
    }
}

impl Take for Links<'_> {
    fn is_done(&self) -> bool {
        self.connectivity.is_none() && self.gather.is_none_or(Gather::is_done)
    }

    fn wants(&self, kind: Kind) -> bool {
        match kind {
            Kind::Commit | Kind::Tree | Kind::Tag => true,
            Kind::Blob => false,
        }
    }

    fn object(&self, id: &oid, kind: Kind, bytes: &[u8]) {
        let gather = self.gather.filter(|gather| !gather.is_too_much());
        match kind {
            Kind::Tree => drop(self.tree(id, Revision::whole(bytes))),
            Kind::Commit => {
                let Some(links) = CommitLinks::read(bytes, id.kind()) else {
                    return;
                };
                if let Some(connectivity) = self.connectivity {
                    connectivity.commit(id, &links);
                }
                if let Some(gather) = gather {
                    gather.commit(id, &links);
                }
            }
            Kind::Tag => {
                let Ok(target) = TagRefIter::from_bytes(bytes, id.kind()).target_id() else {
                    return;
                };
                if let Some(connectivity) = self.connectivity {
                    connectivity.tag(&target);
                }
                if let Some(gather) = gather {
                    gather.tag(id, target);
                }
            }
            Kind::Blob => {}
        }
    }

    fn tree(&self, id: &oid, tree: Revision<'_>) -> Outline {
        match self.connectivity {
            Some(connectivity) => connectivity.entries(|note| self.outline(id, tree, note)),
            None => self.outline(id, tree, &mut |_| {}),
        }
    }
}
