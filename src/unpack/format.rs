//! Which format a blob is of, and who reads it.
//!
//! The first bytes decide, never the name alone: backups lose their extensions, and layers of
//! images are named by hash. What only looks like a container is found out by its reader.

use std::io::BufRead;

use crate::vocabulary::{Origin, SkipReason};

use super::{
    Members, ReadSeek, Unread, ar, brotli, bzip2, cpio, gzip, lz4, pack, pdf, rpm, sevenz, tar,
    xz::{self, Kind},
    zip, zlib, zstd,
};

/// First bytes of a blob that are looked at.
pub(super) const HEAD: usize = 512;

/// What a compressor's file unpacks to, when nothing tells a better name.
const UNNAMED: &[u8] = b"data";

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A zip archive behind something else.
    Appended,
    Ar,
    Brotli,
    Bzip2,
    Cpio,
    Gzip,
    Lz4,
    Lzma(Kind),
    Pack,
    Pdf,
    Rpm,
    SevenZ,
    Tar,
    Zip,
    Zlib,
    Zstd,
}

/// Reads a container that can be read anywhere.
pub(super) type ReadAnywhere =
    fn(&mut dyn ReadSeek, members: &mut dyn Members) -> Result<(), Unread>;

/// How the reader of a format needs to have its container.
#[derive(Clone, Copy)]
pub(super) enum Access {
    /// As a stream.
    Stream,
    /// As something to jump about in, for this reader; as a stream only when it is too large to be
    /// held.
    Anywhere(ReadAnywhere),
}

impl Format {
    /// The format of the blob that starts with `head`.
    pub(super) fn of(head: &[u8], origin: &Origin<'_>) -> Option<Self> {
        let format = match head.first()? {
            0x02 | 0x04 if lz4::starts(head) => Self::Lz4,
            0x1f if gzip::starts(head) => Self::Gzip,
            0x28 | 0x50..=0x5f if zstd::starts(head) => Self::Zstd,
            0x71 | 0xc7 | b'0' if cpio::starts(head) => Self::Cpio,
            b'!' if head.starts_with(ar::MAGIC) => Self::Ar,
            b'P' if zip::starts(head) => Self::Zip,
            b'B' if bzip2::starts(head) => Self::Bzip2,
            b'7' if sevenz::starts(head) => Self::SevenZ,
            b'P' | b'#' if pack::starts(head) => Self::Pack,
            b'L' if Kind::Lzip.starts(head) => Self::Lzma(Kind::Lzip),
            0x5d if Kind::Lzma.starts(head) => Self::Lzma(Kind::Lzma),
            0xed if head.starts_with(rpm::MAGIC) => Self::Rpm,
            0xfd if Kind::Xz.starts(head) => Self::Lzma(Kind::Xz),
            _ if tar::starts(head) => Self::Tar,
            _ if pdf::starts(&head[..head.len().min(HEAD)]) => Self::Pdf,
            _ if zlib::starts(head) => Self::Zlib,
            _ if ends_with(own_name(origin), b".br") => Self::Brotli,
            _ => return None,
        };
        Some(format)
    }

    /// How the container must be had.
    pub(super) fn access(self) -> Access {
        match self {
            Self::Ar
            | Self::Brotli
            | Self::Bzip2
            | Self::Cpio
            | Self::Gzip
            | Self::Lz4
            | Self::Lzma(_)
            | Self::Pdf
            | Self::Rpm
            | Self::Tar
            | Self::Zlib
            | Self::Zstd => Access::Stream,
            Self::Appended | Self::Zip => Access::Anywhere(zip::read_anywhere),
            Self::Pack => Access::Anywhere(pack::read_anywhere),
            Self::SevenZ => Access::Anywhere(sevenz::read_anywhere),
        }
    }

    /// Reads a container of this format as a stream.
    pub(super) fn read(
        self,
        input: &mut dyn BufRead,
        members: &mut dyn Members,
    ) -> Result<(), Unread> {
        match self {
            Self::Ar => ar::read(input, members),
            Self::Brotli => brotli::read(input, members),
            Self::Bzip2 => bzip2::read(input, members),
            Self::Cpio => cpio::read(input, members),
            Self::Gzip => gzip::read(input, members),
            Self::Lz4 => lz4::read(input, members),
            Self::Lzma(kind) => xz::read(kind, input, members),
            // Only what is too large to be held is had as a stream.
            Self::Pack | Self::SevenZ => Err(Unread::Skipped(SkipReason::MemoryLimit)),
            Self::Pdf => pdf::read(input, members),
            Self::Rpm => rpm::read(input, members),
            Self::Tar => tar::read(input, members),
            Self::Appended | Self::Zip => zip::read(input, members),
            Self::Zlib => zlib::read(input, members),
            Self::Zstd => zstd::read(input, members),
        }
    }

    /// What to call the stream that a compressor's file holds: its own name without what the
    /// compressor added to it. The same file always gives the same name.
    pub(super) fn unpacked_name(self, of: &Origin<'_>) -> Vec<u8> {
        let name = own_name(of);
        let extension = |(ending, short): &(&str, &str)| {
            let bare = name.get(..name.len().checked_sub(ending.len())?)?;
            ends_with(name, ending.as_bytes()).then_some(())?;
            Some([bare, short.as_bytes()].concat())
        };
        let endings = self.endings().iter().find_map(extension);
        match endings {
            Some(bare) if !bare.is_empty() => bare,
            Some(_) | None if name.is_empty() => UNNAMED.to_vec(),
            Some(_) | None => name.to_vec(),
        }
    }

    /// What a compressor adds to the name of what it packs, and what stands there without it.
    fn endings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Brotli => &[(".br", "")],
            Self::Bzip2 => &[(".bz2", ""), (".tbz2", ".tar"), (".tbz", ".tar")],
            Self::Gzip => &[(".gz", ""), (".tgz", ".tar")],
            Self::Lz4 => &[(".lz4", ""), (".tlz4", ".tar")],
            Self::Lzma(Kind::Xz) => &[(".xz", ""), (".txz", ".tar")],
            Self::Lzma(Kind::Lzma) => &[(".lzma", ""), (".tlz", ".tar")],
            Self::Lzma(Kind::Lzip) => &[(".lz", "")],
            // What holds members has no stream to be named.
            Self::Appended
            | Self::Ar
            | Self::Cpio
            | Self::Pack
            | Self::Pdf
            | Self::Rpm
            | Self::SevenZ
            | Self::Tar
            | Self::Zip => &[],
            Self::Zlib => &[(".zz", ""), (".zlib", "")],
            Self::Zstd => &[(".zst", ""), (".tzst", ".tar")],
        }
    }
}

/// The last part of the name of a blob; nothing for standard input.
fn own_name<'a>(origin: &Origin<'a>) -> &'a [u8] {
    let path: &[u8] = match *origin {
        Origin::Stdin => b"",
        Origin::File(path) => path.as_os_str().as_encoded_bytes(),
        Origin::Member { name, .. } | Origin::Unpacked { name, .. } => name,
        Origin::Label { of, .. } => return own_name(of),
    };
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

fn ends_with(name: &[u8], ending: &[u8]) -> bool {
    let at = name.len().checked_sub(ending.len());
    at.is_some_and(|at| name[at..].eq_ignore_ascii_case(ending))
}
