//! Stored contents of unknown length, which end where a data descriptor says that they do.
//!
//! Nothing in the contents tells of their end. A descriptor is believed if it names the number of
//! bytes that stand before it.

use std::io::{self, BufRead as _, Read};

use memchr::memmem;

use super::super::peek::PeekReader;
use super::record::{CENTRAL, DESCRIPTOR, LOCAL, u32_at, u64_at};

/// The longest descriptor: signature, CRC, two numbers of 64 bits.
const LONGEST: usize = 24;

/// Reads as far as a descriptor. It is not consumed.
pub(super) struct Described<'a, 'i> {
    input: &'a mut PeekReader<'i>,
    /// Bytes handed out.
    count: u64,
    /// Bytes that may be handed out before the next look.
    free: usize,
    ended: bool,
}

impl<'a, 'i> Described<'a, 'i> {
    pub(super) fn new(input: &'a mut PeekReader<'i>) -> Self {
        Self {
            input,
            count: 0,
            free: 0,
            ended: false,
        }
    }

    /// Finds out how many bytes come next that are contents.
    fn seek(&mut self) -> io::Result<()> {
        let count = self.count;
        let bytes = self.input.look(4 * LONGEST)?;
        if bytes.len() < LONGEST / 2 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "no descriptor says where it ends",
            ));
        }
        for at in memmem::find_iter(bytes, b"PK") {
            match descriptor_at(bytes, at, count) {
                Some(end) => {
                    self.free = end;
                    self.ended = true;
                    return Ok(());
                }
                None if at >= bytes.len() - LONGEST.min(bytes.len()) && at > LONGEST => {
                    // Too near to the end of what is seen to tell: look again from here.
                    self.free = at - LONGEST;
                    return Ok(());
                }
                None => {}
            }
        }
        // A descriptor without a signature may start in the last bytes.
        self.free = bytes.len().saturating_sub(LONGEST).max(1);
        Ok(())
    }
}

/// Where contents end if what stands at `at`, behind `count` bytes and those before it, is their
/// descriptor, or follows one that has no signature.
fn descriptor_at(bytes: &[u8], at: usize, count: u64) -> Option<usize> {
    let (signature, rest) = bytes[at..].split_first_chunk::<4>()?;
    let before = |length: usize| at.checked_sub(length);
    let fits = |end: usize| count + end as u64;
    match *signature {
        DESCRIPTOR => {
            let narrow = rest.len() >= 8 && u64::from(u32_at(rest, 4)) == fits(at);
            let wide = rest.len() >= 12 && u64_at(rest, 4) == fits(at);
            (narrow || wide).then_some(at)
        }
        LOCAL | CENTRAL => {
            let narrow = before(12).filter(|&end| u64::from(u32_at(bytes, end + 4)) == fits(end));
            narrow.or_else(|| before(20).filter(|&end| u64_at(bytes, end + 4) == fits(end)))
        }
        _ => None,
    }
}

impl Read for Described<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.free == 0 && !self.ended {
            self.seek()?;
        }
        let n = self.free.min(buffer.len());
        let bytes = self.input.look(n)?;
        let n = n.min(bytes.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.input.consume(n);
        self.free -= n;
        self.count += n as u64;
        Ok(n)
    }
}
