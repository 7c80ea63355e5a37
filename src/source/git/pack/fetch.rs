//! The compressed bytes of a pack, wherever they are: in memory, in what was read of late, or in the
//! file.

use std::ops::Range;

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

use super::entries::HEADER;

/// Compressed bytes that are had at once.
const CHUNK: usize = if cfg!(test) { 32 } else { 1024 } * 1024;

/// Compressed bytes that are read at once and kept. (Measured on uv's history: 64 KiB take a seventh
/// longer in all, 16 KiB a fiftieth.)
const WINDOW: usize = 8 * 1024;

/// How many windows are kept.
const WINDOWS: u64 = 256;

/// What was read of the bytes of one pack. It would take them for another one's.
pub(super) struct Input {
    /// Git writes families of deltas one behind the other, and the way through one goes back and
    /// forth: so what was read of late is kept. Each stretch has one place.
    windows: Vec<Window>,
    /// For what does not lie in one window.
    long: Vec<u8>,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            windows: (0..WINDOWS).map(|_| Window::default()).collect(),
            long: Vec::new(),
        }
    }

    /// All bytes of an entry, which lies in `range`. If they are too many to be had at once, or not
    /// all there, the first ones: as many as a header takes, or more.
    pub(super) fn entry<'b>(
        &'b mut self,
        pack: &'b dyn ReadAt,
        range: &Range<u64>,
    ) -> Result<&'b [u8], Damage> {
        let length = length(range);
        self.fetch(pack, range, if length > CHUNK { HEADER } else { length })
    }

    /// The first bytes of `range`: as many as are `wanted`, or more. There may be less if not all
    /// are there, but no less than a header takes.
    pub(super) fn fetch<'b>(
        &'b mut self,
        pack: &'b dyn ReadAt,
        range: &Range<u64>,
        wanted: usize,
    ) -> Result<&'b [u8], Damage> {
        if let Some(all) = pack.in_memory(range) {
            return Ok(all);
        }
        let length = length(range);
        let wanted = wanted.min(length);
        let number = range.start / WINDOW as u64;
        let before = usize::try_from(range.start % WINDOW as u64).unwrap_or(0);
        let held = if before + wanted > WINDOW {
            if self.long.len() < wanted {
                self.long.resize(wanted, 0);
            }
            let long = &mut self.long[..wanted];
            let held = pack.read_at(long, range.start)?;
            &long[..held]
        } else {
            let place = usize::try_from(number % WINDOWS).unwrap_or(0);
            let held = self.windows[place].read(pack, number)?;
            held.get(before..).unwrap_or_default()
        };
        if held.len() < wanted.min(HEADER) {
            return Err(Damage::Truncated);
        }
        Ok(&held[..held.len().min(length)])
    }
}

/// How many bytes a range has; no more than can be counted.
fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

/// The bytes of one stretch of a pack.
#[derive(Default)]
struct Window {
    /// Which one, if one was read.
    number: Option<u64>,
    buffer: Vec<u8>,
    /// How many there were.
    held: usize,
}

impl Window {
    /// The bytes of a stretch.
    fn read(&mut self, pack: &dyn ReadAt, number: u64) -> Result<&[u8], Damage> {
        if self.number != Some(number) {
            self.number = None;
            self.buffer.resize(WINDOW, 0);
            self.held = pack.read_at(&mut self.buffer, number * WINDOW as u64)?;
            self.number = Some(number);
        }
        Ok(&self.buffer[..self.held])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::source::git::pack::far::Far;

    use super::*;

    proptest! {
        #[test]
        fn an_entry_is_the_bytes_of_the_pack(
            bytes in proptest::collection::vec(any::<u8>(), 1000),
            length in 0_usize..300_000,
            ranges in proptest::collection::vec(
                (0_u64..300_000, prop_oneof![1_u64..2000, 1_u64..60_000]),
                1..30,
            ),
        ) {
            let pack: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
            let far = Far::new(&pack);
            let mut input = Input::new();
            // Back and forth, so that what was read before is met again.
            for (start, length) in ranges {
                let range = start..start + length;
                let here = pack.get(usize::try_from(start).unwrap()..).unwrap_or_default();
                let length = usize::try_from(length).unwrap();
                let there = here.len().min(length);
                match input.entry(&far, &range) {
                    Ok(read) => {
                        prop_assert_eq!(read, &here[..read.len()]);
                        let least = if length > CHUNK { HEADER } else { there };
                        prop_assert!((least..=length).contains(&read.len()));
                    }
                    Err(damage) => {
                        prop_assert!(matches!(damage, Damage::Truncated));
                        prop_assert!(there < length.min(HEADER));
                    }
                }
            }
        }
    }
}
