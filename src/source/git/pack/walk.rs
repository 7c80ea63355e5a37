//! The way down from whole objects to what is made from them, on all threads.
//!
//! An object is kept until its last child is built. Small families go first and the largest last,
//! when its base is needed no more: so what one thread keeps on its way down is, however long the
//! chains are, one object for each time the family halves.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use flate2::read::ZlibDecoder;
use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::data;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::source::git::damage::Damage;
use crate::source::git::exactly::Exactly;
use crate::source::{Content, Glance, HEAD, Part, Sink};
use crate::vocabulary::{Origin, SkipReason};

use super::entries::{Entries, HEADER};
use super::inflate::{Compressed, GREATEST_RATIO, Inflater};
use super::names::Names;
use super::object::{Changes, Object};
use super::sequence::Cursor;
use super::{Pack, hex};

/// Families smaller than this are one thread's work.
const FAMILY: u32 = 16;

/// How often a family is split for another thread: each split keeps its base while both work.
const SPLITS: u32 = 64;

/// Whole objects without children are streamed from this many bytes on.
const STREAMED: u64 = 8 * 1024 * 1024;

/// Objects with children may have this many bytes; git's own `core.bigFileThreshold`, above which
/// it makes no deltas.
pub(super) const LARGEST: u64 = 512 * 1024 * 1024;

/// Families whose root is larger than this are walked one after the other.
const LARGE: u64 = 16 * 1024 * 1024;

/// The walk through one pack.
pub(super) struct Walk<'a> {
    pack: &'a Pack<'a>,
    entries: &'a Entries,
    sink: &'a dyn Sink,
    /// Deltas whose base is known by a name that no index places.
    waiting: Mutex<HashMap<ObjectId, Vec<u32>>>,
    names: Names<'a>,
    /// Tools that are not in use.
    tools: Mutex<Vec<Tools>>,
}

/// What one thread works with.
struct Tools {
    inflater: Inflater,
    scratch: Vec<u8>,
}

/// An object and whether anything was seen in it.
struct Built {
    object: Object,
    seen: Glance,
}

impl<'a> Walk<'a> {
    pub(super) fn new(pack: &'a Pack<'a>, entries: &'a Entries, sink: &'a dyn Sink) -> Self {
        let mut waiting: HashMap<ObjectId, Vec<u32>> = HashMap::new();
        for (id, entry) in &entries.strangers {
            waiting.entry(*id).or_default().push(*entry);
        }
        Self {
            pack,
            entries,
            sink,
            waiting: Mutex::new(waiting),
            names: Names::new(entries, pack.index),
            tools: Mutex::default(),
        }
    }

    /// Walks everything.
    pub(super) fn run(&self) {
        let large = Mutex::new(Vec::new());
        self.entries.roots.par_iter().for_each(|&root| {
            if self.sink.is_done() {
                return;
            }
            self.with_tools(|tools| match self.large_header(root, &mut tools.inflater) {
                Ok(Some(header)) => {
                    let mut large = large.lock().unwrap_or_else(PoisonError::into_inner);
                    large.push((root, header));
                }
                Ok(None) | Err(_) => self.family(root, None, 0, tools),
            });
        });
        let mut large = large.into_inner().unwrap_or_else(PoisonError::into_inner);
        large.sort_unstable_by_key(|(root, _)| *root);
        for (root, header) in large {
            self.large(root, &header);
        }
        self.strangers();
        for &entry in &self.entries.broken {
            self.lost(entry, &Damage::Header);
        }
        for entry in self.entries.circles() {
            self.tell(entry, Damage::Circle);
        }
    }

    /// Walks the family of an object that does not go through memory beside others.
    fn large(&self, root: u32, header: &data::Entry) {
        if self.sink.is_done() {
            return;
        }
        let childless = self.entries.weight(root) == 1;
        if childless || header.decompressed_size > LARGEST {
            if let Err(damage) = self.stream(root, header) {
                self.tell(root, damage);
            }
            for &child in self.entries.children(root) {
                self.descend(child, &mut |entry| {
                    self.with_origin(entry, |origin| {
                        self.sink.skip(origin, SkipReason::TooLarge);
                    });
                });
            }
        } else {
            self.with_tools(|tools| self.family(root, None, SPLITS, tools));
        }
    }

