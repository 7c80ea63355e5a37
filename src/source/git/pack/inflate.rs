//! Inflating one zlib stream of known size out of bytes that are read by place.

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

use super::entries::HEADER;

/// Compressed bytes read at once.
const CHUNK: usize = 256 * 1024;

/// Up to this many bytes a stream is inflated into a buffer that is used again and again.
const KEPT: usize = 1024 * 1024;

/// Room behind what is inflated. With less than 258 bytes to go, the longest that one symbol stands
/// for, zlib-rs goes on byte by byte.
const ROOM: usize = 320;

/// Deflate never makes more than this many bytes of one (zlib's technical notes say 1032).
pub(super) const GREATEST_RATIO: u64 = 1032;

/// Bytes read at least, where the pack has them: half of all entries lie right behind the one that
/// was read before, and take some hundred bytes.
const LEAST: usize = 4096;

/// A decompressor and its buffers, used for one stream after the other.
pub(super) struct Inflater {
    /// For streams that are had at once: nearly all. It takes three quarters of the other's time.
    whole: Decompressor,
    zlib: Decompress,
    input: Input,
    output: Vec<u8>,
}

/// What was read of the compressed bytes that are not in memory.
#[derive(Default)]
struct Input {
    buffer: Vec<u8>,
    /// How many of its bytes were read.
    held: usize,
    /// Where in the pack they start.
    start: u64,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            whole: Decompressor::new(),
            zlib: Decompress::new(true),
            input: Input::default(),
            output: Vec::new(),
        }
    }

    /// The first bytes of `range`, as many as a header takes.
    pub(super) fn fetch<'b>(
        &'b mut self,
        pack: &'b dyn ReadAt,
        range: &Range<u64>,
    ) -> Result<&'b [u8], Damage> {
        self.input.fetch(pack, range, HEADER)
    }

    /// Inflates the stream that starts at `start` into `size` bytes. It ends before `end`; tells
    /// where.
    pub(super) fn inflate(
        &mut self,
        pack: &dyn ReadAt,
        start: u64,
        end: u64,
        size: u64,
    ) -> Result<(Cow<'_, [u8]>, u64), Damage> {
        if size > (end - start).saturating_mul(GREATEST_RATIO) {
            return Err(Damage::Length { said: size });
        }
        let length = usize::try_from(size).map_err(|_| Damage::Length { said: size })?;
        if length <= KEPT && self.inflate_at_once(pack, &(start..end), length) {
            return Ok((Cow::Borrowed(&self.output[..length]), end));
        }
        // With some room to spare the stream's checksum is read in the same call as its last byte,
        // and a stream that goes on too long is noticed.
        if length > KEPT {
            let mut bytes = vec![0; length + ROOM];
            let end = self.inflate_into(&mut bytes, pack, start, end, length)?;
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
        let end = self.inflate_into(room, pack, start, end, length);
        self.output = output;
        Ok((Cow::Borrowed(&self.output[..length]), end?))
    }

    /// Inflates a stream that fills its place, in one call; false for any other, and for one with
    /// which something is wrong.
    fn inflate_at_once(&mut self, pack: &dyn ReadAt, range: &Range<u64>, length: usize) -> bool {
        let Self {
            whole,
            input,
            output,
            ..
        } = self;
        let Some(bytes) = input.fetch_all(pack, range) else {
            return false;
        };
        if output.len() < length {
            output.resize(length, 0);
        }
        let output = &mut output[..length];
        // It does not say where the stream ended. Where that is the end of its place, there stands
        // the checksum.
        whole.zlib_decompress(bytes, output) == Ok(length)
            && bytes.ends_with(&libdeflater::adler32(output).to_be_bytes())
    }

    /// The same into a buffer that has room for `length` bytes and more.
    fn inflate_into(
        &mut self,
        out: &mut [u8],
        pack: &dyn ReadAt,
        start: u64,
        end: u64,
        length: usize,
    ) -> Result<u64, Damage> {
        let Self { zlib, input, .. } = self;
        let size = length as u64;
        let mut made = 0;
        zlib.reset(true);
        let mut at = start;
        let mut bytes = input.fetch(pack, &(at..end), 1)?;
        loop {
            let before = (zlib.total_in(), zlib.total_out());
            let status = zlib
                .decompress(bytes, &mut out[made..], FlushDecompress::None)
                .map_err(|error| Damage::Zlib(error.to_string()))?;
            // What was taken is no more than what was given, and so is what was made.
            let taken = usize::try_from(zlib.total_in() - before.0).unwrap_or(bytes.len());
            made += usize::try_from(zlib.total_out() - before.1).unwrap_or(0);
            if made > length {
                return Err(Damage::Length { said: size });
            }
            at += taken as u64;
            match status {
                Status::StreamEnd if made == length => return Ok(at),
                Status::StreamEnd => return Err(Damage::Length { said: size }),
                Status::Ok | Status::BufError => {}
            }
            bytes = &bytes[taken..];
            if !bytes.is_empty() {
                if taken == 0 {
                    return Err(Damage::Zlib("it does not go on".to_owned()));
                }
                continue;
            }
            if at >= end {
                return Err(Damage::Truncated);
            }
            bytes = input.fetch(pack, &(at..end), 1)?;
        }
    }
}

impl Input {
    /// All bytes of `range`, unless they are too many to be had at once, or cannot be read.
    fn fetch_all<'b>(&'b mut self, pack: &'b dyn ReadAt, range: &Range<u64>) -> Option<&'b [u8]> {
        let length = usize::try_from(range.end - range.start).ok()?;
        if length > CHUNK && pack.in_memory(range).is_none() {
            return None;
        }
        self.fetch(pack, range, length).ok()
    }

    /// The first bytes of `range`: all of them, or at least `least`.
    fn fetch<'b>(
        &'b mut self,
        pack: &'b dyn ReadAt,
        range: &Range<u64>,
        least: usize,
    ) -> Result<&'b [u8], Damage> {
        if let Some(all) = pack.in_memory(range) {
            return Ok(all);
        }
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let least = least.min(length);
        let before = range.start.checked_sub(self.start);
        let before = before.and_then(|before| usize::try_from(before).ok());
        let held = before.and_then(|before| self.buffer[..self.held].get(before..));
        let from = match before {
            Some(before) if held.is_some_and(|held| held.len() >= least) => before,
            Some(_) | None => {
                self.buffer.resize(CHUNK, 0);
                self.start = range.start;
                let buffer = &mut self.buffer[..length.clamp(LEAST, CHUNK)];
                self.held = pack.read_at(buffer, range.start)?;
                0
            }
        };
        let held = &self.buffer[from..self.held];
        if held.len() < least {
            return Err(Damage::Truncated);
        }
        Ok(&held[..held.len().min(length)])
    }
}
