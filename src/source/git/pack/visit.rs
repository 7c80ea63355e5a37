//! What a walk through a pack asks of who does something with its objects.

use gix_object::Kind;
use gix_pack::data;

use crate::source::git::damage::Damage;

use super::budget::Budget;
use super::changes::Changes;
use super::draft::Draft;
use super::object::Object;

/// What is done with the objects of a pack.
pub(super) trait Visit: Sync {
    /// What is kept of an object for the sake of those made from it.
    type Note: Copy + Send + Sync;

    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool;

    /// Whether objects of that kind are wanted.
    fn wants(&self, kind: Kind) -> bool;

    /// Whether an object that nothing is made from need perhaps not be built, by what was noted of
    /// its base.
    fn may_pass(&self, _base: &Self::Note) -> bool {
        false
    }

    /// Looks at such an object as a draft, and tells whether that was enough. What is not is
    /// [built](Visit::built).
    fn passes(
        &self,
        _draft: &Draft<'_>,
        _base: &Self::Note,
        _changes: &Changes,
        _scratch: &mut Vec<u8>,
    ) -> bool {
        false
    }

    /// Takes an object that was built.
    fn built(
        &self,
        built: Built<'_, Self::Note>,
        scratch: &mut Vec<u8>,
    ) -> Result<Self::Note, Damage>;

    /// Takes an object that lies elsewhere, and that some in this pack are made from.
    fn borrowed(&self, object: &Object, scratch: &mut Vec<u8>) -> Self::Note;

    /// Takes an object that is too large to be held in memory beside others: it is no delta, and
    /// `header` says where it starts.
    fn large(&self, entry: u32, header: &data::Entry) -> Result<(), Damage>;

    /// Takes note of what is not built because it, or what it is made from, is too large for
    /// memory.
    fn too_large(&self, entry: u32);

    /// Takes note that the rest of the pack is not read: it would take too much work.
    fn too_much(&self);

    /// Takes note of what is wrong with an entry.
    fn damaged(&self, entry: u32, damage: Damage);
}

/// An object that was just built.
pub(super) struct Built<'a, N> {
    /// Its number in the pack.
    pub(super) entry: u32,
    pub(super) object: &'a Object,
    /// What was noted of the object that it is made from, and where it differs.
    pub(super) from: Option<(&'a N, &'a Changes)>,
    /// What looking at it, or doing more with it, is paid from.
    pub(super) budget: &'a Budget,
}
