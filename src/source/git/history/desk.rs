//! What one thread gathers of trees and commits before it hands it over.

use std::sync::Arc;

use gix_hash::{ObjectId, oid};
use gix_object::TreeRefIter;

use super::gathered::{ById, ByName, Name, Tree};

/// Trees and commits that are read before they are handed over.
const MUCH: usize = 64;

/// The same if others are handing over just then.
const TOO_MUCH: usize = 1024;

/// Tells the number of a name, and the name as it is kept, if it is.
type Ask<'a> = dyn Fn(&[u8]) -> Option<(Name, Arc<[u8]>)> + 'a;

/// What one thread works with.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) recent: Recent,
    /// The numbers of names that it met.
    names: ByName,
    /// The trees that it read.
    pub(super) trees: Vec<SeenTree>,
    /// The folders in them.
    pub(super) folders: Vec<(Folder, Name)>,
    /// The objects in them that are looked for.
    pub(super) held: Vec<(u32, Name)>,
    /// The commits that it read.
    pub(super) commits: Vec<SeenCommit>,
}

impl Desk {
    /// Reads a tree. The names that are new here are asked for.
    pub(super) fn read(&mut self, id: &oid, bytes: &[u8], wanted: &Wanted, ask: &Ask<'_>) {
        // Where a tree is damaged its entries end; that was told when it was scanned.
        for entry in TreeRefIter::from_bytes(bytes, id.kind()).map_while(Result::ok) {
            if entry.mode.is_tree() {
                let folder = match self.recent.get(entry.oid) {
                    Some(number) => Folder::Known(number),
                    None => Folder::New(entry.oid.to_owned()),
                };
                let name = self.name(entry.filename, ask);
                self.folders.push((folder, name));
            } else if let Some(object) = wanted.number(entry.oid) {
                let name = self.name(entry.filename, ask);
                self.held.push((object, name));
            }
        }
        self.trees.push(SeenTree {
            id: id.to_owned(),
            folders: self.folders.len(),
            held: self.held.len(),
        });
    }

    pub(super) fn load(&self) -> Load {
        // What is in them counts too: there are folders of thousands.
        let inside = self.folders.len() + self.held.len();
        match self.trees.len() + self.commits.len() + inside / 16 {
            ..MUCH => Load::Little,
            MUCH..TOO_MUCH => Load::Much,
            TOO_MUCH.. => Load::TooMuch,
        }
    }

    fn name(&mut self, name: &[u8], ask: &Ask<'_>) -> Name {
        if let Some(&number) = self.names.get(name) {
            return number;
        }
        // Where there was too much, nothing of it will be asked for.
        ask(name).map_or(0, |(number, name)| {
            self.names.insert(name, number);
            number
        })
    }
}

/// A commit that was read.
pub(super) struct SeenCommit {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// When it was made, in seconds; 0 if it does not say.
    pub(super) time: i64,
}

/// How much lies on a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    Little,
    /// It may be handed over.
    Much,
    /// It must be.
    TooMuch,
}

/// A tree that was read.
pub(super) struct SeenTree {
    pub(super) id: ObjectId,
    /// Where what lies in it ends, among that of the trees before it.
    pub(super) folders: usize,
    pub(super) held: usize,
}

/// A folder in a tree.
#[derive(Clone, Copy)]
pub(super) enum Folder {
    Known(Tree),
    New(ObjectId),
}

/// The numbers of trees that were named of late: a tree names mostly what the one before named,
/// which it was made from. Each has one place, told by its id.
#[derive(Default)]
pub(super) struct Recent(Vec<Option<(ObjectId, Tree)>>);

impl Recent {
    /// How many are kept; a power of two.
    const PLACES: usize = 1024;

    fn get(&self, id: &oid) -> Option<Tree> {
        let (known, number) = self.0.get(Self::place(id))?.as_ref()?;
        (*known == id).then_some(*number)
    }

    pub(super) fn insert(&mut self, id: ObjectId, number: Tree) {
        if self.0.is_empty() {
            self.0.resize(Self::PLACES, None);
        }
        self.0[Self::place(&id)] = Some((id, number));
    }

    fn place(id: &oid) -> usize {
        first_two(id) % Self::PLACES
    }
}

/// The objects looked for. There are few, and each entry of each tree is asked about.
pub(super) struct Wanted {
    /// A bit for each pair of first bytes that one of them has.
    starts: Vec<u64>,
    numbers: ById<u32>,
}

impl Wanted {
    pub(super) fn new(ids: &[ObjectId]) -> Self {
        let mut starts = vec![0; (1 << 16) / 64];
        for id in ids {
            let start = first_two(id);
            starts[start / 64] |= 1 << (start % 64);
        }
        Self {
            starts,
            numbers: ids.iter().copied().zip(0..).collect(),
        }
    }

    /// The number of an object, if it is looked for.
    fn number(&self, id: &oid) -> Option<u32> {
        let start = first_two(id);
        if self.starts[start / 64] >> (start % 64) & 1 == 0 {
            return None;
        }
        self.numbers.get(id).copied()
    }
}

/// The first two bytes of an id, which are as good as random.
fn first_two(id: &oid) -> usize {
    let first = id.as_bytes().first_chunk().copied();
    first.map_or(0, u16::from_le_bytes).into()
}
