//! Loose objects: one zlib stream a file, under its id.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::ZlibDecoder;
use gix_hash::ObjectId;
use gix_object::{Kind, compute_hash};

use crate::source::read::open_file;
use crate::source::{Content, Sink, WINDOW};
use crate::vocabulary::Origin;

use super::damage::Damage;
use super::exactly::Exactly;
use super::input::FileBytes;
use super::pack::{LARGE, LARGEST, Take};

/// `commit`, a space, twenty digits and a NUL take less.
const HEADER: usize = 32;

/// Whether these two names, of a folder and of a file in it, are those of a loose object.
pub(super) fn id(folder: &str, file: &str) -> Option<ObjectId> {
    // A shorter name could not be a whole id, whatever its length is taken for.
    if folder.len() != 2 {
        return None;
    }
    let hex = [folder, file].concat();
    ObjectId::from_hex(hex.as_bytes()).ok()
}

/// Reads one object and pushes it as a member of `within`; `take` may want it too.
pub(super) fn push(
    path: &Path,
    id: &ObjectId,
    within: &Origin<'_>,
    sink: &dyn Sink,
    take: Option<&dyn Take>,
) {
    let name = id.to_hex().to_string();
    let origin = Origin::Member {
        within,
        name: name.as_bytes(),
    };
    if let Err(damage) = try_push(path, id, &origin, sink, take) {
        sink.error(&origin, &damage.into());
        // Something that only has an object's name is a file like any other.
        if let Ok(file) = FileBytes::open(path) {
            sink.blob(&Origin::File(path), file.content());
        }
    }
}

/// Reads one object whole.
pub(super) fn read(path: &Path) -> Result<(Kind, Vec<u8>), Damage> {
    Open::new(path)?.into_bytes(LARGEST)
}

/// Hands out one object, if it is of a kind that is wanted, and not so large that threads should not
/// hold one each. What cannot be read was told when it was pushed.
pub(super) fn hand_out(path: &Path, id: &ObjectId, take: &dyn Take) {
    if let Ok(object) = Open::new(path)
        && take.wants(object.kind)
        && let Ok((kind, bytes)) = object.into_bytes(LARGE)
    {
        take.object(id, kind, &bytes);
    }
}

/// An object whose first bytes were read.
struct Open {
    kind: Kind,
    /// The header, and what was read behind it.
    head: Vec<u8>,
    header: usize,
    rest: Exactly<ZlibDecoder<File>>,
}

impl Open {
    fn new(path: &Path) -> Result<Self, Damage> {
        let mut zlib = ZlibDecoder::new(open_file(path)?);
        let mut head = Vec::new();
        // One byte more than fits tells whether there is more.
        let most = (HEADER + WINDOW) as u64;
        io::Read::by_ref(&mut zlib)
            .take(most)
            .read_to_end(&mut head)
            .map_err(|error| Damage::Zlib(error.to_string()))?;
        let (kind, size, header) =
            gix_object::decode::loose_header(&head).map_err(|_| Damage::Header)?;
        let read = (head.len() - header) as u64;
        let left = size
            .checked_sub(read)
            .ok_or(Damage::Length { said: size })?;
        Ok(Self {
            kind,
            head,
            header,
            rest: Exactly::new(zlib, left, size),
        })
    }

    /// Its bytes, unless they are more than `most`.
    fn into_bytes(mut self, most: u64) -> Result<(Kind, Vec<u8>), Damage> {
        if self.rest.left() > most {
            return Err(Damage::Huge);
        }
        let mut bytes = self.head;
        bytes.drain(..self.header);
        self.rest.read_to_end(&mut bytes)?;
        Ok((self.kind, bytes))
    }
}

fn try_push(
    path: &Path,
    id: &ObjectId,
    origin: &Origin<'_>,
    sink: &dyn Sink,
    take: Option<&dyn Take>,
) -> Result<(), Damage> {
    let mut object = Open::new(path)?;
    let bytes = &object.head[object.header..];
    if object.rest.left() > 0 {
        sink.blob(origin, Content::Stream(&mut bytes.chain(&mut object.rest)));
        if let Some(take) = take {
            hand_out(path, id, take);
        }
        return Ok(());
    }
    // Nothing is left of what it says; whether the file agrees shows at its end.
    io::copy(&mut object.rest, &mut io::sink())?;
    if let Some(take) = take.filter(|take| take.wants(object.kind)) {
        take.object(id, object.kind, bytes);
    }
    if !sink.glance_whole(bytes, &mut |_, _| {}) {
        sink.glanced(bytes.len() as u64);
        return Ok(());
    }
    sink.blob(origin, Content::Whole(bytes));
    let hash = compute_hash(id.kind(), object.kind, bytes);
    if hash.as_ref().ok() != Some(id) {
        return Err(Damage::Name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    #[test]
    fn what_is_too_large_for_memory_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("object");
        let window = WINDOW as u64;
        for (size, fits) in [
            (LARGEST, true),
            (LARGEST + window, true),
            (LARGEST + 2 * window, false),
        ] {
            let mut zlib = ZlibEncoder::new(File::create(&path).unwrap(), Compression::fast());
            write!(zlib, "commit {size}\0").unwrap();
            io::copy(&mut io::repeat(b'x').take(size), &mut zlib).unwrap();
            zlib.finish().unwrap();
            match read(&path) {
                Ok((kind, bytes)) => {
                    assert!(fits);
                    assert_eq!((kind, bytes.len() as u64), (Kind::Commit, size));
                }
                Err(damage) => assert!(!fits && matches!(damage, Damage::Huge), "{damage}"),
            }
        }
    }
}
