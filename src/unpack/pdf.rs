//! PDF files: the streams in them.
//!
//! What stands outside of streams is text, and scanned as that. Streams are found by their keyword,
//! from the start to the end of the file: no cross-reference table is asked, so none can hide one,
//! and nothing needs to be held. A stream that holds objects is a stream like any other, and a
//! token in it stands there as it is. Predictors are not undone: they are for pictures and tables.
//!
//! Streams that are encrypted look like damaged ones. That they are encrypted, only the trailer
//! says, mostly at the end; so what was damaged is told there.

mod dictionary;
mod filter;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Read};
use std::ops::{ControlFlow, Range};
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::vocabulary::SkipReason;

use super::peek::PeekReader;
use super::{Members, Unread};

use dictionary::Dictionary;
use filter::{Filter, UntilEnd};

/// Bytes that are searched at once.
const WINDOW: usize = 64 * 1024;

/// Bytes before a stream among which its dictionary starts, if it is of any sensible size.
const DICTIONARY: usize = 8 * 1024;

/// Damaged streams that wait for the word on whether the file is encrypted.
const HELD: usize = 1000;

const HEAD: &[u8] = b"%PDF-";
const STREAM: &[u8] = b"stream";
const TRAILER: &[u8] = b"trailer";
const END: &[u8] = b"%%EOF";

static HEAD_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(HEAD));
static STREAM_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(STREAM));
static TRAILER_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(TRAILER));
static END_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(END));

/// Whether a blob that starts so may be a PDF file. Some have a few bytes before their head.
pub(super) fn starts(bytes: &[u8]) -> bool {
    HEAD_FINDER.find(bytes).is_some()
}

/// Reads all streams.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut input = input;
    let mut walk = Walk {
        input: PeekReader::new(&mut input),
        members,
        searched: 0,
        streams: 0,
        held: Vec::new(),
        is_encrypted: false,
        has_end: false,
    };
    if walk.run()?.is_break() {
        return Ok(());
    }
    walk.verdict()
}

/// A walk under way.
struct Walk<'m, 'i> {
    input: PeekReader<'i>,
    members: &'m mut dyn Members,
    /// Bytes of what comes next that were searched already.
    searched: usize,
    /// Streams that were met.
    streams: u64,
    /// What could not be decoded.
    held: Vec<(Vec<u8>, io::Error)>,
    is_encrypted: bool,
    has_end: bool,
}

