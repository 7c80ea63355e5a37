//! The instructions that make an object from its base.
//!
//! The format: <https://git-scm.com/docs/pack-format#_deltified_representation>. Two sizes, then
//! copies from the base and inserted bytes. What is read here comes from anybody, so each number
//! is checked before it is used.

use std::ops::Range;

use crate::source::git::damage::Damage;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes of the base.
    Copy(Range<usize>),
    /// These bytes of the delta itself.
    Insert(Range<usize>),
}

/// A delta that makes no sense. It is small because there are as many results as instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl From<Malformed> for Damage {
    fn from(_: Malformed) -> Self {
        Self::Delta
    }
}

/// A delta whose sizes were read.
#[derive(Debug)]
pub(super) struct Delta<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bytes of the object that it makes.
    pub(super) length: usize,
    /// Bytes of the object that it is made for.
    base: usize,
    made: usize,
}

impl<'a> Delta<'a> {
    /// Reads the sizes of a delta for a base of `base` bytes.
    pub(super) fn new(bytes: &'a [u8], base: usize) -> Result<Self, Malformed> {
        let mut at = 0;
        let said = size(bytes, &mut at)?;
        let length = size(bytes, &mut at)?;
        if said != base {
            return Err(Malformed);
        }
        Ok(Self {
            bytes,
            at,
            length,
            base,
            made: 0,
        })
    }

    /// The next instruction; none when the object is complete.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Step>, Malformed> {
        let Some(&command) = self.bytes.get(self.at) else {
            return if self.made == self.length {
                Ok(None)
            } else {
                Err(Malformed)
            };
        };
        self.at += 1;
        let step = if command & 0x80 != 0 {
            self.copy(command)?
        } else {
            self.insert(usize::from(command))?
        };
        let (Step::Copy(range) | Step::Insert(range)) = &step;
        self.made += range.len();
        if self.made > self.length {
            return Err(Malformed);
        }
        Ok(Some(step))
    }

    #[inline]
    fn copy(&mut self, command: u8) -> Result<Step, Malformed> {
        let behind = self.bytes[self.at..].first_chunk();
        let (from, length) = match behind.and_then(|behind| numbers(command, *behind)) {
            Some((numbers, taken)) => {
                self.at += taken;
                numbers
            }
            None => (self.number(command, 4)?, self.number(command >> 4, 3)?),
        };
        let length = if length == 0 { 0x1_0000 } else { length };
        let end = from.checked_add(length).filter(|end| *end <= self.base);
        Ok(Step::Copy(from..end.ok_or(Malformed)?))
    }

    #[inline]
    fn insert(&mut self, length: usize) -> Result<Step, Malformed> {
        let end = self.at + length;
        if length == 0 || end > self.bytes.len() {
            return Err(Malformed);
        }
        let step = Step::Insert(self.at..end);
        self.at = end;
        Ok(step)
    }

    /// A number of up to `bytes` bytes, little end first; those whose bit is not set are zero and
    /// left out.
    fn number(&mut self, present: u8, bytes: u32) -> Result<usize, Malformed> {
        let mut number = 0;
        for byte in (0..bytes).filter(|byte| present & (1 << byte) != 0) {
            let value = *self.bytes.get(self.at).ok_or(Malformed)?;
            number |= usize::from(value) << (8 * byte);
            self.at += 1;
        }
        Ok(number)
    }
}

/// Both numbers of a copy out of the bytes behind its command, and how many of them it took; none if
/// one of the numbers has a byte that is zero, and so left out, below one that is not: few have.
#[inline]
fn numbers(command: u8, behind: [u8; 8]) -> Option<((usize, usize), usize)> {
    let present = [command & 0x0f, command >> 4 & 0x07];
    if present.iter().any(|bits| bits & (bits + 1) != 0) {
        return None;
    }
    let [from, length] = present.map(u8::count_ones);
    let behind = u64::from_le_bytes(behind);
    let low = |number: u64, bytes: u32| number & !(u64::MAX << (8 * bytes));
    let numbers = (low(behind, from), low(behind >> (8 * from), length));
    Some((
        (
            usize::try_from(numbers.0).ok()?,
            usize::try_from(numbers.1).ok()?,
        ),
        (from + length) as usize,
    ))
}

/// A size: seven bits a byte, little end first.
fn size(bytes: &[u8], at: &mut usize) -> Result<usize, Malformed> {
    let mut size: u64 = 0;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at).ok_or(Malformed)?;
        *at += 1;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(size).map_err(|_| Malformed);
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(bytes: &[u8], base: usize) -> Result<Vec<Step>, Malformed> {
        let mut delta = Delta::new(bytes, base)?;
        let mut steps = Vec::new();
        while let Some(step) = delta.next()? {
            steps.push(step);
        }
        Ok(steps)
    }

    #[test]
    fn copies_and_inserts_are_read() {
        let bytes = [100, 13, 0x91, 7, 10, 3, b'a', b'b', b'c'];
        let read = steps(&bytes, 100).unwrap();
        assert_eq!(read, [Step::Copy(7..17), Step::Insert(6..9)]);
        // A copy without a length is one of 65,536 bytes.
        let whole = [0x80, 0x80, 4, 0x80, 0x80, 4, 0x80];
        assert_eq!(steps(&whole, 0x1_0000).unwrap(), [Step::Copy(0..0x1_0000)]);
    }

    #[test]
    fn operands_are_read_alike_near_the_end_and_far_from_it() {
        for command in 0x80..=0xff_u8 {
            let (count, base) = ((command & 0x7f).count_ones() as usize, usize::MAX);
            let bytes: Vec<u8> = [command].into_iter().chain(1..=8).collect();
            let delta = |bytes| Delta {
                bytes,
                at: 1,
                length: usize::MAX,
                base,
                made: 0,
            };
            let (mut near, mut far) = (delta(&bytes[..=count]), delta(&bytes));
            let near_step = near.copy(command).unwrap();
            assert_eq!(far.copy(command).unwrap(), near_step, "{command:x}");
            assert_eq!((near.at, far.at), (count + 1, count + 1), "{command:x}");
        }
    }

    #[test]
    fn nothing_outside_is_copied_and_no_length_is_believed() {
        let damaged: [&[u8]; 9] = [
            &[],
            &[0xff; 12],
            &[100, 10],
            &[100, 10, 0],
            &[100, 10, 0x91, 95, 10],
            &[100, 10, 0x91, 7],
            &[100, 9, 0x91, 7, 10],
            &[100, 3, 3, b'a', b'b'],
            &[99, 10, 0x91, 7, 10],
        ];
        for bytes in damaged {
            assert!(steps(bytes, 100).is_err(), "{bytes:?}");
        }
    }
}
