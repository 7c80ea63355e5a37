//! Inflating one zlib stream of known size, at once or out of bytes that are read by place.

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

use super::fetch::Input;

/// Up to this many bytes a stream is inflated into a buffer that is used again and again.
const KEPT: usize = 4 * 1024 * 1024;

/// Room behind what is inflated. With less than 258 bytes to go, the longest that one symbol stands
/// for, zlib-rs goes on byte by byte.
const ROOM: usize = 320;

/// Deflate never makes more than this many bytes of one (zlib's technical notes say 1032).
pub(super) const GREATEST_RATIO: u64 = 1032;

/// A decompressor and its buffer, used for one stream after the other.
pub(super) struct Inflater {
    /// For streams that are had at once: nearly all. (With it uv's history takes five sixths of the
    /// time.)
    whole: Decompressor,
    zlib: Decompress,
    output: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            whole: Decompressor::new(),
            zlib: Decompress::new(true),
            output: Vec::new(),
        }
    }

    /// Inflates a stream of `size` bytes that fills its place, in one call; nothing of any other,
    /// and of one with which something is wrong.
    pub(super) fn inflate_whole(&mut self, bytes: &[u8], size: u64) -> Option<usize> {
        let length = usize::try_from(size).ok().filter(|size| *size <= KEPT)?;
        let (data, sum) = stream(bytes)?;
        if self.output.len() < length {
            self.output.resize(length, 0);
        }
        let output = &mut self.output[..length];
        // It does not say where the data ended. Where that is the end of its place, there stands
        // the checksum. (Stray bytes that end with a copy of it go unnoticed: git reads them no more
        // than this does.)
        let is_whole = self.whole.deflate_decompress(data, output) == Ok(length)
            && libdeflater::adler32(output) == sum;
        is_whole.then_some(length)
    }

    /// The first bytes of what was inflated last in one call.
    pub(super) fn made(&self, length: usize) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.output[..length])
    }

    /// Inflates the stream of `size` bytes that `range` starts with, piece by piece. Tells where it
    /// ends.
    pub(super) fn inflate(
        &mut self,
        input: &mut Input,
        pack: &dyn ReadAt,
        range: &Range<u64>,
        size: u64,
    ) -> Result<(Cow<'_, [u8]>, u64), Damage> {
        if size > (range.end - range.start).saturating_mul(GREATEST_RATIO) {
            return Err(Damage::Length { said: size });
        }
        let length = usize::try_from(size).map_err(|_| Damage::Length { said: size })?;
        // With some room to spare the stream's checksum is read in the same call as its last byte,
        // and a stream that goes on too long is noticed.
        if length > KEPT {
            let mut bytes = vec![0; length + ROOM];
            let end = self.inflate_into(&mut bytes, input, pack, range, length)?;
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
        let end = self.inflate_into(room, input, pack, range, length);
        self.output = output;
        Ok((Cow::Borrowed(&self.output[..length]), end?))
    }

    /// The same into a buffer that has room for `length` bytes and more.
    fn inflate_into(
        &mut self,
        out: &mut [u8],
        input: &mut Input,
        pack: &dyn ReadAt,
        range: &Range<u64>,
        length: usize,
    ) -> Result<u64, Damage> {
        let zlib = &mut self.zlib;
        let end = range.end;
        let size = length as u64;
        let mut made = 0;
        zlib.reset(true);
        let mut at = range.start;
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

/// The deflated data and the checksum of what should be a zlib stream (RFC 1950, 2.2) without a
/// dictionary.
fn stream(bytes: &[u8]) -> Option<(&[u8], u32)> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let (data, sum) = rest.split_last_chunk()?;
    let [method, flags] = *head;
    let is_zlib = method & 0x0f == 8
        && method >> 4 <= 7
        && u16::from_be_bytes(*head).is_multiple_of(31)
        && flags & 0x20 == 0;
    is_zlib.then_some((data, u32::from_be_bytes(*sum)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use crate::source::git::pack::far::Far;

    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Numbers that do not shrink to nothing.
    fn noise(length: u32) -> Vec<u8> {
        let numbers = (0..length).map(|n| n.wrapping_mul(n).wrapping_mul(2_654_435_761));
        numbers.flat_map(|n| (n >> 12).to_le_bytes()).collect()
    }

    #[test]
    fn a_long_stream_is_inflated_piece_by_piece() {
        let mut inflater = Inflater::new();
        for content in [2000, 3000, 200_000, 400_000].map(noise) {
            let stream = deflated(&content);
            for before in [0, 1, 8190, 8192, 8200] {
                let pack = [&vec![7; before], &stream[..], &[7; 30]].concat();
                let range = before as u64..(before + stream.len()) as u64;
                let size = content.len() as u64;
                let input = &mut Input::new();
                let made = inflater.inflate(input, &Far::new(&pack), &range, size);
                let (bytes, end) = made.unwrap();
                assert!(*bytes == content[..], "{size} behind {before}");
                assert_eq!(end, range.end);
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_stream_is_told() {
        let content = noise(50);
        let stream = deflated(&content);
        let inflate = |bytes: &[u8], size: usize| {
            let (range, size) = (0..bytes.len() as u64, size as u64);
            let mut inflater = Inflater::new();
            let whole = inflater.inflate_whole(bytes, size);
            let whole = whole.map(|length| inflater.made(length).into_owned());
            let made = inflater.inflate(&mut Input::new(), &Far::new(bytes), &range, size);
            let made = made.map(|(bytes, end)| (bytes.into_owned(), end));
            // In one call the same is made, or nothing.
            if let Some(whole) = whole {
                assert_eq!(made.as_ref().unwrap(), &(whole, range.end));
            }
            made
        };
        let size = content.len();
        let whole = stream.len() as u64;
        assert_eq!(inflate(&stream, size).unwrap(), (content.clone(), whole));
        let at_once = Inflater::new().inflate_whole(&stream, size as u64);
        assert_eq!(at_once, Some(size));
        // The end is found all the same.
        let stray = [&stream[..], b"stray"].concat();
        assert_eq!(inflate(&stray, size).unwrap(), (content.clone(), whole));
        for size in [size - 1, size + 1] {
            assert!(matches!(inflate(&stream, size), Err(Damage::Length { .. })));
        }
        for cut in [1, 4, 5, stream.len() - 1] {
            let cut = &stream[..stream.len() - cut];
            assert!(inflate(cut, size).is_err());
        }
        for bit in 0..stream.len() * 8 {
            let mut damaged = stream.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(made) = inflate(&damaged, size) {
                // The last byte of the data is seldom full.
                assert!(made == (content.clone(), whole), "bit {bit}");
                assert_eq!(bit / 8, stream.len() - 5);
            }
        }
    }
}
