//! The way of a blob: what is it, does it come in a form that its format can be read from, and who
//! scans its own bytes.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::source::{Content, complete, read_at};
use crate::vocabulary::Origin;

use super::format::{Access, Format, HEAD};
use super::hold::{End, Peeked, hold};
use super::zip::{self, Tail};
use super::{Budget, Covered, Halt, Nest, ReadSeek, Unpack};

/// The part of a file's memory that may hold a container as a whole.
const HELD_PART: u64 = 4;

impl Unpack<'_> {
    /// Scans a blob from a source and, if it is a container, what it holds.
    ///
    /// What is no container goes on as it came, and has cost a look at its first bytes.
    pub(super) fn outside(&self, origin: &Origin<'_>, content: Content<'_>) {
        let budget = || Budget::new(self.limits, self.clock);
        let read = match content {
            Content::Whole(bytes) => match Kind::of(bytes, zip::tail(bytes), origin) {
                Kind::Plain => return self.inner.blob(origin, content),
                Kind::Container(format) => {
                    let budget = budget();
                    budget.outside(bytes.len() as u64);
                    self.held(format, origin, bytes, &budget, 0)
                }
                Kind::Both(format) => {
                    let budget = budget();
                    budget.outside(bytes.len() as u64);
                    let mut input = Cursor::new(bytes);
                    self.anywhere(Format::Appended, origin, &mut input, &budget, 0);
                    self.held(format, origin, bytes, &budget, 0)
                }
            },
            Content::File(file, length) => match file_kind(file, length, origin) {
                // Whoever reads it will meet the error, and tell it.
                Err(_) | Ok(Kind::Plain) => return self.inner.blob(origin, content),
                Ok(Kind::Container(format)) => self.file(format, origin, file, length, &budget()),
                Ok(Kind::Both(format)) => {
                    let budget = budget();
                    let mut input = Stretch::of(file, length);
                    self.anywhere(Format::Appended, origin, &mut input, &budget, 0);
                    self.file(format, origin, file, length, &budget)
                }
            },
            Content::Stream(stream) => {
                let budget = budget();
                let mut stream = Counted {
                    input: stream,
                    left: u64::MAX,
                    budget: &budget,
                };
                self.stream(origin, &mut stream, &budget, 0)
            }
        };
        if let Err(error) = read
            && Halt::of(&error).is_none()
        {
            self.inner.error(origin, &error);
        }
    }

    /// Scans a stream that lies inside `depth` containers.
    pub(super) fn stream(
        &self,
        origin: &Origin<'_>,
        stream: &mut dyn Read,
        budget: &Budget<'_>,
        depth: u32,
    ) -> io::Result<()> {
        let mut stream = Peeked::new(stream);
        match Format::of(stream.head(), origin) {
            // The end, which would tell, cannot be looked at first.
            None if zip::is_carrier(stream.head()) && depth < budget.depth() => {
                self.passing(Format::Appended, origin, &mut stream, budget, depth)
            }
            None => self.plain(origin, &mut stream),
            Some(format) => match format.access() {
                Access::Stream => self.passing(format, origin, &mut stream, budget, depth),
                Access::Anywhere => self.hold(format, origin, &mut stream, budget, depth),
            },
        }
    }

    /// Scans what is no container.
    fn plain(&self, origin: &Origin<'_>, stream: &mut dyn Read) -> io::Result<()> {
        self.inner
            .stream_along(origin, stream, &Covered::default(), &mut |_| {})
    }

    /// Scans a stream and reads along.
    fn passing(
        &self,
        format: Format,
        origin: &Origin<'_>,
        stream: &mut dyn Read,
        budget: &Budget<'_>,
        depth: u32,
    ) -> io::Result<()> {
        let covered = Covered::default();
        let mut nest = Nest::new(self, format, origin, budget, &covered, depth);
        self.inner
            .stream_along(origin, stream, &covered, &mut |passing| {
                nest.open(|members| format.read(passing, members));
            })
    }

    /// Has a stream as a whole, if it is small enough, and reads it anywhere; else in passing.
    fn hold(
        &self,
        format: Format,
        origin: &Origin<'_>,
        stream: &mut dyn Read,
        budget: &Budget<'_>,
        depth: u32,
    ) -> io::Result<()> {
        let mut memory = budget.memory();
        let limit = memory.left() / HELD_PART;
        if !memory.grow_to(limit) {
            return self.plain(origin, stream);
        }
        let held = hold(stream, limit);
        match held.end {
            End::Reached => self.held(format, origin, &held.bytes, budget, depth),
            End::Broken(error) => {
                self.held(format, origin, &held.bytes, budget, depth)?;
                Err(error)
            }
            End::Open => {
                let mut stream = held.bytes.chain(stream);
                self.passing(format, origin, &mut stream, budget, depth)
            }
        }
    }

    /// Scans a container that is had as a whole.
    fn held(
        &self,
        format: Format,
        origin: &Origin<'_>,
        bytes: &[u8],
        budget: &Budget<'_>,
        depth: u32,
    ) -> io::Result<()> {
        match format.access() {
            Access::Stream => self.passing(format, origin, &mut &*bytes, budget, depth),
            Access::Anywhere => {
                let covered = self.anywhere(format, origin, &mut Cursor::new(bytes), budget, depth);
                self.inner
                    .blob_beside(origin, Content::Whole(bytes), &covered);
                Ok(())
            }
        }
    }

    /// Scans a file that is a container.
    fn file(
        &self,
        format: Format,
        origin: &Origin<'_>,
        file: &File,
        length: u64,
        budget: &Budget<'_>,
    ) -> io::Result<()> {
        let mut input = Counted {
            input: Stretch::of(file, length),
            left: length,
            budget,
        };
        match format.access() {
            Access::Stream => self.passing(format, origin, &mut input, budget, 0),
            Access::Anywhere => {
                let covered = self.anywhere(format, origin, &mut input, budget, 0);
                self.inner
                    .blob_beside(origin, Content::File(file, length), &covered);
                Ok(())
            }
        }
    }

    /// Reads a container anywhere; its own bytes are yet to be scanned, but for what is returned.
    fn anywhere(
        &self,
        format: Format,
        origin: &Origin<'_>,
        input: &mut dyn ReadSeek,
        budget: &Budget<'_>,
        depth: u32,
    ) -> Covered {
        let covered = Covered::default();
        Nest::new(self, format, origin, budget, &covered, depth)
            .open(|members| format.read_anywhere(input, members));
        covered
    }
}

