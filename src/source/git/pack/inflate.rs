//! Inflating one zlib stream of known size out of bytes that are read by place.

use std::borrow::Cow;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

use super::entries::HEADER;

/// Compressed bytes that are inflated at once.
const CHUNK: usize = 1024 * 1024;

/// Compressed bytes that are read at once and kept. (Measured on uv's history: 64 KiB take a seventh
/// longer in all, 16 KiB a fiftieth.)
const WINDOW: usize = 8 * 1024;

/// How many windows are kept.
const WINDOWS: u64 = 256;

/// Up to this many bytes a stream is inflated into a buffer that is used again and again.
const KEPT: usize = 4 * 1024 * 1024;

/// Room behind what is inflated. With less than 258 bytes to go, the longest that one symbol stands
/// for, zlib-rs goes on byte by byte.
const ROOM: usize = 320;

/// Deflate never makes more than this many bytes of one (zlib's technical notes say 1032).
pub(super) const GREATEST_RATIO: u64 = 1032;

/// A decompressor and its buffers, used for one stream of a pack after the other. What was read of
/// one pack it would take for another one's.
pub(super) struct Inflater {
    /// For streams that are had at once: nearly all. (With it uv's history takes five sixths of the
    /// time.)
    whole: Decompressor,
    zlib: Decompress,
    input: Input,
    output: Vec<u8>,
}

/// What was read of the compressed bytes that are not in memory.
struct Input {
    /// Git writes families of deltas one behind the other, and the way through one goes back and
    /// forth: so what was read of late is kept. Each stretch has one place.
    windows: Vec<Window>,
    /// For what does not lie in one window.
    long: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            whole: Decompressor::new(),
            zlib: Decompress::new(true),
            input: Input::new(),
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

    /// Inflates the stream that starts at `start` into `size` bytes. It should end at `end`; tells
    /// where it does.
    pub(super) fn inflate(
        &mut self,
        pack: &dyn ReadAt,
        start: u64,
        end: u64,
        size: u64,
    ) -> Result<(Cow<'_, [u8]>, u64), Damage> {
        match usize::try_from(size) {
            Ok(length) if length <= KEPT && self.inflate_at_once(pack, &(start..end), length) => {
                Ok((Cow::Borrowed(&self.output[..length]), end))
            }
            Ok(_) | Err(_) => self.inflate_within(pack, start, end, size),
        }
    }

    /// The same for a stream that ends somewhere before `end`.
    pub(super) fn inflate_within(
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
        let Some((data, sum)) = input.fetch_all(pack, range).and_then(stream) else {
            return false;
        };
        if output.len() < length {
            output.resize(length, 0);
        }
        let output = &mut output[..length];
        // It does not say where the data ended. Where that is the end of its place, there stands
        // the checksum. (Stray bytes that end with a copy of it go unnoticed: git reads them no more
        // than this does.)
        whole.deflate_decompress(data, output) == Ok(length) && libdeflater::adler32(output) == sum
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
    fn new() -> Self {
        Self {
            windows: (0..WINDOWS).map(|_| Window::default()).collect(),
            long: Vec::new(),
        }
    }

    /// All bytes of `range`, unless they are too many to be had at once, or cannot be read.
    fn fetch_all<'b>(&'b mut self, pack: &'b dyn ReadAt, range: &Range<u64>) -> Option<&'b [u8]> {
        let length = length(range);
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
        let least = least.min(length(range));
        let number = range.start / WINDOW as u64;
        let before = usize::try_from(range.start % WINDOW as u64).unwrap_or(0);
        if before + least > WINDOW {
            if self.long.len() < least {
                self.long.resize(least, 0);
            }
            let long = &mut self.long[..least];
            if pack.read_at(long, range.start)? < least {
                return Err(Damage::Truncated);
            }
            return Ok(long);
        }
        let place = usize::try_from(number % WINDOWS).unwrap_or(0);
        let held = self.windows[place].read(pack, number)?;
        let held = held.get(before..).unwrap_or_default();
        if held.len() < least {
            return Err(Damage::Truncated);
        }
        Ok(&held[..held.len().min(length(range))])
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
    use std::io::{self, Write as _};

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    /// Bytes that are not in memory, as those of a file.
    struct Far(Vec<u8>);

    impl ReadAt for Far {
        fn length(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.0.read_at(buffer, offset)
        }
    }

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
    fn a_stream_is_inflated_wherever_it_lies() {
        let contents = [10, 2000, 3000, 200_000, 400_000].map(noise);
        for before in [0, 1, WINDOW - 20, WINDOW - 1, WINDOW, 64 * WINDOW - 7] {
            let mut pack = vec![7; before];
            let mut ranges = Vec::new();
            let mut inflater = Inflater::new();
            for content in &contents {
                let start = pack.len() as u64;
                pack.extend(deflated(content));
                ranges.push(start..pack.len() as u64);
            }
            pack.extend([7; 30]);
            let pack = Far(pack);
            // Back and forth, so that what was read before is met again.
            for at in [0, 3, 1, 4, 2, 0, 2, 1] {
                let (range, content) = (&ranges[at], &contents[at]);
                let head = inflater.fetch(&pack, range).unwrap().to_vec();
                assert!(head.len() >= 8);
                assert_eq!(head[0], 0x78);
                let size = content.len() as u64;
                let (bytes, end) = inflater
                    .inflate(&pack, range.start, range.end, size)
                    .unwrap();
                assert!(*bytes == content[..], "{at} behind {before}");
                assert_eq!(end, range.end);
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_stream_is_told() {
        let content = noise(50);
        let stream = deflated(&content);
        let inflate = |bytes: &[u8], size: usize| {
            let end = bytes.len() as u64;
            let mut inflater = Inflater::new();
            let made = inflater.inflate(&Far(bytes.to_vec()), 0, end, size as u64);
            made.map(|(bytes, end)| (bytes.into_owned(), end))
        };
        let size = content.len();
        let whole = stream.len() as u64;
        assert_eq!(inflate(&stream, size).unwrap(), (content.clone(), whole));
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
