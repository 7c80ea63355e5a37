//! An object under construction: a rope of pieces of what it was made from.
//!
//! A delta of some hundred bytes makes an object of a megabyte, nearly all of it copied. So an
//! object is kept as pieces that point into the bytes of its ancestors, and what nobody looks at is
//! never copied. Where the pieces get small or keep too much alive, they are joined into one.

mod target;

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::Kind;

use crate::source::git::damage::Damage;

use super::changes::{Changes, Seams};
use super::delta::{Delta, Step};

use target::Target;

/// Pieces shorter than this on average are not worth their keeping. (Measured on uv's history: with
/// 1024, half of all bytes are copied after all, and the whole takes a fifteenth longer.)
const PIECE: usize = if cfg!(test) { 4 } else { 128 };

/// Bytes that do not lie in one buffer.
pub(super) trait Text {
    /// How many there are.
    fn length(&self) -> usize;

    /// Some of them, put together in `scratch` unless they lie in one piece.
    fn bytes<'s>(&'s self, range: &Range<usize>, scratch: &'s mut Vec<u8>) -> &'s [u8];
}

/// One object. A copy shares its bytes.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) kind: Kind,
    length: usize,
    /// What the pieces point into: a whole object, and what deltas inserted.
    sources: Vec<Arc<Vec<u8>>>,
    pieces: Vec<Piece>,
    /// Bytes of all sources.
    kept: usize,
}

/// A stretch of an object that lies in one buffer. It goes on to where the next one starts.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it starts in the object.
    start: u32,
    /// Which source it lies in.
    source: u32,
    /// Where it starts there.
    from: u32,
}

impl Object {
    /// An object that is no delta.
    pub(super) fn whole(kind: Kind, bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        Self {
            kind,
            length,
            sources: vec![Arc::new(bytes)],
            pieces: vec![Piece {
                start: 0,
                source: 0,
                from: 0,
            }],
            kept: length,
        }
    }

    /// The object that `delta` makes of this one, and where it differs.
    pub(super) fn apply(&self, delta: Cow<'_, [u8]>) -> Result<(Self, Changes), Damage> {
        let mut steps = Delta::new(&delta, self.length)?;
        let mut made = Target::new(self, &delta, steps.length)?;
        let mut seams = Seams::new();
        while let Some(step) = steps.next()? {
            seams.step(&step, made.length());
            match step {
                Step::Copy(range) => made.copy(self, &range),
                Step::Insert(range) => made.insert(self, &delta, &range),
            }
            if made.pieces() > steps.length / PIECE {
                made = made.flatten(self, &delta, steps.length);
            }
        }
        let changes = seams.finish(made.length(), self.length);
        Ok((made.finish(self, delta), changes))
    }

    /// How many bytes it takes, besides those it shares with what it was made from.
    pub(super) fn own(&self) -> usize {
        let pieces = self.pieces.len() * size_of::<Piece>();
        self.sources.last().map_or(0, |last| last.len()) + pieces
    }

    /// Its bytes, one after the other.
    pub(super) fn reader(&self) -> impl Read + '_ {
        Slices {
            rest: self.slices(0..self.length),
            slice: &[],
        }
    }

    /// Its id.
    pub(super) fn id(&self, hash: gix_hash::Kind) -> Result<ObjectId, Damage> {
        let mut hasher = gix_hash::hasher(hash);
        hasher.update(&gix_object::encode::loose_header(
            self.kind,
            self.length as u64,
        ));
        for slice in self.slices(0..self.length) {
            hasher.update(slice);
        }
        // It fails for bytes that were made to break SHA-1, and for nothing else.
        let id = hasher.try_finalize();
        id.map_err(|error| Damage::Read(io::Error::other(error.to_string())))
    }

    /// All its bytes, in one buffer of their own.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length);
        for slice in self.slices(0..self.length) {
            bytes.extend_from_slice(slice);
        }
        bytes
    }

    /// The piece that goes on behind `position`.
    fn piece_at(&self, position: usize) -> usize {
        let before = |piece: &Piece| piece.start as usize <= position;
        self.pieces.partition_point(before).saturating_sub(1)
    }

    /// The same, looked for from the piece `near` on.
    fn piece_near(&self, near: usize, position: usize) -> usize {
        const STEPS: usize = 4;

        let starts = |at: usize| {
            let piece = self.pieces.get(at);
            piece.is_none_or(|piece| piece.start as usize > position)
        };
        if starts(near) {
            return self.piece_at(position);
        }
        (near..near + STEPS)
            .find(|&at| starts(at + 1))
            .unwrap_or_else(|| self.piece_at(position))
    }

    /// Where the piece ends in the object.
    fn end(&self, piece: usize) -> usize {
        let next = self.pieces.get(piece + 1);
        next.map_or(self.length, |next| next.start as usize)
    }

    /// Some of its bytes, as they lie.
    pub(super) fn slices(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let pieces = self.piece_at(range.start)..self.pieces.len();
        pieces
            .map(|at| (self.pieces[at], self.end(at)))
            .take_while(move |(piece, _)| (piece.start as usize) < range.end)
            .map(move |(piece, end)| {
                let start = range.start.max(piece.start as usize);
                let from = piece.from as usize + start - piece.start as usize;
                let length = range.end.min(end).saturating_sub(start);
                &self.sources[piece.source as usize][from..from + length]
            })
    }
}

impl Text for Object {
    fn length(&self) -> usize {
        self.length
    }

    fn bytes<'s>(&'s self, range: &Range<usize>, scratch: &'s mut Vec<u8>) -> &'s [u8] {
        let mut slices = self.slices(range.clone());
        let first = slices.next().unwrap_or_default();
        if first.len() == range.len() {
            return first;
        }
        scratch.clear();
        scratch.extend_from_slice(first);
        for slice in slices {
            scratch.extend_from_slice(slice);
        }
        scratch
    }
}

/// The id of an object of `size` bytes that is read.
pub(super) fn hash_of(
    kind: Kind,
    size: u64,
    hash: gix_hash::Kind,
    bytes: &mut dyn Read,
) -> Result<ObjectId, Damage> {
    let mut hasher = gix_hash::hasher(hash);
    hasher.update(&gix_object::encode::loose_header(kind, size));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match bytes.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let id = hasher.try_finalize();
    id.map_err(|error| Damage::Read(io::Error::other(error.to_string())))
}

/// Reads slices one after the other.
struct Slices<'a, I> {
    rest: I,
    slice: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Slices<'a, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.slice.is_empty() {
            match self.rest.next() {
                Some(slice) => self.slice = slice,
                None => return Ok(0),
            }
        }
        self.slice.read(buffer)
    }
}
