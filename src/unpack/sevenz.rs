//! 7z archives.
//!
//! The `sevenz-rust2` crate reads them. An archive says at its start where its header lies, and
//! that is at its end: one that is too large to be held cannot be read from a stream. The crate
//! takes what memory an archive asks for, so what it will ask for is looked at before: [`forecast`]
//! for the header, [`reserve`] for each block.
//!
//! A block is a stream of many members; each is read once, from its start to its end.

mod forecast;
mod paged;
mod salvage;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io::{self, Read};
use std::ops::ControlFlow;

use sevenz_rust2::{
    Archive, Block, BlockDecoder, EncoderMethod, Error, Password, SIGNATURE_HEADER_SIZE,
};

use crate::vocabulary::SkipReason;

use super::budget::Memory;
use super::checked::{Checked, Claim};
use super::single::Steps;
use super::{Members, ReadSeek, Unread};

use forecast::Header;
use paged::Paged;

/// What every archive starts with.
const SIGNATURE: [u8; 6] = [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c];

/// Bytes that are asked for at once. What the crate has decoded of a request that fails is lost.
const STEP: usize = 64;

/// Whether a blob that starts so is an archive.
pub(super) fn starts(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Reads an archive that can be read anywhere.
pub(super) fn read_anywhere(
    input: &mut dyn ReadSeek,
    members: &mut dyn Members,
) -> Result<(), Unread> {
    let mut input = Paged::new(input);
    let mut memory = members.memory();
    let opened = match forecast::header(&mut input, &mut memory) {
        Ok(Header::Empty) => return Ok(()),
        Ok(Header::Understood) => Archive::read(&mut input, &Password::empty()).map_err(unread),
        Err(unread) => Err(unread),
    };
    let mut archive = match opened {
        Ok(archive) => archive,
        Err(Unread::Damaged(error)) => {
            let _ = salvage::read(&mut input, members)?;
            return Err(Unread::Damaged(error));
        }
        Err(other) => return Err(other),
    };
    // The crate drops the last piece of what does not fit its checksum. So it is told of none.
    let mut sums = Vec::with_capacity(archive.files.len());
    for file in &mut archive.files {
        sums.push(file.has_crc);
        file.has_crc = false;
    }
    for block in &mut archive.blocks {
        block.has_crc = false;
    }
    for (file, block) in archive
        .files
        .iter()
        .zip(&archive.stream_map.file_block_index)
    {
        // What has no contents may still have a token in its name.
        if block.is_none()
            && members
                .member(file.name.as_bytes(), &mut io::empty())
                .is_break()
        {
            return Ok(());
        }
    }
    for index in 0..archive.blocks.len() {
        if read_block(&mut input, &archive, &sums, index, members).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Hands out what one block holds. Break: nothing more is wanted.
fn read_block(
    input: &mut Paged<'_>,
    archive: &Archive,
    sums: &[bool],
    index: usize,
    members: &mut dyn Members,
) -> ControlFlow<()> {
    let password = Password::empty();
    let decoder = BlockDecoder::new(1, index, archive, &password, input);
    let first = archive.stream_map.block_first_file_index[index];
    let entries = &archive.files[first..first + decoder.entry_count()];
    let mut memory = members.memory();
    if let Err(reason) = reserve(&archive.blocks[index], &mut memory) {
        for entry in entries {
            members.skip(entry.name.as_bytes(), reason);
        }
        return ControlFlow::Continue(());
    }
    let mut stands = copied(archive, index);
    let mut handed = 0;
    let mut flow = ControlFlow::Continue(());
    let trouble = RefCell::new(None);
    let read = decoder.for_each_entries(&mut |entry, contents| {
        let contents = Failing {
            contents,
            trouble: &trouble,
        };
        let is_summed = sums.get(first + handed).is_some_and(|has| *has);
        handed += 1;
        let claim = is_summed.then_some(Claim {
            // A CRC-32 in 64 bits.
            crc: u32::try_from(entry.crc).unwrap_or_default(),
            size: entry.size,
        });
        let mut contents = Checked::new(Box::new(Steps::new(contents, STEP)), claim);
        let name = entry.name.as_bytes();
        flow = match &mut stands {
            Some(offset) => {
                let start = *offset;
                *offset = start.saturating_add(entry.size);
                members.stored(name, start, &mut contents)
            }
            None => members.member(name, &mut contents),
        };
        // To get to the next member the crate reads what is left of this one, without limits.
        Ok(flow.is_continue() && trouble.borrow().is_none())
    });
    let read = match trouble.into_inner() {
        Some(error) => Err(error.into()),
        None => read,
    };
    if flow.is_break() {
        return flow;
    }
    if let Err(error) = read {
        // The trouble was told at the member where it began; those behind it went with it.
        let error = damage(error);
        for entry in &entries[handed..] {
            members.error(entry.name.as_bytes(), &error);
        }
    }
    ControlFlow::Continue(())
}

/// Remembers that a decoder failed. After that some go on for ever, with what a header claims.
struct Failing<'r> {
    contents: &'r mut dyn Read,
    trouble: &'r RefCell<Option<io::Error>>,
}

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.contents.read(buffer);
        if let Err(error) = &read {
            let copy = io::Error::new(error.kind(), error.to_string());
            self.trouble.borrow_mut().get_or_insert(copy);
        }
        read
    }
}

