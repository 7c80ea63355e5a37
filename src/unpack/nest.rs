//! One container that is open: takes its members, and pushes them through [`Unpack`] again.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use crate::source::{Content, Sink as _};
use crate::vocabulary::{Label, Origin, SkipReason};

use super::format::Format;
use super::{Budget, Covered, Halt, Members, Memory, Unpack, Unread};

/// Where a blob stands among those that hold it.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) origin: &'a Origin<'a>,
    /// What may be spent on the file from outside, and so on this.
    pub(super) budget: &'a Budget<'a>,
    /// How many containers it lies in.
    depth: u32,
}

impl<'a> Level<'a> {
    /// A blob that comes from a source.
    pub(super) fn outermost(origin: &'a Origin<'a>, budget: &'a Budget<'a>) -> Self {
        Self {
            origin,
            budget,
            depth: 0,
        }
    }

    /// Whether it lies in as many containers as may be opened.
    pub(super) fn is_too_deep(self) -> bool {
        self.depth >= self.budget.depth()
    }
}

/// A blob that may be a container, and takes its members.
pub(super) struct Nest<'a> {
    unpack: &'a Unpack<'a>,
    format: Format,
    level: Level<'a>,
    /// What of its bytes was scanned as members.
    covered: &'a Covered,
}

impl<'a> Nest<'a> {
    pub(super) fn new(
        unpack: &'a Unpack<'a>,
        format: Format,
        level: Level<'a>,
        covered: &'a Covered,
    ) -> Self {
        Self {
            unpack,
            format,
            level,
            covered,
        }
    }

    /// Has the container read, and tells what went wrong.
    pub(super) fn open(&mut self, read: impl FnOnce(&mut Self, Guard<'a>) -> Result<(), Unread>) {
        if self.level.is_too_deep() {
            self.skip_all(SkipReason::DepthLimit);
            return;
        }
        let guard = self.guard();
        match read(self, guard) {
            Ok(()) | Err(Unread::Foreign) => {}
            Err(Unread::Skipped(reason)) => self.skip_all(reason),
            Err(Unread::Damaged(error)) => match Halt::of(&error) {
                None => self.unpack.error(self.level.origin, &error),
                Some(Halt::Aside(reason)) => self.skip_all(reason),
                Some(Halt::Limit(reason)) if self.level.budget.is_first_to_tell() => {
                    self.skip_all(reason);
                }
                Some(Halt::Limit(_) | Halt::Above | Halt::Done) => {}
            },
        }
    }

    fn guard(&self) -> Guard<'a> {
        Guard {
            unpack: self.unpack,
            budget: self.level.budget,
        }
    }

    /// Leaves the container aside, or the rest of it.
    fn skip_all(&self, reason: SkipReason) {
        self.unpack.skip(self.level.origin, reason);
    }

    /// Scans a member, and tells what went wrong with it.
    fn push(&self, origin: &Origin<'_>, contents: &mut dyn Read) -> ControlFlow<()> {
        let budget = self.level.budget;
        let mut metered = Metered {
            contents,
            guard: self.guard(),
        };
        let level = Level {
            origin,
            budget,
            depth: self.level.depth + 1,
        };
        let read = budget.entry().map_err(io::Error::from).and_then(|()| {
            self.push_name(origin);
            self.unpack.stream(level, &mut metered)
        });
        let Err(error) = read else {
            return ControlFlow::Continue(());
        };
        match Halt::of(&error) {
            None => {
                self.unpack.error(origin, &error);
                ControlFlow::Continue(())
            }
            Some(Halt::Aside(reason)) => {
                self.unpack.skip(origin, reason);
                ControlFlow::Continue(())
            }
            Some(Halt::Above | Halt::Done) => ControlFlow::Break(()),
            Some(Halt::Limit(reason)) => {
                if budget.is_first_to_tell() {
                    self.unpack.skip(origin, reason);
                }
                ControlFlow::Break(())
            }
        }
    }

