//! Inflating one zlib stream of known size out of bytes that are read by place.

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

/// Compressed bytes read at once.
const CHUNK: usize = 64 * 1024;

/// Up to this many bytes a stream is inflated into a buffer that is used again and again.
const KEPT: usize = 1024 * 1024;

/// Room behind what is inflated. With less than 258 bytes to go, the longest that one symbol stands
/// for, zlib-rs goes on byte by byte.
const ROOM: usize = 320;

/// Deflate never makes more than this many bytes of one (zlib's technical notes say 1032).
pub(super) const GREATEST_RATIO: u64 = 1032;

/// A decompressor and its buffers, used for one stream after the other.
pub(super) struct Inflater {
    zlib: Decompress,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// The start of a pack's entry, with what of it is in memory.
pub(super) struct Compressed {
    /// Bytes of the buffer that precede the stream.
    pub(super) header: usize,
    /// Where the stream starts in the pack.
    pub(super) start: u64,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            zlib: Decompress::new(true),
            input: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Reads the first bytes of `range`; the stream that starts among them can then be inflated.
    pub(super) fn fetch(&mut self, pack: &dyn ReadAt, range: &Range<u64>) -> Result<&[u8], Damage> {
        let wanted = usize::try_from(range.end - range.start).map_or(CHUNK, |n| n.min(CHUNK));
        if self.input.len() < wanted {
            self.input.resize(wanted, 0);
        }
        let read = pack.read_at(&mut self.input[..wanted], range.start)?;
        if read < wanted {
            return Err(Damage::Truncated);
        }
        Ok(&self.input[..wanted])
    }

    /// Inflates the stream of `compressed`, whose first bytes were fetched, into `size` bytes.
    /// The stream ends before `end`; tells where.
    pub(super) fn inflate(
        &mut self,
        pack: &dyn ReadAt,
        compressed: &Compressed,
        end: u64,
        size: u64,
    ) -> Result<(Cow<'_, [u8]>, u64), Damage> {
        if size > (end - compressed.start).saturating_mul(GREATEST_RATIO) {
            return Err(Damage::Length { said: size });
        }
        let length = usize::try_from(size).map_err(|_| Damage::Length { said: size })?;
        // With some room to spare the stream's checksum is read in the same call as its last byte,
        // and a stream that goes on too long is noticed.
        if length > KEPT {
            let mut bytes = vec![0; length + ROOM];
            let end = self.inflate_into(&mut bytes, pack, compressed, end, length)?;
            bytes.truncate(length);
            return Ok((Cow::Owned(bytes), end));
        }
        // It is never handed out as a `Vec` to be filled: flate2 writes zeros to all the room that
        // one has, for each stream.
        let mut output = std::mem::take(&mut self.output);
        if output.len() < length + ROOM {
            output.resize(length + ROOM, 0);
        }
        let room = &mut output[..length + ROOM];
        let end = self.inflate_into(room, pack, compressed, end, length);
        self.output = output;
        Ok((Cow::Borrowed(&self.output[..length]), end?))
    }

    /// The same into a buffer that has room for `length` bytes and more.
    fn inflate_into(
        &mut self,
        out: &mut [u8],
        pack: &dyn ReadAt,
        compressed: &Compressed,
        end: u64,
        length: usize,
    ) -> Result<u64, Damage> {
        let size = length as u64;
        let mut made = 0;
        self.zlib.reset(true);
        let mut at = compressed.start - compressed.header as u64;
        let mut from = compressed.header;
        let mut held = usize::try_from(end - at).map_or(CHUNK, |n| n.min(CHUNK));
        loop {
            let before = (self.zlib.total_in(), self.zlib.total_out());
            let input = &self.input[from..held];
            let status = self
                .zlib
                .decompress(input, &mut out[made..], FlushDecompress::None)
                .map_err(|error| Damage::Zlib(error.to_string()))?;
            // What was taken is no more than what was given, and so is what was made.
            let taken = usize::try_from(self.zlib.total_in() - before.0).unwrap_or(input.len());
            made += usize::try_from(self.zlib.total_out() - before.1).unwrap_or(0);
            if made > length {
                return Err(Damage::Length { said: size });
            }
            match status {
                Status::StreamEnd if made == length => {
                    return Ok(at + (from + taken) as u64);
                }
                Status::StreamEnd => return Err(Damage::Length { said: size }),
                Status::Ok | Status::BufError => {}
            }
            from += taken;
            if from < held {
                if taken == 0 {
                    return Err(Damage::Zlib("it does not go on".to_owned()));
                }
                continue;
            }
            at += held as u64;
            if at >= end {
                return Err(Damage::Truncated);
            }
            from = 0;
            held = self.fetch(pack, &(at..end))?.len();
        }
    }
}
