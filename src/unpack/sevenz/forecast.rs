//! What reading the header of an archive will take, found out before the crate reads it.
//!
//! The crate holds a header as a whole, and a structure for each file and each block in it. A
//! header is mostly packed: a few kilobytes may unpack to gigabytes, and each byte of it may stand
//! for a file. So it is unpacked here first, no further than it may be, and what it counts is
//! counted. The layout is that of `7zFormat.txt` in the LZMA SDK.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;
use sevenz_rust2::EncoderMethod;

use crate::vocabulary::SkipReason;

use super::super::Unread;
use super::super::budget::Memory;
use super::paged::Paged;

/// Bytes before what is packed.
const START: usize = 32;

/// The memory that a header may take in all.
const MEMORY: u64 = 96 << 20;

/// Bytes that the crate keeps for a file, besides its name: a structure of some 150 bytes, the
/// string's own allocation, places in three lists.
const PER_FILE: u64 = 256;

/// Bytes that it keeps for a block: a structure with four lists.
const PER_BLOCK: u64 = 512;

/// Bytes that it keeps for a stream: a size, a checksum, an offset.
const PER_STREAM: u64 = 32;

mod id {
    pub(super) const END: u64 = 0;
    pub(super) const HEADER: u64 = 1;
    pub(super) const PROPERTIES: u64 = 2;
    pub(super) const MAIN_STREAMS: u64 = 4;
    pub(super) const FILES: u64 = 5;
    pub(super) const PACK: u64 = 6;
    pub(super) const UNPACK: u64 = 7;
    pub(super) const SUB_STREAMS: u64 = 8;
    pub(super) const SIZE: u64 = 9;
    pub(super) const CRC: u64 = 10;
    pub(super) const FOLDER: u64 = 11;
    pub(super) const UNPACK_SIZE: u64 = 12;
    pub(super) const SUB_STREAM_COUNT: u64 = 13;
    pub(super) const ENCODED: u64 = 23;
}

/// What a header is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// There are no files.
    Empty,
    /// There are, and there is memory to read it.
    Understood,
}

/// Finds out what the header is like, and takes the memory that it needs.
pub(super) fn header(input: &mut Paged<'_>, taken: &mut Memory) -> Result<Header, Unread> {
    let memory = taken.left().min(MEMORY);
    let mut start = [0; START];
    input.seek(SeekFrom::Start(0))?;
    input.read_exact(&mut start)?;
    let number =
        |at: usize| u64::from_le_bytes(start[at..].first_chunk().copied().unwrap_or_default());
    let sum =
        |at: usize| u32::from_le_bytes(start[at..].first_chunk().copied().unwrap_or_default());
    if start[6] != 0 {
        return Err(Unread::Skipped(SkipReason::Unsupported));
    }
    if crc32fast::hash(&start[12..]) != sum(8) {
        return Err(damaged("its start header is damaged"));
    }
    let (offset, size) = (number(12), number(20));
    if size == 0 {
        return Ok(Header::Empty);
    }
    let packed = piece(input, offset, size, memory)?;
    if crc32fast::hash(&packed) != sum(28) {
        return Err(damaged("its header is damaged"));
    }
    let mut fields = Fields(&packed);
    match fields.number() {
        Some(id::HEADER) => reserve(fields, &packed, taken),
        Some(id::ENCODED) => {
            let streams = fields.streams().ok_or_else(unintelligible)?;
            let header = unpacked(input, &streams, memory)?;
            match header.first() {
                Some(1) => reserve(Fields(&header[1..]), &header, taken),
                Some(_) | None => Err(unintelligible()),
            }
        }
        Some(_) | None => Err(unintelligible()),
    }
}

/// Reads `size` bytes at `offset` behind the start header.
fn piece(input: &mut Paged<'_>, offset: u64, size: u64, memory: u64) -> Result<Vec<u8>, Unread> {
    let length = input.seek(SeekFrom::End(0))?;
    let start = offset.saturating_add(START as u64);
    if start.saturating_add(size) > length {
        return Err(Unread::Damaged(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it ends before its header does",
        )));
    }
    if size > memory {
        return Err(Unread::Skipped(SkipReason::MemoryLimit));
    }
    let mut bytes = Vec::new();
    input.seek(SeekFrom::Start(start))?;
    input.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Unpacks a header. Those who write archives pack it with LZMA, or not at all.
