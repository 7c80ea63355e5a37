//! cpio in its three dialects: the "new" one of kernels' images and rpm, the portable one, and the
//! old binary one in both orders of bytes.
//!
//! An image of a kernel's first files is several archives in a row, with zeros between them, and
//! the last of them compressed: what comes behind the end of an archive is handed out too.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::exactly::{Exactly, block, read_text};
use super::lookahead::Lookahead;
use super::{Members, Unread};

/// The name of the entry that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";

/// What is called so that stands behind an archive and is none.
const BEHIND: &[u8] = b"(behind the archive)";

const NEW: &[u8] = b"07070";

/// The dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// `070701`, or `070702` with sums: hexadecimal text, all in steps of four bytes.
    New,
    /// `070707`: octal text, without padding.
    Portable,
    /// 16-bit words, least byte first.
    OldLittle,
    /// The same, greatest byte first.
    OldBig,
}

/// What a header tells.
struct Header {
    dialect: Dialect,
    /// Bytes of the name, its NUL included.
    name: u64,
    contents: u64,
}

/// Whether an archive starts with `head`.
pub(super) fn starts(head: &[u8]) -> bool {
    Dialect::of(head).is_some_and(|dialect| match dialect {
        Dialect::New | Dialect::Portable => true,
        // Two bytes are no magic. The name must be there as well, and end where it should.
        Dialect::OldLittle | Dialect::OldBig => {
            let header = head.first_chunk().map(|header| dialect.old(header));
            let end = header.and_then(|header| usize::try_from(header.name).ok());
            let name = end.and_then(|end| head.get(26..)?.get(..end));
            name.is_some_and(|name| {
                name.iter().position(|&byte| byte == 0) == name.len().checked_sub(1)
            })
        }
    })
}

/// Reads all entries.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut input = Lookahead::new(input);
    let mut damage = None;
    loop {
        let offset = input.position();
        let head = input.head()?;
        if head.is_empty() {
            break;
        }
        let Some(dialect) = Dialect::of(head) else {
            damage.get_or_insert(offset);
            if input.find(NEW)? {
                if Dialect::of(input.head()?).is_none() {
                    input.consume(1);
                }
                continue;
            }
            break;
        };
        let Some(header) = dialect.header(&mut input)? else {
            damage.get_or_insert(offset);
            continue;
        };
        if entry(&header, &mut input, members)?.is_break() {
            return Ok(());
        }
    }
    match damage {
        None => Ok(()),
        Some(offset) => Err(Unread::Damaged(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("no header at byte {offset}, where one should be"),
        ))),
    }
}

/// Hands out one entry, or what comes behind the last.
fn entry(
    header: &Header,
    input: &mut Lookahead<'_>,
    members: &mut dyn Members,
) -> Result<ControlFlow<()>, Unread> {
    let mut name = read_text(input, header.name)?;
    name.truncate(
        name.iter()
            .position(|&byte| byte == 0)
            .unwrap_or(name.len()),
    );
    header
        .dialect
        .pad(input, header.dialect.header_length() + header.name)?;
    if name == TRAILER && header.contents == 0 {
        return behind(input, members);
    }
    let offset = input.position();
    let mut contents = Exactly::new(input, header.contents);
    if header.contents > 0 {
        let flow = members.stored(&name, offset, &mut contents);
        if flow.is_break() {
            return Ok(flow);
        }
    }
    contents.skip_rest()?;
    header.dialect.pad(input, header.contents)?;
    Ok(ControlFlow::Continue(()))
}

/// What comes behind the end of an archive: zeros, another one, or something else.
fn behind(input: &mut Lookahead<'_>, members: &mut dyn Members) -> Result<ControlFlow<()>, Unread> {
    loop {
        let head = input.head()?;
        let zeros = head.iter().take_while(|&&byte| byte == 0).count();
        if zeros == 0 {
            break;
        }
        input.consume(zeros);
    }
    let head = input.head()?;
    if head.is_empty() || Dialect::of(head).is_some() {
        return Ok(ControlFlow::Continue(()));
    }
    let _ = members.stored(BEHIND, input.position(), input);
    Ok(ControlFlow::Break(()))
}

impl Dialect {
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [b'0', b'7', b'0', b'7', b'0', b'1' | b'2', ..] => Some(Self::New),
            [b'0', b'7', b'0', b'7', b'0', b'7', ..] => Some(Self::Portable),
            [0xc7, 0x71, ..] => Some(Self::OldLittle),
            [0x71, 0xc7, ..] => Some(Self::OldBig),
            _ => None,
        }
    }

    fn header_length(self) -> u64 {
        match self {
            Self::New => 110,
            Self::Portable => 76,
            Self::OldLittle | Self::OldBig => 26,
        }
    }

    /// Reads a header; nothing if it makes no sense.
    fn header(self, input: &mut Lookahead<'_>) -> Result<Option<Header>, Unread> {
        let cut_short = || io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a header");
        Ok(match self {
            Self::New => {
                let header = block::<110>(input)?.ok_or_else(cut_short)?;
                self.text(&header[94..102], &header[54..62], 16)
            }
            Self::Portable => {
                let header = block::<76>(input)?.ok_or_else(cut_short)?;
                self.text(&header[59..65], &header[65..76], 8)
            }
            Self::OldLittle | Self::OldBig => {
                let header = block::<26>(input)?.ok_or_else(cut_short)?;
                Some(self.old(&header))
            }
        })
    }

    fn text(self, name: &[u8], contents: &[u8], radix: u32) -> Option<Header> {
        let number = |digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok();
        Some(Header {
            dialect: self,
            name: number(name)?,
            contents: number(contents)?,
        })
    }

    fn old(self, header: &[u8; 26]) -> Header {
        let word = |at: usize| {
            let bytes = [header[at], header[at + 1]];
            u64::from(match self {
                Self::OldBig => u16::from_be_bytes(bytes),
                Self::New | Self::Portable | Self::OldLittle => u16::from_le_bytes(bytes),
            })
        };
        Header {
            dialect: self,
            name: word(20),
            // The greater half comes first in both orders.
            contents: word(22) << 16 | word(24),
        }
    }

    /// Skips what fills up a part of so many bytes.
    fn pad(self, input: &mut Lookahead<'_>, length: u64) -> io::Result<()> {
        let step = match self {
            Self::New => 4,
            Self::Portable => 1,
            Self::OldLittle | Self::OldBig => 2,
        };
        Exactly::new(input, length.next_multiple_of(step) - length).skip_rest()
    }
}
