//! One way through a repository's packs and loose objects for all that its history is made of:
//! commits, tags, and which folder lies in which.
//!
//! Each tree is built once, from its delta, on all threads; to look trees up one by one, commit by
//! commit, takes many times as long. Of what they hold only folders are kept, and what is looked
//! for; the same names come again and again, so each is kept once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix_hash::{ObjectId, oid};
use gix_object::commit::ref_iter::Token;
use gix_object::{CommitRefIter, Kind, TagRefIter, TreeRefIter};

use crate::source::Threads;
use crate::source::git::pack::Take;

/// Folders in folders, and objects looked for in folders, that are kept: 12 bytes each. The
/// Linux kernel's history has some 20 million.
const LINKS: usize = 32 * 1024 * 1024;

/// Bytes of different names that are kept.
const NAMES: usize = 64 * 1024 * 1024;

/// Trees that a thread reads before it hands over what it gathered.
const TREES: usize = 64;

/// What is kept by the id of an object. There are hundreds of thousands, and each is asked for many
/// times. Ids are as good as random, but whoever makes an index can choose them: so they are hashed,
/// with a seed.
pub(super) type ById<T> = HashMap<ObjectId, T, foldhash::fast::RandomState>;

/// A folder, by its number.
pub(super) type Tree = u32;

/// What a folder calls something in it, by its number.
pub(super) type Name = u32;

type ByName = HashMap<Arc<[u8]>, Name, foldhash::fast::RandomState>;

/// A commit, as far as it matters here.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) tree: Tree,
    pub(super) parents: Vec<ObjectId>,
    /// When it was made, in seconds; 0 if it does not say.
    pub(super) time: i64,
}

/// What was gathered.
#[derive(Debug, Default)]
pub(in crate::source::git) struct Gathered {
    /// The objects looked for, by number.
    wanted: Vec<ObjectId>,
    /// The trees, by number.
    pub(super) trees: Vec<ObjectId>,
    numbers: ById<Tree>,
    /// Which of them were read; the others are only named in them.
    read: Vec<bool>,
    /// Folders, and the folders in them; those of one lie together, in their order.
    pub(super) folders: Vec<(Tree, Tree, Name)>,
    /// Folders, and which of the objects looked for, by number, lies in them.
    holders: Vec<(Tree, u32, Name)>,
    names: Vec<Arc<[u8]>>,
    numbers_of_names: ByName,
    /// Bytes of all names.
    named: usize,
    pub(super) commits: ById<Commit>,
    /// Tags, and what they name.
    pub(super) tags: ById<ObjectId>,
    /// Whether there was more than is kept.
    overflow: bool,
}

impl Gathered {
    /// The number of a tree, if it was met.
    pub(super) fn number(&self, id: &oid) -> Option<Tree> {
        self.numbers.get(id).copied()
    }

    /// Whether all that is to be known of these objects was gathered: they were looked for, or are
    /// what history is made of.
    pub(super) fn suffices_for(&self, objects: &[ObjectId]) -> bool {
        let looked_for: HashSet<&ObjectId> = self.wanted.iter().collect();
        objects.iter().all(|id| {
            looked_for.contains(id)
                || self.commits.contains_key(id)
                || self.tags.contains_key(id)
                || self.numbers.contains_key(id)
        })
    }

    /// For each of these objects the folders that it lies in, and what it is called there.
    pub(super) fn holders_of(&self, objects: &[ObjectId]) -> Vec<Vec<(Tree, Name)>> {
        let places: HashMap<&ObjectId, usize> = objects.iter().zip(0..).collect();
        let mut holders = vec![Vec::new(); objects.len()];
        for &(tree, object, name) in &self.holders {
            if let Some(&place) = places.get(&self.wanted[object as usize]) {
                holders[place].push((tree, name));
            }
        }
        holders
    }

    /// How many bytes it takes, about.
    pub(in crate::source::git) fn size(&self) -> usize {
        const TREE: usize = 2 * size_of::<(ObjectId, Tree)>();
        const COMMIT: usize = 2 * size_of::<(ObjectId, Commit)>();
        let links = self.folders.len() + self.holders.len();
        let commits = self.commits.len() + self.tags.len() + self.wanted.len();
        let names = self.named + self.names.len() * size_of::<(Arc<[u8]>, Name)>() * 2;
        names + links * size_of::<(Tree, Tree, Name)>() + self.trees.len() * TREE + commits * COMMIT
    }

