//! tar in all its dialects: old, ustar, pax, GNU.
//!
//! The archive's own bytes are scanned from end to end, whatever its headers say; those are
//! believed for names and for what is a member. So a lying header costs a name and not a token.
//! Where a header should be and is none, the next one is looked for, block by block.
//!
//! Of sparse files the holes are left out: offsets count what is stored.

use std::borrow::Cow;
use std::io::{self, BufRead, Read as _};
use std::ops::ControlFlow;

use tar::Header;

use super::exactly::{Exactly, block, read_text};
use super::lookahead::Lookahead;
use super::{Members, Unread};

const BLOCK: usize = 512;

/// Types of entries. The text of the first four is about the entry behind them.
const LONG_NAME: u8 = b'L';
const LONG_LINK: u8 = b'K';
const PAX: u8 = b'x';
const PAX_GLOBAL: u8 = b'g';
const SPARSE: u8 = b'S';
/// From hard links over symbolic ones, devices and folders to named pipes.
const LINK: u8 = b'1';
const FIFO: u8 = b'6';

/// Whether an archive starts with `head`: its first header has the magic, or a sum that fits.
pub(super) fn starts(head: &[u8]) -> bool {
    let Some(first) = head.first_chunk::<BLOCK>() else {
        return false;
    };
    first[257..].starts_with(b"ustar\0") || first[257..].starts_with(b"ustar  ") || is_header(first)
}

/// Reads all entries.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut archive = Archive {
        input: &mut Lookahead::new(input),
        offset: 0,
        again: None,
        said: Said::default(),
        damage: None,
    };
    archive.entries(members)?;
    match archive.damage {
        Some(offset) => Err(damaged(&format!(
            "no header at byte {offset}, where one should be"
        ))),
        None => Ok(()),
    }
}

struct Archive<'i, 'a> {
    input: &'i mut Lookahead<'a>,
    /// Bytes of the archive before the next block.
    offset: u64,
    /// A block that was read too early.
    again: Option<[u8; BLOCK]>,
    /// What was said of the next entry before its header.
    said: Said,
    /// Where the first header was missed.
    damage: Option<u64>,
}

/// What extended headers say of the entry behind them.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// What the next block is taken for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Header,
    /// Anything: the archive has ended, or was lost track of.
    Anything,
}

