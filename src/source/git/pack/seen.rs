//! What was seen of an object, kept for the sake of those made from it.
//!
//! Most of an object is copied from its base, and what was seen there need not be looked at again. So
//! of each object is kept where its leads are: some tens of places, most of which come to nothing.
//! What is made from it has those of them that were copied whole; only near a change may they come
//! to something else. New ones stand where bytes are new, or follow on others than they did. (Before
//! leads were kept, each change was looked at as far around as an encoded prefix reaches: of uv's
//! history 1.6 GB, four times what all deltas weigh.)

use crate::source::{Clue, Lead};

use super::small;

/// What was seen of an object.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// Something: it was pushed.
    Something,
    /// Nothing but leads; more than are worth keeping.
    Crowded,
    /// Nothing but these.
    Leads(Leads),
}

/// What there is of an object in which nothing was seen.
#[derive(Debug, Clone)]
pub(super) struct Leads {
    /// In their order.
    marks: Vec<Mark>,
    /// How many are worth keeping.
    most: usize,
    /// Whether there were more.
    are_more: bool,
    /// Of how many of its last bytes it is known that they tell nothing of what it is.
    pub(super) tail: usize,
}

/// A lead that is no hit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    start: u32,
    sort: u32,
    /// Whether it is how something would start.
    pub(super) is_start: bool,
}

impl Mark {
    /// Takes note of a lead in an object of less than 4 GiB: of larger ones nothing is kept.
    pub(super) fn new(lead: Lead, clue: Clue) -> Self {
        Self {
            start: small(lead.start),
            sort: small(lead.sort),
            is_start: clue == Clue::Start,
        }
    }

    pub(super) fn lead(self) -> Lead {
        Lead {
            start: self.start as usize,
            sort: self.sort as usize,
        }
    }

    /// The same elsewhere.
    pub(super) fn at(self, start: usize) -> Self {
        Self {
            start: small(start),
            ..self
        }
    }
}

impl Leads {
    /// None yet, of an object of `length` bytes; so many may come.
    pub(super) fn new(length: usize, count: usize) -> Self {
        let most = Self::most(length);
        Self {
            marks: Vec::with_capacity(count.min(most)),
            most,
            are_more: false,
            tail: 0,
        }
    }

    /// How many are worth keeping of an object of `length` bytes: one in 32 bytes is what only those
    /// have that were made for it.
    pub(super) fn most(length: usize) -> usize {
        64 + length / 32
    }

    pub(super) fn push(&mut self, mark: Mark) {
        if self.marks.len() < self.most {
            self.marks.push(mark);
        } else {
            self.are_more = true;
        }
    }

    /// Those that start in a range. Who asks for one range after the other keeps `next`: the place
    /// of the first one behind the last range. Mostly there are none up to the next range either.
    #[inline]
    pub(super) fn within(&self, from: usize, to: usize, next: &mut usize) -> &[Mark] {
        let starts_before = |place: usize, end: usize| match self.marks.get(place) {
            Some(mark) => (mark.start as usize) < end,
            None => false,
        };
        let is_behind_all_before = *next == 0 || starts_before(*next - 1, from);
        if is_behind_all_before && !starts_before(*next, to) {
            return &[];
        }
        self.search(from, to, next)
    }

    fn search(&self, from: usize, to: usize, next: &mut usize) -> &[Mark] {
        let first = self.place(from, *next);
        *next = self.place(to, first).max(first);
        &self.marks[first..*next]
    }

    /// The place of the first one that starts at `start` or behind it. Mostly it is not far behind
    /// another place.
    fn place(&self, start: usize, near: usize) -> usize {
        const STEPS: usize = 8;

        let starts_before = |mark: &Mark| (mark.start as usize) < start;
        let (before, behind) = self.marks.split_at(near);
        if before.last().is_some_and(|last| !starts_before(last)) {
            return before.partition_point(starts_before);
        }
        let count = behind
            .iter()
            .take(STEPS)
            .take_while(|mark| starts_before(mark))
            .count();
        match behind.get(count..) {
            Some(rest) if count == STEPS => near + STEPS + rest.partition_point(starts_before),
            Some(_) | None => near + count,
        }
    }

    /// What there is to keep of them.
    pub(super) fn seen(self) -> Seen {
        if self.are_more {
            Seen::Crowded
        } else {
            Seen::Leads(self)
        }
    }

    /// How many bytes they take.
    pub(super) fn size(&self) -> usize {
        size_of_val(self.marks.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leads(starts: &[usize]) -> Leads {
        let mut leads = Leads::new(1000, 0);
        for &start in starts {
            leads.push(Mark::new(Lead { start, sort: 0 }, Clue::Nothing));
        }
        leads
    }

    proptest! {
        #[test]
        fn those_within_a_range_are_found_whatever_was_asked_before(
            starts in proptest::collection::btree_set(0_usize..200, 0..60),
            ranges in proptest::collection::vec((0_usize..210, 0_usize..40), 1..40),
        ) {
            let starts: Vec<usize> = starts.into_iter().collect();
            let leads = leads(&starts);
            let mut next = 0;
            for (from, length) in ranges {
                let range = from..from + length;
                let found = leads.within(range.start, range.end, &mut next);
                let found: Vec<usize> = found.iter().map(|mark| mark.lead().start).collect();
                let expected = starts.iter().copied().filter(|start| range.contains(start));
                prop_assert_eq!(found, expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn more_than_are_worth_keeping_are_not_kept() {
        let most = 64 + 1000 / 32;
        let starts: Vec<usize> = (0..most).collect();
        assert!(matches!(leads(&starts).seen(), Seen::Leads(_)));
        let starts: Vec<usize> = (0..=most).collect();
        assert_eq!(leads(&starts).marks.len(), most);
        assert!(matches!(leads(&starts).seen(), Seen::Crowded));
    }
}
