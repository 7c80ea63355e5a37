//! An object that nothing is made from, before it is made.
//!
//! More than half of all deltas are the last of their chain. To look at such an object where it
//! differs from its base takes a few of its bytes, and it is seldom wanted otherwise: so it is left
//! as what the delta says, and its bytes are looked up where they come from.

use std::ops::Range;

use crate::source::git::damage::Damage;

use super::LARGEST;
use super::changes::{Changes, Seams};
use super::delta::{Delta, Step};
use super::object::{Object, Text};

/// What a delta makes of a base.
pub(super) struct Draft<'a> {
    base: &'a Object,
    delta: &'a [u8],
    length: usize,
    /// Where each stretch starts in the object, and where it comes from.
    stretches: &'a [(usize, Step)],
}

impl<'a> Draft<'a> {
    /// Reads a delta into `stretches`, which are overwritten. Tells where the object differs.
    pub(super) fn read(
        base: &'a Object,
        delta: &'a [u8],
        stretches: &'a mut Vec<(usize, Step)>,
    ) -> Result<(Self, Changes), Damage> {
        let mut steps = Delta::new(delta, base.length())?;
        let length = steps.length;
        if length.max(delta.len()) as u64 > LARGEST {
            return Err(Damage::Huge);
        }
        let mut seams = Seams::new();
        let mut start = 0;
        stretches.clear();
        while let Some(step) = steps.next()? {
            seams.step(&step, start);
            let (Step::Copy(range) | Step::Insert(range)) = &step;
            let end = start + range.len();
            stretches.push((start, step));
            start = end;
        }
        let draft = Self {
            base,
            delta,
            length,
            stretches,
        };
        Ok((draft, seams.finish(length, base.length())))
    }

    /// How many bytes were gone through to read it.
    pub(super) fn cost(&self) -> usize {
        self.delta.len() + size_of_val(self.stretches)
    }
}

impl Text for Draft<'_> {
    fn length(&self) -> usize {
        self.length
    }

    fn bytes<'s>(&'s self, range: &Range<usize>, scratch: &'s mut Vec<u8>) -> &'s [u8] {
        scratch.clear();
        let behind = self
            .stretches
            .partition_point(|(start, _)| *start <= range.start);
        for (start, step) in &self.stretches[behind.saturating_sub(1)..] {
            if *start >= range.end {
                break;
            }
            let (Step::Copy(whole) | Step::Insert(whole)) = step;
            let from = whole.start + range.start.saturating_sub(*start);
            let to = whole.end.min(whole.start + (range.end - start));
            match step {
                Step::Copy(_) => {
                    for slice in self.base.slices(from..to) {
                        scratch.extend_from_slice(slice);
                    }
                }
                Step::Insert(_) => scratch.extend_from_slice(&self.delta[from..to]),
            }
        }
        scratch
    }
}
