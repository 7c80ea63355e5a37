//! Single objects of a repository, by name: for what is looked up rather than read as a whole.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use gix_pack::index;

use super::damage::Damage;
use super::input::FileBytes;
use super::loose;
use super::objects::{Objects, OpenPack};
use super::pack::{Elsewhere, is_pack, object_at};
use super::prefixes::Prefixes;

/// Packs that are kept open. There may be more of them than files that may be open.
const OPEN: usize = 16;

/// The objects of some folders.
pub(super) struct Database {
    folders: Vec<PathBuf>,
    /// Read when something is not found loose.
    packs: OnceLock<Packs>,
}

/// The packs that have an index, without which nothing is found in one.
struct Packs {
    indexed: Vec<Indexed>,
    /// Whether some cannot be opened, or have none: nobody knows what those hold.
    are_more: bool,
}

/// A pack and its index.
struct Indexed {
    path: PathBuf,
    index: Arc<index::File<Vec<u8>>>,
    /// Made when many ids are looked for.
    prefixes: OnceLock<Prefixes>,
    /// The pack, if it is kept open.
    pack: Option<FileBytes>,
}

impl Indexed {
    /// Whether the object of that name is there.
    fn has(&self, id: &oid) -> bool {
        self.prefixes().has(&self.index, id)
    }

    fn prefixes(&self) -> &Prefixes {
        self.prefixes.get_or_init(|| Prefixes::new(&self.index))
    }

    /// The object of that name, if it is there.
    fn object(&self, id: &oid) -> Result<Option<(Kind, Vec<u8>)>, Damage> {
        let place = |id: &oid| Some(self.index.pack_offset_at_index(self.index.lookup(id)?));
        let Some(offset) = place(id) else {
            return Ok(None);
        };
        let opened;
        let pack = if let Some(pack) = &self.pack {
            pack
        } else {
            opened = FileBytes::open(&self.path)?;
            &opened
        };
        object_at(pack, self.index.object_hash(), offset, &place).map(Some)
    }
}

impl Database {
    /// Takes folders of objects, those to be asked first in front.
    pub(super) fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            packs: OnceLock::new(),
        }
    }

    /// The object of that name.
    pub(super) fn object(&self, id: &oid) -> Result<(Kind, Vec<u8>), Damage> {
        if let Some(path) = self.loose(id) {
            return loose::read(&path);
        }
        for pack in &self.packs().indexed {
            if let Some(object) = pack.object(id)? {
                return Ok(object);
            }
        }
        Err(Damage::Missing(ObjectId::from(id)))
    }

    /// Which pack holds the object of that name, if one does; `first` is asked first.
    pub(super) fn packed(&self, id: &oid, first: usize) -> Option<usize> {
        let packs = &self.packs().indexed;
        let holds = |at: usize| packs.get(at)?.has(id).then_some(at);
        holds(first).or_else(|| (0..packs.len()).find_map(holds))
    }

    /// Makes ready to ask for these in the pack that is asked first.
    pub(super) fn touch(&self, ids: &[ObjectId], first: usize) {
        if let Some(pack) = self.packs().indexed.get(first) {
            let prefixes = pack.prefixes();
            for id in ids {
                prefixes.touch(&pack.index, id);
            }
        }
    }

    /// Whether the object of that name is there. Nothing of it is read.
    pub(super) fn has(&self, id: &oid) -> bool {
        self.packed(id, 0).is_some() || self.loose(id).is_some()
    }

    /// Whether a remote has promised objects that need not be here.
    pub(super) fn is_promised(&self) -> bool {
        let mut packs = self
            .folders
            .iter()
            .flat_map(|folder| Objects::packs_of(folder));
        packs.any(|pack| pack.with_extension("promisor").exists())
    }

    /// Where the object of that name lies, if it is a loose one.
    fn loose(&self, id: &oid) -> Option<PathBuf> {
        let hex = id.to_hex().to_string();
        let folders = self.folders.iter();
        let mut paths = folders.map(|folder| folder.join(&hex[..2]).join(&hex[2..]));
        paths.find(|path| path.is_file())
    }

    /// The folders that it looks in.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The index of a pack, if it has one.
    pub(super) fn index(&self, path: &Path) -> Option<&Arc<index::File<Vec<u8>>>> {
        let mut packs = self.packs().indexed.iter();
        packs.find(|pack| pack.path == path).map(|pack| &pack.index)
    }

    /// Reads what is read when something is looked for; tells how many bytes of memory it takes.
    pub(super) fn open(&self) -> usize {
        let size = |pack: &Indexed| {
            let entry = pack.index.object_hash().len_in_bytes() + 2 * size_of::<u32>();
            pack.index.num_objects() as usize * entry
        };
        self.packs().indexed.iter().map(size).sum()
    }

    /// Closes all packs. They can be used all the same.
    pub(super) fn close(&mut self) {
        if let Some(packs) = self.packs.get_mut() {
            packs.indexed.iter_mut().for_each(|pack| pack.pack = None);
        }
    }

    /// Whether all packs tell what they hold.
    pub(super) fn is_all(&self) -> bool {
        !self.packs().are_more
    }

    fn packs(&self) -> &Packs {
        self.packs.get_or_init(|| {
            let folders = self.folders.iter();
            let mut packs = Packs {
                indexed: Vec::new(),
                are_more: false,
            };
            for path in folders.flat_map(|folder| Objects::packs_of(folder)) {
                match OpenPack::new(&path) {
                    Ok(OpenPack { bytes, index, .. }) => {
                        packs.are_more |= index.is_none() && is_pack(&bytes);
                        let pack = (packs.indexed.len() < OPEN).then_some(bytes);
                        let indexed = index.map(|index| Indexed {
                            path,
                            index,
                            prefixes: OnceLock::new(),
                            pack,
                        });
                        packs.indexed.extend(indexed);
                    }
                    Err(_) => packs.are_more = true,
                }
            }
            packs
        })
    }
}

impl Elsewhere for Database {
    fn find(&self, id: &oid) -> Option<(Kind, Vec<u8>)> {
        self.object(id).ok()
    }
}
