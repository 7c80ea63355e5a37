//! Brotli (RFC 7932). It has no magic, so only the name tells.

use std::io::BufRead;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use crate::vocabulary::SkipReason;

use super::budget::Memory;
use super::frames::{Codec, Progress, State, pour};
use super::{Members, Unread};

/// The longest window, of 24 bits, and about what is needed beside it.
const MEMORY: u64 = 18 << 20;

/// Reads the stream.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let alloc = StandardAlloc::default;
    let codec = Brotli {
        state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
        phase: Phase::Fresh,
        memory: members.memory(),
    };
    pour(codec, input, members)
}

struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    phase: Phase,
    memory: Memory,
}

/// There is one stream in a file.
#[derive(PartialEq, Eq)]
enum Phase {
    Fresh,
    Used,
}

impl Codec for Brotli {
    fn magic(&self) -> &'static [u8] {
        &[]
    }

    fn starts(&self, _head: &[u8]) -> bool {
        self.phase == Phase::Fresh
    }

    fn begin(&mut self, _head: &[u8]) -> Result<(), SkipReason> {
        self.phase = Phase::Used;
        self.memory
            .grow_to(MEMORY)
            .then_some(())
            .ok_or(SkipReason::MemoryLimit)
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        let (mut input_left, mut consumed) = (input.len(), 0);
        let (mut output_left, mut produced) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut input_left,
            &mut consumed,
            input,
            &mut output_left,
            &mut produced,
            output,
            &mut 0,
            &mut self.state,
        );
        Progress {
            consumed,
            produced,
            state: match result {
                BrotliResult::ResultSuccess => State::End,
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => State::Within,
                BrotliResult::ResultFailure => State::Broken,
            },
        }
    }
}
