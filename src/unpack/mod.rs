//! Containers: what is packed into a blob, unpacked and scanned like any other blob.
//!
//! [`Unpack`] stands between the sources and the sink that scans. It recognises a container by its
//! first bytes, and pushes what it holds through itself again, so that everything nests. The bytes
//! of a container are scanned too: a token may stand in a comment or between members. A stream is
//! read once, for both: the scanner lets the decoder read along.
//!
//! Nothing is unpacked to disk. Memory depends on the depth of the nesting and on what decoders
//! must remember, never on the size of anything; [`budget`] says what may be spent. Whatever is not
//! read is told: as an error, when it is broken, or as a skip with its reason.
//!
//! This room knows formats. It knows no tokens, no threads, and no reports.
//!
//! # One file a format
//!
//! Each format has a file that knows one function: it reads a container and hands what it finds to
//! [`Members`]. Formats that come as a stream take a [`BufRead`]; those that need to jump about
//! take a [`ReadSeek`].

mod ar;
mod brotli;
mod budget;
mod bzip2;
mod checked;
#[cfg(test)]
pub(crate) mod collect;
mod covered;
mod cpio;
mod exactly;
mod format;
mod frames;
mod gzip;
mod hold;
mod inflate;
mod kind;
mod lookahead;
mod lz4;
mod nest;
mod outside;
mod pack;
mod pdf;
mod peek;
mod rpm;
mod sevenz;
mod single;
mod stretch;
mod tar;
mod xz;
mod zip;
mod zlib;
mod zstd;

use std::io::{self, BufRead, Read, Seek};
use std::ops::ControlFlow;

pub use budget::{Halt, Limit, Limits};
pub use covered::Covered;

use crate::source::{Clue, Content, End, Lead, Reach, Repositories, Sink};
use crate::vocabulary::{Clock, Origin, SkipReason};

use budget::{Budget, Memory};
use format::Format;
use nest::Nest;

/// A sink that scans, and lets others read along.
pub trait Scanner: Sink {
    /// Takes the bytes of one blob. What lies wholly in `covered` is not told again.
    fn blob_beside(&self, origin: &Origin<'_>, content: Content<'_>, covered: &Covered);

    /// Scans a stream to its end, as one blob. `along` reads the same bytes in passing; what it
    /// leaves is scanned all the same. An error of the stream is returned, not told; who reads
    /// along sees [`Halt::Above`] in its stead.
    fn stream_along(
        &self,
        origin: &Origin<'_>,
        stream: &mut dyn Read,
        covered: &Covered,
        along: &mut dyn FnMut(&mut dyn BufRead),
    ) -> io::Result<()>;
}

/// Takes what a format finds inside a container.
trait Members {
    /// Takes all that a compressor's file holds: one stream without a name.
    fn stream(&mut self, contents: &mut dyn Read) -> ControlFlow<()>;

    /// Reads a member to its end, or until a limit. An error of `contents` is told at the member,
    /// and [`Halt::Aside`] as a skip. Break: nothing more is wanted.
    fn member(&mut self, name: &[u8], contents: &mut dyn Read) -> ControlFlow<()>;

    /// The same for a member whose bytes stand in the container as they are, from `offset` on.
    fn stored(&mut self, name: &[u8], offset: u64, contents: &mut dyn Read) -> ControlFlow<()>;

    /// Takes note of a member that is left aside.
    fn skip(&mut self, name: &[u8], reason: SkipReason);

    /// Takes note of a member that cannot be decoded.
    fn error(&mut self, name: &[u8], error: &io::Error);

    /// Memory for what a decoder must remember.
    fn memory(&self) -> Memory;
}

/// How the reading of a container ended, if not at its end.
#[derive(Debug, thiserror::Error)]
enum Unread {
    /// It only looked like one, and nothing was handed out: it is scanned like any other blob.
    #[error("it is no container of this format")]
    Foreign,
    /// It, or the rest of it, is left aside.
    #[error("it is left aside: {}", .0.as_str())]
    Skipped(SkipReason),
    /// It, or the rest of it, cannot be read.
    #[error(transparent)]
    Damaged(#[from] io::Error),
}

/// For formats that jump about in their container.
trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// The sink that opens containers, before the one that scans.
pub struct Unpack<'a> {
    inner: &'a dyn Scanner,
    clock: &'a dyn Clock,
    limits: Limits,
}

impl<'a> Unpack<'a> {
    /// Opens what comes, within `limits`, and pushes it all into `inner`.
    pub fn new(inner: &'a dyn Scanner, clock: &'a dyn Clock, limits: Limits) -> Self {
        Self {
            inner,
            clock,
            limits,
        }
    }

    /// The format of a blob that starts with `head`, if it is one that is opened.
    fn format(&self, head: &[u8], origin: &Origin<'_>) -> Option<Format> {
        match (Format::of(head, origin)?, self.limits.packs) {
            (Format::Pack, Repositories::Plain) => None,
            (format, Repositories::Plain | Repositories::Open) => Some(format),
        }
    }
}

impl Sink for Unpack<'_> {
    fn blob(&self, origin: &Origin<'_>, content: Content<'_>) {
        match origin {
            Origin::Label { .. } => self.inner.blob(origin, content),
            Origin::Stdin | Origin::File(_) | Origin::Member { .. } | Origin::Unpacked { .. } => {
                self.outside(origin, content);
            }
        }
    }

    fn skip(&self, origin: &Origin<'_>, reason: SkipReason) {
        self.inner.skip(origin, reason);
    }

    fn error(&self, origin: &Origin<'_>, error: &io::Error) {
        self.inner.error(origin, error);
    }

    fn is_done(&self) -> bool {
        self.inner.is_done()
    }

    fn has_found(&self) -> bool {
        self.inner.has_found()
    }

    fn glance(&self, bytes: &[u8], end: End) -> bool {
        let opens = match end {
            // Who asks knows no names, and the objects of a repository have none.
            End::Head => self.format(bytes, &Origin::Stdin).is_some(),
            End::Tail => zip::Tail::of(bytes) != zip::Tail::Other,
        };
        opens || self.inner.glance(bytes, end)
    }

    fn leads(&self, bytes: &[u8], found: &mut dyn FnMut(Lead)) {
        self.inner.leads(bytes, found);
    }

    fn follow(&self, bytes: &[u8], lead: Lead) -> Clue {
        self.inner.follow(bytes, lead)
    }

    fn reach(&self) -> Reach {
        self.inner.reach()
    }

    fn tail_start(&self, magic: &[u8], length: u64) -> u64 {
        zip::tail_start(magic, length).min(self.inner.tail_start(magic, length))
    }

    fn glanced(&self, length: u64) {
        self.inner.glanced(length);
    }

    fn opening(&self, origin: &Origin<'_>) {
        self.inner.opening(origin);
    }
}
