//! Whether a blob from a source is a container, by its first bytes and its last.
//!
//! Zip archives are known by their ends: programs, pictures and documents have them appended.

use std::fs::File;
use std::io;

use crate::source::read_at;
use crate::vocabulary::Origin;

use super::Unpack;
use super::format::{Format, HEAD};
use super::zip::{self, Tail};

/// What a blob from a source is, as far as its first and last bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes.
    Plain,
    /// A container.
    Container(Format),
    /// A container that is, right to its end, a zip archive too: readers differ in what they see.
    Both(Format),
}

impl Kind {
    fn of(format: Option<Format>, tail: &[u8]) -> Self {
        match (format, Tail::of(tail)) {
            (None, Tail::Other) => Self::Plain,
            (None, Tail::Within | Tail::Exact) => Self::Container(Format::Appended),
            (Some(format), Tail::Exact) => Self::Both(format),
            (Some(format), Tail::Other | Tail::Within) => Self::Container(format),
        }
    }
}

impl Unpack<'_> {
    /// What a blob is that is had as a whole.
    pub(super) fn whole_kind(&self, bytes: &[u8], origin: &Origin<'_>) -> Kind {
        match self.format(bytes, origin) {
            Some(Format::Zip) => Kind::Container(Format::Zip),
            format => {
                let start = zip::tail_start(bytes, bytes.len() as u64);
                let start = usize::try_from(start).unwrap_or(bytes.len());
                Kind::of(format, &bytes[start..])
            }
        }
    }

    /// What a file is.
    pub(super) fn file_kind(
        &self,
        file: &File,
        length: u64,
        origin: &Origin<'_>,
    ) -> io::Result<Kind> {
        let mut head = [0; HEAD];
        let filled = read_at(file, &mut head, 0)?;
        let head = &head[..filled];
        match self.format(head, origin) {
            Some(Format::Zip) => Ok(Kind::Container(Format::Zip)),
            format => {
                let start = zip::tail_start(head, length);
                let mut tail = vec![0; usize::try_from(length - start).unwrap_or_default()];
                let filled = read_at(file, &mut tail, start)?;
                Ok(Kind::of(format, &tail[..filled]))
            }
        }
    }
}
