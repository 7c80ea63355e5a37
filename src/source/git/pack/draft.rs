//! An object before it is made: what a delta says of it, and what it is made from.
//!
//! To look at an object where it differs from its base takes a few of its bytes, and more than half
//! of all deltas are the last of their chain, so that nobody else wants them. So an object is looked
//! at as what its delta says, and is built only if it is wanted.

use std::ops::Range;

use crate::source::git::damage::Damage;

use super::append::append;
use super::delta::{Delta, Source, Step};
use super::object::{Object, Target};
use super::{LARGEST, small};

/// Pieces shorter than this on average are not worth their keeping.
const PIECE: usize = if cfg!(test) { 4 } else { 128 };

/// Marks what was inserted. No object or delta that is read is so long.
const INSERTED: u32 = 1 << 31;

const _: () = assert!(LARGEST < INSERTED as u64);

/// A stretch of a draft that comes from one place. It goes on to where the next one starts. A pack
/// may have tens of millions of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// Where it starts in the object.
    start: u32,
    /// Where it starts in the base, or, marked as [`INSERTED`], in the delta.
    from: u32,
}

/// What a delta makes of a base.
#[derive(Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) base: &'a Object,
    pub(super) delta: &'a [u8],
    length: usize,
    /// The last one has nothing: it only starts where the object ends.
    stretches: &'a [Stretch],
}

impl<'a> Draft<'a> {
    /// Reads a delta into `stretches`, which are overwritten.
    pub(super) fn read(
        base: &'a Object,
        delta: &'a [u8],
        stretches: &'a mut Vec<Stretch>,
    ) -> Result<Self, Damage> {
        let mut steps = Delta::new(delta, base.length())?;
        let length = steps.length;
        // A base that lies elsewhere may be any size.
        if base.length().max(length).max(delta.len()) as u64 > LARGEST {
            return Err(Damage::Huge);
        }
        let (mut start, mut copied_to) = (0, None);
        stretches.clear();
        while let Some(Step { source, range }) = steps.next()? {
            let (mark, goes_on) = match source {
                Source::Base => (0, copied_to == Some(range.start)),
                Source::Delta => (INSERTED, false),
            };
            if !goes_on {
                stretches.push(Stretch {
                    start: small(start),
                    from: small(range.start) | mark,
                });
            }
            start += range.len();
            copied_to = (source == Source::Base).then_some(range.end);
        }
        stretches.push(Stretch {
            start: small(length),
            from: 0,
        });
        Ok(Self {
            base,
            delta,
            length,
            stretches,
        })
    }

    /// Where each stretch starts, and what it takes from where.
    #[inline]
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = (usize, Step)> {
        self.steps_from(0)
    }

    #[inline]
    fn steps_from(&self, first: usize) -> impl DoubleEndedIterator<Item = (usize, Step)> {
        let stretches = &self.stretches[first..];
        stretches
            .iter()
            .zip(&stretches[1..])
            .map(|(stretch, next)| {
                let from = (stretch.from & !INSERTED) as usize;
                let step = Step {
                    source: if stretch.from & INSERTED == 0 {
                        Source::Base
                    } else {
                        Source::Delta
                    },
                    range: from..from + (next.start - stretch.start) as usize,
                };
                (stretch.start as usize, step)
            })
    }

    /// How many bytes were gone through to read it.
    pub(super) fn cost(&self) -> usize {
        self.delta.len() + size_of_val(self.stretches)
    }

    /// How many of the first bytes are the first ones of the base.
    pub(super) fn kept_head(&self) -> usize {
        match self.steps().next() {
            Some((_, step)) if step.source == Source::Base && step.range.start == 0 => {
                step.range.len()
            }
            Some(_) | None => 0,
        }
    }

    /// How many of the last bytes are the last ones of the base.
    pub(super) fn kept_tail(&self) -> usize {
        let end = self.base.length();
        match self.steps().next_back() {
            Some((_, step)) if step.source == Source::Base && step.range.end == end => {
                step.range.len()
            }
            Some(_) | None => 0,
        }
    }

    /// The object, to be [finished](Target::finish).
    pub(super) fn build(&self) -> Target {
        let Self { base, delta, .. } = *self;
        let mut made = Target::new(base, self.length);
        if let (Target::Flat(bytes), Some(base)) = (&mut made, base.flat()) {
            for (_, Step { source, range }) in self.steps() {
                let source = match source {
                    Source::Base => base,
                    Source::Delta => delta,
                };
                append(bytes, source, range);
            }
            return made;
        }
        for (_, Step { source, range }) in self.steps() {
            match source {
                Source::Base => made.copy(base, &range),
                Source::Delta => made.insert(base, delta, &range),
            }
            if made.pieces() > self.length / PIECE {
                made = made.flatten(base, delta, self.length);
            }
        }
        made
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Some of its bytes, put together in `scratch` unless they lie in one piece.
    pub(super) fn bytes<'s>(&self, range: &Range<usize>, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        let starts_before = |stretch: &Stretch| stretch.start as usize <= range.start;
        let first = match self.stretches {
            [_, second, ..] if starts_before(second) => {
                self.stretches.partition_point(starts_before) - 1
            }
            _ => 0,
        };
        let mut near = 0;
        scratch.clear();
        for (start, step) in self.steps_from(first) {
            if start >= range.end {
                break;
            }
            let whole = &step.range;
            let from = whole.start + range.start.saturating_sub(start);
            let to = whole.end.min(whole.start + (range.end - start));
            let source = match step.source {
                Source::Base => self.base.flat(),
                Source::Delta => Some(self.delta),
            };
            match source {
                Some(source) if to - from == range.len() => return &source[from..to],
                Some(source) => scratch.extend_from_slice(&source[from..to]),
                None => self.base.append(from..to, &mut near, scratch),
            }
        }
        scratch
    }
}