    fn intern(&mut self, id: ObjectId) -> Tree {
        let next = Tree::try_from(self.trees.len()).unwrap_or(Tree::MAX);
        *self.numbers.entry(id).or_insert_with(|| {
            self.trees.push(id);
            self.read.push(false);
            next
        })
    }

    /// A name.
    pub(super) fn name(&self, name: Name) -> &[u8] {
        &self.names[name as usize]
    }

    fn intern_name(&mut self, name: &[u8]) -> Name {
        if let Some(&number) = self.numbers_of_names.get(name) {
            return number;
        }
        let number = Name::try_from(self.names.len()).unwrap_or(Name::MAX);
        let name: Arc<[u8]> = name.into();
        self.named += name.len();
        self.overflow |= self.named > NAMES;
        self.names.push(Arc::clone(&name));
        self.numbers_of_names.insert(name, number);
        number
    }

    /// Takes over what a thread gathered of trees.
    fn take(&mut self, desk: &mut Desk) {
        let more = desk.folders.len() + desk.held.len();
        self.overflow |= self.folders.len() + self.holders.len() + more > LINKS;
        let (mut folders, mut held) = (0, 0);
        for seen in desk.trees.drain(..) {
            let tree = self.intern(seen.id);
            let mine = (folders..seen.folders, held..seen.held);
            (folders, held) = (seen.folders, seen.held);
            if self.overflow || std::mem::replace(&mut self.read[tree as usize], true) {
                continue;
            }
            for (folder, name) in &desk.folders[mine.0] {
                let number = match *folder {
                    Folder::Known(number) => number,
                    Folder::New(id) => {
                        let number = self.intern(id);
                        desk.recent.insert(id, number);
                        number
                    }
                };
                self.folders.push((tree, number, *name));
            }
            let held = desk.held[mine.1].iter();
            self.holders
                .extend(held.map(|&(object, name)| (tree, object, name)));
        }
        desk.folders.clear();
        desk.held.clear();
    }
}

/// What one thread works with.
#[derive(Default)]
struct Desk {
    recent: Recent,
    /// The numbers of names that it met.
    names: ByName,
    /// The trees that it read.
    trees: Vec<Seen>,
    /// The folders in them.
    folders: Vec<(Folder, Name)>,
    /// The objects in them that are looked for.
    held: Vec<(u32, Name)>,
}

/// A tree that was read.
struct Seen {
    id: ObjectId,
    /// Where what lies in it ends, among that of the trees before it.
    folders: usize,
    held: usize,
}

/// A folder in a tree.
#[derive(Clone, Copy)]
enum Folder {
    Known(Tree),
    New(ObjectId),
}

/// The numbers of trees that were named of late: a tree names mostly what the one before named,
/// which it was made from. Each has one place, told by its id.
#[derive(Default)]
struct Recent(Vec<Option<(ObjectId, Tree)>>);

impl Recent {
    /// How many are kept; a power of two.
    const PLACES: usize = 1024;

    fn get(&self, id: &oid) -> Option<Tree> {
        let (known, number) = self.0.get(Self::place(id))?.as_ref()?;
        (*known == id).then_some(*number)
    }

