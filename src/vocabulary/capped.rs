//! A list that counts everything and keeps a bounded part of it.

use std::collections::BinaryHeap;

/// Counts whatever is pushed and keeps the first `cap` of it in sort order.
///
/// Which items are kept depends only on the items, never on the order in which threads bring
/// them; so reports are the same whatever the number of threads.
#[derive(Debug, Clone)]
pub struct Capped<T: Ord> {
    // The greatest kept item is on top, ready to make room for a smaller one.
    kept: BinaryHeap<T>,
    cap: usize,
    total: u64,
}

impl<T: Ord> Capped<T> {
    /// An empty list that will keep up to `cap` items.
    pub fn new(cap: usize) -> Self {
        Self {
            kept: BinaryHeap::new(),
            cap,
            total: 0,
        }
    }

    /// Counts `item`, and keeps it if it is among the first `cap`.
    pub fn push(&mut self, item: T) {
        self.total += 1;
        if self.kept.len() < self.cap {
            if self.kept.is_empty() {
                // Most lists stay at one item: don't let the first push reserve room for four.
                self.kept.reserve_exact(1);
            }
            self.kept.push(item);
        } else if let Some(mut greatest) = self.kept.peek_mut()
            && item < *greatest
        {
            *greatest = item;
        }
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The kept items, sorted, and the number of those that were not kept. Of equal items, such
    /// as come from a folder that was named twice, one is left.
    pub fn into_sorted(self) -> Listed<T> {
        let omitted = self.total - self.kept.len() as u64;
        let mut items = self.kept.into_sorted_vec();
        items.dedup();
        Listed { items, omitted }
    }
}

/// A finished list: sorted items, and how many more there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The first items in sort order.
    pub items: Vec<T>,
    /// How many further ones were counted and not kept.
    pub omitted: u64,
}

impl<T> Listed<T> {
    /// How many there were in all.
    pub fn total(&self) -> u64 {
        self.items.len() as u64 + self.omitted
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            omitted: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_items_one_is_left() {
        let mut twice = Capped::new(10);
        for n in [2, 1, 2, 1] {
            twice.push(n);
        }
        assert_eq!(twice.into_sorted().items, [1, 2]);
    }

    #[test]
    fn the_first_in_order_are_kept_whatever_the_order_of_arrival() {
        let mut forward = Capped::new(3);
        let mut backward = Capped::new(3);
        for n in 0..10 {
            forward.push(n);
            backward.push(9 - n);
        }
        let listed = forward.into_sorted();
        assert_eq!(listed.items, [0, 1, 2]);
        assert_eq!((listed.omitted, listed.total()), (7, 10));
        assert_eq!(listed, backward.into_sorted());
    }
}
