//! Deltas whose base is known by a name that no index places: it may be met on the way, or lie
//! elsewhere.

use std::sync::{Arc, PoisonError};

use gix_hash::ObjectId;

use crate::source::git::damage::Damage;
use crate::source::git::pack::object::Object;
use crate::source::git::pack::visit::Visit;

use super::{Noted, Tools, Walk};

impl<'a, V: Visit> Walk<'a, V> {
    /// Walks what is made from objects that this pack does not hold.
    pub(super) fn strangers(&self) {
        let waiting = || {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let mut ids: Vec<ObjectId> = waiting.keys().copied().collect();
            ids.sort_unstable();
            ids
        };
        // What is found elsewhere may be what leads to others.
        for id in waiting() {
            if self.is_done() {
                return;
            }
            let Some((kind, bytes)) = self.pack.elsewhere.find(&id) else {
                continue;
            };
            let children = self.take_waiting(&id).unwrap_or_default();
            if !self.visit.wants(kind) {
                continue;
            }
            self.budget.spend(bytes.len());
            let object = Object::whole(kind, bytes);
            rayon::scope(|scope| {
                self.with_tools(Some(scope), |tools| {
                    let note = self.visit.borrowed(&object, &mut tools.scratch);
                    let base = Noted {
                        object,
                        note,
                        _kept: None,
                    };
                    for child in children {
                        self.family(child, Some(&base), Some(scope), tools);
                    }
                });
            });
        }
        for id in waiting() {
            for child in self.take_waiting(&id).unwrap_or_default() {
                self.lost(child, Damage::MissingBase(id));
            }
        }
    }

    /// Takes what waited for an object of this name. It is not built at once: in a pack without an
    /// index that names all bases, a chain of thousands would be as many calls deep.
    pub(super) fn adopt_strangers(
        &self,
        built: &Noted<'a, V::Note>,
        tools: &mut Tools<'a, V::Note>,
    ) {
        self.budget.spend(built.object.length());
        let Ok(id) = built.object.id(self.pack.hash) else {
            return;
        };
        let children = self.take_waiting(&id).unwrap_or_default();
        if children.is_empty() {
            return;
        }
        let base = Arc::new(Noted {
            object: built.object.clone(),
            note: built.note.clone(),
            _kept: None,
        });
        let adopted = children.into_iter().map(|child| (child, Arc::clone(&base)));
        tools.adopted.extend(adopted);
    }

    fn take_waiting(&self, id: &ObjectId) -> Option<Vec<u32>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(id)
    }
}
