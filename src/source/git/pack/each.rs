//! Handing out the objects of some kinds, whole and by name: for what is looked up in a
//! repository's history. What is wrong with a pack was told when it was scanned; here it is passed
//! over.

use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use gix_pack::data;

use crate::source::git::damage::Damage;

use super::Pack;
use super::entries::Entries;
use super::glance::Scratch;
use super::names::Names;
use super::object::Object;
use super::outline::{Outline, Revision};
use super::visit::{Built, Visit};

/// Takes objects by name, kind and bytes, from several threads at once.
pub(in crate::source::git) trait Take: Sync {
    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool;

    /// Whether objects of that kind are wanted.
    fn wants(&self, kind: Kind) -> bool;

    /// Takes one.
    fn object(&self, id: &oid, kind: Kind, bytes: &[u8]);

    /// Takes a tree, and tells what is to be known of it when one is handed out that was made from it.
    fn tree(&self, id: &oid, tree: Revision<'_>) -> Outline;
}

/// Hands out what is wanted.
pub(super) struct Each<'a> {
    hash: gix_hash::Kind,
    names: Names<'a>,
    take: &'a dyn Take,
}

impl<'a> Each<'a> {
    pub(super) fn new(pack: &Pack<'a>, entries: &'a Entries, take: &'a dyn Take) -> Self {
        Self {
            hash: pack.hash,
            names: Names::new(entries, pack.index),
            take,
        }
    }
}

impl Visit for Each<'_> {
    type Note = ();

    fn is_done(&self) -> bool {
        self.take.is_done()
    }

    fn wants(&self, kind: Kind) -> bool {
        self.take.wants(kind)
    }

    fn built(&self, built: Built<'_, ()>, scratch: &mut Scratch) -> Result<(), Damage> {
        let object = built.object;
        let id: ObjectId = match self.names.id(built.entry) {
            Some(id) => id,
            None => object.id(self.hash)?,
        };
        built.budget.spend(object.length());
        let bytes = object.bytes(&(0..object.length()), &mut scratch.bytes);
        self.take.object(&id, object.kind, bytes);
        Ok(())
    }

    fn borrowed(&self, _object: &Object, _scratch: &mut Scratch) {}

    fn large(&self, _entry: u32, _header: &data::Entry) -> Result<(), Damage> {
        Ok(())
    }

    fn too_large(&self, _entry: u32) {}

    fn too_much(&self) {}

    fn damaged(&self, _entry: u32, _damage: Damage) {}
}
