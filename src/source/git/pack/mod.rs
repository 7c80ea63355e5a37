//! A pack: every entry built once, from its base, and looked at where it differs from it.
//!
//! A pack is a forest: whole objects, and deltas on them and on each other. [`entries`] reads
//! which is made from which, [`walk`] goes down from the whole ones on all threads. An object that
//! nothing is made from is seldom built at all ([`draft`]); a large one is a rope of pieces of its
//! ancestors ([`object`]).
//!
//! What is copied from a base was looked at there. So of each object is kept where the leads are by
//! which something might be met ([`seen`]). If nothing came of those in the base, only the inserted
//! bytes and the ends of what was copied are searched for new ones ([`gist`]), and of the old ones
//! those are followed again that stand near a seam: as near as the sink says may decide about them
//! ([`Sink::reach`]). An object in which one is a hit, and anything made from it, is looked at and
//! pushed whole, as if it came from a file: what is reported is what a plain scan of every object
//! reports, and only "nothing" is told the short way.
//!
//! Blobs come first. If something was found in one by then, it will be asked how that came into the
//! history; so whatever the history is made of is handed out while it passes ([`Besides`]), and
//! need not be built again. What it names is looked for in the same pass.
//!
//! Where the time goes (astral-sh/uv, 309,673 objects; parts of 100): inflating 34, reading 6, going
//! through deltas and building what others are made from 19, looking 18, the history 6. A blob's delta
//! has some 290 steps on average, 25 million in all, so what counts is what each step takes: copies of
//! some tens of bytes without a call ([`append`]), nothing kept but 8 bytes ([`draft`]). To hold the
//! whole pack in memory loses (page faults), and so do windows of other sizes ([`fetch`]); what is
//! small is kept ([`shelf`]). To reach into a table takes longer than to go through a step, if nobody
//! was there of late: so what is known of an entry stands in one place, and ids are taken in the order
//! of the entries.

mod append;
mod budget;
mod delta;
mod draft;
mod each;
mod entries;
mod families;
#[cfg(test)]
mod far;
mod fetch;
mod gist;
mod glance;
mod headers;
mod inflate;
mod look;
mod lookup;
mod names;
mod object;
mod outline;
mod parents;
mod reader;
mod seen;
mod sequence;
mod shelf;
mod starts;
mod visit;
mod walk;
#[cfg(test)]
pub(crate) mod writer;

#[cfg(test)]
mod tests;

use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use gix_pack::{data, index};

use crate::source::{Sink, Threads};
use crate::vocabulary::Origin;

use super::damage::Damage;
use super::input::ReadAt;

use budget::Budget;
use each::Each;
pub(super) use each::Take;
use entries::Entries;
use look::{Look, Share};
pub(super) use lookup::object_at;
use names::Names;
pub(super) use outline::{Link, Outline, Revision};
pub(super) use walk::LARGE;
use walk::Walk;

/// Deltas, and objects that have deltas made from them, may have this many bytes; git's own
/// `core.bigFileThreshold`, above which it makes no deltas.
pub(super) const LARGEST: u64 = if cfg!(test) { 1 << 20 } else { 512 << 20 };

/// Objects that a pack may be made from without holding them.
pub(super) trait Elsewhere: Sync {
    /// The object of that name.
    fn find(&self, id: &oid) -> Option<(Kind, Vec<u8>)>;
}

/// For a pack that stands alone.
pub(super) struct Nowhere;

impl Elsewhere for Nowhere {
    fn find(&self, _id: &oid) -> Option<(Kind, Vec<u8>)> {
        None
    }
}

/// Asked when all blobs of a pack were pushed, with those among them in which there is something:
/// who is to be handed all other objects too, if anybody is.
pub(super) type Besides<'b> = dyn Fn(Vec<ObjectId>) -> Option<&'b dyn Take> + Sync + 'b;

/// For what stands alone: nobody.
pub(super) fn nobody<'b>(_pushed: Vec<ObjectId>) -> Option<&'b dyn Take> {
    None
}

/// A pack to be read.
pub(super) struct Pack<'a> {
    /// Its bytes, from `PACK` to its checksum.
    pub(super) bytes: &'a dyn ReadAt,
    /// The names of its objects, if they are known.
    pub(super) index: Option<&'a index::File<Vec<u8>>>,
    /// How its objects are named.
    pub(super) hash: gix_hash::Kind,
    /// What its objects are members of.
    pub(super) within: &'a Origin<'a>,
    /// Where bases are found that it does not hold.
    pub(super) elsewhere: &'a dyn Elsewhere,
}

