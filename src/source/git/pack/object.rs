//! An object under construction: a rope of pieces of what it was made from.
//!
//! A delta of some hundred bytes makes an object of many megabytes, nearly all of it copied. So a
//! large object is kept as pieces that point into the bytes of its ancestors, and what nobody looks
//! at is never copied. Where the pieces get small or keep too much alive, they are joined into one.

mod target;

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::Kind;

use crate::source::git::damage::Damage;

use super::append::append;
use super::draft::Draft;

pub(super) use target::Target;

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
pub(super) struct Piece {
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

    /// The object that `delta` makes of this one.
    pub(super) fn apply(&self, delta: Cow<'_, [u8]>) -> Result<Self, Damage> {
        let made = Draft::read(self, &delta, &mut Vec::new())?.build();
        Ok(made.finish(self, delta))
    }

    /// How many bytes it takes, besides those it shares with what it was made from.
    pub(super) fn own(&self) -> usize {
        let pieces = self.pieces.len() * size_of::<Piece>();
        self.sources.last().map_or(0, |last| last.len()) + pieces
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Some of its bytes, put together in `scratch` unless they lie in one piece.
    pub(super) fn bytes<'s>(&'s self, range: &Range<usize>, scratch: &'s mut Vec<u8>) -> &'s [u8] {
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

    /// The same, looked for from the piece `near` on: mostly it is not far behind.
    fn piece_near(&self, near: usize, position: usize) -> usize {
        let starts_behind = |piece: &Piece| piece.start as usize > position;
        let behind = self.pieces.get(near..).unwrap_or_default();
        if behind.first().is_none_or(starts_behind) {
            return self.piece_at(position);
        }
        let (mut low, mut step) = (0, 8);
        while behind
            .get(low + step)
            .is_some_and(|piece| !starts_behind(piece))
        {
            low += step;
            step *= 2;
        }
        let high = behind.len().min(low + step);
        let count = behind[low..high].partition_point(|piece| !starts_behind(piece));
        near + low + count - 1
    }

    /// Where the piece ends in the object.
    fn end(&self, piece: usize) -> usize {
        let next = self.pieces.get(piece + 1);
        next.map_or(self.length, |next| next.start as usize)
    }

    /// All its bytes, if they lie in one buffer.
    pub(super) fn flat(&self) -> Option<&[u8]> {
        match (self.sources.as_slice(), self.pieces.as_slice()) {
            ([source], [_]) => source.get(..self.length),
            (_, _) => None,
        }
    }

    /// Appends some of its bytes to others. They are looked for from the piece `near` on, which
    /// becomes the one that they end in.
    pub(super) fn append(&self, range: Range<usize>, near: &mut usize, to: &mut Vec<u8>) {
        let Range { mut start, end } = range;
        *near = self.piece_near(*near, start);
        while start < end {
            let piece = self.pieces[*near];
            let until = self.end(*near).min(end);
            let from = piece.from as usize + start - piece.start as usize;
            let source = &self.sources[piece.source as usize];
            append(to, source, from..from + (until - start));
            start = until;
            if start < end {
                *near += 1;
            }
        }
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
