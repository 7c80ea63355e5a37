//! What a walk through a pack asks of who does something with its objects.

use gix_object::Kind;
use gix_pack::data;

use crate::source::git::damage::Damage;

use super::budget::Budget;
use super::draft::Draft;
use super::glance::Scratch;
use super::object::Object;

/// What is done with the objects of a pack.
pub(super) trait Visit: Sync {
    /// What is kept of an object for the sake of those made from it.
    type Note: Clone + Send + Sync;

    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool;

    /// Whether objects of that kind are wanted.
    fn wants(&self, kind: Kind) -> bool;

    /// Looks at an object before it is built, by what was noted of its base. None if there is
    /// nothing to be told without all of it.
    fn draft(
        &self,
        _entry: u32,
        _draft: &Draft<'_>,
        _base: &Self::Note,
        _budget: &Budget,
        _scratch: &mut Scratch,
    ) -> Option<Self::Note> {
        None
    }

    /// Takes an object that nothing is made from, and of whose draft this was noted, if that is
    /// enough: it need not be built then.
    fn passes(&self, _draft: &Draft<'_>, _note: &Self::Note) -> bool {
        false
    }

    /// Takes an object that was built.
    fn built(
        &self,
        built: Built<'_, Self::Note>,
        scratch: &mut Scratch,
    ) -> Result<Self::Note, Damage>;

    /// How many bytes of memory a note takes.
    fn size(_note: &Self::Note) -> usize {
        0
    }

    /// Takes an object that lies elsewhere, and that some in this pack are made from.
    fn borrowed(&self, object: &Object, scratch: &mut Scratch) -> Self::Note;

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
    /// What was noted of its draft.
    pub(super) noted: Option<N>,
    /// What looking at it, or doing more with it, is paid from.
    pub(super) budget: &'a Budget,
}
