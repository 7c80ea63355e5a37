//! The contents of one entry: its method's decoder. This knows methods, and not where entries stand.

use std::io::{self, BufRead, Read};

use deflate64::InflaterManaged;
use ppmd_rust::{Ppmd8Decoder, RestoreMethod};

use crate::vocabulary::SkipReason;

use super::super::budget::Memory;
use super::super::frames::{Codec, Progress, State};
use super::super::inflate::{Inflater, Wrapper};
use super::super::single::{Single, Steps};
use super::super::xz::{self, Kind};
use super::super::{bzip2, zstd};
use super::record::{Entry, Sizes, u16_at};

/// A decoder, or why there is none.
pub(super) enum Opened<'a> {
    /// Reads the contents.
    Decoder(Box<dyn Read + 'a>),
    /// They cannot be read.
    Aside(SkipReason),
}

/// Opens the decoder of `entry`, whose data `input` holds and starts with `head`. More may follow
/// in `input`: a decoder takes no byte that is not its own, except that deflate64 may take a few.
pub(super) fn open<'a>(
    entry: &Entry,
    head: &[u8],
    input: &'a mut dyn BufRead,
    memory: Memory,
) -> io::Result<Opened<'a>> {
    if entry.is_encrypted() {
        return Ok(Opened::Aside(SkipReason::Encrypted));
    }
    let opened = match entry.method {
        0 => Opened::Decoder(Box::new(input)),
        8 => {
            let mut inflater = Inflater::new(Wrapper::Raw);
            let decode = move |from: &[u8], to: &mut [u8]| inflater.inflate(from, to);
            Opened::Decoder(Box::new(Single::new(input, decode)))
        }
        9 => {
            let mut inflater = Box::new(InflaterManaged::new());
            let decode = move |from: &[u8], to: &mut [u8]| inflate64(&mut inflater, from, to);
            Opened::Decoder(Box::new(Single::new(input, decode)))
        }
        12 => coded(bzip2::codec(), head, input),
        14 => lzma(entry, input, memory)?,
        20 | 93 => coded(zstd::codec(memory)?, head, input),
        95 => coded(xz::codec(Kind::Xz, memory), head, input),
        98 => ppmd(entry, input, memory)?,
        _ => Opened::Aside(SkipReason::Unsupported),
    };
    Ok(opened)
}

fn coded<'a>(mut codec: impl Codec + 'a, head: &[u8], input: impl BufRead + 'a) -> Opened<'a> {
    match codec.begin(head) {
        Ok(()) => {
            let decode = move |from: &[u8], to: &mut [u8]| codec.decode(from, to);
            Opened::Decoder(Box::new(Single::new(input, decode)))
        }
        Err(reason) => Opened::Aside(reason),
    }
}

/// Inflates some of `input` by deflate64.
fn inflate64(inflater: &mut InflaterManaged, input: &[u8], output: &mut [u8]) -> Progress {
    let done = inflater.inflate(input, output);
    Progress {
        consumed: done.bytes_consumed,
        produced: done.bytes_written,
        state: if done.data_error || inflater.errored() {
            State::Broken
        } else if inflater.finished() {
            State::End
        } else {
            State::Within
        },
    }
}

/// LZMA behind the header that zip puts before it: a version, the length of the properties, and
/// the properties. The decoder wants the header of an `.lzma` file, which ends with the size.
fn lzma<'a>(entry: &Entry, input: &'a mut dyn BufRead, memory: Memory) -> io::Result<Opened<'a>> {
    const PROPERTIES: usize = 5;
    let mut header = [0; 4 + PROPERTIES];
    input.read_exact(&mut header)?;
    if usize::from(u16_at(&header, 2)) != PROPERTIES {
        return Ok(Opened::Aside(SkipReason::Unsupported));
    }
    let size = match entry.sizes() {
        Sizes::Known if !entry.has_end_marker() => entry.size,
        Sizes::Known | Sizes::Behind => u64::MAX,
    };
    let mut alone = [0; PROPERTIES + 8];
    alone[..PROPERTIES].copy_from_slice(&header[4..]);
    alone[PROPERTIES..].copy_from_slice(&size.to_le_bytes());
    let input = io::Cursor::new(alone).chain(input);
    Ok(coded(xz::codec(Kind::Lzma, memory), &alone, input))
}

/// `PPMd` (variant I, revision 1) behind its two bytes of parameters. It has no end of its own.
fn ppmd<'a>(
    entry: &Entry,
    input: &'a mut dyn BufRead,
    mut memory: Memory,
) -> io::Result<Opened<'a>> {
    let mut parameters = [0; 2];
    input.read_exact(&mut parameters)?;
    let parameters = u32::from(u16::from_le_bytes(parameters));
    let order = (parameters & 15) + 1;
    let model = (((parameters >> 4) & 255) + 1) << 20;
    if !memory.grow_to(model.into()) {
        return Ok(Opened::Aside(SkipReason::MemoryLimit));
    }
    let decoder = Ppmd8Decoder::new(input, order, model, RestoreMethod::from(parameters >> 12))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    let size = match entry.sizes() {
        Sizes::Known => entry.size,
        Sizes::Behind => u64::MAX,
    };
    Ok(Opened::Decoder(Box::new(Reserving {
        decoder: Steps::new(decoder, 1).take(size),
        _memory: memory,
    })))
}

/// Keeps memory taken for as long as its decoder lives.
struct Reserving<R> {
    decoder: R,
    _memory: Memory,
}

impl<R: Read> Read for Reserving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer)
    }
}
