//! What a tree holds, entry by entry, kept for the sake of the trees made from it.
//!
//! A tree differs in an entry or two from the one that it was made from. All others are copied, and
//! whatever was made of them there holds here too: they are neither read nor looked up again, and the
//! tree itself need not be built. (uv's history has 179,000 trees of 20 entries on average, three
//! quarters of them deltas.)

use gix_object::TreeRefIter;
use gix_object::tree::EntryRef;

use super::delta::{Source, Step};
use super::draft::Draft;
use super::small;

/// Bytes that nearly all entries fit into.
const ENTRY: usize = 64;

/// What [who takes trees](super::Take) made of an entry, by the numbers that were given to it and to
/// its name. They mean nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::git) enum Link {
    /// A folder.
    Folder(u32, u32),
    /// An object that is looked for.
    Wanted(u32, u32),
}

/// The entries of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::source::git) struct Outline {
    entries: Vec<Entry>,
    /// How many bytes were gone through for it.
    cost: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Where it ends in the tree, and the next one starts.
    end: u32,
    link: Option<Link>,
}

/// A tree that is handed out.
pub(in crate::source::git) struct Revision<'a>(Form<'a>);

enum Form<'a> {
    Whole(&'a [u8]),
    Draft {
        draft: &'a Draft<'a>,
        base: &'a Outline,
        scratch: &'a mut Vec<u8>,
    },
}

impl<'a> Revision<'a> {
    /// One of which all bytes are there.
    pub(in crate::source::git) fn whole(bytes: &'a [u8]) -> Self {
        Self(Form::Whole(bytes))
    }

    /// One that is not built, and the outline of its base. What does not lie in one piece is put
    /// together in `scratch`.
    pub(super) fn draft(draft: &'a Draft<'a>, base: &'a Outline, scratch: &'a mut Vec<u8>) -> Self {
        Self(Form::Draft {
            draft,
            base,
            scratch,
        })
    }

