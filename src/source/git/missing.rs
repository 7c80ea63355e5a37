//! What a repository names and does not hold.
//!
//! A scan reads the objects that are there. That others should be there is told by what leads into
//! the history: references and indexes. What they name and nobody holds is an error, with its id.
//! All of a history could only be checked commit by commit and tree by tree, which `git fsck` does
//! and this does not.
//!
//! Two sorts of repositories lack objects because somebody asked for that: a shallow clone, whose
//! history is cut off, and a partial one, whose remote has promised the rest. Each says so once.

use std::collections::BTreeSet;
use std::path::Path;

use gix_hash::ObjectId;

use crate::source::Sink;
use crate::vocabulary::{Origin, SkipReason};

use super::damage::Damage;
use super::database::Presence;
use super::history::{Ends, Pushed, index_of};
use super::repository::Repository;

/// Tells what the repository in `folder` lacks, if it is one.
pub(super) fn tell(folder: &Path, sink: &dyn Sink) {
    let Ok(repository) = Repository::open(folder, Pushed::met(folder).told) else {
        return;
    };
    let shallow = repository.common_dir().join("shallow");
    // Git leaves an empty one behind when the history is whole again.
    if shallow.metadata().is_ok_and(|file| file.len() > 0) {
        sink.skip(&Origin::File(&shallow), SkipReason::Shallow);
    }
    let promised = repository.objects.is_promised();
    if promised {
        sink.skip(&Origin::File(folder), SkipReason::Promised);
        return;
    }
    // What of references cannot be read was told when it was met, or is in a format that is not
    // read; the objects were, all the same.
    let Ok(ends) = Ends::of(&repository) else {
        return;
    };
    let mut named: BTreeSet<ObjectId> = ends.references;
    // Of the other stashes the log may outlive the objects.
    for index in &ends.indexes {
        named.extend(index_of(index, repository.hash).into_keys());
    }
    for id in named.iter().take_while(|_| !sink.is_done()) {
        match repository.objects.presence(id) {
            Presence::Missing => {
                let name = id.to_hex().to_string();
                let origin = Origin::Member {
                    within: &Origin::File(folder),
                    name: name.as_bytes(),
                };
                sink.error(&origin, &Damage::Absent.into());
            }
            Presence::Here | Presence::Unknown => {}
        }
    }
}
