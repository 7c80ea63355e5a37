//! One folder of objects: what of it is read as objects, and the objects themselves.
//!
//! Its packs and loose objects are read here; whatever else lies there (`info/alternates`, an
//! index, a file that somebody left) is a file like any other and none of this module's business.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix_hash::ObjectId;
use gix_pack::index;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::source::{Sink, Threads};
use crate::vocabulary::Origin;

use super::damage::Damage;
use super::history::{Connectivity, Gather, Links, Unsorted};
use super::input::{FileBytes, ReadAt as _};
use super::loose;
use super::pack::{Besides, Elsewhere, Nowhere, Pack, Take, is_pack};

/// From this many on, loose objects are shared out over threads.
const MANY_LOOSE: usize = 32;

/// The objects of one folder.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// Its packs.
    packs: Vec<PathBuf>,
    /// Its loose objects.
    loose: Vec<(ObjectId, PathBuf)>,
    /// Whether others lie there that are not wanted.
    leaves_out: bool,
}

/// Whether a path below a folder of objects is that of a pack or a loose object.
pub(super) fn is_object(path: &Path) -> bool {
    let mut parts = path.components().map(Component::as_os_str);
    let (Some(folder), Some(file), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    match (folder.to_str(), file.to_str()) {
        (Some("pack"), Some(file)) => is_named_pack(file),
        (Some(folder), Some(file)) => loose::id(folder, file).is_some(),
        (_, _) => false,
    }
}

fn is_named_pack(file: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|ending| ending == "pack")
}

/// Whether a pack has a name that git gives: `pack-`, and a hash.
fn is_named_by_git(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str());
    let hash = name.and_then(|name| name.strip_prefix("pack-"));
    hash.is_some_and(|hash| ObjectId::from_hex(hash.as_bytes()).is_ok())
}

impl Objects {
    /// Lists what lies in `folder`; `wanted` says of a path whether it is to be read.
    pub(super) fn list(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> io::Result<Self> {
        let mut objects = Self::default();
        for entry in fs::read_dir(folder)? {
            let folder = entry?.path();
            let name = folder.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| *name == "pack" || name.len() == 2) else {
                continue;
            };
            // What is no folder, or was removed meanwhile, holds no objects.
            let Ok(files) = fs::read_dir(&folder) else {
                continue;
            };
            for file in files {
                let path = file?.path();
                let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
                    continue;
                };
                let id = loose::id(name, file);
                let is_pack = name == "pack" && is_named_pack(file);
                if !is_pack && id.is_none() {
                    continue;
                }
                if !wanted(&path) {
                    objects.leaves_out = true;
                } else if let Some(id) = id {
                    objects.loose.push((id, path));
                } else {
                    objects.packs.push(path);
                }
            }
        }
        objects.packs.sort_unstable();
        objects.loose.sort_unstable();
        Ok(objects)
    }

    /// The packs in a folder of objects, if there are any.
    pub(super) fn packs_of(folder: &Path) -> Vec<PathBuf> {
        let files = fs::read_dir(folder.join("pack")).into_iter().flatten();
        let paths = files.filter_map(|file| Some(file.ok()?.path()));
        let mut packs: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "pack"))
            .collect();
        packs.sort_unstable();
        packs
    }

    /// Hands them out by name. What cannot be read is passed over.
    pub(super) fn each(&self, elsewhere: &dyn Elsewhere, threads: &Threads, take: &dyn Take) {
        for path in self.packs.iter().take_while(|_| !take.is_done()) {
            if let Ok(pack) = OpenPack::new(path) {
                let within = Origin::File(path);
                pack.pack(&within, elsewhere).each(threads, take);
            }
        }
        self.each_loose(threads, |(id, path)| {
            if !take.is_done() {
                loose::hand_out(path, id, take);
            }
        });
    }

    /// Pushes them all as members of `within`, and tells `connectivity`, which may have read their
    /// indexes already, what they name. If something was found by the time the blobs were pushed, tells
    /// what was gathered of the history meanwhile.
    pub(super) fn push(
        &self,
        within: &Origin<'_>,
        connectivity: Option<&Connectivity>,
        threads: &Threads,
        sink: &dyn Sink,
    ) -> Option<Unsorted> {
        let is_done = || sink.is_done();
        let asked = connectivity.filter(|asked| asked.is_asked());
        let (gather, links) = (OnceLock::new(), OnceLock::new());
        let besides = |pushed: Vec<ObjectId>| -> Option<&dyn Take> {
            // Of several packs one may hold the trees that name another one's blobs.
            let is_all = self.packs.len() == 1 && !self.leaves_out;
            let gather = (is_all && sink.has_found()).then(|| {
                let loose = self.loose.iter().map(|(id, _)| *id);
                let wanted = pushed.into_iter().chain(loose).collect();
                gather.get_or_init(|| Gather::new(wanted, threads, &is_done))
            });
            let links = links.get_or_init(|| Links::new(asked, gather));
            links.as_ref().map(|links| links as &dyn Take)
        };
        for path in self.packs.iter().take_while(|_| !sink.is_done()) {
            let known = connectivity.and_then(|known| known.objects().index(path));
            let known = known.and_then(|index| OpenPack::with(path, index));
            let pack = match known.map_or_else(|| OpenPack::new(path), Ok) {
                Ok(pack) => pack,
                Err(error) => {
                    sink.error(&Origin::File(path), &error);
                    continue;
                }
            };
            if !pack.is_pack() {
                // Something that only has a pack's ending, unless git made it.
                if pack.index.is_some() || is_named_by_git(path) {
                    sink.error(&Origin::File(path), &Damage::NoPack.into());
                }
                sink.blob(&Origin::File(path), pack.bytes.content());
                continue;
            }
            pack.push(within, &Nowhere, threads, sink, &besides);
        }
        let links = links.get_or_init(|| Links::new(asked, None));
        let take = links.as_ref().map(|links| links as &dyn Take);
        self.each_loose(threads, |(id, path)| {
            if !sink.is_done() {
                loose::push(path, id, within, sink, take);
            }
        });
        gather.into_inner()?.finish()
    }

    /// Calls `work` with each loose object, on all threads if there are many.
    fn each_loose(&self, threads: &Threads, work: impl Fn(&(ObjectId, PathBuf)) + Sync + Send) {
        if self.loose.len() < MANY_LOOSE {
            self.loose.iter().for_each(work);
        } else {
            threads.install(|| self.loose.par_iter().for_each(work));
        }
    }
}

