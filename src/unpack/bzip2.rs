//! bzip2: any number of streams, one behind the other, that make one.

use std::io::BufRead;

use bzip2::{Decompress, Status};

use crate::vocabulary::SkipReason;

use super::frames::{Codec, Progress, State, pour};
use super::{Members, Unread};

/// Whether a stream starts with `head`: the size of its blocks, and then the first block, or the
/// end of an empty stream.
pub(super) fn starts(head: &[u8]) -> bool {
    matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
        if rest.starts_with(b"\x31\x41\x59\x26\x53\x59") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
}

/// Reads all streams as one.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    pour(codec(), input, members)
}

/// Decodes one stream after the other.
pub(super) fn codec() -> impl Codec {
    Bzip2 {
        decompress: Decompress::new(false),
    }
}

struct Bzip2 {
    decompress: Decompress,
}

impl Codec for Bzip2 {
    fn magic(&self) -> &'static [u8] {
        b"BZh"
    }

    fn starts(&self, head: &[u8]) -> bool {
        starts(head)
    }

    fn begin(&mut self, _head: &[u8]) -> Result<(), SkipReason> {
        if self.decompress.total_in() > 0 {
            self.decompress = Decompress::new(false);
        }
        Ok(())
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        let before = (self.decompress.total_in(), self.decompress.total_out());
        let state = match self.decompress.decompress(input, output) {
            Ok(Status::StreamEnd) => State::End,
            Ok(Status::Ok | Status::FlushOk | Status::RunOk | Status::FinishOk) => State::Within,
            Ok(Status::MemNeeded) | Err(_) => State::Broken,
        };
        let after = (self.decompress.total_in(), self.decompress.total_out());
        Progress::between(before, after, state)
    }
}
