//! The way of a blob: what is it, does it come in a form that its format can be read from, and who
//! scans its own bytes.

use std::fs::File;
use std::io::{self, Cursor, Read};

use crate::source::Content;
use crate::vocabulary::Origin;

use super::format::{Access, Format, ReadAnywhere};
use super::hold::{End, Peeked, hold};
use super::kind::Kind;
use super::nest::Level;
use super::stretch::{Counted, Stretch};
use super::zip;
use super::{Budget, Covered, Halt, Nest, ReadSeek, Unpack};

impl Unpack<'_> {
    /// Scans a blob from a source and, if it is a container, what it holds.
    ///
    /// What is no container goes on as it came, and has cost a look at its ends.
    pub(super) fn outside(&self, origin: &Origin<'_>, content: Content<'_>) {
        let budget = || Budget::new(self.limits, self.clock);
        let read = match content {
            Content::Whole(bytes) => match self.whole_kind(bytes, origin) {
                Kind::Plain => return self.inner.blob(origin, content),
                kind @ (Kind::Container(_) | Kind::Both(_)) => {
                    let budget = budget();
                    budget.outside(bytes.len() as u64);
                    self.whole(kind, Level::outermost(origin, &budget), bytes)
                }
            },
            Content::File(file, length) => match self.file_kind(file, length, origin) {
                // Whoever reads it will meet the error, and tell it.
                Err(_) | Ok(Kind::Plain) => return self.inner.blob(origin, content),
                Ok(kind @ (Kind::Container(_) | Kind::Both(_))) => {
                    self.file(kind, Level::outermost(origin, &budget()), file, length)
                }
            },
            Content::Stream(stream) => {
                let budget = budget();
                let mut stream = Counted::new(stream, u64::MAX, &budget);
                self.stream(Level::outermost(origin, &budget), &mut stream)
            }
        };
        if let Err(error) = read
            && Halt::of(&error).is_none()
        {
            self.inner.error(origin, &error);
        }
    }

    /// Scans a stream.
    pub(super) fn stream(&self, level: Level<'_>, stream: &mut dyn Read) -> io::Result<()> {
        let mut stream = Peeked::new(stream);
        match self.format(stream.head(), level.origin) {
            // The end, which would tell, cannot be looked at first.
            None if zip::is_carrier(stream.head()) && !level.is_too_deep() => {
                self.passing(Format::Appended, level, &mut stream)
            }
            None => self.plain(level, &mut stream),
            Some(format) => match format.access() {
                Access::Stream => self.passing(format, level, &mut stream),
                Access::Anywhere(_) => self.hold(format, level, &mut stream),
            },
        }
    }

    /// Scans what is no container.
    fn plain(&self, level: Level<'_>, stream: &mut dyn Read) -> io::Result<()> {
        self.inner
            .stream_along(level.origin, stream, &Covered::default(), &mut |_| {})
    }

    /// Scans a stream and reads along.
    fn passing(&self, format: Format, level: Level<'_>, stream: &mut dyn Read) -> io::Result<()> {
        let covered = Covered::default();
        let mut nest = Nest::new(self, format, level, &covered);
        self.inner
            .stream_along(level.origin, stream, &covered, &mut |passing| {
                nest.open(|members, guard| format.read(&mut guard.over(passing), members));
            })
    }

    /// Has a stream as a whole, if it is small enough, and reads it anywhere; else in passing.
    fn hold(&self, format: Format, level: Level<'_>, stream: &mut dyn Read) -> io::Result<()> {
        let mut memory = level.budget.held();
        // Something is left for what is nested in it.
        let limit = memory.left() / 4 * 3;
        if !memory.grow_to(limit) {
            return self.plain(level, stream);
        }
        let held = hold(stream, limit);
        memory.shrink_to(held.bytes.len() as u64);
        match held.end {
            End::Reached => self.held(format, level, &held.bytes),
            End::Broken(error) => {
                self.held(format, level, &held.bytes)?;
                Err(error)
            }
            End::Open => {
                let mut stream = held.bytes.chain(stream);
                self.passing(format, level, &mut stream)
            }
        }
    }

    /// Scans a container from a source that is had as a whole.
    fn whole(&self, kind: Kind, level: Level<'_>, bytes: &[u8]) -> io::Result<()> {
        match kind {
            Kind::Plain => self.plain(level, &mut &*bytes),
            Kind::Container(format) => self.held(format, level, bytes),
            Kind::Both(format) => {
                self.appended(level, &mut Cursor::new(bytes));
                self.held(format, level, bytes)
            }
        }
    }

    /// Scans a container that is had as a whole.
    fn held(&self, format: Format, level: Level<'_>, bytes: &[u8]) -> io::Result<()> {
        match format.access() {
            Access::Stream => self.passing(format, level, &mut &*bytes),
            Access::Anywhere(read) => {
                let covered = self.anywhere(format, read, level, &mut Cursor::new(bytes));
                self.inner
                    .blob_beside(level.origin, Content::Whole(bytes), &covered);
                Ok(())
            }
        }
    }

    /// Scans a file that is a container.
    fn file(&self, kind: Kind, level: Level<'_>, file: &File, length: u64) -> io::Result<()> {
        let mut input = Counted::new(Stretch::of(file, length), length, level.budget);
        let format = match kind {
            Kind::Plain => return self.plain(level, &mut input),
            Kind::Container(format) => format,
            Kind::Both(format) => {
                self.appended(level, &mut Stretch::of(file, length));
                format
            }
        };
        match format.access() {
            Access::Stream => self.passing(format, level, &mut input),
            Access::Anywhere(read) => {
                let covered = self.anywhere(format, read, level, &mut input);
                self.inner
                    .blob_beside(level.origin, Content::File(file, length), &covered);
                Ok(())
            }
        }
    }

    /// Reads a container anywhere; its own bytes are yet to be scanned, but for what is returned.
    fn anywhere(
        &self,
        format: Format,
        read: ReadAnywhere,
        level: Level<'_>,
        input: &mut dyn ReadSeek,
    ) -> Covered {
        let covered = Covered::default();
        Nest::new(self, format, level, &covered)
            .open(|members, guard| read(&mut guard.over(input), members));
        covered
    }

    /// Reads the zip archive at the end of a container.
    fn appended(&self, level: Level<'_>, input: &mut dyn ReadSeek) {
        self.anywhere(Format::Appended, zip::read_anywhere, level, input);
    }
}