/// A pack on disk, and its index if that is one.
pub(super) struct OpenPack {
    pub(super) bytes: FileBytes,
    pub(super) index: Option<Arc<index::File<Vec<u8>>>>,
    pub(super) hash: gix_hash::Kind,
}

impl OpenPack {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let bytes = FileBytes::open(path)?;
        let index_path = path.with_extension("idx");
        let index = FileBytes::open(&index_path).and_then(FileBytes::into_bytes);
        let known = index.ok().and_then(|index| {
            let hash = hash_kind(&bytes, &index)?;
            let index = index::File::from_data(index, index_path, hash).ok()?;
            Some((Arc::new(index), hash))
        });
        let (index, hash) = match known {
            Some((index, hash)) => (Some(index), hash),
            None => (None, gix_hash::Kind::Sha1),
        };
        Ok(Self { bytes, index, hash })
    }

    /// The same with an index that is known; nothing if it is another pack's.
    pub(super) fn with(path: &Path, index: &Arc<index::File<Vec<u8>>>) -> Option<Self> {
        let bytes = FileBytes::open(path).ok()?;
        let hash = index.object_hash();
        let is_its =
            checksum(&bytes, hash).is_some_and(|sum| index.pack_checksum().as_bytes() == sum);
        is_its.then(|| Self {
            bytes,
            index: Some(Arc::clone(index)),
            hash,
        })
    }

    /// Whether it begins like one.
    pub(super) fn is_pack(&self) -> bool {
        is_pack(&self.bytes)
    }

    /// Pushes its objects as members of `within`.
    pub(super) fn push(
        &self,
        within: &Origin<'_>,
        elsewhere: &dyn Elsewhere,
        threads: &Threads,
        sink: &dyn Sink,
        besides: &Besides<'_>,
    ) {
        self.pack(within, elsewhere).push(threads, sink, besides);
    }

    fn pack<'a>(&'a self, within: &'a Origin<'a>, elsewhere: &'a dyn Elsewhere) -> Pack<'a> {
        Pack {
            bytes: &self.bytes,
            index: self.index.as_deref(),
            hash: self.hash,
            within,
            elsewhere,
        }
    }
}

/// How the objects of a pack are named: its checksum, in that hash, ends it, and its index holds a
/// copy. None if the index is another pack's.
fn hash_kind(pack: &FileBytes, index: &[u8]) -> Option<gix_hash::Kind> {
    let kinds = [gix_hash::Kind::Sha1, gix_hash::Kind::Sha256];
    kinds.into_iter().find(|kind| {
        let length = kind.len_in_bytes();
        let copy = index.len().checked_sub(2 * length);
        copy.zip(checksum(pack, *kind))
            .is_some_and(|(copy, sum)| sum == index[copy..copy + length])
    })
}

/// The checksum that ends a pack.
fn checksum(pack: &FileBytes, hash: gix_hash::Kind) -> Option<Vec<u8>> {
    let mut sum = vec![0; hash.len_in_bytes()];
    let start = pack.length().checked_sub(sum.len() as u64)?;
    let read = pack.read_at(&mut sum, start).ok()?;
    (read == sum.len()).then_some(sum)
}