impl Walk<'_, '_> {
    /// Goes to the end. Break: nothing more is wanted.
    fn run(&mut self) -> io::Result<ControlFlow<()>> {
        loop {
            let window = self.input.look(WINDOW)?;
            let length = window.len();
            let rest = window.get(self.searched..).unwrap_or_default();
            let stream = STREAM_FINDER.find(rest).map(|at| self.searched + at);
            let end = match stream {
                Some(at) => at,
                None if length < WINDOW => length,
                // What starts behind that may be cut off.
                None => length - DICTIONARY,
            };
            let said = said_outside(window, self.searched..end);
            self.has_end |= said.has_end;
            self.is_encrypted |= said.is_encrypted;
            match stream {
                Some(at) => {
                    if self.stream(at)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                None if length < WINDOW => {
                    self.input.consume(length);
                    self.input.look(1)?;
                    return Ok(ControlFlow::Continue(()));
                }
                None => {
                    // The dictionary of a stream may stand before all that was searched.
                    self.input.consume(end - DICTIONARY);
                    self.searched = DICTIONARY;
                }
            }
        }
    }

    /// Reads the stream whose keyword stands at `at`, if that is what it is.
    fn stream(&mut self, at: usize) -> io::Result<ControlFlow<()>> {
        let window = self.input.look(WINDOW)?;
        let Some(data) = data_start(window, at) else {
            self.searched = at + STREAM.len();
            return Ok(ControlFlow::Continue(()));
        };
        let before = &window[at.saturating_sub(DICTIONARY)..at];
        let object = memmem::rfind(before, b"obj");
        let dictionary = Dictionary::of(&before[object.map_or(0, |object| object + 3)..]);
        let number = object.and_then(|object| object_number(&before[..object]));
        self.is_encrypted |= dictionary.is_cross_reference && dictionary.has_encryption;
        self.streams += 1;
        self.input.consume(data);
        self.searched = 0;
        let name = match number {
            Some((number, generation)) => format!("object {number} {generation}"),
            None => format!("stream at {}", self.input.offset()),
        };
        self.hand_out(&dictionary, name.as_bytes())
    }

    /// Hands out the stream whose data comes next.
    fn hand_out(&mut self, dictionary: &Dictionary, name: &[u8]) -> io::Result<ControlFlow<()>> {
        let mut filters = dictionary.filters.clone();
        let mut trust = Trust::Said;
        let is_known = !matches!(filters.first(), None | Some(Filter::Other));
        if !is_known && filter::is_zlib(self.input.look(2)?) {
            // A dictionary that was not found, or was not understood.
            filters = vec![Filter::Flate];
            trust = Trust::Guessed;
        }
        let Self { input, members, .. } = self;
        let undone = filters.iter().take_while(|one| **one != Filter::Other);
        if undone.count() > filter::MOST {
            members.skip(name, SkipReason::DepthLimit);
            return Ok(ControlFlow::Continue(()));
        }
        let offset = input.offset();
        let mut contents = match (filters.first(), dictionary.length) {
            // A picture, which nothing here decodes. Its bytes are scanned as they are.
            (Some(Filter::Other), _) => return Ok(ControlFlow::Continue(())),
            (None, Some(length)) => {
                return Ok(members.stored(name, offset, &mut input.take(length)));
            }
            (None, None) => return Ok(members.stored(name, offset, &mut UntilEnd::new(input))),
            // It knows its own end, and may hold the keyword in a part that would not shrink.
            (Some(Filter::Flate), _) => filter::decode(input, &filters),
            (Some(_), _) => filter::decode(UntilEnd::new(input), &filters),
        };
        // Something must come of it, or it is none.
        let error = match (contents.fill_buf(), trust) {
            (Ok(_), _) => return Ok(members.member(name, &mut contents)),
            (Err(_), Trust::Guessed) => return Ok(ControlFlow::Continue(())),
            (Err(error), Trust::Said) => error,
        };
        if self.held.len() < HELD {
            self.held.push((name.to_vec(), error));
        } else {
            members.error(name, &error);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Tells what waited for the end.
    fn verdict(self) -> Result<(), Unread> {
        if self.is_encrypted {
            return Err(Unread::Skipped(SkipReason::Encrypted));
        }
        for (name, error) in &self.held {
            self.members.error(name, error);
        }
        if self.streams == 0 {
            return Err(Unread::Foreign);
        }
        if !self.has_end {
            let what = "it ends before its last line";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what).into());
        }
        Ok(())
    }
}

/// Why a stream is taken for one of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Its dictionary says so.
    Said,
    /// It looks like one.
    Guessed,
}

/// What is said between streams.
struct Said {
    has_end: bool,
    is_encrypted: bool,
}

/// What is said by the marks that start in a range of `window`. Each byte is looked at a few times
/// at most, however many marks there are.
fn said_outside(window: &[u8], range: Range<usize>) -> Said {
    let end = window.len().min(range.end + TRAILER.len() - 1);
    let text = window.get(range.start..end).unwrap_or_default();
    let mut trailers = TRAILER_FINDER.find_iter(text).peekable();
    let mut is_encrypted = false;
    while let Some(at) = trailers.next() {
        let next = trailers.peek().map_or(window.len(), |at| range.start + at);
        let at = range.start + at;
        is_encrypted |= Dictionary::of(&window[at..next.min(at + DICTIONARY)]).has_encryption;
    }
    Said {
        has_end: END_FINDER.find(text).is_some(),
        is_encrypted,
    }
}

/// Where the data starts behind the keyword at `at`, if it is one: the other keyword ends with the
/// same letters, and words of a text do not end a line there.
fn data_start(window: &[u8], at: usize) -> Option<usize> {
    if window[..at].ends_with(b"end") {
        return None;
    }
    let behind = at + STREAM.len();
    match window.get(behind..)? {
        [b'\r', b'\n', ..] => Some(behind + 2),
        [b'\r' | b'\n', ..] => Some(behind + 1),
        _ => None,
    }
}

/// The number and the generation that stand before an object's keyword.
fn object_number(before: &[u8]) -> Option<(u64, u64)> {
    let line = &before[before.len().saturating_sub(32)..];
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .rev()
        .filter(|word| !word.is_empty());
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    let generation = number()?;
    Some((number()?, generation))
}
