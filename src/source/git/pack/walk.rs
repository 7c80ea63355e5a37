//! The way down from whole objects to what is made from them, on all threads.
//!
//! An object is kept until its last child is built. Small families go first and the largest last,
//! when its base is needed no more: so what one thread keeps on its way down is, however long the
//! chains are, one object for each time the family halves. Small families are left to other threads
//! only while fewer of them wait than there are threads. What is done with the objects is a
//! [`Visit`]'s business.

mod strangers;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use gix_hash::ObjectId;
use gix_pack::data;
use rayon::Scope;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

use crate::source::git::damage::Damage;

use super::budget::{Budget, Kept};
use super::draft::{Draft, Stretch};
use super::entries::Entries;
use super::glance::Scratch;
use super::inflate::GREATEST_RATIO;
use super::object::Object;
use super::reader::{Read, Reader};
use super::visit::{Built, Visit};
use super::{LARGEST, Pack};

/// Families smaller than this are one thread's work, and so are fewer than this together.
const FAMILY: u32 = 4;

/// Whole objects that one thread takes at once. What it took no other can take from it, and some
/// have large families.
const ROOTS: usize = 16;

/// Room for so many stretches is kept from one draft to the next.
const STRETCHES: usize = 1024 * 1024;

/// Families whose root is larger than this are walked one after the other.
pub(in crate::source::git) const LARGE: u64 = 16 * 1024 * 1024;

/// The walk through one pack.
pub(super) struct Walk<'a, V: Visit> {
    pack: &'a Pack<'a>,
    entries: &'a Entries,
    visit: &'a V,
    /// Deltas whose base is known by a name that no index places.
    waiting: Mutex<HashMap<ObjectId, Vec<u32>>>,
    /// Families that were left to other threads and that none has taken yet. Each keeps its base,
    /// so they are about as many as there are threads, and no more.
    left: AtomicUsize,
    /// Tools that are not in use.
    tools: Mutex<Vec<Tools<'a, V::Note>>>,
    budget: &'a Budget,
}

/// What one thread works with.
struct Tools<'a, N> {
    reader: Reader,
    scratch: Scratch,
    /// Those of a draft.
    stretches: Vec<Stretch>,
    /// Deltas whose base was met on the way, and that base; they wait until the way is at its end.
    adopted: Vec<(u32, Arc<Noted<'a, N>>)>,
}

/// An object, and what was noted of it.
struct Noted<'a, N> {
    object: Object,
    note: N,
    /// The memory it takes; none for one that nothing is made from.
    _kept: Option<Kept<'a>>,
}

impl<'a, V: Visit> Walk<'a, V> {
    pub(super) fn new(
        pack: &'a Pack<'a>,
        entries: &'a Entries,
        visit: &'a V,
        budget: &'a Budget,
    ) -> Self {
        let mut waiting: HashMap<ObjectId, Vec<u32>> = HashMap::new();
        for (id, entry) in &entries.strangers {
            waiting.entry(*id).or_default().push(*entry);
        }
        Self {
            pack,
            entries,
            visit,
            waiting: Mutex::new(waiting),
            left: AtomicUsize::new(0),
            tools: Mutex::default(),
            budget,
        }
    }

    fn is_done(&self) -> bool {
        self.visit.is_done() || self.budget.is_spent()
    }

    /// Walks everything.
    pub(super) fn run(&self) {
        self.roots();
        self.strangers();
        for &entry in &self.entries.broken {
            self.lost(entry, Damage::Header);
        }
        for entry in self.entries.circles() {
            self.visit.damaged(entry, Damage::Circle);
        }
        if self.budget.is_spent() {
            self.visit.too_much();
        }
    }

