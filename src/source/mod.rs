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

    /// Looks at an end of a blob, to learn whether what the blob is makes it worth pushing. Reports
    /// nothing.
    ///
    /// Who reads many blobs that are made from each other may push those only that are worth it, by
    /// their ends or by a [lead](Sink::leads) that comes to something, and say of the others that
    /// they were [glanced](Sink::glanced) at.
    fn glance(&self, _bytes: &[u8], _end: End) -> bool {
        true
    }

    /// Finds every lead in some bytes, in their order. Whether one stands somewhere is decided by
    /// the [`Reach::lead`] bytes from there on.
    fn leads(&self, _bytes: &[u8], _found: &mut dyn FnMut(Lead)) {}

    /// Follows a lead in bytes that go on, on both sides of where it starts, as far as may
    /// [decide](Sink::reach), or to the blob's ends.
    fn follow(&self, _bytes: &[u8], _lead: Lead) -> Clue {
        Clue::Hit
    }

    /// How far it is from a lead to what decides about it.
    fn reach(&self) -> Reach {
        Reach::default()
    }

    /// Where the last bytes of a blob start that must be looked at to learn what it is; its first
    /// ones are given, [`MAGIC`] of them or all.
    fn tail_start(&self, _magic: &[u8], length: u64) -> u64 {
        length
    }

    /// Looks at a blob that is had as a whole: whether it is worth pushing. Leads that come to no
    /// hit are handed to `noted`.
    fn glance_whole(&self, bytes: &[u8], noted: &mut dyn FnMut(Lead, Clue)) -> bool {
        let tail = self.tail_start(&bytes[..bytes.len().min(MAGIC)], bytes.len() as u64);
        let tail = usize::try_from(tail).unwrap_or(0).min(bytes.len());
        let mut is_worth_it = self.glance(&bytes[..bytes.len().min(HEAD)], End::Head)
            || self.glance(&bytes[tail..], End::Tail);
        if !is_worth_it {
            self.leads(bytes, &mut |lead| {
                if is_worth_it {
                    return;
                }
                match self.follow(bytes, lead) {
                    Clue::Hit => is_worth_it = true,
                    clue @ (Clue::Nothing | Clue::Start) => noted(lead, clue),
                }
            });
        }
        is_worth_it
    }

    /// Takes note of a blob of so many bytes in which a glance saw nothing.
    fn glanced(&self, _length: u64) {}

    /// Takes note of a store of blobs that are about to be looked at: it takes its time, and whoever
    /// watches wants to know why.
    fn opening(&self, _origin: &Origin<'_>) {}
}

/// What a blob is shows in its first bytes; no more of them than this.
pub const HEAD: usize = 4096;

/// Where its last bytes start that tell it too shows in its very first ones.
pub const MAGIC: usize = 16;

/// Which end of a blob is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The first [`HEAD`] bytes or the whole of it.
    Head,
    /// All from [`Sink::tail_start`] on.
    Tail,
}

/// A place in some bytes by which what is looked for would be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Its first byte.
    pub start: usize,
    /// What it is, in the sink's own numbers.
    pub sort: usize,
}

/// What following a lead came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clue {
    /// Nothing starts there.
    Nothing,
    /// It is how what is looked for starts, and goes on otherwise.
    Start,
    /// Something that would be reported.
    Hit,
}

/// How far from the first byte of a lead, on both sides, those bytes stand that decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether it is one.
    pub lead: usize,
    /// Whether something may [start](Clue::Start) there.
    pub start: usize,
    /// Whether it is a [hit](Clue::Hit).
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