    /// Walks what is made from objects that this pack does not hold.
    fn strangers(&self) {
        loop {
            let id = {
                let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.keys().min().copied()
            };
            let Some(id) = id else { return };
            let Some(children) = self.take_waiting(&id) else {
                return;
            };
            match self.pack.elsewhere.find(&id) {
                Some((kind, bytes)) => {
                    // It was pushed where it lies; here it is only a base.
                    let seen = self.sink.glance(&bytes, Part::Head);
                    let base = Built {
                        object: Object::whole(kind, bytes),
                        seen,
                    };
                    self.with_tools(|tools| {
                        for child in children {
                            self.family(child, Some(&base), 0, tools);
                        }
                    });
                }
                None => {
                    for child in children {
                        self.lost(child, &Damage::MissingBase(id));
                    }
                }
            }
        }
    }

    /// Builds an entry and all that is made from it.
    fn family(&self, top: u32, base: Option<&Built>, splits: u32, tools: &mut Tools) {
        let Some(mut built) = self.build(top, base, tools) else {
            return;
        };
        let mut entry = top;
        loop {
            if self.sink.is_done() {
                return;
            }
            let Some((&heavy, light)) = self.entries.children(entry).split_last() else {
                return;
            };
            let lesser = self.entries.weight(entry) - 1 - self.entries.weight(heavy);
            if lesser >= FAMILY && splits < SPLITS {
                let spread = |&child: &u32| {
                    self.with_tools(|tools| self.family(child, Some(&built), splits + 1, tools));
                };
                rayon::join(|| light.par_iter().for_each(spread), || spread(&heavy));
                return;
            }
            for &child in light {
                self.family(child, Some(&built), splits, tools);
            }
            match self.build(heavy, Some(&built), tools) {
                Some(next) => (entry, built) = (heavy, next),
                None => return,
            }
        }
    }

    /// Builds and looks at one entry; those made from it are told lost if it cannot be built.
    fn build(&self, entry: u32, base: Option<&Built>, tools: &mut Tools) -> Option<Built> {
        let built = self.try_build(entry, base, tools);
        let built = match built {
            Ok(built) => built,
            Err(damage) => {
                self.lost(entry, &damage);
                return None;
            }
        };
        if !self.entries.strangers.is_empty() {
            self.adopt_strangers(&built, tools);
        }
        Some(built)
    }

    fn try_build(
        &self,
        entry: u32,
        base: Option<&Built>,
        tools: &mut Tools,
    ) -> Result<Built, Damage> {
        let range = self.entries.range(entry);
        let head = tools.inflater.fetch(self.pack.bytes, &range)?;
        let header = parse(head, range.start, self.pack.hash)?;
        let compressed = Compressed {
            header: header.header_size(),
            start: header.data_offset,
        };
        let size = header.decompressed_size;
        let (bytes, end) = tools
            .inflater
            .inflate(self.pack.bytes, &compressed, range.end, size)?;
        if end != range.end {
            self.tell(entry, Damage::Stray(range.end - end));
        }
        let (object, changes) = match (header.header.as_kind(), base) {
            (Some(kind), _) => (Object::whole(kind, bytes), None),
            (None, Some(base)) => {
                let (object, changes) = base.object.apply(bytes)?;
                let known = match base.seen {
                    Glance::Nothing => Some(changes),
                    Glance::Something => None,
                };
                (object, known)
            }
            (None, None) => return Err(Damage::Base),
        };
        let seen = self.look(&object, changes, &mut tools.scratch);
        match seen {
            Glance::Nothing => self.sink.glanced(object.length() as u64),
            Glance::Something => self.push(entry, &object, &mut tools.scratch)?,
        }
        Ok(Built { object, seen })
    }

    /// Looks at an object where it differs from one in which nothing was seen, or all over.
    fn look(&self, object: &Object, changes: Option<Changes>, scratch: &mut Vec<u8>) -> Glance {
        let whole = 0..object.length();
        let parts = match changes {
            Some(changes) => changes.widened(self.sink.reach(), HEAD, object.length()),
            None => vec![whole],
        };
        for range in parts {
            let part = if range.start == 0 {
                Part::Head
            } else {
                Part::Inner
            };
            let bytes = object.bytes(&range, scratch);
            match self.sink.glance(bytes, part) {
                Glance::Nothing => {}
                Glance::Something => return Glance::Something,
            }
        }
        Glance::Nothing
    }

