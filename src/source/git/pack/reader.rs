//! Reading the entries of a pack one by one: their headers, and what is deflated behind those.

use std::borrow::Cow;

use gix_pack::data;

use crate::source::git::damage::Damage;

use super::entries::{Entries, HEADER};
use super::fetch::Input;
use super::inflate::Inflater;
use super::{LARGEST, Pack};

/// What entries are read with, all of one pack.
pub(super) struct Reader {
    input: Input,
    inflater: Inflater,
}

/// An entry that was read.
pub(super) struct Read<'b> {
    pub(super) header: data::Entry,
    /// The object or delta.
    pub(super) bytes: Cow<'b, [u8]>,
    /// How many bytes stand behind it that belong to nothing.
    pub(super) stray: u64,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            inflater: Inflater::new(),
        }
    }

    /// Reads an entry, unless it is too large for memory.
    pub(super) fn read(
        &mut self,
        pack: &Pack<'_>,
        entries: &Entries,
        entry: u32,
    ) -> Result<Read<'_>, Damage> {
        let Self { input, inflater } = self;
        let range = entries.range(entry);
        let bytes = match entries.kept(entry) {
            Some(bytes) => bytes,
            None => input.entry(pack.bytes, &range)?,
        };
        let header = parse(bytes, range.start, pack.hash)?;
        let size = header.decompressed_size;
        if size > LARGEST {
            return Err(Damage::Huge);
        }
        // What is damaged is told piece by piece.
        let whole = (bytes.len() as u64 == range.end - range.start)
            .then(|| header.data_offset - range.start)
            .and_then(|start| bytes.get(usize::try_from(start).ok()?..))
            .and_then(|stream| inflater.inflate_whole(stream, size));
        let (bytes, end) = if let Some(length) = whole {
            (inflater.made(length), range.end)
        } else {
            let range = header.data_offset..range.end;
            inflater.inflate(input, pack.bytes, &range, size)?
        };
        Ok(Read {
            header,
            bytes,
            stray: range.end - end,
        })
    }

    /// The header of an entry.
    pub(super) fn header(
        &mut self,
        pack: &Pack<'_>,
        entries: &Entries,
        entry: u32,
    ) -> Result<data::Entry, Damage> {
        let range = entries.range(entry);
        let bytes = self.input.fetch(pack.bytes, &range, HEADER)?;
        parse(bytes, range.start, pack.hash)
    }
}

/// Reads the header of the entry at `offset`, which `bytes` start with.
pub(super) fn parse(
    bytes: &[u8],
    offset: u64,
    hash: gix_hash::Kind,
) -> Result<data::Entry, Damage> {
    let head = &bytes[..bytes.len().min(HEADER)];
    data::Entry::from_bytes(head, offset, hash).map_err(|_| Damage::Header)
}