    /// Outlines it. Only entries that are not copied whole are read. Where one is damaged they end;
    /// that is told when the tree is scanned.
    pub(in crate::source::git) fn outline(
        self,
        hash: gix_hash::Kind,
        mut read: impl FnMut(&EntryRef<'_>) -> Option<Link>,
    ) -> Outline {
        match self.0 {
            Form::Whole(bytes) => Outline::whole(bytes, hash, &mut read),
            Form::Draft {
                draft,
                base,
                scratch,
            } => base.revised(draft, scratch, hash, &mut read),
        }
    }
}

impl Outline {
    /// What was made of its entries, as far as anything was.
    pub(in crate::source::git) fn links(&self) -> impl Iterator<Item = Link> {
        self.entries.iter().filter_map(|entry| entry.link)
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    /// How many bytes were gone through for it.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    fn whole(
        bytes: &[u8],
        hash: gix_hash::Kind,
        read: &mut impl FnMut(&EntryRef<'_>) -> Option<Link>,
    ) -> Self {
        let mut entries = Vec::with_capacity(bytes.len() / ENTRY);
        let cost = bytes.len();
        let mut rest = TreeRefIter::from_bytes(bytes, hash);
        while let Some(Ok(entry)) = rest.next() {
            entries.push(Entry {
                end: small(rest.offset_to_next_entry(bytes)),
                link: read(&entry),
            });
        }
        Self { entries, cost }
    }

    /// That of a tree made from this one.
    fn revised(
        &self,
        draft: &Draft<'_>,
        scratch: &mut Vec<u8>,
        hash: gix_hash::Kind,
        read: &mut impl FnMut(&EntryRef<'_>) -> Option<Link>,
    ) -> Self {
        // An entry has a mode, a name and two borders beside its id.
        let most = draft.length() / (hash.len_in_bytes() + 3);
        let mut entries = Vec::with_capacity(most.min(self.entries.len() + 4));
        let (mut at, mut cost) = (0, 0);
        for (start, Step { source, range }) in draft.steps() {
            let end = start + range.len();
            while at < end {
                let copied = match source {
                    Source::Base => self.between(range.start + at - start, range.end),
                    Source::Delta => &[],
                };
                if let Some(last) = copied.last() {
                    // From where they end there to where they end here.
                    let (there, here) = (small(range.start), small(start));
                    let moved = |end: u32| end - there + here;
                    entries.extend(copied.iter().map(|entry| Entry {
                        end: moved(entry.end),
                        ..*entry
                    }));
                    at = moved(last.end) as usize;
                    cost += size_of_val(copied);
                    continue;
                }
                let entry = entry_at(at, draft, scratch, hash, &mut cost, read);
                let Some((length, link)) = entry else {
                    return Self { entries, cost };
                };
                at += length;
                entries.push(Entry {
                    end: small(at),
                    link,
                });
            }
        }
        Self { entries, cost }
    }

    /// The entries from the one that starts at `from` to the last one that ends at `to` or before;
    /// none if none starts there.
    fn between(&self, from: usize, to: usize) -> &[Entry] {
        let ends_by = |place: usize| move |entry: &Entry| entry.end as usize <= place;
        let first = self.entries.partition_point(ends_by(from));
        let start = first
            .checked_sub(1)
            .map_or(0, |last| self.entries[last].end);
        if start as usize != from {
            return &[];
        }
        let behind = &self.entries[first..];
        &behind[..behind.partition_point(ends_by(to))]
    }
}

/// The length of the entry at a place of a tree, and what is made of it; none if it is damaged. What
/// is gone through for it is added to `cost`.
fn entry_at(
    at: usize,
    draft: &Draft<'_>,
    scratch: &mut Vec<u8>,
    hash: gix_hash::Kind,
    cost: &mut usize,
    read: &mut impl FnMut(&EntryRef<'_>) -> Option<Link>,
) -> Option<(usize, Option<Link>)> {
    let rest = draft.length() - at;
    let mut length = ENTRY.min(rest);
    loop {
        let bytes = draft.bytes(&(at..at + length), scratch);
        *cost += length;
        let mut entries = TreeRefIter::from_bytes(bytes, hash);
        if let Some(Ok(entry)) = entries.next() {
            return Some((entries.offset_to_next_entry(bytes), read(&entry)));
        }
        if length == rest {
            return None;
        }
        length = rest.min(2 * length);
    }
}

#[cfg(test)]
mod tests {
    use gix_object::Kind;
    use proptest::prelude::*;

    use super::super::object::Object;
    use super::super::writer::{Edit, edited};
    use super::*;

    /// What is made of an entry, as far as can be told from it.
    fn link(entry: &EntryRef<'_>) -> Option<Link> {
        let number = entry.oid.as_bytes().iter().copied().map(u32::from).sum();
        let name = entry.filename.iter().copied().map(u32::from).sum();
        match (entry.mode.is_tree(), number % 2) {
            (true, _) => Some(Link::Folder(number, name)),
            (false, 0) => Some(Link::Wanted(number, name)),
            (false, _) => None,
        }
    }

    /// An entry with an id of so many bytes.
    fn entry(id: usize) -> impl Strategy<Value = Vec<u8>> {
        let mode = prop_oneof![Just("40000"), Just("100644"), Just("120000")];
        let name = prop_oneof![9 => "[a-c]{1,9}", 1 => "[a-c]{90,200}"];
        let id = proptest::collection::vec(any::<u8>(), id);
        (mode, name, id).prop_map(|(mode, name, id)| {
            [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id].concat()
        })
    }

    fn outline_of(content: &[u8]) -> Outline {
        Revision::whole(content).outline(gix_hash::Kind::Sha1, link)
    }

    /// What a delta does to a tree: copies of entries, and of any bytes of them, and insertions.
    fn edit(id: usize) -> impl Strategy<Value = (Option<(usize, usize)>, Edit)> {
        prop_oneof![
            6 => (0_usize..9, 0_usize..9).prop_map(|(from, to)| (Some((from, to)), Edit::Go(0))),
            1 => (any::<u16>(), any::<u16>())
                .prop_map(|(from, length)| (None, Edit::Copy(from, length))),
            1 => any::<u16>().prop_map(|length| (None, Edit::Go(length))),
            2 => entry(id).prop_map(|entry| (None, Edit::Insert(entry))),
            1 => proptest::collection::vec(any::<u8>(), 1..30)
                .prop_map(|bytes| (None, Edit::Insert(bytes))),
        ]
    }

    type Drawn = (
        gix_hash::Kind,
        Vec<Vec<u8>>,
        Vec<Vec<(Option<(usize, usize)>, Edit)>>,
    );

    /// A kind of ids, entries, and deltas one on the other.
    fn drawn() -> impl Strategy<Value = Drawn> {
        let hash = prop_oneof![Just(gix_hash::Kind::Sha1), Just(gix_hash::Kind::Sha256)];
        hash.prop_flat_map(|hash| {
            let id = hash.len_in_bytes();
            let edits = proptest::collection::vec(edit(id), 0..8);
            (
                Just(hash),
                proptest::collection::vec(entry(id), 0..8),
                proptest::collection::vec(edits, 1..4),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_tree_that_is_not_built_is_outlined_as_if_it_were(
            (hash, old, deltas) in drawn(),
            cut in 0_usize..30,
        ) {
            let mut content = old.concat();
            content.truncate(content.len() - cut.min(content.len()) * usize::from(cut < 10));
            let mut object = Object::whole(Kind::Tree, content.clone());
            let mut outline = Revision::whole(&content).outline(hash, link);
            for edits in deltas {
                let place = |entry: usize| {
                    let ends = outline.entries.get(entry.wrapping_sub(1));
                    ends.map_or(0, |entry| entry.end as usize)
                };
                let edits: Vec<Edit> = edits
                    .into_iter()
                    .map(|(entries, edit)| match entries {
                        Some((from, to)) if place(from) < place(to) => {
                            Edit::Exactly(place(from)..place(to))
                        }
                        Some(_) | None => edit,
                    })
                    .collect();
                let (delta, made) = edited(&content, &edits);
                let mut stretches = Vec::new();
                let draft = Draft::read(&object, &delta, &mut stretches).unwrap();
                let (mut read, mut scratch) = (0, Vec::new());
                let tree = Revision::draft(&draft, &outline, &mut scratch);
                let revised = tree.outline(hash, |entry| {
                    read += 1;
                    link(entry)
                });
                let whole = Revision::whole(&made).outline(hash, link);
                prop_assert_eq!(&revised.entries, &whole.entries);
                prop_assert!(read <= revised.entries.len());
                let next = object.apply(delta.into()).unwrap();
                (object, outline, content) = (next, revised, made);
            }
        }
    }

    #[test]
    fn what_is_gone_through_in_vain_is_told() {
        let mut base = b"40000 ".to_vec();
        base.resize(10_000, b'a');
        let (delta, content) = edited(&base, &[Edit::Exactly(0..8), Edit::Exactly(0..9_000)]);
        let object = Object::whole(Kind::Tree, base);
        let mut stretches = Vec::new();
        let draft = Draft::read(&object, &delta, &mut stretches).unwrap();
        let base = outline_of(object.flat().unwrap());
        let mut scratch = Vec::new();
        let tree = Revision::draft(&draft, &base, &mut scratch);
        let outline = tree.outline(gix_hash::Kind::Sha1, link);
        assert_eq!(outline.links().count(), 0);
        assert!((content.len()..3 * content.len()).contains(&outline.cost()));
    }

    #[test]
    fn what_is_copied_is_not_read() {
        let entry = |name: &str, id: u8| [b"40000 ", name.as_bytes(), b"\0", &[id; 20]].concat();
        let old: Vec<Vec<u8>> = (0..9).map(|n| entry(&format!("folder{n}"), n)).collect();
        let base = old.concat();
        let length = old[0].len();
        // Another id, told as git does: no more than that.
        let edits = [
            Edit::Exactly(0..4 * length - 20),
            Edit::Insert(vec![99; 20]),
            Edit::Exactly(4 * length..9 * length),
        ];
        let (delta, _) = edited(&base, &edits);
        let object = Object::whole(Kind::Tree, base);
        let mut stretches = Vec::new();
        let mut read = Vec::new();
        let draft = Draft::read(&object, &delta, &mut stretches).unwrap();
        let base = outline_of(object.flat().unwrap());
        let mut scratch = Vec::new();
        let tree = Revision::draft(&draft, &base, &mut scratch);
        let outline = tree.outline(gix_hash::Kind::Sha1, |entry| {
            read.push(entry.filename.to_string());
            link(entry)
        });
        assert_eq!(read, ["folder3"]);
        assert_eq!(outline.links().count(), 9);
    }
}