    /// Walks what hangs on whole objects of this pack.
    pub(super) fn roots(&self) {
        let large = Mutex::new(Vec::new());
        rayon::scope(|scope| {
            self.entries
                .roots
                .par_iter()
                .with_max_len(ROOTS)
                .for_each(|&(root, kind)| {
                    if self.is_done() || !self.visit.wants(kind) {
                        return;
                    }
                    self.with_tools(Some(scope), |tools| {
                        match self.large_header(root, &mut tools.reader) {
                            Ok(Some(header)) => {
                                let mut large =
                                    large.lock().unwrap_or_else(PoisonError::into_inner);
                                large.push((root, header));
                            }
                            Ok(None) | Err(_) => self.family(root, None, Some(scope), tools),
                        }
                    });
                });
        });
        let mut large = large.into_inner().unwrap_or_else(PoisonError::into_inner);
        large.sort_unstable_by_key(|(root, _)| *root);
        for (root, header) in large {
            self.large(root, &header);
        }
    }

    /// Walks the family of an object that does not go through memory beside others.
    fn large(&self, root: u32, header: &data::Entry) {
        if self.is_done() {
            return;
        }
        let childless = self.entries.weight(root) == 1;
        if childless || header.decompressed_size > LARGEST {
            if let Err(damage) = self.visit.large(root, header) {
                self.visit.damaged(root, damage);
            }
            for &child in self.entries.children(root) {
                self.descend(child, &mut |entry| self.visit.too_large(entry));
            }
        } else {
            self.with_tools(None, |tools| self.family(root, None, None, tools));
        }
    }