impl Pack<'_> {
    /// Pushes every object into `sink`: blobs first, and then, to `besides` too, all others.
    pub(super) fn push(&self, threads: &Threads, sink: &dyn Sink, besides: &Besides<'_>) {
        let way = |pack: &Pack<'_>, entries: &Entries| {
            let budget = Budget::new(pack.bytes.length());
            let names = Names::new(entries, pack.index);
            let look = |share| Look::new(pack, entries, &names, sink, share);
            if !entries.strangers.is_empty() {
                // What kind an object is may depend on one that is met on the way.
                Walk::new(pack, entries, &look(Share::All), &budget).run();
                return;
            }
            let blobs = look(Share::Blobs);
            Walk::new(pack, entries, &blobs, &budget).roots();
            let others = look(Share::Others(besides(blobs.pushed())));
            Walk::new(pack, entries, &others, &budget).run();
        };
        if let Err(damage) = threads.install(|| self.go(&|| sink.is_done(), &way)) {
            sink.error(self.within, &damage.into());
        }
    }

    /// Hands out objects by name. What cannot be read is passed over.
    pub(super) fn each(&self, threads: &Threads, take: &dyn Take) {
        let way = |pack: &Pack<'_>, entries: &Entries| {
            let budget = Budget::new(pack.bytes.length());
            Walk::new(pack, entries, &Each::new(pack, entries, take), &budget).run();
        };
        // It was told when the pack was scanned.
        drop(threads.install(|| self.go(&|| take.is_done(), &way)));
    }

    /// Finds out where the entries are, and goes the way through them.
    fn go(
        &self,
        is_done: &(dyn Fn() -> bool + Sync),
        way: &(dyn Fn(&Pack<'_>, &Entries) + Sync),
    ) -> Result<(), Damage> {
        let said = count(self.bytes)?;
        // An index that is not this pack's names nothing; the pack can be read without.
        let index = self.index.and_then(|index| {
            let end = self
                .bytes
                .length()
                .checked_sub(self.hash.len_in_bytes() as u64)?;
            Some((index, entries::indexed(index, said, end)?))
        });
        match index {
            Some((index, indexed)) => {
                let entries = Entries::read(self.bytes, indexed, index, self.hash);
                way(self, &entries);
                Ok(())
            }
            None => self.go_in_sequence(said, is_done, way),
        }
    }

    /// The same without the help of an index.
    fn go_in_sequence(
        &self,
        said: u64,
        is_done: &(dyn Fn() -> bool + Sync),
        way: &(dyn Fn(&Pack<'_>, &Entries) + Sync),
    ) -> Result<(), Damage> {
        let (hash, mut sequence) = sequence::read(self.bytes, said, self.hash, is_done);
        let found = sequence.bases.len() as u64;
        let offsets = std::mem::take(&mut sequence.offsets);
        let bases = std::mem::take(&mut sequence.bases);
        let entries = Entries::new(&offsets, &bases);
        let pack = Pack {
            index: None,
            hash,
            ..*self
        };
        way(&pack, &entries);
        match sequence.damage {
            Some(damage) if found < said => Err(Damage::Count {
                found,
                said,
                damage: Box::new(damage),
            }),
            Some(damage) => Err(damage),
            None => Ok(()),
        }
    }
}

/// How many objects a pack says it holds.
fn count(pack: &dyn ReadAt) -> Result<u64, Damage> {
    let mut header = [0; data::header::SIZE];
    if pack.read_at(&mut header, 0)? < header.len() {
        return Err(Damage::NoPack);
    }
    let (_, count) = data::header::decode(&header).map_err(|_| Damage::NoPack)?;
    Ok(count.into())
}

/// Whether these bytes begin like a pack.
pub(super) fn is_pack(bytes: &dyn ReadAt) -> bool {
    count(bytes).is_ok()
}

/// The id of an object as reports name it.
pub(super) fn hex(id: &ObjectId) -> String {
    id.to_hex().to_string()
}

/// A place in an object or a delta as it is kept: none of more than [`LARGEST`] bytes is built.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
