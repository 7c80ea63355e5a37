//! What a delta makes of an object, step by step.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::source::git::pack::append::{ROOM, append};
use crate::source::git::pack::small;

use super::{Object, Piece};

/// Up to this many bytes an object is copied: to find its pieces again would cost more. (Measured on
/// uv's history: with 32 KiB the whole takes a twelfth longer; that nothing is shared costs nothing
/// there, but memory where large files have many versions.)
const FLAT: usize = if cfg!(test) { 16 } else { 2 * 1024 * 1024 };

/// Buffers that one object may point into.
const SOURCES: usize = 64;

/// Bytes that may be kept alive beside twice the object's own.
const KEPT: usize = 64 * 1024;

/// An object that a delta is making.
pub(in crate::source::git::pack) enum Target {
    /// Byte by byte: it is small.
    Flat(Vec<u8>),
    /// Piece by piece. The base's sources are its own, and the delta is one more.
    Rope {
        pieces: Vec<Piece>,
        length: usize,
        /// The piece of the base that was copied from last: the next copy mostly goes on near it.
        near: usize,
    },
}

impl Target {
    /// Starts an object that will have `length` bytes.
    pub(in crate::source::git::pack) fn new(base: &Object, length: usize) -> Self {
        if length <= FLAT {
            return Self::Flat(Vec::with_capacity(length + ROOM));
        }
        Self::Rope {
            pieces: Vec::with_capacity(base.pieces.len() + 16),
            length: 0,
            near: 0,
        }
    }

    /// How many pieces there are to keep.
    pub(in crate::source::git::pack) fn pieces(&self) -> usize {
        match self {
            Self::Flat(_) => 0,
            Self::Rope { pieces, .. } => pieces.len(),
        }
    }

    /// The same byte by byte, with room for the rest.
    pub(in crate::source::git::pack) fn flatten(
        self,
        base: &Object,
        delta: &[u8],
        room: usize,
    ) -> Self {
        match self {
            Self::Flat(bytes) => Self::Flat(bytes),
            Self::Rope { pieces, length, .. } => {
                let mut bytes = Vec::with_capacity(room + ROOM);
                for (at, piece) in pieces.iter().enumerate() {
                    let end = pieces
                        .get(at + 1)
                        .map_or(length, |next| next.start as usize);
                    let source = base.sources.get(piece.source as usize);
                    let source = source.map_or(delta, |source| source.as_slice());
                    let from = piece.from as usize;
                    append(&mut bytes, source, from..from + end - piece.start as usize);
                }
                Self::Flat(bytes)
            }
        }
    }

    /// Appends a stretch of the base.
    pub(in crate::source::git::pack) fn copy(&mut self, base: &Object, range: &Range<usize>) {
        match self {
            Self::Flat(bytes) => match base.flat() {
                Some(base) => append(bytes, base, range.clone()),
                None => base.append(range.clone(), &mut 0, bytes),
            },
            Self::Rope {
                pieces,
                length,
                near,
            } => {
                let at = base.piece_near(*near, range.start);
                let first = base.pieces[at];
                let skipped = small(range.start) - first.start;
                extend(
                    pieces,
                    Piece {
                        start: small(*length),
                        source: first.source,
                        from: first.from + skipped,
                    },
                );
                // The rest of them, moved from where they start there to where they start here.
                *near = base.piece_near(at, range.end.saturating_sub(1));
                let (from, to) = (small(range.start), small(*length));
                let rest = base.pieces.get(at + 1..=*near).unwrap_or_default();
                pieces.extend(rest.iter().map(|piece| Piece {
                    start: piece.start - from + to,
                    ..*piece
                }));
                *length += range.len();
            }
        }
    }

    /// Appends a stretch of the delta.
    pub(in crate::source::git::pack) fn insert(
        &mut self,
        base: &Object,
        delta: &[u8],
        range: &Range<usize>,
    ) {
        match self {
            Self::Flat(bytes) => append(bytes, delta, range.clone()),
            Self::Rope { pieces, length, .. } => {
                extend(
                    pieces,
                    Piece {
                        start: small(*length),
                        source: small(base.sources.len()),
                        from: small(range.start),
                    },
                );
                *length += range.len();
            }
        }
    }

    pub(in crate::source::git::pack) fn finish(
        self,
        base: &Object,
        delta: Cow<'_, [u8]>,
    ) -> Object {
        match self {
            Self::Flat(bytes) => Object::whole(base.kind, bytes),
            Self::Rope { pieces, length, .. } => {
                let kept = base.kept.saturating_add(delta.len());
                let mut sources = Vec::with_capacity(base.sources.len() + 1);
                sources.extend_from_slice(&base.sources);
                sources.push(Arc::new(delta.into_owned()));
                let worth_it = sources.len() <= SOURCES && kept <= 2 * length + KEPT;
                let rope = Object {
                    kind: base.kind,
                    length,
                    sources,
                    pieces,
                    kept,
                };
                if worth_it {
                    rope
                } else {
                    Object::whole(base.kind, rope.into_bytes())
                }
            }
        }
    }
}

/// Appends a piece, unless it only goes on where the last one ends.
fn extend(pieces: &mut Vec<Piece>, piece: Piece) {
    let goes_on = pieces.last().is_some_and(|last| {
        last.source == piece.source && last.from + (piece.start - last.start) == piece.from
    });
    if !goes_on {
        pieces.push(piece);
    }
}
