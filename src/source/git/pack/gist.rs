//! What is new in an object: what was inserted, and where copies meet.
//!
//! Whether a lead stands somewhere is decided by a few bytes. So of each long copy only as many are
//! taken from its ends, and all that is left is searched at once: deltas copy in short stretches,
//! millions of them, and to search around each seam by itself costs more than all that was copied.
//! (The deltas of uv's history copy 18 million times, half of them less than 32 bytes. To search 260
//! bytes around each seam, joined where they met, meant 1.1 GB more than whole objects have; to
//! search a few bytes around each by itself meant 9 million calls, and took longer still.)

use super::append::append;
use super::delta::{Source, Step};
use super::draft::Draft;
use super::seen::{Leads, Mark};
use super::small;

/// Bytes that are taken of each end of a long copy at least.
const EDGE: usize = if cfg!(test) { 1 } else { 8 };

/// A copy is long if so many bytes can be left out.
const WORTH_IT: usize = if cfg!(test) { 1 } else { 64 };

/// What is new in an object. Used for one after the other.
#[derive(Debug, Default)]
pub(super) struct Gist {
    bytes: Vec<u8>,
    gaps: Vec<Gap>,
    copied: Vec<Copied>,
    /// Bytes that are taken of each end of a long copy: no less than decide about a lead that starts
    /// or ends beyond it.
    edge: usize,
}

/// Where something was left out.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// Where in the gist the copy starts of which it was left out.
    start: u32,
    /// How many bytes were left out up to there, from the object's first one on.
    left_out: u32,
}

/// A lead that was copied whole, in a long copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copied {
    /// Where it stands now.
    pub(super) mark: Mark,
    /// How far it stands from the nearest seam.
    pub(super) distance: usize,
}

impl Gist {
    /// Takes the gist of a draft, whose base has these leads. `lead` bytes decide about each. None if
    /// more than `most` of them were copied.
    pub(super) fn take(
        &mut self,
        draft: &Draft<'_>,
        leads: &Leads,
        lead: usize,
        most: usize,
    ) -> Option<()> {
        let Self {
            bytes,
            gaps,
            copied,
            edge,
        } = self;
        *edge = lead.saturating_sub(1).max(EDGE);
        bytes.clear();
        gaps.clear();
        copied.clear();
        let base = draft.base;
        let (mut near, mut next) = (0, 0);
        let flat = base.flat();
        let mut copy = |range, bytes: &mut Vec<u8>| match flat {
            Some(base) => append(bytes, base, range),
            None => base.append(range, &mut near, bytes),
        };
        for (start, Step { source, range }) in draft.steps() {
            if source == Source::Delta {
                append(bytes, draft.delta, range);
                continue;
            }
            if range.len() < 2 * *edge + WORTH_IT {
                copy(range, bytes);
                continue;
            }
            let here = bytes.len();
            match flat.map(|base| &base[range.clone()]) {
                Some(copied) if *edge == EDGE => append_ends(bytes, copied),
                Some(_) | None => {
                    copy(range.start..range.start + *edge, bytes);
                    copy(range.end - *edge..range.end, bytes);
                }
            }
            let end = start + range.len();
            gaps.push(Gap {
                start: small(here),
                left_out: small(end - bytes.len()),
            });
            let marks = leads.within(range.start, range.end - *edge, &mut next);
            if copied.len() + marks.len() > most {
                return None;
            }
            let is_first = start == 0 && range.start == 0;
            let is_last = end == draft.length() && range.end == base.length();
            copied.extend(marks.iter().map(|mark| {
                let at = mark.lead().start;
                let left = if is_first {
                    usize::MAX
                } else {
                    at - range.start
                };
                let right = if is_last { usize::MAX } else { range.end - at };
                Copied {
                    mark: mark.at(at - range.start + start),
                    distance: left.min(right),
                }
            }));
        }
        Some(())
    }

    /// Gives back room for more than `kept` bytes of an object.
    pub(super) fn shrink(&mut self, kept: usize) {
        self.bytes.shrink_to(kept);
        self.gaps.shrink_to(kept / size_of::<Gap>());
        self.copied.shrink_to(kept / size_of::<Copied>());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The leads that were copied whole, in long copies.
    pub(super) fn copied(&self) -> &[Copied] {
        &self.copied
    }

    /// Where in the object a lead starts that was found here; none if it is one of the copied, or
    /// stands only here.
    pub(super) fn place(&self, at: usize) -> Option<usize> {
        let starts_before = |gap: &Gap| gap.start as usize <= at;
        let behind = self.gaps.partition_point(starts_before);
        match behind.checked_sub(1).map(|last| self.gaps[last]) {
            Some(gap) if at - (gap.start as usize) < self.edge => None,
            Some(gap) => Some(at + gap.left_out as usize),
            None => Some(at),
        }
    }

    /// How many bytes were gone through to take it.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + size_of_val(self.copied.as_slice())
    }
}

