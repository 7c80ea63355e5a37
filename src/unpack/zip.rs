//! Zip archives, and all that is one: jar, war, apk, whl, docx, xlsx, odt.
//!
//! # Two views
//!
//! A zip tells of each entry twice: in a local header before its data, and in the central
//! directory at the end. Some readers go by the one, some by the other, and whoever wants to hide
//! an entry lets the two disagree. Whatever any reader would see is scanned. So the stream is
//! walked from local header to local header, wherever they stand; then each entry of the central
//! directory is held against what was seen, and what it tells otherwise is read again by its word.
//! The walk needs no central directory, and so reads what is cut short; it needs no start either,
//! and so reads what is appended to a program or a picture.
//!
//! The walk takes a stream. Where there is no way back in it, an entry that only the central
//! directory tells of is a skip.
//!
//! # Why no crate reads the container
//!
//! The `zip` crate keeps all entries of an archive in memory, and one for each name; it goes by the
//! central directory alone, or by the local headers alone up to the first that is broken; and its
//! decoders take whatever memory an archive asks for. The decoders here are the crates that it
//! uses itself.

mod contents;
mod described;
mod directory;
mod entry;
mod record;
mod seen;
#[cfg(test)]
mod tests;
mod walk;

use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Members, ReadSeek, Unread};

use record::{DESCRIPTOR, END, END_LENGTH, LOCAL, u16_at};
use walk::{Back, Walk};

/// Bytes at the end of an archive among which its end record starts: a comment follows that.
const TAIL: usize = END_LENGTH + u16::MAX as usize;

/// Bytes at the end of any blob that cost nothing to be searched beside all the rest.
const NEAR: usize = 1024;

static END_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&END));

/// Whether a blob that starts so may be an archive.
pub(super) fn starts(bytes: &[u8]) -> bool {
    // What is marked as one part of several, or as one that was to be, has the mark first.
    const MARKS: [[u8; 4]; 2] = [DESCRIPTOR, *b"PK00"];
    let bytes = match bytes.first_chunk() {
        Some(mark) if MARKS.contains(mark) => &bytes[4..],
        Some(_) | None => bytes,
    };
    bytes.starts_with(&LOCAL)
}

/// Whether a blob that starts so is of a kind that archives are appended to: programs, scripts,
/// pictures.
pub(super) fn is_carrier(bytes: &[u8]) -> bool {
    const HEADS: [&[u8]; 6] = [
        b"MZ",
        b"\x7fELF",
        b"#!",
        b"\x89PNG",
        b"GIF8",
        b"\xff\xd8\xff",
    ];
    HEADS.iter().any(|head| bytes.starts_with(head))
}

/// Where the last bytes of a blob of this length start, among which the end record of an archive is
/// looked for: it starts with `head`, not as an archive does.
///
/// Nearly all blobs are no archives, and none shall pay for that some are. So a comment of the full
/// length is looked behind only where that is a small part of the blob, and in programs for
/// Windows, whose signatures stand in such comments.
pub(super) fn tail_start(head: &[u8], length: u64) -> u64 {
    let tail = if head.starts_with(b"MZ") {
        TAIL as u64
    } else {
        (length / 64).clamp(NEAR as u64, TAIL as u64)
    };
    length.saturating_sub(tail)
}

/// What the last bytes of a blob tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// No archive ends there.
    Other,
    /// An archive may end there, and something follows: some tools append a newline, others more.
    Within,
    /// An archive ends where the blob does.
    Exact,
}

impl Tail {
    /// What the bytes from [`tail_start`] on tell.
    pub(super) fn of(tail: &[u8]) -> Self {
        let ends = END_FINDER.find_iter(tail);
        match ends.filter_map(|at| behind(&tail[at..])).min() {
            Some(0) => Self::Exact,
            Some(_) => Self::Within,
            None => Self::Other,
        }
    }
}

/// How many bytes follow the end record that these bytes start with, and its comment.
fn behind(end: &[u8]) -> Option<usize> {
    let comment = end.len().checked_sub(END_LENGTH)?;
    comment.checked_sub(u16_at(end, END_LENGTH - 2).into())
}

/// Reads an archive, or a stream with one somewhere inside.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut input = input;
    let mut walk = Walk::new(&mut input, Back::Impossible, members);
    match walk.run()? {
        ControlFlow::Continue(()) => walk.finish().verdict(),
        ControlFlow::Break(()) => Ok(()),
    }
}

/// The same where it can be read anywhere.
pub(super) fn read_anywhere(
    input: &mut dyn ReadSeek,
    members: &mut dyn Members,
) -> Result<(), Unread> {
    let mut stream: &mut dyn ReadSeek = &mut *input;
    let mut walk = Walk::new(&mut stream, Back::Possible, members);
    if walk.run()?.is_break() {
        return Ok(());
    }
    let mut walked = walk.finish();
    match directory::read(input, &mut walked, members)? {
        ControlFlow::Continue(()) => walked.verdict(),
        ControlFlow::Break(()) => Ok(()),
    }
}
