//! The instructions that make an object from its base.
//!
//! The format: <https://git-scm.com/docs/pack-format#_deltified_representation>. Two sizes, then
//! copies from the base and inserted bytes. What is read here comes from anybody, so each number
//! is checked before it is used.

use std::ops::Range;

use crate::source::git::damage::Damage;

/// Where the bytes of a step are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Base,
    /// They stand in the delta itself.
    Delta,
}

/// One instruction: that these bytes come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) source: Source,
    pub(super) range: Range<usize>,
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
        let behind = self.bytes[self.at..].first_chunk();
        let step = match behind.and_then(|behind| self.read(command, *behind)) {
            Some(step) => step,
            None => self.read_by_byte(command)?,
        };
        self.made += step.range.len();
        let limit = match step.source {
            Source::Base => self.base,
            Source::Delta => self.bytes.len(),
        };
        if step.range.end > limit || self.made > self.length {
            return Err(Malformed);
        }
        Ok(Some(step))
    }

    /// Reads an instruction by the bytes behind its command; nothing if it has to be read byte by byte.
    /// There is no telling which command comes next, so nothing is done here for some alone.
    #[inline]
    fn read(&mut self, command: u8, behind: [u8; 8]) -> Option<Step> {
        let operands = &OPERANDS[usize::from(command)];
        let taken = operands.taken?;
        let behind = u64::from_le_bytes(behind);
        let length = match (behind >> operands.shift & operands.length_mask) + operands.length {
            0 => 0x1_0000,
            length => length,
        };
        let (source, from) = if command & COPY == 0 {
            (Source::Delta, self.at as u64)
        } else {
            (Source::Base, behind & operands.from_mask)
        };
        let from = usize::try_from(from).ok()?;
        let end = from.checked_add(usize::try_from(length).ok()?)?;
        self.at += usize::from(taken);
        Some(Step {
            source,
            range: from..end,
        })
    }

    #[cold]
    fn read_by_byte(&mut self, command: u8) -> Result<Step, Malformed> {
        let (source, from, length) = if command & COPY == 0 {
            let from = self.at;
            self.at += usize::from(command);
            (Source::Delta, from, usize::from(command))
        } else {
            let (from, length) = (self.number(command, 4)?, self.number(command >> 4, 3)?);
            let length = if length == 0 { 0x1_0000 } else { length };
            (Source::Base, from, length)
        };
        let end = from.checked_add(length).filter(|end| *end > from);
        Ok(Step {
            source,
            range: from..end.ok_or(Malformed)?,
        })
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

/// Marks the command of a copy.
const COPY: u8 = 0x80;

/// What a command says of the bytes behind it.
#[derive(Clone, Copy)]
struct Operands {
    /// The bits of a copy's first number.
    from_mask: u64,
    /// How many those are.
    shift: u32,
    /// The bits of its second number, behind those.
    length_mask: u64,
    /// How many bytes are inserted.
    length: u64,
    /// How many bytes stand there; none if one of the numbers has a byte that is left out, being zero,
    /// below one that is not: few have.
    taken: Option<u8>,
}

/// What each command says. (To count the bits of each one as it comes takes a sixth longer.)
const OPERANDS: [Operands; 256] = {
    const NONE: Operands = Operands {
        from_mask: 0,
        shift: 0,
        length_mask: 0,
        length: 0,
        taken: None,
    };
    /// The low bytes of a number whose present bytes these bits tell; none if one is left out.
    const fn bytes(present: u8) -> Option<u8> {
        match present {
            0 => Some(0),
            1 => Some(1),
            3 => Some(2),
            7 => Some(3),
            15 => Some(4),
            _ => None,
        }
    }
    let mut all = [NONE; 256];
    let mut command = 1;
    while command < COPY {
        all[command as usize] = Operands {
            length: command as u64,
            taken: Some(command),
            ..NONE
        };
        command += 1;
    }
    loop {
        if let (Some(from), Some(length)) = (bytes(command & 0x0f), bytes(command >> 4 & 0x07)) {
            all[command as usize] = Operands {
                from_mask: (1 << (8 * from)) - 1,
                shift: 8 * from as u32,
                length_mask: (1 << (8 * length)) - 1,
                length: 0,
                taken: Some(from + length),
            };
        }
        if command == u8::MAX {
            break;
        }
        command += 1;
    }
    all
};

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
        let step = |source, range| Step { source, range };
        assert_eq!(read, [step(Source::Base, 7..17), step(Source::Delta, 6..9)]);
        // A copy without a length is one of 65,536 bytes.
        let whole = [0x80, 0x80, 4, 0x80, 0x80, 4, 0x80];
        assert_eq!(
            steps(&whole, 0x1_0000).unwrap(),
            [step(Source::Base, 0..0x1_0000)]
        );
    }

    #[test]
    fn commands_are_read_alike_at_once_and_by_byte() {
        for command in 1..=u8::MAX {
            let bytes: Vec<u8> = [command].into_iter().chain(1..=127).collect();
            let delta = || Delta {
                bytes: &bytes,
                at: 1,
                length: usize::MAX,
                base: usize::MAX,
                made: 0,
            };
            let (mut slow, mut fast) = (delta(), delta());
            let read = slow.read_by_byte(command).unwrap();
            let numbers = [command & 0x0f, command >> 4 & 0x07];
            let are_low = numbers.iter().all(|bits| bits & (bits + 1) == 0);
            let at_once = fast.read(command, *bytes[1..].first_chunk().unwrap());
            if command & COPY == 0 || are_low {
                assert_eq!((at_once, fast.at), (Some(read), slow.at), "{command:x}");
            } else {
                assert_eq!((at_once, fast.at), (None, 1), "{command:x}");
            }
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