/// Appends as many of the first and of the last of some bytes as are taken of nearly all copies.
#[inline]
fn append_ends(to: &mut Vec<u8>, copied: &[u8]) {
    let ends = (copied.first_chunk::<EDGE>(), copied.last_chunk::<EDGE>());
    if let (Some(first), Some(last)) = ends {
        let mut both = [0; 2 * EDGE];
        both[..EDGE].copy_from_slice(first);
        both[EDGE..].copy_from_slice(last);
        to.extend_from_slice(&both);
    }
}

#[cfg(test)]
mod tests {
    use gix_object::Kind;
    use proptest::prelude::*;

    use super::super::object::Object;
    use super::super::seen::Seen;
    use super::super::writer::{Edit, edited};
    use super::*;
    use crate::source::{Clue, Lead};

    /// A lead is what starts with an `a`, this long.
    const LEAD: usize = 3;

    fn starts(bytes: &[u8]) -> Vec<usize> {
        let windows = bytes.windows(LEAD).enumerate();
        windows
            .filter(|(_, window)| window[0] == b'a')
            .map(|(at, _)| at)
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_lead_is_copied_or_found_once_and_stands_where_it_is_said_to(
            base in "[abc]{0,40}",
            edits in proptest::collection::vec(prop_oneof![
                (any::<u16>(), any::<u16>()).prop_map(|(from, length)| Edit::Copy(from, length)),
                any::<u16>().prop_map(Edit::Go),
                "[abc]{1,6}".prop_map(|text| Edit::Insert(text.into_bytes())),
            ], 0..8),
        ) {
            let (delta, content) = edited(base.as_bytes(), &edits);
            let mut leads = Leads::new(base.len(), 0);
            for start in starts(base.as_bytes()) {
                leads.push(Mark::new(Lead { start, sort: 0 }, Clue::Nothing));
            }
            prop_assume!(matches!(leads.clone().seen(), Seen::Leads(_)));
            let object = Object::whole(Kind::Blob, base.clone().into_bytes());
            let mut stretches = Vec::new();
            let draft = Draft::read(&object, &delta, &mut stretches).unwrap();
            let mut gist = Gist::default();
            gist.take(&draft, &leads, LEAD, usize::MAX).unwrap();
            let found = starts(gist.bytes()).into_iter().filter_map(|at| gist.place(at));
            let copied = gist.copied().iter().map(|copied| copied.mark.lead().start);
            let mut all: Vec<usize> = found.chain(copied).collect();
            all.sort_unstable();
            prop_assert_eq!(all, starts(&content));
            // Within the distance nothing differs from the base.
            for &Copied { mark, distance } in gist.copied() {
                let start = mark.lead().start;
                let around = |text: &[u8], at: usize| {
                    let to = text.len().min(at.saturating_add(distance));
                    text[at.saturating_sub(distance)..to].to_vec()
                };
                let here = around(&content, start);
                let is_there = |at: &usize| around(base.as_bytes(), *at) == here;
                prop_assert!(starts(base.as_bytes()).iter().any(is_there));
            }
        }
    }

    #[test]
    fn no_more_leads_are_copied_than_are_asked_for() {
        let base = "abc".repeat(10);
        let mut leads = Leads::new(base.len(), 0);
        for start in starts(base.as_bytes()) {
            leads.push(Mark::new(Lead { start, sort: 0 }, Clue::Nothing));
        }
        let object = Object::whole(Kind::Blob, base.into_bytes());
        let (delta, _) = edited(&[b' '; 30], &vec![Edit::Exactly(0..30); 5]);
        let mut stretches = Vec::new();
        let draft = Draft::read(&object, &delta, &mut stretches).unwrap();
        let mut gist = Gist::default();
        let copied = 5 * 10;
        assert!(gist.take(&draft, &leads, LEAD, copied).is_some());
        assert!(gist.take(&draft, &leads, LEAD, copied - 1).is_none());
        assert!(gist.copied.len() < copied);
    }
}
