//! One container that is open: takes its members, and pushes them through [`Unpack`] again.

use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::source::{Content, Sink as _};
use crate::vocabulary::{Label, Origin, SkipReason};

use super::format::Format;
use super::{Budget, Covered, Halt, Members, Memory, Unpack, Unread};

/// A blob that may be a container, at its place among the others.
pub(super) struct Nest<'a> {
    unpack: &'a Unpack<'a>,
    origin: &'a Origin<'a>,
    budget: &'a Budget<'a>,
    /// What of its bytes was scanned as members.
    covered: &'a Covered,
    /// How many containers it lies in.
    depth: u32,
    format: Format,
}

impl<'a> Nest<'a> {
    pub(super) fn new(
        unpack: &'a Unpack<'a>,
        format: Format,
        origin: &'a Origin<'a>,
        budget: &'a Budget<'a>,
        covered: &'a Covered,
        depth: u32,
    ) -> Self {
        Self {
            unpack,
            origin,
            budget,
            covered,
            depth,
            format,
        }
    }

    /// Has the container read, and tells what went wrong.
    pub(super) fn open(&mut self, read: impl FnOnce(&mut Self) -> Result<(), Unread>) {
        if self.depth >= self.budget.depth() {
            self.unpack.skip(self.origin, SkipReason::DepthLimit);
            return;
        }
        match read(self) {
            Ok(()) | Err(Unread::Foreign) => {}
            Err(Unread::Skipped(reason)) => self.unpack.skip(self.origin, reason),
            Err(Unread::Damaged(error)) => {
                if Halt::of(&error).is_none() {
                    self.unpack.error(self.origin, &error);
                }
            }
        }
    }

    /// Scans a member, and tells what went wrong with it.
    fn push(&self, origin: &Origin<'_>, contents: &mut dyn Read) -> ControlFlow<()> {
        let mut metered = Metered {
            contents,
            unpack: self.unpack,
            budget: self.budget,
        };
        let read = self.budget.entry().map_err(io::Error::from).and_then(|()| {
            self.push_name(origin);
            self.unpack
                .stream(origin, &mut metered, self.budget, self.depth + 1)
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
                if self.budget.is_first_to_tell() {
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
        let name = self.format.unpacked_name(self.origin);
        let origin = Origin::Unpacked {
            within: self.origin,
            name: &name,
        };
        self.push(&origin, contents)
    }

    fn member(&mut self, name: &[u8], contents: &mut dyn Read) -> ControlFlow<()> {
        let origin = Origin::Member {
            within: self.origin,
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
            within: self.origin,
            name,
        };
        self.push_name(&origin);
        self.unpack.skip(&origin, reason);
    }

    fn error(&mut self, name: &[u8], error: &io::Error) {
        let origin = Origin::Member {
            within: self.origin,
            name,
        };
        self.push_name(&origin);
        if Halt::of(error).is_none() {
            self.unpack.error(&origin, error);
        }
    }

    fn memory(&self) -> Memory {
        self.budget.memory()
    }
}

/// The contents of a member, on the budget's account.
struct Metered<'a> {
    contents: &'a mut dyn Read,
    unpack: &'a Unpack<'a>,
    budget: &'a Budget<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unpack.is_done() {
            return Err(Halt::Done.into());
        }
        self.budget.check()?;
        let n = self.contents.read(buffer)?;
        // What is over the limit already is not lost; the next read fails.
        let _ = self.budget.unpacked(n as u64);
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
