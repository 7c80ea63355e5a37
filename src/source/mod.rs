//! Where bytes come from: folders, named files, standard input.
//!
//! A source pushes each blob, with its [`Origin`], into a [`Sink`], on the thread that read it,
//! and tells the sink what it did not read. Sources know no tokens.

mod again;
mod buffer;
#[cfg(unix)]
mod descent;
mod filtered;
mod git;
mod list;
mod read;
mod rules;
mod stdin;
mod threads;
mod walk;

use std::fs::File;
use std::io::{self, Read};

pub use again::{Again, find_again};
pub use buffer::{Buffer, WINDOW};
#[cfg(test)]
pub(crate) use git::writer;
pub use git::{
    FileBytes, Handed, Provenances, Pushed, Range, RangeError, ReadAt, Repositories, Repository,
    RepositoryError, Side, Staged, Told, hand_over_pack, holds_pack, push_pack,
};
pub use list::{ListError, Separator, parse as parse_list};
pub use read::{LARGE, complete, read_at};
pub use rules::{Rules, RulesError};
pub use stdin::{push as push_stdin, read_all as read_stdin, read_line as read_stdin_line};
pub use threads::Threads;
pub use walk::{TreeRules, Walk, push_name};

use crate::vocabulary::{Origin, SkipReason};

/// Takes what sources read. Shared by all their threads.
pub trait Sink: Sync {
    /// Takes the bytes of one blob.
    fn blob(&self, origin: &Origin<'_>, content: Content<'_>);

    /// Takes note of something left aside.
    fn skip(&self, origin: &Origin<'_>, reason: SkipReason);

    /// Takes note of something that could not be read.
    fn error(&self, origin: &Origin<'_>, error: &io::Error);

    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool;

    /// Whether anything was found so far: then it will be asked how that came where it is.
    fn has_found(&self) -> bool {
        false
    }

    /// Looks at a part of a blob, to learn whether the blob is worth pushing. Reports nothing.
    ///
    /// Who reads many blobs that are made from each other may push those only in which something
    /// is seen, or that share a part with one in which something was seen, and say of the others
    /// that they were [glanced](Sink::glanced) at. Of the contents, parts must go on for
    /// [`Sink::reach`] on both sides of what was not seen elsewhere, or to the blob's ends.
    fn glance(&self, _bytes: &[u8], _part: Part) -> Glance {
        Glance::Something
    }

    /// How far apart two bytes of a blob may stand and still decide together.
    fn reach(&self) -> Reach {
        Reach::default()
    }

    /// Where the last bytes of a blob start that must be looked at to learn what it is; its first
    /// ones are given.
    fn tail_start(&self, _head: &[u8], length: u64) -> u64 {
        length
    }

    /// Looks at a blob that is had as a whole.
    fn glance_whole(&self, bytes: &[u8]) -> Glance {
        let head = &bytes[..bytes.len().min(HEAD)];
        let tail = self.tail_start(head, bytes.len() as u64);
        let tail = &bytes[usize::try_from(tail).unwrap_or(0).min(bytes.len())..];
        let parts = [(head, Part::Head), (tail, Part::Tail), (bytes, Part::Inner)];
        let mut seen = Glance::Nothing;
        for (part, which) in parts {
            seen = seen.max(self.glance(part, which));
            if seen == Glance::Something {
                break;
            }
        }
        seen
    }

    /// Takes note of a blob of so many bytes in which a glance saw nothing.
    fn glanced(&self, _length: u64) {}

    /// Takes note of a store of blobs that are about to be looked at: it takes its time, and whoever
    /// watches wants to know why.
    fn opening(&self, _origin: &Origin<'_>) {}
}

/// What a blob is shows in its first bytes; no more of them than this.
pub const HEAD: usize = 4096;

/// Which part of a blob is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first [`HEAD`] bytes or the whole of it: what is it?
    Head,
    /// All from [`Sink::tail_start`] on: what is it?
    Tail,
    /// Any stretch of it: what does it hold?
    Inner,
}

/// What a look at a part of a blob came to; the greater, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Glance {
    /// Nothing that starts there would be reported.
    Nothing,
    /// Nor would this, but it is how such things start: with another end it might be.
    Start,
    /// Something might be: the blob has to be pushed.
    Something,
}

/// How many bytes can decide together, from the first one on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether something may [start](Glance::Start) there.
    pub start: usize,
    /// Whether [something](Glance::Something) is there.
    pub whole: usize,
}

/// The bytes of a blob, in the form its reader has them.
pub enum Content<'a> {
    /// All of them.
    Whole(&'a [u8]),
    /// A file and its length in bytes; it may be read anywhere, by several threads at once.
    File(&'a File, u64),
    /// They come one after the other, until the end.
    Stream(&'a mut dyn Read),
}
