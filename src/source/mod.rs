//! Where bytes come from: folders, named files, standard input.
//!
//! A source pushes each blob, with its [`Origin`], into a [`Sink`], on the thread that read it,
//! and tells the sink what it did not read. Sources know no tokens.

mod again;
mod buffer;
#[cfg(unix)]
mod descent;
mod filtered;
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