    /// A token may stand in a name.
    fn push_name(&self, origin: &Origin<'_>) {
        match origin {
            Origin::Member { name, .. } => {
                let label = Origin::Label {
                    of: origin,
                    label: Label::Name,
                };
                self.unpack.inner.blob(&label, Content::Whole(name));
            }
            // The names of what is unpacked are made here.
            Origin::Unpacked { .. } | Origin::Stdin | Origin::File(_) | Origin::Label { .. } => {}
        }
    }
}

impl Members for Nest<'_> {
    fn stream(&mut self, contents: &mut dyn Read) -> ControlFlow<()> {
        let name = self.format.unpacked_name(self.level.origin);
        let origin = Origin::Unpacked {
            within: self.level.origin,
            name: &name,
        };
        self.push(&origin, contents)
    }

    fn member(&mut self, name: &[u8], contents: &mut dyn Read) -> ControlFlow<()> {
        let origin = Origin::Member {
            within: self.level.origin,
            name,
        };
        self.push(&origin, contents)
    }

    fn stored(&mut self, name: &[u8], offset: u64, contents: &mut dyn Read) -> ControlFlow<()> {
        let mut noted = Noted {
            contents,
            offset,
            covered: self.covered,
        };
        self.member(name, &mut noted)
    }

    fn skip(&mut self, name: &[u8], reason: SkipReason) {
        let origin = Origin::Member {
            within: self.level.origin,
            name,
        };
        self.push_name(&origin);
        self.unpack.skip(&origin, reason);
    }

    fn error(&mut self, name: &[u8], error: &io::Error) {
        let origin = Origin::Member {
            within: self.level.origin,
            name,
        };
        self.push_name(&origin);
        if Halt::of(error).is_none() {
            self.unpack.error(&origin, error);
        }
    }

    fn memory(&self) -> Memory {
        self.level.budget.memory()
    }
}

/// Sees to it that the reading of a container ends when it must. What a format reads between
/// members is on no member's account, and takes time all the same.
#[derive(Clone, Copy)]
pub(super) struct Guard<'a> {
    unpack: &'a Unpack<'a>,
    budget: &'a Budget<'a>,
}

impl<'a> Guard<'a> {
    /// Bytes that are read between one look at the clock and the next.
    const STRIDE: usize = 64 * 1024;

    /// The container's bytes, which fail once nothing more may be read.
    pub(super) fn over<I>(self, input: I) -> Guarded<'a, I> {
        Guarded {
            guard: self,
            input,
            stride: 0,
        }
    }

    fn check(self) -> io::Result<()> {
        if self.unpack.is_done() {
            return Err(Halt::Done.into());
        }
        Ok(self.budget.check()?)
    }
}

/// The bytes of a container under guard.
pub(super) struct Guarded<'a, I> {
    guard: Guard<'a>,
    input: I,
    /// Bytes that were read since the last check.
    stride: usize,
}

impl<I> Guarded<'_, I> {
    fn check(&mut self) -> io::Result<()> {
        if self.stride >= Guard::STRIDE {
            self.guard.check()?;
            self.stride = 0;
        }
        Ok(())
    }
}

impl<I: Read> Read for Guarded<'_, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let n = self.input.read(buffer)?;
        self.stride += n;
        Ok(n)
    }
}

impl<I: BufRead> BufRead for Guarded<'_, I> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.input.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.stride += n;
        self.input.consume(n);
    }
}

impl<I: Seek> Seek for Guarded<'_, I> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // What jumps about may read little and take long.
        self.stride += Guard::STRIDE / 16;
        self.input.seek(to)
    }
}

/// The contents of a member, on the budget's account.
struct Metered<'a> {
    contents: &'a mut dyn Read,
    guard: Guard<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.guard.check()?;
        let n = self.contents.read(buffer)?;
        // What is over the limit already is not lost; the next read fails.
        let _ = self.guard.budget.unpacked(n as u64);
        Ok(n)
    }
}

/// The contents of a stored member; notes what of the container was read as that.
struct Noted<'a> {
    contents: &'a mut dyn Read,
    offset: u64,
    covered: &'a Covered,
}

impl Read for Noted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.contents.read(buffer)?;
        let end = self.offset + n as u64;
        self.covered.add(self.offset..end);
        self.offset = end;
        Ok(n)
    }
}
