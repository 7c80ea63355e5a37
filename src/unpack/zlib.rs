//! zlib streams (RFC 1950), as files of their own: git's loose objects, and what programs write
//! when they compress without asking for a format.

use std::io::BufRead;

use crate::vocabulary::SkipReason;

use super::frames::{Codec, Progress, pour};
use super::inflate::{Inflater, Wrapper};
use super::{Members, Unread};

/// Whether a zlib stream starts with `head`. Two bytes are little to go by; what only looks like
/// one is found out while inflating, except for text: a short one that starts with `x^` might
/// inflate to its end by chance, and be told as a stream cut short.
pub(super) fn starts(head: &[u8]) -> bool {
    let [method, flags, ..] = *head else {
        return false;
    };
    let is_deflate = method & 0x0f == 8 && method >> 4 <= 7;
    let has_dictionary = flags & 0x20 != 0;
    is_deflate
        && !has_dictionary
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
        && !head.is_ascii()
}

/// Reads all streams as one.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let inflater = Inflater::new(Wrapper::Zlib);
    pour(Zlib { inflater }, input, members)
}

struct Zlib {
    inflater: Inflater,
}

impl Codec for Zlib {
    fn magic(&self) -> &'static [u8] {
        &[]
    }

    fn starts(&self, head: &[u8]) -> bool {
        self.inflater.is_fresh() && starts(head)
    }

    fn begin(&mut self, _head: &[u8]) -> Result<(), SkipReason> {
        Ok(())
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        self.inflater.inflate(input, output)
    }
}
