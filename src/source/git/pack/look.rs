//! What a scan does with the objects of a pack: it looks at them where they are new, and pushes
//! those in which there is something.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use flate2::read::ZlibDecoder;
use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::data;

use crate::source::git::damage::Damage;
use crate::source::git::exactly::Exactly;
use crate::source::{Content, Glance, HEAD, Part, Reach, Sink};
use crate::vocabulary::{Origin, SkipReason};

use super::changes::Changes;
use super::draft::Draft;
use super::each::Take;
use super::entries::Entries;
use super::names::Names;
use super::object::{Object, Text, hash_of};
use super::sequence::Cursor;
use super::visit::{Built, Visit};
use super::{Pack, hex};

/// Objects are pushed as streams from this many bytes on.
const STREAMED: u64 = 8 * 1024 * 1024;

/// Which objects are looked at.
#[derive(Clone, Copy)]
pub(super) enum Share<'a> {
    All,
    Blobs,
    /// All but blobs, which somebody else may want to be handed too.
    Others(Option<&'a dyn Take>),
}

/// Looks at the objects of a pack.
pub(super) struct Look<'a> {
    pack: &'a Pack<'a>,
    entries: &'a Entries,
    names: &'a Names<'a>,
    sink: &'a dyn Sink,
    reach: Reach,
    share: Share<'a>,
    /// What was pushed.
    pushed: Mutex<Vec<ObjectId>>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        pack: &'a Pack<'a>,
        entries: &'a Entries,
        names: &'a Names<'a>,
        sink: &'a dyn Sink,
        share: Share<'a>,
    ) -> Self {
        Self {
            pack,
            entries,
            names,
            sink,
            reach: sink.reach(),
            share,
            pushed: Mutex::default(),
        }
    }

    /// The objects that were pushed.
    pub(super) fn pushed(self) -> Vec<ObjectId> {
        let pushed = self.pushed.into_inner();
        pushed.unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of an object.
    fn id(&self, entry: u32, object: &Object) -> Result<ObjectId, Damage> {
        match self.names.id(entry) {
            Some(id) => Ok(id),
            None => object.id(self.pack.hash),
        }
    }

    /// Looks at an object all over.
    fn glance_whole(&self, object: &Object, scratch: &mut Vec<u8>) -> Glance {
        let bytes = object.bytes(&(0..object.length()), scratch);
        self.sink.glance_whole(bytes)
    }

    /// Looks at an object where it differs from the one that it was made from, in which `seen` was
    /// seen.
    fn glance(
        &self,
        object: &impl Text,
        seen: Glance,
        changes: &Changes,
        scratch: &mut Vec<u8>,
    ) -> Glance {
        if self.glance_ends(object, changes, scratch) == Glance::Something {
            return Glance::Something;
        }
        let length = object.length();
        let mut glance = |reach| {
            let mut seen = Glance::Nothing;
            for range in changes.widened(reach, length) {
                let bytes = object.bytes(&range, scratch);
                seen = seen.max(self.sink.glance(bytes, Part::Inner));
                if seen == Glance::Something {
                    break;
                }
            }
            seen
        };
        // Nothing can be where nothing starts; and where nothing started, what starts is new.
        let new = match seen {
            Glance::Nothing => glance(self.reach.start),
            Glance::Start | Glance::Something => Glance::Start,
        };
        match new {
            Glance::Nothing | Glance::Something => new,
            Glance::Start => glance(self.reach.whole).max(Glance::Start),
        }
    }

    /// Looks at the ends of an object, as far as they may tell of it what was not told of what it
    /// was made from. Where the last bytes start goes with its length; they are few.
    fn glance_ends(&self, object: &impl Text, changes: &Changes, scratch: &mut Vec<u8>) -> Glance {
        let head = 0..object.length().min(HEAD);
        let bytes = object.bytes(&head, scratch);
        if changes.touch(HEAD) && self.sink.glance(bytes, Part::Head) == Glance::Something {
            return Glance::Something;
        }
        let tail = self.sink.tail_start(bytes, object.length() as u64);
        let tail = usize::try_from(tail).unwrap_or(0).min(object.length());
        let bytes = object.bytes(&(tail..object.length()), scratch);
        self.sink.glance(bytes, Part::Tail)
    }

    /// Pushes an object whole.
    fn push(&self, entry: u32, object: &Object, scratch: &mut Vec<u8>) -> Result<(), Damage> {
        let id = self.id(entry, object)?;
        let name = self.begin(id);
        let origin = Origin::Member {
            within: self.pack.within,
            name: name.as_bytes(),
        };
        if object.length() as u64 >= STREAMED {
            self.sink
                .blob(&origin, Content::Stream(&mut object.reader()));
        } else {
            let bytes = object.bytes(&(0..object.length()), scratch);
            self.sink.blob(&origin, Content::Whole(bytes));
        }
        Ok(())
    }

    /// Takes note of an object that is pushed now, and tells what it is called.
    fn begin(&self, id: ObjectId) -> String {
        let mut pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        pushed.push(id);
        hex(&id)
    }

    fn with_origin(&self, entry: u32, tell: impl FnOnce(&Origin<'_>)) {
        let name = self.names.any(entry);
        tell(&Origin::Member {
            within: self.pack.within,
            name: name.as_bytes(),
        });
    }
}

impl Visit for Look<'_> {
    type Note = Glance;

    fn is_done(&self) -> bool {
        self.sink.is_done()
    }

    fn wants(&self, kind: Kind) -> bool {
        match self.share {
            Share::All => true,
            Share::Blobs => kind == Kind::Blob,
            Share::Others(_) => kind != Kind::Blob,
        }
    }

    fn may_pass(&self, base: &Glance) -> bool {
        *base != Glance::Something && !matches!(self.share, Share::Others(Some(_)))
    }

    fn passes(
        &self,
        draft: &Draft<'_>,
        base: &Glance,
        changes: &Changes,
        scratch: &mut Vec<u8>,
    ) -> bool {
        let passes = self.glance(draft, *base, changes, scratch) != Glance::Something;
        if passes {
            self.sink.glanced(draft.length() as u64);
        }
        passes
    }

    fn built(&self, built: Built<'_, Glance>, scratch: &mut Vec<u8>) -> Result<Glance, Damage> {
        let object = built.object;
        let seen = match built.from {
            Some((&seen, changes)) if seen != Glance::Something => {
                self.glance(object, seen, changes, scratch)
            }
            Some(_) | None => {
                built.budget.spend(object.length());
                self.glance_whole(object, scratch)
            }
        };
        match seen {
            Glance::Nothing | Glance::Start => self.sink.glanced(object.length() as u64),
            Glance::Something => {
                built.budget.spend(object.length());
                self.push(built.entry, object, scratch)?;
            }
        }
        if let Share::Others(Some(take)) = self.share {
            let id = self.id(built.entry, object)?;
            let bytes = object.bytes(&(0..object.length()), scratch);
            take.object(&id, object.kind, bytes);
        }
        Ok(seen)
    }

    fn borrowed(&self, object: &Object, scratch: &mut Vec<u8>) -> Glance {
        // It was pushed where it lies; here it is only a base.
        self.glance_whole(object, scratch)
    }

    fn large(&self, entry: u32, header: &data::Entry) -> Result<(), Damage> {
        let kind = header.header.as_kind().ok_or(Damage::Header)?;
        let size = header.decompressed_size;
        let range = self.entries.range(entry);
        let reader = || {
            let cursor = Cursor {
                pack: self.pack.bytes,
                at: header.data_offset,
            };
            let limited = cursor.take(range.end - header.data_offset);
            Exactly::new(ZlibDecoder::new(limited), size, size)
        };
        let id: ObjectId = match self.names.id(entry) {
            Some(id) => id,
            None => hash_of(kind, size, self.pack.hash, &mut reader())?,
        };
        let name = self.begin(id);
        let origin = Origin::Member {
            within: self.pack.within,
            name: name.as_bytes(),
        };
        self.sink.blob(&origin, Content::Stream(&mut reader()));
        Ok(())
    }

    fn too_large(&self, entry: u32) {
        self.with_origin(entry, |origin| {
            self.sink.skip(origin, SkipReason::TooLarge);
        });
    }

    fn too_much(&self) {
        self.sink.skip(self.pack.within, SkipReason::BytesLimit);
    }

    fn damaged(&self, entry: u32, damage: Damage) {
        self.with_origin(entry, |origin| self.sink.error(origin, &damage.into()));
    }
}