    /// Builds an entry and all that is made from it. With a scope, families in it are left to other
    /// threads as soon as those may lack work.
    fn family<'s>(
        &'s self,
        top: u32,
        base: Option<&Noted<'a, V::Note>>,
        scope: Option<&Scope<'s>>,
        tools: &mut Tools<'a, V::Note>,
    ) {
        if self.is_done() {
            return;
        }
        let Some(built) = self.build(top, base, tools) else {
            return;
        };
        let (mut entry, mut built) = (top, Arc::new(built));
        loop {
            if self.is_done() {
                return;
            }
            let Some((&heavy, light)) = self.entries.children(entry).split_last() else {
                return;
            };
            let lesser = self.entries.weight(entry) - 1 - self.entries.weight(heavy);
            match scope {
                Some(scope) if lesser >= FAMILY && self.is_work_lacking() => {
                    self.leave(light, Arc::clone(&built), scope);
                }
                Some(_) | None => self.families(light, &built, scope, tools),
            }
            match self.build(heavy, Some(&built), tools) {
                Some(next) => (entry, built) = (heavy, Arc::new(next)),
                None => return,
            }
        }
    }

    /// Whether other threads may lack work.
    fn is_work_lacking(&self) -> bool {
        self.left.load(Relaxed) < rayon::current_num_threads()
    }

    /// Leaves families to another thread.
    fn leave<'s>(&'s self, tops: &'s [u32], base: Arc<Noted<'a, V::Note>>, scope: &Scope<'s>) {
        self.left.fetch_add(1, Relaxed);
        scope.spawn(move |scope| {
            self.left.fetch_sub(1, Relaxed);
            self.with_tools(Some(scope), |tools| {
                self.families(tops, &base, Some(scope), tools);
            });
        });
    }

    /// Builds families that are made from one object.
    fn families<'s>(
        &'s self,
        mut tops: &'s [u32],
        base: &Arc<Noted<'a, V::Note>>,
        scope: Option<&Scope<'s>>,
        tools: &mut Tools<'a, V::Note>,
    ) {
        while let Some((&top, rest)) = tops.split_first() {
            if let Some(scope) = scope
                && tops.len() >= FAMILY as usize
                && self.is_work_lacking()
            {
                let (mine, theirs) = tops.split_at(tops.len() / 2);
                self.leave(theirs, Arc::clone(base), scope);
                tops = mine;
                continue;
            }
            self.family(top, Some(base), scope, tools);
            tops = rest;
        }
    }

    /// Builds and looks at one entry; those made from it are told lost if it cannot be built. None
    /// also for what need not be built.
    fn build(
        &self,
        entry: u32,
        base: Option<&Noted<'a, V::Note>>,
        tools: &mut Tools<'a, V::Note>,
    ) -> Option<Noted<'a, V::Note>> {
        let built = match self.try_build(entry, base, tools) {
            Ok(built) => built?,
            Err(Damage::Huge) => {
                self.descend(entry, &mut |entry| self.visit.too_large(entry));
                return None;
            }
            Err(damage) => {
                self.lost(entry, damage);
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
        base: Option<&Noted<'a, V::Note>>,
        tools: &mut Tools<'a, V::Note>,
    ) -> Result<Option<Noted<'a, V::Note>>, Damage> {
        let Tools {
            reader,
            scratch,
            stretches,
            ..
        } = tools;
        let Read {
            header,
            bytes,
            stray,
        } = reader.read(self.pack, self.entries, entry)?;
        if stray > 0 {
            self.visit.damaged(entry, Damage::Stray(stray));
        }
        let (object, noted) = match (header.header.as_kind(), base) {
            (Some(kind), _) => (Object::whole(kind, bytes.into_owned()), None),
            (None, Some(base)) => {
                let draft = Draft::read(&base.object, &bytes, stretches)?;
                self.budget.spend(draft.cost());
                let noted = self
                    .visit
                    .draft(entry, &draft, &base.note, self.budget, scratch);
                let nothing_hangs_on_it =
                    self.entries.weight(entry) == 1 && self.entries.strangers.is_empty();
                if let Some(noted) = &noted
                    && nothing_hangs_on_it
                    && self.visit.passes(&draft, noted)
                {
                    return Ok(None);
                }
                let made = draft.build();
                (made.finish(&base.object, bytes), noted)
            }
            (None, None) => return Err(Damage::Base),
        };
        let built = Built {
            entry,
            object: &object,
            noted,
            budget: self.budget,
        };
        let note = self.visit.built(built, scratch)?;
        let size = object.own() + V::size(&note);
        self.budget.spend(size);
        let has_children = self.entries.weight(entry) > 1;
        let kept = has_children.then(|| self.budget.keep(size));
        if matches!(kept, Some(None)) {
            for &child in self.entries.children(entry) {
                self.descend(child, &mut |entry| self.visit.too_large(entry));
            }
            return Ok(None);
        }
        Ok(Some(Noted {
            object,
            note,
            _kept: kept.flatten(),
        }))
    }

    /// The header of an entry, if it is a large one.
    fn large_header(&self, entry: u32, reader: &mut Reader) -> Result<Option<data::Entry>, Damage> {
        let range = self.entries.range(entry);
        if (range.end - range.start) * GREATEST_RATIO <= LARGE {
            return Ok(None);
        }
        let header = reader.header(self.pack, self.entries, entry)?;
        Ok((header.decompressed_size > LARGE).then_some(header))
    }

    /// Tells that an entry cannot be read, and that so nothing can that is made from it.
    fn lost(&self, entry: u32, damage: Damage) {
        self.visit.damaged(entry, damage);
        for &child in self.entries.children(entry) {
            self.descend(child, &mut |entry| self.visit.damaged(entry, Damage::Base));
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

    /// Lends tools.
    fn with_tools<'s>(
        &'s self,
        scope: Option<&Scope<'s>>,
        work: impl FnOnce(&mut Tools<'a, V::Note>),
    ) {
        let lock = || self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = lock().pop();
        let mut tools = spare.unwrap_or_else(|| Tools {
            reader: Reader::new(),
            scratch: Scratch::default(),
            stretches: Vec::new(),
            adopted: Vec::new(),
        });
        work(&mut tools);
        while let Some((child, base)) = tools.adopted.pop() {
            self.family(child, Some(&base), scope, &mut tools);
        }
        tools.scratch.shrink();
        tools.stretches.shrink_to(STRETCHES);
        lock().push(tools);
    }
}