fn unpacked(input: &mut Paged<'_>, streams: &Streams<'_>, memory: u64) -> Result<Vec<u8>, Unread> {
    if streams.is_encrypted {
        return Err(Unread::Skipped(SkipReason::Encrypted));
    }
    let (size, packed) = (streams.first_size, streams.first_packed);
    // The crate will hold it too.
    if size.saturating_mul(2) > memory {
        return Err(Unread::Skipped(SkipReason::MemoryLimit));
    }
    let bytes = piece(input, streams.offset, packed, memory)?;
    match streams.first_coder {
        Some((EncoderMethod::ID_COPY, _)) => Ok(bytes),
        Some((EncoderMethod::ID_LZMA, properties)) if properties.len() == 5 => {
            let head = [properties, &size.to_le_bytes()].concat();
            let stream = Stream::new_lzma_decoder(memory).map_err(io::Error::from)?;
            let mut header = Vec::new();
            XzDecoder::new_stream(head.chain(&bytes[..]), stream)
                .take(size)
                .read_to_end(&mut header)?;
            Ok(header)
        }
        Some(_) | None => Err(Unread::Skipped(SkipReason::Unsupported)),
    }
}

/// Takes the memory that reading a header needs.
fn reserve(mut fields: Fields<'_>, header: &[u8], memory: &mut Memory) -> Result<Header, Unread> {
    let counts = fields.counts().ok_or_else(unintelligible)?;
    let needed = [
        (counts.files, PER_FILE),
        (counts.blocks, PER_BLOCK),
        (counts.streams, PER_STREAM),
        // The header, the names from it, and what it was unpacked from.
        (header.len() as u64, 3),
    ];
    let needed = needed.iter().fold(0, |sum: u64, (count, each)| {
        sum.saturating_add(count.saturating_mul(*each))
    });
    if needed <= MEMORY && memory.grow_to(needed) {
        Ok(Header::Understood)
    } else {
        Err(Unread::Skipped(SkipReason::MemoryLimit))
    }
}

fn damaged(what: &str) -> Unread {
    Unread::Damaged(io::Error::new(io::ErrorKind::InvalidData, what))
}

fn unintelligible() -> Unread {
    damaged("its header makes no sense")
}

/// What a header counts.
struct Counts {
    files: u64,
    blocks: u64,
    streams: u64,
}

/// What a header says about streams, as far as it matters here.
struct Streams<'a> {
    /// Where they start, behind the start header.
    offset: u64,
    packed: u64,
    blocks: u64,
    unpacked: u64,
    /// Bytes of the first stream, packed.
    first_packed: u64,
    /// Bytes of what it unpacks to.
    first_size: u64,
    /// The method and the properties of the first coder.
    first_coder: Option<(&'a [u8], &'a [u8])>,
    is_encrypted: bool,
    /// Which blocks have a checksum.
    summed: Summed<'a>,
}

/// Which of many things have a checksum.
#[derive(Clone, Copy)]
enum Summed<'a> {
    /// All.
    All,
    /// Those whose bits are set, the highest bit first.
    Some(&'a [u8]),
}

impl Summed<'_> {
    fn has(self, index: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(bits) => bits
                .get(index / 8)
                .is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0),
        }
    }
}

