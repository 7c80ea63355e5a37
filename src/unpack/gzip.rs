//! gzip (RFC 1952): any number of members, one behind the other, that make one stream.

use std::io::BufRead;

use flate2::Decompress;

use crate::vocabulary::SkipReason;

use super::frames::{Codec, Progress, pour};
use super::inflate::{WINDOW_BITS, inflate};
use super::{Members, Unread};

/// Whether a gzip member starts with `head`.
pub(super) fn starts(head: &[u8]) -> bool {
    // The method is deflate, and no reserved flag is set.
    matches!(head, [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0)
}

/// Reads all members as one stream.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let inflater = Decompress::new_gzip(WINDOW_BITS);
    pour(Gzip { inflater }, input, members)
}

struct Gzip {
    inflater: Decompress,
}

impl Codec for Gzip {
    fn magic(&self) -> &'static [u8] {
        &[0x1f, 0x8b, 8]
    }

    fn starts(&self, head: &[u8]) -> bool {
        starts(head)
    }

    fn begin(&mut self, _head: &[u8]) -> Result<(), SkipReason> {
        if self.inflater.total_in() > 0 {
            self.inflater = Decompress::new_gzip(WINDOW_BITS);
        }
        Ok(())
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        inflate(&mut self.inflater, input, output)
    }
}
