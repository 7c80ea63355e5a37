//! Single objects of a pack, by name.

use gix_object::Kind;

use crate::source::git::damage::Damage;
use crate::source::git::input::ReadAt;

use super::LARGEST;
use super::entries::{Base, HEADER, base_of};
use super::fetch::Input;
use super::inflate::Inflater;
use super::object::Object;
use super::reader::parse;

/// Deltas in a row; git makes 4095 at most.
const LONGEST_CHAIN: usize = 4096;

/// The object whose entry starts at `offset`. `place` says where in the pack an object of some name
/// starts.
pub(in crate::source::git) fn object_at(
    pack: &dyn ReadAt,
    hash: gix_hash::Kind,
    mut offset: u64,
    place: &dyn Fn(&gix_hash::oid) -> Option<u64>,
) -> Result<(Kind, Vec<u8>), Damage> {
    let end = pack.length().saturating_sub(hash.len_in_bytes() as u64);
    let (mut input, mut inflater) = (Input::new(), Inflater::new());
    let mut deltas = Vec::new();
    let mut object = loop {
        if offset >= end || deltas.len() > LONGEST_CHAIN {
            return Err(Damage::Base);
        }
        // How long it is nobody knows; its header is short.
        let head = input.fetch(pack, &(offset..end), HEADER)?;
        let header = parse(head, offset, hash)?;
        let size = header.decompressed_size;
        if size > LARGEST {
            return Err(Damage::Huge);
        }
        let (bytes, _) = inflater.inflate(&mut input, pack, &(header.data_offset..end), size)?;
        match base_of(&header, offset) {
            Base::Nothing(kind) => break Object::whole(kind, bytes.into_owned()),
            Base::At(base) => offset = base,
            Base::Named(id) => offset = place(&id).ok_or(Damage::MissingBase(id))?,
            Base::Unreadable => return Err(Damage::Header),
        }
        deltas.push(bytes.into_owned());
    };
    while let Some(delta) = deltas.pop() {
        object = object.apply(delta.into())?;
    }
    Ok((object.kind, object.into_bytes()))
}