/// The fields of a header, one after the other. Nothing: there is no such field.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn bytes(&mut self, n: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(n).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A number: the ones at the top of its first byte say how many bytes follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let mut number = [0; 8];
        number[..more as usize].copy_from_slice(self.bytes(more.into())?);
        let low = u64::from_le_bytes(number);
        let high = u64::from(first) & (0x7f_u64 >> more);
        Some(low | high.checked_shl(8 * more).unwrap_or(0))
    }

    /// Checksums of `n` things; tells which have one.
    fn sums(&mut self, n: u64) -> Option<Summed<'a>> {
        let (summed, defined) = match self.byte()? {
            0 => {
                let bits = self.bytes(n.div_ceil(8))?;
                let defined = bits.iter().map(|byte| u64::from(byte.count_ones())).sum();
                (Summed::Some(bits), defined)
            }
            _ => (Summed::All, n),
        };
        self.bytes(defined.checked_mul(4)?)?;
        Some(summed)
    }

    /// Numbers of `n` things; tells the first, or zero if there are none.
    fn numbers(&mut self, n: u64) -> Option<u64> {
        let mut first = None;
        for _ in 0..n {
            let number = self.number()?;
            first.get_or_insert(number);
        }
        Some(first.unwrap_or(0))
    }

    /// What a whole header counts.
    fn counts(&mut self) -> Option<Counts> {
        let mut counts = Counts {
            files: 0,
            blocks: 0,
            streams: 0,
        };
        let mut next = self.number()?;
        if next == id::PROPERTIES {
            while self.number()? != id::END {
                let size = self.number()?;
                self.bytes(size)?;
            }
            next = self.number()?;
        }
        if next == id::MAIN_STREAMS {
            let streams = self.streams()?;
            counts.blocks = streams.blocks;
            counts.streams = streams.packed.saturating_add(streams.unpacked);
            next = self.number()?;
        }
        if next == id::FILES {
            counts.files = self.number()?;
        }
        Some(counts)
    }

    /// What is said about streams.
    fn streams(&mut self) -> Option<Streams<'a>> {
        let mut streams = Streams {
            offset: 0,
            packed: 0,
            blocks: 0,
            unpacked: 0,
            first_packed: 0,
            first_size: 0,
            first_coder: None,
            is_encrypted: false,
            summed: Summed::Some(&[]),
        };
        let mut next = self.number()?;
        if next == id::PACK {
            self.pack(&mut streams)?;
            next = self.number()?;
        }
        if next == id::UNPACK {
            self.unpack(&mut streams)?;
            next = self.number()?;
        }
        streams.unpacked = streams.blocks;
        if next == id::SUB_STREAMS {
            self.sub_streams(&mut streams)?;
        }
        Some(streams)
    }

    /// What is said about packed streams.
    fn pack(&mut self, streams: &mut Streams<'a>) -> Option<()> {
        streams.offset = self.number()?;
        streams.packed = self.number()?;
        loop {
            match self.number()? {
                id::END => return Some(()),
                id::SIZE => streams.first_packed = self.numbers(streams.packed)?,
                id::CRC => {
                    self.sums(streams.packed)?;
                }
                _ => return None,
            }
        }
    }

    /// What is said about blocks.
    fn unpack(&mut self, streams: &mut Streams<'a>) -> Option<()> {
        if self.number()? != id::FOLDER {
            return None;
        }
        streams.blocks = self.number()?;
        let is_external = self.byte()? != 0;
        if is_external {
            return None;
        }
        let mut outs: u64 = 0;
        for _ in 0..streams.blocks {
            outs = outs.checked_add(self.block(streams)?)?;
        }
        if self.number()? != id::UNPACK_SIZE {
            return None;
        }
        streams.first_size = self.numbers(outs)?;
        loop {
            match self.number()? {
                id::END => return Some(()),
                id::CRC => streams.summed = self.sums(streams.blocks)?,
                _ => return None,
            }
        }
    }

    /// One block; tells how many streams come out of its coders.
    fn block(&mut self, streams: &mut Streams<'a>) -> Option<u64> {
        let coders = self.number()?;
        let (mut ins, mut outs) = (0_u64, 0_u64);
        for _ in 0..coders {
            let flags = self.byte()?;
            let method = self.bytes((flags & 15).into())?;
            let (mut coder_ins, mut coder_outs) = (1, 1);
            if flags & 16 != 0 {
                coder_ins = self.number()?;
                coder_outs = self.number()?;
            }
            let mut properties: &[u8] = &[];
            if flags & 32 != 0 {
                let size = self.number()?;
                properties = self.bytes(size)?;
            }
            ins = ins.checked_add(coder_ins)?;
            outs = outs.checked_add(coder_outs)?;
            streams.first_coder.get_or_insert((method, properties));
            streams.is_encrypted |= method == EncoderMethod::ID_AES256_SHA256;
        }
        let pairs = outs.checked_sub(1)?;
        self.numbers(pairs.checked_mul(2)?)?;
        let packed = ins.checked_sub(pairs)?;
        if packed > 1 {
            self.numbers(packed)?;
        }
        Some(outs)
    }

    /// How many members the blocks hold.
    fn sub_streams(&mut self, streams: &mut Streams<'a>) -> Option<()> {
        let mut next = self.number()?;
        let mut counts = Vec::new();
        if next == id::SUB_STREAM_COUNT {
            streams.unpacked = 0;
            for _ in 0..streams.blocks {
                let count = self.number()?;
                streams.unpacked = streams.unpacked.checked_add(count)?;
                counts.push(count);
            }
            next = self.number()?;
        } else {
            counts.resize(usize::try_from(streams.blocks).ok()?, 1);
        }
        if next == id::SIZE {
            for count in &counts {
                self.numbers(count.saturating_sub(1))?;
            }
            next = self.number()?;
        }
        if next == id::CRC {
            // A block of one member has the member's checksum already.
            let counts = counts.iter().enumerate();
            let unsummed =
                counts.filter(|(index, count)| **count != 1 || !streams.summed.has(*index));
            let unsummed = unsummed.map(|(_, count)| count).sum();
            self.sums(unsummed)?;
            next = self.number()?;
        }
        (next == id::END).then_some(())
    }
}
