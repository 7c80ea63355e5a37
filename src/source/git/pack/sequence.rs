//! Reading a pack from its first entry to its last, without an index.
//!
//! Where an entry ends is known when it has been inflated, so this is one thread's work. It is
//! done for packs that stand alone, as in a bundle, and for those whose index is missing, damaged
//! or another pack's.

use std::io::{self, BufRead, BufReader, Read};

use flate2::{Decompress, FlushDecompress, Status};
use gix_pack::data;

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

use super::entries::{Base, base_of};

/// Bytes read at once.
const CHUNK: usize = 128 * 1024;

/// What was found, as far as it could be read.
pub(super) struct Sequence {
    /// Where each entry starts, and where the last one ends.
    pub(super) offsets: Vec<u64>,
    /// What each is made from.
    pub(super) bases: Vec<Base>,
    /// Why it ended before the end.
    pub(super) damage: Option<Damage>,
}

/// Reads all entries, of which there should be `said`. A pack does not tell how it names objects:
/// if `hash` does not work out, the other is tried.
pub(super) fn read(
    pack: &dyn ReadAt,
    said: u64,
    hash: gix_hash::Kind,
    is_done: &dyn Fn() -> bool,
) -> (gix_hash::Kind, Sequence) {
    let first = sequence(pack, said, hash, is_done);
    if first.damage.is_none() {
        return (hash, first);
    }
    let other = if hash == gix_hash::Kind::Sha1 {
        gix_hash::Kind::Sha256
    } else {
        gix_hash::Kind::Sha1
    };
    let second = sequence(pack, said, other, is_done);
    if second.damage.is_none() || second.bases.len() > first.bases.len() {
        (other, second)
    } else {
        (hash, first)
    }
}

fn sequence(
    pack: &dyn ReadAt,
    said: u64,
    hash: gix_hash::Kind,
    is_done: &dyn Fn() -> bool,
) -> Sequence {
    let mut offset = data::header::SIZE as u64;
    let cursor = Cursor { pack, at: offset };
    let mut input = BufReader::with_capacity(CHUNK, cursor);
    let mut sequence = Sequence {
        offsets: vec![offset],
        bases: Vec::new(),
        damage: None,
    };
    let mut zlib = Decompress::new(true);
    let mut scratch = vec![0; CHUNK];
    for _ in 0..said {
        if is_done() {
            break;
        }
        let entry = match data::Entry::from_read(&mut input, offset, hash.len_in_bytes()) {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                sequence.damage = Some(Damage::Truncated);
                break;
            }
            Err(_) => {
                sequence.damage = Some(Damage::Header);
                break;
            }
        };
        let base = base_of(&entry, offset);
        let skipped = skip(&mut input, &mut zlib, &mut scratch, entry.decompressed_size);
        match skipped {
            Ok(length) => offset = entry.data_offset + length,
            Err(damage) => {
                sequence.damage = Some(damage);
                break;
            }
        }
        sequence.bases.push(base);
        sequence.offsets.push(offset);
    }
    // What is left is a checksum.
    let left = pack.length().saturating_sub(offset);
    if sequence.damage.is_none() && !is_done() {
        sequence.damage = match left.checked_sub(hash.len_in_bytes() as u64) {
            Some(0) => None,
            Some(stray) => Some(Damage::Stray(stray)),
            None => Some(Damage::Truncated),
        };
    }
    sequence
}

/// Inflates a stream of `size` bytes into nothing; tells how many compressed bytes it took.
fn skip(
    input: &mut BufReader<Cursor<'_>>,
    zlib: &mut Decompress,
    scratch: &mut [u8],
    size: u64,
) -> Result<u64, Damage> {
    zlib.reset(true);
    loop {
        let (given, out) = (zlib.total_in(), zlib.total_out());
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Err(Damage::Truncated);
        }
        let status = zlib
            .decompress(bytes, scratch, FlushDecompress::None)
            .map_err(|error| Damage::Zlib(error.to_string()))?;
        let taken = zlib.total_in() - given;
        input.consume(usize::try_from(taken).unwrap_or_default());
        if zlib.total_out() > size {
            return Err(Damage::Length { said: size });
        }
        match status {
            Status::StreamEnd if zlib.total_out() == size => return Ok(zlib.total_in()),
            Status::StreamEnd => return Err(Damage::Length { said: size }),
            Status::Ok | Status::BufError if taken == 0 && zlib.total_out() == out => {
                return Err(Damage::Zlib("it does not go on".to_owned()));
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Reads a pack in order.
pub(super) struct Cursor<'a> {
    pub(super) pack: &'a dyn ReadAt,
    pub(super) at: u64,
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.pack.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