impl Archive<'_, '_> {
    fn entries(&mut self, members: &mut dyn Members) -> Result<(), Unread> {
        let mut expected = Expected::Header;
        while let Some(block) = self.block()? {
            if is_header(&block) {
                expected = Expected::Header;
                match self.entry(&block, members)? {
                    ControlFlow::Continue(()) => {}
                    ControlFlow::Break(()) => return Ok(()),
                }
            } else if block.iter().all(|&byte| byte == 0) {
                // The end; unless another archive was put behind this one.
                expected = Expected::Anything;
            } else if expected == Expected::Header {
                expected = Expected::Anything;
                self.damage.get_or_insert(self.offset - BLOCK as u64);
            }
        }
        // Less than a block is left.
        if expected == Expected::Header && self.input.position() > self.offset {
            self.damage.get_or_insert(self.offset);
        }
        Ok(())
    }

    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let next = match self.again.take() {
            Some(block) => Some(block),
            None => block(self.input)?,
        };
        self.offset += next.map_or(0, |block| block.len() as u64);
        Ok(next)
    }

    /// Reads what stands behind a header.
    fn entry(
        &mut self,
        block: &[u8; BLOCK],
        members: &mut dyn Members,
    ) -> Result<ControlFlow<()>, Unread> {
        let header = Header::from_byte_slice(block);
        let Some(size) = self.said.size.take().or(header.entry_size().ok()) else {
            self.damage.get_or_insert(self.offset - BLOCK as u64);
            return Ok(ControlFlow::Continue(()));
        };
        match header.entry_type().as_byte() {
            LONG_NAME => {
                let mut name = self.text(size)?;
                name.truncate(
                    name.iter()
                        .position(|&byte| byte == 0)
                        .unwrap_or(name.len()),
                );
                self.said.name = Some(name);
            }
            PAX => {
                let records = self.text(size)?;
                self.said.listen(&records);
            }
            LONG_LINK | PAX_GLOBAL => {
                self.text(size)?;
            }
            // What these say of their size is not to be relied upon: some writers say how large
            // the file is that a link points to.
            LINK..=FIFO => {
                self.said = Said::default();
                if size > 0 {
                    self.again = self.peek()?;
                    if self.again.as_ref().is_some_and(is_no_data) {
                        return Ok(ControlFlow::Continue(()));
                    }
                    return self.member(&name(header, None), size, members);
                }
            }
            SPARSE => {
                let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
                while more {
                    more = self.block()?.is_some_and(|block| block[504] == 1);
                }
                let name = name(header, self.said.name.take());
                return self.member(&name, size, members);
            }
            // Regular files, and what nobody knows: that may have data as well.
            _ => {
                let name = name(header, self.said.name.take());
                return self.member(&name, size, members);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The next block, which comes again.
    fn peek(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        block(self.input)
    }

    /// Hands out the next `size` bytes, and goes on behind the block in which they end.
    fn member(
        &mut self,
        name: &[u8],
        size: u64,
        members: &mut dyn Members,
    ) -> Result<ControlFlow<()>, Unread> {
        let ahead = self.again.take();
        let mut input = ahead
            .as_ref()
            .map_or(&[][..], |block| block)
            .chain(&mut *self.input);
        let mut contents = Exactly::new(&mut input, size);
        let flow = if size == 0 {
            members.stored(name, self.offset, &mut io::empty())
        } else {
            members.stored(name, self.offset, &mut contents)
        };
        if flow.is_break() {
            return Ok(flow);
        }
        contents.skip_rest()?;
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        Exactly::new(&mut input, padding).skip_rest()?;
        self.offset += size + padding;
        Ok(flow)
    }

    /// The text of an extended header.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, Unread> {
        // First what may fail: a size that a header claims may have no next multiple.
        let text = read_text(self.input, size)?;
        let padded = size.next_multiple_of(BLOCK as u64);
        Exactly::new(self.input, padded - size).skip_rest()?;
        self.offset += padded;
        Ok(text)
    }
}

impl Said {
    /// Takes the records of a pax header: `LENGTH KEY=VALUE\n`, where the length is that of all.
    fn listen(&mut self, mut records: &[u8]) {
        while let Some(space) = records.iter().position(|&byte| byte == b' ') {
            let length: Option<usize> = std::str::from_utf8(&records[..space])
                .ok()
                .and_then(|digits| digits.parse().ok());
            // One that does not even hold its own length would come again and again.
            let length = length.filter(|length| *length > space);
            let Some((record, rest)) = length.and_then(|length| records.split_at_checked(length))
            else {
                return;
            };
            let record = record.get(space + 1..).unwrap_or_default();
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            if let Some(equals) = record.iter().position(|&byte| byte == b'=') {
                self.hear(&record[..equals], &record[equals + 1..]);
            }
            records = rest;
        }
    }

    fn hear(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"GNU.sparse.name" => self.name = Some(value.to_vec()),
            b"path" if self.name.is_none() => self.name = Some(value.to_vec()),
            b"size" => {
                self.size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|digits| digits.parse().ok());
            }
            _ => {}
        }
    }
}

/// The name of an entry.
fn name(header: &Header, said: Option<Vec<u8>>) -> Cow<'_, [u8]> {
    said.map_or_else(|| header.path_bytes(), Cow::Owned)
}

/// Whether a block can only stand behind an entry without data.
fn is_no_data(block: &[u8; BLOCK]) -> bool {
    is_header(block) || block.iter().all(|&byte| byte == 0)
}

/// Whether the sum that a header carries is the sum of its bytes, as unsigned or, from some very
/// old writers, as signed numbers.
fn is_header(block: &[u8; BLOCK]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    // Most blocks are told apart by these alone.
    let is_number = |byte: &u8| matches!(byte, b'0'..=b'7' | b' ' | 0);
    if !block[SUM].iter().all(is_number) {
        return false;
    }
    let Ok(told) = Header::from_byte_slice(block).cksum() else {
        return false;
    };
    let bytes = || block[..SUM.start].iter().chain(&block[SUM.end..]);
    let spaces = 8 * u32::from(b' ');
    let unsigned = spaces + bytes().map(|&byte| u32::from(byte)).sum::<u32>();
    // Zeros alone are the end of an archive and no header.
    if unsigned == spaces {
        return false;
    }
    let signed = 8 * i32::from(b' ')
        + bytes()
            .map(|&byte| i32::from(byte.cast_signed()))
            .sum::<i32>();
    told == unsigned || i32::try_from(told) == Ok(signed)
}

fn damaged(message: &str) -> Unread {
    Unread::Damaged(io::Error::new(io::ErrorKind::InvalidData, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_claim_no_length_end_the_header() {
        for (records, name) in [
            ("13 comment=x\n12 path=one\n", Some("one")),
            ("12 path=one\n0 path=two\n", Some("one")),
            ("12 path=one\n1 path=two\n", Some("one")),
            ("12 path=one\n2 \n", Some("one")),
            ("0 ", None),
            ("99 path=one\n", None),
            (" path=one\n", None),
        ] {
            let mut said = Said::default();
            said.listen(records.as_bytes());
            assert_eq!(said.name.as_deref(), name.map(str::as_bytes), "{records:?}");
        }
    }
}
