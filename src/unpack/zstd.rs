//! Zstandard (RFC 8878): frames and skippable frames, with windows as long as memory allows.

use std::io::{self, BufRead};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use crate::vocabulary::SkipReason;

use super::budget::Memory;
use super::frames::{Codec, Progress, State, pour};
use super::{Members, Unread};

const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The longest window that the decoder can be told to take, as a power of two; what is taken in
/// fact is decided by the memory there is.
const LONGEST_WINDOW: u32 = if cfg!(target_pointer_width = "64") {
    31
} else {
    30
};

/// Whether a frame starts with `head`.
pub(super) fn starts(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || is_skippable(head)
}

/// Frames that hold something else; they may stand before, between and behind the others.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Reads all frames as one stream.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    pour(codec(members.memory())?, input, members)
}

/// Decodes one frame after the other.
pub(super) fn codec(memory: Memory) -> io::Result<impl Codec> {
    Ok(Zstd {
        decoder: decoder()?,
        wanted: 1,
        memory,
    })
}

fn decoder() -> io::Result<Decoder<'static>> {
    let mut decoder = Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(LONGEST_WINDOW))?;
    Ok(decoder)
}

struct Zstd {
    decoder: Decoder<'static>,
    /// Bytes of input that make up the next step. It is given no more at once: what a failing step
    /// has written is lost, and so it is one block at most.
    wanted: usize,
    memory: Memory,
}

impl Codec for Zstd {
    fn magic(&self) -> &'static [u8] {
        MAGIC
    }

    fn starts(&self, head: &[u8]) -> bool {
        starts(head)
    }

    fn begin(&mut self, head: &[u8]) -> Result<(), SkipReason> {
        self.wanted = 1;
        if self.decoder.reinit().is_err() || !self.memory.grow_to(window(head)) {
            return Err(SkipReason::MemoryLimit);
        }
        Ok(())
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        let given = self.wanted.clamp(1, input.len().max(1)).min(input.len());
        let mut source = InBuffer::around(&input[..given]);
        let mut target = OutBuffer::around(output);
        let hint = self.decoder.run(&mut source, &mut target);
        let state = match hint {
            Ok(0) => State::End,
            Ok(hint) => {
                self.wanted = hint;
                State::Within
            }
            Err(_) => State::Broken,
        };
        Progress {
            consumed: source.pos(),
            produced: target.pos(),
            state,
        }
    }
}

/// Bytes that the decoder of the frame which starts with `head` must remember.
fn window(head: &[u8]) -> u64 {
    let Some(&[descriptor, next, ..]) = head.strip_prefix(MAGIC) else {
        return 0;
    };
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment {
        let base = 1 << (10 + (next >> 3));
        return base + base / 8 * u64::from(next & 7);
    }
    // All of the contents is one window; their size stands behind the dictionary's number.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = 1 << (descriptor >> 6);
    let mut size = [0; 8];
    let at = MAGIC.len() + 1 + dictionary;
    let Some(bytes) = head.get(at..at + length) else {
        return 0;
    };
    size[..length].copy_from_slice(bytes);
    let size = u64::from_le_bytes(size);
    if length == 2 { size + 256 } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_from_headers() {
        for (header, expected) in [
            // Window descriptors: the least, the greatest, `zstd --long=27`.
            (&[0x00, 0x00][..], 1 << 10),
            (&[0x04, 0xff], (1 << 41) + 7 * (1 << 38)),
            (&[0x04, 0x88], 1 << 27),
            // Single segments with contents of 5, 256 + 5 and 2^32 + 1 bytes.
            (&[0x20, 5], 5),
            (&[0x60, 5, 0], 261),
            (&[0xe0, 1, 0, 0, 0, 1, 0, 0, 0], (1 << 32) + 1),
            (&[0x23, 9, 9, 9, 9, 7], 7),
        ] {
            let head = [MAGIC, header].concat();
            assert_eq!(window(&head), expected, "{header:02x?}");
        }
        assert_eq!(window(b"\x50\x2a\x4d\x18\xff\xff"), 0);
    }
}
