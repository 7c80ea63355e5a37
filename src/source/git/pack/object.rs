//! An object under construction: a rope of pieces of what it was made from.
//!
//! A delta of some hundred bytes makes an object of a megabyte, nearly all of it copied. So an
//! object is kept as pieces that point into the bytes of its ancestors, and what nobody looks at is
//! never copied. Where the pieces get small or keep too much alive, they are joined into one.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::Kind;

use crate::source::git::damage::Damage;

use super::delta::{Delta, Step};

/// Up to this many bytes an object is copied: to share its pieces would cost more.
const FLAT: usize = 32 * 1024;

/// Pieces shorter than this on average are not worth their keeping.
const PIECE: usize = 1024;

/// Bytes that may be kept alive beside twice the object's own.
const KEPT: usize = 64 * 1024;

/// One object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pieces: Vec<Piece>,
    length: usize,
    /// Bytes of all buffers that the pieces keep alive, at most.
    kept: usize,
}

/// A stretch of an object that lies in one buffer.
#[derive(Debug, Clone)]
struct Piece {
    source: Arc<Vec<u8>>,
    /// Where it lies in `source`.
    range: Range<usize>,
    /// Where it starts in the object.
    start: usize,
}

impl Piece {
    /// Where it ends in the object.
    fn end(&self) -> usize {
        self.start + self.range.len()
    }

    /// Where in its buffer lies what it has of a stretch of the object.
    fn within(&self, stretch: &Range<usize>) -> Range<usize> {
        let from = self.range.start + stretch.start.saturating_sub(self.start);
        let to = self.range.end - self.end().saturating_sub(stretch.end);
        from..to
    }
}

/// What a delta changed in its base, as stretches of the new object: inserted bytes, and seams
/// between copies, which are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes(pub(super) Vec<Range<usize>>);

impl Object {
    /// An object that is no delta.
    pub(super) fn whole(kind: Kind, bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        Self {
            kind,
            pieces: vec![Piece {
                source: Arc::new(bytes),
                range: 0..length,
                start: 0,
            }],
            length,
            kept: length,
        }
    }

    /// The object that `delta` makes of this one, and where it differs.
    pub(super) fn apply(&self, delta: Vec<u8>) -> Result<(Self, Changes), Damage> {
        let delta = Arc::new(delta);
        let mut steps = Delta::new(&delta, self.length)?;
        let mut made = Target::new(self, steps.length, delta.len());
        let mut changes = Vec::new();
        // Where in the base the last copy ended: a copy that goes on there leaves no seam. An
        // object begins where its base begins and ends where its base ends, as if all had been
        // copied before and behind.
        let mut copied_to = Some(0);
        while let Some(step) = steps.next()? {
            let start = made.length();
            match step {
                Step::Copy(range) => {
                    if copied_to != Some(range.start) {
                        changes.push(start..start);
                    }
                    copied_to = Some(range.end);
                    made.copy(self, &range);
                }
                Step::Insert(range) => {
                    copied_to = None;
                    made.push(&delta, range);
                    changes.push(start..made.length());
                }
            }
        }
        if copied_to != Some(self.length) {
            changes.push(made.length()..made.length());
        }
        Ok((made.finish(self.kind), Changes(changes)))
    }

    /// How many bytes it has.
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

    /// The same in one piece.
    fn joined(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.length);
        for slice in self.slices(0..self.length) {
            bytes.extend_from_slice(slice);
        }
        Self::whole(self.kind, bytes)
    }

    /// The first piece that goes on behind `position`.
    fn piece_at(&self, position: usize) -> usize {
        self.pieces.partition_point(|piece| piece.end() <= position)
    }

    /// Some of its bytes, as they lie.
    fn slices(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let Range { start, end } = range;
        let pieces = &self.pieces[self.piece_at(start)..];
        pieces
            .iter()
            .take_while(move |piece| piece.start < end)
            .map(move |piece| &piece.source[piece.within(&(start..end))])
    }
}

/// An object that a delta is making.
enum Target {
    /// Byte by byte: it is small.
    Flat(Vec<u8>),
    /// Piece by piece.
    Rope {
        pieces: Vec<Piece>,
        length: usize,
        kept: usize,
    },
}

impl Target {
    /// Starts an object of `length` bytes.
    fn new(base: &Object, length: usize, delta: usize) -> Self {
        if length <= FLAT {
            Self::Flat(Vec::with_capacity(length))
        } else {
            Self::Rope {
                pieces: Vec::with_capacity(base.pieces.len() + 8),
                length: 0,
                kept: base.kept.saturating_add(delta),
            }
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Flat(bytes) => bytes.len(),
            Self::Rope { length, .. } => *length,
        }
    }

    /// Appends a stretch of `base`.
    fn copy(&mut self, base: &Object, range: &Range<usize>) {
        for piece in &base.pieces[base.piece_at(range.start)..] {
            if piece.start >= range.end {
                break;
            }
            self.push(&piece.source, piece.within(range));
        }
    }

    /// Appends a stretch of a buffer.
    fn push(&mut self, source: &Arc<Vec<u8>>, range: Range<usize>) {
        match self {
            Self::Flat(bytes) => bytes.extend_from_slice(&source[range]),
            Self::Rope { pieces, length, .. } => {
                let start = *length;
                *length += range.len();
                if let Some(last) = pieces.last_mut()
                    && last.range.end == range.start
                    && Arc::ptr_eq(&last.source, source)
                {
                    last.range.end = range.end;
                    return;
                }
                pieces.push(Piece {
                    source: Arc::clone(source),
                    range,
                    start,
                });
            }
        }
    }

    fn finish(self, kind: Kind) -> Object {
        match self {
            Self::Flat(bytes) => Object::whole(kind, bytes),
            Self::Rope {
                pieces,
                length,
                kept,
            } => {
                let rope = Object {
                    kind,
                    pieces,
                    length,
                    kept,
                };
                if rope.pieces.len() > length / PIECE || kept > 2 * length + KEPT {
                    rope.joined()
                } else {
                    rope
                }
            }
        }
    }
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

impl Changes {
    /// The stretches of an object of `length` bytes in which something may begin that did not
    /// stand in its base: the changes, widened by `reach` on both sides, joined where they meet.
    /// Where the first `head` bytes changed, they come as a whole.
    pub(super) fn widened(&self, reach: usize, head: usize, length: usize) -> Vec<Range<usize>> {
        let mut wide: Vec<Range<usize>> = Vec::new();
        for change in &self.0 {
            let mut start = change.start.saturating_sub(reach);
            let mut end = change.end.saturating_add(reach).min(length);
            if change.start < head {
                start = 0;
                end = end.max(head.min(length));
            }
            match wide.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                Some(_) | None => wide.push(start..end),
            }
        }
        wide
    }
}