    fn insert(&mut self, id: ObjectId, number: Tree) {
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
struct Wanted {
    /// A bit for each pair of first bytes that one of them has.
    starts: Vec<u64>,
    numbers: ById<u32>,
}

impl Wanted {
    fn new(ids: &[ObjectId]) -> Self {
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

/// Gathers while objects are handed out.
pub(in crate::source::git) struct Gather<'a> {
    wanted: Wanted,
    /// One for each thread of the pool, and one for who is none of them.
    desks: Vec<Mutex<Desk>>,
    is_done: &'a (dyn Fn() -> bool + Sync),
    gathered: Mutex<Gathered>,
}

impl<'a> Gather<'a> {
    /// Looks for what trees hold the `wanted`.
    pub(in crate::source::git) fn new(
        mut wanted: Vec<ObjectId>,
        threads: &Threads,
        is_done: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            wanted: Wanted::new(&wanted),
            desks: (0..=threads.count()).map(|_| Mutex::default()).collect(),
            is_done,
            gathered: Mutex::new(Gathered {
                wanted,
                ..Gathered::default()
            }),
        }
    }

    /// What was gathered; nothing if it was cut short, or was more than is kept.
    pub(in crate::source::git) fn finish(self) -> Option<Gathered> {
        if self.is_done() {
            return None;
        }
        let gathered = self.gathered.into_inner();
        let mut gathered = gathered.unwrap_or_else(PoisonError::into_inner);
        for desk in self.desks {
            let mut desk = desk.into_inner().unwrap_or_else(PoisonError::into_inner);
            gathered.take(&mut desk);
        }
        (!gathered.overflow).then_some(gathered)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tree(&self, id: &oid, bytes: &[u8]) {
        let thread = rayon::current_thread_index().unwrap_or(self.desks.len());
        let desk = &self.desks[thread.min(self.desks.len() - 1)];
        let desk = &mut *desk.lock().unwrap_or_else(PoisonError::into_inner);
        // Where a tree is damaged its entries end; that was told when it was scanned.
        for entry in TreeRefIter::from_bytes(bytes, id.kind()).map_while(Result::ok) {
            if entry.mode.is_tree() {
                let folder = match desk.recent.get(entry.oid) {
                    Some(number) => Folder::Known(number),
                    None => Folder::New(entry.oid.to_owned()),
                };
                let name = self.name(entry.filename, &mut desk.names);
                desk.folders.push((folder, name));
            } else if let Some(object) = self.wanted.number(entry.oid) {
                let name = self.name(entry.filename, &mut desk.names);
                desk.held.push((object, name));
            }
        }
        desk.trees.push(Seen {
            id: id.to_owned(),
            folders: desk.folders.len(),
            held: desk.held.len(),
        });
        if desk.trees.len() >= TREES {
            self.gathered().take(desk);
        }
    }

    /// The number of a name.
    fn name(&self, name: &[u8], known: &mut ByName) -> Name {
        if let Some(&number) = known.get(name) {
            return number;
        }
        let mut gathered = self.gathered();
        if gathered.overflow {
            // Nothing of it will be asked for.
            return 0;
        }
        let number = gathered.intern_name(name);
        known.insert(Arc::clone(&gathered.names[number as usize]), number);
        number
    }

    fn commit(&self, id: &oid, bytes: &[u8]) {
        let (mut tree, mut parents, mut time) = (None, Vec::new(), 0);
        // Where a commit is damaged it ends, likewise.
        for token in CommitRefIter::from_bytes(bytes, id.kind()).map_while(Result::ok) {
            match token {
                Token::Tree { id } => tree = Some(id),
                Token::Parent { id } => parents.push(id),
                Token::Committer { signature } => {
                    time = signature.seconds();
                    break;
                }
                Token::Author { .. }
                | Token::Encoding(_)
                | Token::ExtraHeader(_)
                | Token::Message(_) => {}
            }
        }
        let Some(tree) = tree else { return };
        let mut gathered = self.gathered();
        let commit = Commit {
            tree: gathered.intern(tree),
            parents,
            time,
        };
        gathered.commits.insert(id.to_owned(), commit);
    }
}

impl Take for Gather<'_> {
    fn is_done(&self) -> bool {
        (self.is_done)()
    }

    fn wants(&self, kind: Kind) -> bool {
        match kind {
            Kind::Commit | Kind::Tree | Kind::Tag => true,
            Kind::Blob => false,
        }
    }

    fn object(&self, id: &oid, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Tree => self.tree(id, bytes),
            Kind::Commit => self.commit(id, bytes),
            Kind::Tag => {
                let target = TagRefIter::from_bytes(bytes, id.kind()).target_id();
                if let Ok(target) = target {
                    self.gathered().tags.insert(id.to_owned(), target);
                }
            }
            Kind::Blob => {}
        }
    }
}
