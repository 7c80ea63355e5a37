//! Packs that do not lie in a store: alone, or behind the header of a bundle.
//!
//! Whoever comes upon one, in a folder or in an archive, hands it over as bytes that can be read
//! anywhere. Such a pack has no index, and if it is thin, no bases: what is made from those is told
//! as missing.
//!
//! The header of a bundle: <https://git-scm.com/docs/gitformat-bundle>.

use crate::source::{Sink, Threads};
use crate::vocabulary::Origin;

use super::damage::Damage;
use super::input::{Behind, ReadAt};
use super::pack::{Nowhere, Pack, is_pack, nobody};

/// The header of a bundle lists references; one longer than this is none.
const LONGEST_HEADER: u64 = 64 * 1024 * 1024;

const CHUNK: usize = 64 * 1024;

/// Whether a blob that starts with `head` is a pack or a bundle.
pub fn holds_pack(head: &[u8]) -> bool {
    let signatures: [&[u8]; 4] = [
        b"PACK\0\0\0\x02",
        b"PACK\0\0\0\x03",
        b"# v2 git bundle\n",
        b"# v3 git bundle\n",
    ];
    signatures
        .iter()
        .any(|signature| head.starts_with(signature))
}

/// Pushes the objects of a pack or a bundle as members of `within`.
pub fn push_pack(bytes: &dyn ReadAt, within: &Origin<'_>, threads: &Threads, sink: &dyn Sink) {
    match behind_header(bytes) {
        Ok(start) => {
            let bytes = Behind { all: bytes, start };
            let pack = Pack {
                bytes: &bytes,
                index: None,
                hash: gix_hash::Kind::Sha1,
                within,
                elsewhere: &Nowhere,
            };
            pack.push(threads, sink, &nobody);
        }
        Err(damage) => sink.error(within, &damage.into()),
    }
}

/// Where the pack starts: behind the first empty line of a bundle.
fn behind_header(bytes: &dyn ReadAt) -> Result<u64, Damage> {
    if is_pack(bytes) {
        return Ok(0);
    }
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    while offset < LONGEST_HEADER {
        let read = bytes.read_at(&mut chunk, offset)?;
        let held = &chunk[..read];
        if let Some(at) = held.windows(2).position(|two| two == b"\n\n") {
            return Ok(offset + at as u64 + 2);
        }
        // The last byte comes again: an empty line may begin with it.
        match read {
            0 | 1 => return Err(Damage::NoBundle),
            read => offset += read as u64 - 1,
        }
    }
    Err(Damage::NoBundle)
}
