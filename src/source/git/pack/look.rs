//! What a scan does with the objects of a pack: it looks at them where they are new, and pushes
//! those in which there is something.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use flate2::read::ZlibDecoder;
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use gix_pack::data;

use crate::source::git::damage::Damage;
use crate::source::git::exactly::Exactly;
use crate::source::{Content, Sink};
use crate::vocabulary::{Origin, SkipReason};

use super::budget::Budget;
use super::draft::Draft;
use super::each::Take;
use super::entries::Entries;
use super::glance::{Glance, Scratch};
use super::names::Names;
use super::object::{Object, hash_of};
use super::outline::{Outline, Revision};
use super::seen::Seen;
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

/// What is known of an object.
#[derive(Debug, Clone)]
pub(super) struct Known {
    seen: Seen,
    /// What a tree holds, if somebody is handed trees.
    outline: Option<Outline>,
}

/// Looks at the objects of a pack.
pub(super) struct Look<'a> {
    pack: &'a Pack<'a>,
    entries: &'a Entries,
    names: &'a Names<'a>,
    sink: &'a dyn Sink,
    glance: Glance<'a>,
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
            glance: Glance::new(sink),
            share,
            pushed: Mutex::default(),
        }
    }

    /// The objects that were pushed.
    pub(super) fn pushed(self) -> Vec<ObjectId> {
        let pushed = self.pushed.into_inner();
        pushed.unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is handed all objects too.
    fn take(&self) -> Option<&dyn Take> {
        match self.share {
            Share::Others(take) => take,
            Share::All | Share::Blobs => None,
        }
    }

    /// The id of an object.
    fn id(&self, entry: u32, object: &Object) -> Result<ObjectId, Damage> {
        match self.names.id(entry) {
            Some(id) => Ok(id),
            None => object.id(self.pack.hash),
        }
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
    type Note = Known;

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

    fn draft(
        &self,
        entry: u32,
        draft: &Draft<'_>,
        base: &Known,
        budget: &Budget,
        scratch: &mut Scratch,
    ) -> Option<Known> {
        let Seen::Leads(leads) = &base.seen else {
            return None;
        };
        let (seen, cost) = self.glance.changed(draft, leads, scratch)?;
        budget.spend(cost);
        let outline = match (self.take(), &base.outline, self.names.id(entry)) {
            (Some(take), Some(base), Some(id)) => {
                let tree = Revision::draft(draft, base, &mut scratch.bytes);
                Some(hand_over(take, &id, tree, budget))
            }
            (_, _, _) => None,
        };
        Some(Known { seen, outline })
    }

    fn passes(&self, draft: &Draft<'_>, known: &Known) -> bool {
        let is_taken = self.take().is_none() || known.outline.is_some();
        let passes = !matches!(known.seen, Seen::Something) && is_taken;
        if passes {
            self.sink.glanced(draft.length() as u64);
        }
        passes
    }

    fn built(&self, built: Built<'_, Known>, scratch: &mut Scratch) -> Result<Known, Damage> {
        let object = built.object;
        let mut known = built.noted.unwrap_or_else(|| {
            built.budget.spend(object.length());
            Known {
                seen: self.glance.whole(object, scratch),
                outline: None,
            }
        });
        match known.seen {
            Seen::Leads(_) | Seen::Crowded => self.sink.glanced(object.length() as u64),
            Seen::Something => {
                built.budget.spend(object.length());
                self.push(built.entry, object, &mut scratch.bytes)?;
            }
        }
        if let Some(take) = self.take()
            && known.outline.is_none()
        {
            let id = self.id(built.entry, object)?;
            let bytes = object.bytes(&(0..object.length()), &mut scratch.bytes);
            if object.kind == Kind::Tree {
                known.outline = Some(hand_over(take, &id, Revision::whole(bytes), built.budget));
            } else {
                take.object(&id, object.kind, bytes);
            }
        }
        Ok(known)
    }

    fn size(known: &Known) -> usize {
        let leads = match &known.seen {
            Seen::Leads(leads) => leads.size(),
            Seen::Something | Seen::Crowded => 0,
        };
        leads + known.outline.as_ref().map_or(0, Outline::size)
    }

    fn borrowed(&self, object: &Object, scratch: &mut Scratch) -> Known {
        // It was pushed where it lies; here it is only a base.
        Known {
            seen: self.glance.whole(object, scratch),
            outline: None,
        }
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

/// Hands over a tree, and pays for it.
fn hand_over(take: &dyn Take, id: &oid, tree: Revision<'_>, budget: &Budget) -> Outline {
    let outline = take.tree(id, tree);
    budget.spend(outline.cost());
    outline
}
