//! Which bytes of a container were scanned as a member.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Ranges kept at most; what lies in others is told twice, at the member and in the container.
const RANGES_KEPT: usize = 1 << 20;

/// The ranges of a container that stand in it as they are (stored, not compressed) and were
/// scanned as members.
///
/// The bytes of a container are scanned as well as its members are, for a token may stand in a
/// comment, in padding, in a region that no header tells of. A token that lies wholly in a member
/// is told there, and only there.
#[derive(Debug, Default)]
pub struct Covered {
    /// In the order of their starts, apart from each other.
    ranges: Mutex<VecDeque<Range<u64>>>,
}

impl Covered {
    /// Whether all of `range` was scanned as a member.
    pub fn holds(&self, range: &Range<u64>) -> bool {
        let ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = ranges.partition_point(|one| one.start <= range.start);
        behind > 0 && range.end <= ranges[behind - 1].end
    }

    /// Forgets what lies before `offset`: nobody asks for that any more.
    pub fn forget_before(&self, offset: u64) {
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        while ranges.front().is_some_and(|one| one.end <= offset) {
            ranges.pop_front();
        }
    }

    /// Adds a range. One that starts before another that is known is taken only where it goes on
    /// right behind it: such things are hostile, and telling a token twice does no harm.
    pub(super) fn add(&self, range: Range<u64>) {
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let full = ranges.len() >= RANGES_KEPT;
        match ranges.back_mut() {
            Some(last) if (last.start..=last.end).contains(&range.start) => {
                last.end = last.end.max(range.end);
            }
            Some(last) if range.start < last.start => {}
            Some(_) | None if full => {}
            Some(_) | None => ranges.push_back(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_wholly_inside_is_held() {
        let covered = Covered::default();
        covered.add(512..600);
        covered.add(600..700);
        covered.add(1024..1030);
        covered.add(20..40);
        for (range, held) in [
            (512..700, true),
            (511..600, false),
            (650..701, false),
            (1024..1030, true),
            (690..1025, false),
            (20..30, false),
        ] {
            assert_eq!(covered.holds(&range), held, "{range:?}");
        }
        covered.forget_before(700);
        assert!(!covered.holds(&(512..700)));
        assert!(covered.holds(&(1025..1026)));
    }
}
