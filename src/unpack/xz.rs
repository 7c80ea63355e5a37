//! The formats of the LZMA family that hold one stream: xz, the `.lzma` it replaced, and lzip.

use std::io::BufRead;

use liblzma::stream::{Action, Error, Status, Stream};

use crate::vocabulary::SkipReason;

use super::budget::Memory;
use super::frames::{Codec, Progress, State, pour};
use super::{Members, Unread};

/// Decoders ask for more memory in steps of so many bytes.
const MEMORY_STEP: u64 = 8 << 20;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Xz,
    Lzma,
    Lzip,
}

impl Kind {
    /// Whether a stream of this kind starts with `head`.
    pub(super) fn starts(self, head: &[u8]) -> bool {
        match self {
            Self::Xz => head.starts_with(b"\xfd7zXZ\0"),
            Self::Lzma => is_lzma(head),
            Self::Lzip => head.starts_with(b"LZIP\0") || head.starts_with(b"LZIP\x01"),
        }
    }

    fn decoder(self, memory: u64) -> Result<Stream, Error> {
        match self {
            Self::Xz => Stream::new_stream_decoder(memory, 0),
            Self::Lzma => Stream::new_lzma_decoder(memory),
            Self::Lzip => Stream::new_lzip_decoder(memory, 0),
        }
    }
}

/// `.lzma` has no magic. As `xz` does it: the usual properties, a size of the dictionary that its
/// encoder could have chosen, and no size of the contents beyond reason.
fn is_lzma(head: &[u8]) -> bool {
    const USUAL: u8 = 0x5d;
    const LARGEST: u64 = 1 << 38;
    let Some((&[properties, d0, d1, d2, d3], rest)) = head.split_first_chunk() else {
        return false;
    };
    let Some(size) = rest.first_chunk() else {
        return false;
    };
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]);
    // A power of two, or the sum of two neighbouring ones.
    let factor = dictionary.checked_shr(dictionary.trailing_zeros());
    let is_plausible = dictionary == u32::MAX || matches!(factor, Some(1 | 3));
    let size = u64::from_le_bytes(*size);
    properties == USUAL && is_plausible && (size == u64::MAX || size < LARGEST)
}

/// Reads all streams as one.
pub(super) fn read(
    kind: Kind,
    input: &mut dyn BufRead,
    members: &mut dyn Members,
) -> Result<(), Unread> {
    pour(codec(kind, members.memory()), input, members)
}

/// Decodes one stream after the other.
pub(super) fn codec(kind: Kind, memory: Memory) -> impl Codec {
    Lzma {
        kind,
        decoder: None,
        memory,
    }
}

struct Lzma {
    kind: Kind,
    decoder: Option<Stream>,
    memory: Memory,
}

impl Codec for Lzma {
    fn magic(&self) -> &'static [u8] {
        match self.kind {
            Kind::Xz => b"\xfd7zXZ\0",
            Kind::Lzip => b"LZIP",
            Kind::Lzma => &[],
        }
    }

    fn starts(&self, head: &[u8]) -> bool {
        match self.kind {
            Kind::Xz | Kind::Lzip => self.kind.starts(head),
            // Nothing tells a second one from other bytes.
            Kind::Lzma => self.decoder.is_none(),
        }
    }

    fn begin(&mut self, _head: &[u8]) -> Result<(), SkipReason> {
        self.decoder = self.kind.decoder(self.memory.taken().max(1)).ok();
        self.decoder
            .is_some()
            .then_some(())
            .ok_or(SkipReason::MemoryLimit)
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        let Some(decoder) = &mut self.decoder else {
            return Progress {
                consumed: 0,
                produced: 0,
                state: State::Broken,
            };
        };
        let totals = |decoder: &Stream| (decoder.total_in(), decoder.total_out());
        let before = totals(decoder);
        let action = if input.is_empty() {
            Action::Finish
        } else {
            Action::Run
        };
        let state = loop {
            let done = Progress::between(before, totals(decoder), State::Within);
            let (input, output) = (&input[done.consumed..], &mut output[done.produced..]);
            match decoder.process(input, output, action) {
                Ok(Status::StreamEnd) => break State::End,
                Ok(Status::Ok | Status::GetCheck | Status::MemNeeded) => break State::Within,
                Err(Error::MemLimit) => {
                    // It can go on from here with more.
                    let more = self.memory.taken() + MEMORY_STEP;
                    if !self.memory.grow_to(more) {
                        break State::Refused(SkipReason::MemoryLimit);
                    }
                    // An error means that this is still too little.
                    let _ = decoder.set_memlimit(more);
                }
                Err(Error::Mem) => break State::Refused(SkipReason::MemoryLimit),
                Err(Error::Options) => break State::Refused(SkipReason::Unsupported),
                Err(
                    Error::Data
                    | Error::Format
                    | Error::Program
                    | Error::NoCheck
                    | Error::UnsupportedCheck,
                ) => break State::Broken,
            }
        };
        Progress::between(before, totals(decoder), state)
    }
}
