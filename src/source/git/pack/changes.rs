//! Where an object differs from the one that it was made from.

use std::ops::Range;

use super::delta::Step;

/// Changes that lie no further apart are one: what is looked at around them would meet anyway.
const JOINED: usize = if cfg!(test) { 2 } else { 256 };

/// What a delta changed in its base, as stretches of the new object: inserted bytes, and seams
/// between copies, which are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes(Vec<Range<usize>>);

/// Notes changes while a delta is gone through.
pub(super) struct Seams {
    changes: Changes,
    /// Where in the base the last copy ended: one that goes on there leaves no seam.
    copied_to: Option<usize>,
}

impl Seams {
    pub(super) fn new() -> Self {
        Self {
            changes: Changes::default(),
            // An object begins where its base begins and ends where its base ends, as if all had
            // been copied before and behind.
            copied_to: Some(0),
        }
    }

    /// Takes the step that makes the bytes from `start` on.
    #[inline]
    pub(super) fn step(&mut self, step: &Step, start: usize) {
        match step {
            Step::Copy(range) => {
                if self.copied_to != Some(range.start) {
                    self.changes.add(start..start);
                }
                self.copied_to = Some(range.end);
            }
            Step::Insert(range) => {
                self.copied_to = None;
                self.changes.add(start..start + range.len());
            }
        }
    }

    /// The changes that make an object of `length` bytes of a base.
    pub(super) fn finish(mut self, length: usize, base: usize) -> Changes {
        if self.copied_to != Some(base) {
            self.changes.add(length..length);
        }
        self.changes
    }
}

impl Changes {
    /// Adds a change behind the others.
    fn add(&mut self, change: Range<usize>) {
        match self.0.last_mut() {
            Some(last) if change.start <= last.end + JOINED => last.end = change.end,
            Some(_) | None => self.0.push(change),
        }
    }

    /// Whether any of the first `head` bytes are new, or follow on others than they did.
    pub(super) fn touch(&self, head: usize) -> bool {
        self.0.first().is_some_and(|first| first.start < head)
    }

    /// The stretches of an object of `length` bytes in which something may stand that did not
    /// stand in its base: the changes, widened by `reach` on both sides, joined where they meet.
    pub(super) fn widened(
        &self,
        reach: usize,
        length: usize,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut changes = self.0.iter().peekable();
        std::iter::from_fn(move || {
            let first = changes.next()?;
            let start = first.start.saturating_sub(reach);
            let mut end = first.end.saturating_add(reach);
            while let Some(next) = changes.next_if(|next| next.start.saturating_sub(reach) <= end) {
                end = next.end.saturating_add(reach);
            }
            Some(start..end.min(length))
        })
    }
}