/// What a blob from a source is, as far as its first and last bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bytes.
    Plain,
    /// A container.
    Container(Format),
    /// A container that is, right to its end, a zip archive too: readers differ in what they see.
    Both(Format),
}

impl Kind {
    fn of(head: &[u8], tail: &[u8], origin: &Origin<'_>) -> Self {
        match (Format::of(head, origin), Tail::of(tail)) {
            (None, Tail::Other) => Self::Plain,
            (None, Tail::Within | Tail::Exact) => Self::Container(Format::Appended),
            (Some(format), Tail::Exact) if format != Format::Zip => Self::Both(format),
            (Some(format), _) => Self::Container(format),
        }
    }
}

/// What a file is.
fn file_kind(file: &File, length: u64, origin: &Origin<'_>) -> io::Result<Kind> {
    let mut head = [0; HEAD];
    let head_length = read_at(file, &mut head, 0)?;
    let mut tail = vec![0; zip::TAIL];
    let tail_length = read_at(file, &mut tail, length.saturating_sub(zip::TAIL as u64))?;
    Ok(Kind::of(&head[..head_length], &tail[..tail_length], origin))
}

/// A file up to a length, read without its cursor, which others may share.
struct Stretch<'a> {
    file: &'a File,
    offset: u64,
    length: u64,
}

impl<'a> Stretch<'a> {
    fn of(file: &'a File, length: u64) -> Self {
        Self {
            file,
            offset: 0,
            length,
        }
    }
}

impl Read for Stretch<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.offset);
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let filled = read_at(self.file, &mut buffer[..wanted], self.offset)?;
        self.offset += filled as u64;
        if filled < wanted {
            complete(self.file, self.offset, self.length)?;
        }
        Ok(filled)
    }
}

impl Seek for Stretch<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let offset = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.offset.checked_add_signed(by),
        };
        self.offset = offset.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

/// Tells the budget what is read of the file from outside.
struct Counted<'a, I> {
    input: I,
    /// What there is to tell at most: what is read twice is paid for once.
    left: u64,
    budget: &'a Budget<'a>,
}

impl<I: Read> Read for Counted<'_, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        let fresh = self.left.min(n as u64);
        self.left -= fresh;
        self.budget.outside(fresh);
        Ok(n)
    }
}

impl<I: Seek> Seek for Counted<'_, I> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}
