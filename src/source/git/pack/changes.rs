//! Where an object differs from the one that it was made from.

use std::ops::Range;

/// Changes that lie no further apart are one: what is looked at around them would meet anyway.
const JOINED: usize = if cfg!(test) { 2 } else { 256 };

/// What a delta changed in its base, as stretches of the new object: inserted bytes, and seams
/// between copies, which are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes(Vec<Range<usize>>);

impl Changes {
    /// Adds a change behind the others.
    pub(super) fn add(&mut self, change: Range<usize>) {
        match self.0.last_mut() {
            Some(last) if change.start <= last.end + JOINED => last.end = change.end,
            Some(_) | None => self.0.push(change),
        }
    }

    /// The stretches of an object of `length` bytes in which something may begin that did not
    /// stand in its base: the changes, widened by `reach` on both sides, joined where they meet.
    /// Where the first `head` bytes changed, they come as a whole.
    pub(super) fn widened(&self, reach: usize, head: usize, length: usize) -> Vec<Range<usize>> {
        let mut wide: Vec<Range<usize>> = Vec::new();
        for change in &self.0 {
            let mut start = change.start.saturating_sub(reach);
            let mut end = change.end.saturating_add(reach).min(length);
            if change.start < head {
                start = 0;
                end = end.max(head.min(length));
            }
            match wide.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                Some(_) | None => wide.push(start..end),
            }
        }
        wide
    }
}