/// Where the contents of a block stand, if they stand in the archive as they are.
fn copied(archive: &Archive, index: usize) -> Option<u64> {
    let [coder] = &archive.blocks[index].coders[..] else {
        return None;
    };
    if coder.encoder_method_id() != EncoderMethod::ID_COPY {
        return None;
    }
    let map = &archive.stream_map;
    let stream = map.block_first_pack_stream_index().get(index)?;
    SIGNATURE_HEADER_SIZE
        .checked_add(archive.pack_pos())?
        .checked_add(*map.pack_stream_offsets().get(*stream)?)
}

/// Takes the memory that decoding a block needs.
fn reserve(block: &Block, memory: &mut Memory) -> Result<(), SkipReason> {
    /// What a decoder takes beside its window, generously.
    const STATE: u64 = 1 << 20;
    let mut needed = 0;
    let mut zstds = 0;
    for coder in &block.coders {
        let properties = coder.properties();
        needed += STATE;
        needed += match coder.encoder_method_id() {
            EncoderMethod::ID_AES256_SHA256 => return Err(SkipReason::Encrypted),
            EncoderMethod::ID_LZMA | EncoderMethod::ID_PPMD => properties
                .get(1..5)
                .and_then(|size| size.first_chunk())
                .map_or(0, |size| u32::from_le_bytes(*size).into()),
            EncoderMethod::ID_LZMA2 => match properties.first() {
                Some(&bits @ 0..40) => u64::from(2 | bits & 1) << (bits / 2 + 11),
                Some(_) => u32::MAX.into(),
                None => 0,
            },
            EncoderMethod::ID_BZIP2 | EncoderMethod::ID_LZ4 => 8 << 20,
            // Its window is in its frames. The crate allows 128 MiB; one such window is what an
            // archive may need, several behind each other are a bomb.
            EncoderMethod::ID_ZSTD => {
                zstds += 1;
                if zstds > 1 { u32::MAX.into() } else { 8 << 20 }
            }
            EncoderMethod::ID_COPY
            | EncoderMethod::ID_DEFLATE
            | EncoderMethod::ID_DELTA
            | EncoderMethod::ID_BCJ2
            | EncoderMethod::ID_BCJ_X86
            | EncoderMethod::ID_BCJ_ARM
            | EncoderMethod::ID_BCJ_ARM64
            | EncoderMethod::ID_BCJ_ARM_THUMB
            | EncoderMethod::ID_BCJ_PPC
            | EncoderMethod::ID_BCJ_IA64
            | EncoderMethod::ID_BCJ_SPARC
            | EncoderMethod::ID_BCJ_RISCV => 0,
            _ => return Err(SkipReason::Unsupported),
        };
    }
    if memory.grow_to(needed) {
        Ok(())
    } else {
        Err(SkipReason::MemoryLimit)
    }
}

/// How the crate's error is told.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an enum of others, told alike"
)]
fn unread(error: Error) -> Unread {
    match error {
        Error::PasswordRequired => Unread::Skipped(SkipReason::Encrypted),
        Error::UnsupportedCompressionMethod(_) => Unread::Skipped(SkipReason::Unsupported),
        other => Unread::Damaged(damage(other)),
    }
}

/// The crate's error in the words of an [`io::Error`].
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an enum of others, told alike"
)]
fn damage(error: Error) -> io::Error {
    match error {
        Error::Io(error, _) => error,
        Error::Other(what) | Error::Unsupported(what) => {
            io::Error::new(io::ErrorKind::InvalidData, what.into_owned())
        }
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}
