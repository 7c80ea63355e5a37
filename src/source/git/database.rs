//! Single objects of a repository, by name: for what is looked up rather than read as a whole.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gix_hash::{ObjectId, oid};
use gix_object::Kind;

use super::damage::Damage;
use super::loose;
use super::objects::{Objects, OpenPack};
use super::pack::{Elsewhere, object_at};

/// Whether an object is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    Missing,
    /// Some pack does not tell what it holds.
    Unknown,
}

/// The objects of some folders.
pub(super) struct Database {
    folders: Vec<PathBuf>,
    /// Opened when something is not found loose. None for one that cannot be opened.
    packs: OnceLock<Vec<Option<OpenPack>>>,
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
        for pack in self.packs().iter().flatten() {
            if let Some(index) = &pack.index {
                let place = |id: &oid| Some(index.pack_offset_at_index(index.lookup(id)?));
                if let Some(offset) = place(id) {
                    return object_at(&pack.bytes, pack.hash, offset, &place);
                }
            }
        }
        Err(Damage::Missing(ObjectId::from(id)))
    }

    /// Which pack holds the object of that name, if one does; `first` is asked first.
    pub(super) fn packed(&self, id: &oid, first: usize) -> Option<usize> {
        let packs = self.packs();
        let holds = |at: usize| {
            let index = packs.get(at)?.as_ref()?.index.as_ref()?;
            index.lookup(id).map(|_| at)
        };
        holds(first).or_else(|| (0..packs.len()).find_map(holds))
    }

    /// Whether the object of that name is there. Nothing of it is read.
    pub(super) fn presence(&self, id: &oid) -> Presence {
        if self.packed(id, 0).is_some() || self.loose(id).is_some() {
            Presence::Here
        } else if self.is_listed() {
            Presence::Missing
        } else {
            Presence::Unknown
        }
    }

    /// Whether all packs tell what they hold.
    pub(super) fn is_listed(&self) -> bool {
        let mut packs = self.packs().iter();
        packs.all(|pack| pack.as_ref().is_some_and(|pack| pack.index.is_some()))
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

    /// A pack that was opened.
    pub(super) fn opened(&self, path: &Path) -> Option<&OpenPack> {
        let mut packs = self.packs().iter().flatten();
        packs.find(|pack| pack.path() == path)
    }

    /// Opens what is opened when something is looked for; tells how many bytes of memory it takes.
    pub(super) fn open(&self) -> usize {
        self.packs().iter().flatten().map(OpenPack::size).sum()
    }

    fn packs(&self) -> &[Option<OpenPack>] {
        self.packs.get_or_init(|| {
            let folders = self.folders.iter();
            let paths = folders.flat_map(|folder| Objects::packs_of(folder));
            let packs = paths.map(|path| OpenPack::new(&path).ok());
            // What only has a pack's name holds nothing.
            packs
                .filter(|pack| pack.as_ref().is_none_or(OpenPack::is_pack))
                .collect()
        })
    }
}

impl Elsewhere for Database {
    fn find(&self, id: &oid) -> Option<(Kind, Vec<u8>)> {
        self.object(id).ok()
    }
}