    /// Pushes an object whole.
    fn push(&self, entry: u32, object: &Object, scratch: &mut Vec<u8>) -> Result<(), Damage> {
        let id = match self.names.id(entry) {
            Some(id) => id,
            None => hex(&object.id(self.pack.hash)?),
        };
        let origin = Origin::Member {
            within: self.pack.within,
            name: id.as_bytes(),
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

    /// Pushes a large object that is no delta as it is inflated.
    fn stream(&self, entry: u32, header: &data::Entry) -> Result<(), Damage> {
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
        let name = match self.names.id(entry) {
            Some(id) => id,
            None => hex(&hash(kind, size, self.pack.hash, &mut reader())?),
        };
        let origin = Origin::Member {
            within: self.pack.within,
            name: name.as_bytes(),
        };
        self.sink.blob(&origin, Content::Stream(&mut reader()));
        Ok(())
    }

    /// Builds what waited for an object of this name.
    fn adopt_strangers(&self, built: &Built, tools: &mut Tools) {
        let Ok(id) = built.object.id(self.pack.hash) else {
            return;
        };
        for child in self.take_waiting(&id).unwrap_or_default() {
            self.family(child, Some(built), SPLITS, tools);
        }
    }

    fn take_waiting(&self, id: &ObjectId) -> Option<Vec<u32>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(id)
    }

    /// The header of an entry, if it is a large one.
    fn large_header(
        &self,
        entry: u32,
        inflater: &mut Inflater,
    ) -> Result<Option<data::Entry>, Damage> {
        let range = self.entries.range(entry);
        if (range.end - range.start) * GREATEST_RATIO <= LARGE {
            return Ok(None);
        }
        let head = range.start..range.end.min(range.start + HEADER as u64);
        let head = inflater.fetch(self.pack.bytes, &head)?;
        let header = parse(head, range.start, self.pack.hash)?;
        Ok((header.decompressed_size > LARGE).then_some(header))
    }

    /// Tells that an entry cannot be read, and that so nothing can that is made from it.
    fn lost(&self, entry: u32, damage: &Damage) {
        self.with_origin(entry, |origin| {
            let error = io::Error::new(io::ErrorKind::InvalidData, damage.to_string());
            self.sink.error(origin, &error);
        });
        for &child in self.entries.children(entry) {
            self.descend(child, &mut |entry| self.tell(entry, Damage::Base));
        }
    }

    /// Calls `visit` with an entry and all that is made from it.
    fn descend(&self, entry: u32, visit: &mut dyn FnMut(u32)) {
        let mut left = vec![entry];
        while let Some(entry) = left.pop() {
            visit(entry);
            left.extend_from_slice(self.entries.children(entry));
        }
    }

    fn tell(&self, entry: u32, damage: Damage) {
        self.with_origin(entry, |origin| self.sink.error(origin, &damage.into()));
    }

    fn with_origin(&self, entry: u32, tell: impl FnOnce(&Origin<'_>)) {
        let name = self.names.any(entry);
        tell(&Origin::Member {
            within: self.pack.within,
            name: name.as_bytes(),
        });
    }

    /// Lends tools.
    fn with_tools<R>(&self, work: impl FnOnce(&mut Tools) -> R) -> R {
        let lock = || self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = lock().pop();
        let mut tools = spare.unwrap_or_else(|| Tools {
            inflater: Inflater::new(),
            scratch: Vec::new(),
        });
        let result = work(&mut tools);
        lock().push(tools);
        result
    }
}

fn parse(head: &[u8], offset: u64, hash: gix_hash::Kind) -> Result<data::Entry, Damage> {
    let head = &head[..head.len().min(HEADER)];
    data::Entry::from_bytes(head, offset, hash).map_err(|_| Damage::Header)
}

/// The id of an object that is read.
fn hash(
    kind: Kind,
    size: u64,
    hash: gix_hash::Kind,
    bytes: &mut dyn Read,
) -> Result<ObjectId, Damage> {
    let mut hasher = gix_hash::hasher(hash);
    hasher.update(&gix_object::encode::loose_header(kind, size));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match bytes.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let id = hasher.try_finalize();
    id.map_err(|error| Damage::Read(io::Error::other(error.to_string())))
}
