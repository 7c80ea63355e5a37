//! rpm: a lead, two headers that nothing has to be known of but their lengths, and the payload, a
//! compressed cpio archive.

use std::io::{self, BufRead};

use super::exactly::{Exactly, block};
use super::lookahead::Lookahead;
use super::{Members, Unread};

/// What every package starts with.
pub(super) const MAGIC: &[u8] = &[0xed, 0xab, 0xee, 0xdb];

/// What the payload is called.
const PAYLOAD: &[u8] = b"payload";

const LEAD: u64 = 96;

/// Reads the payload.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut input = Lookahead::new(input);
    Exactly::new(&mut input, LEAD).skip_rest()?;
    // The signatures; what follows them starts at a multiple of eight.
    let length = header(&mut input)?;
    Exactly::new(&mut input, length.next_multiple_of(8) - length).skip_rest()?;
    header(&mut input)?;
    let _ = members.stored(PAYLOAD, input.position(), &mut input);
    Ok(())
}

/// Skips a header; tells how long it was.
fn header(input: &mut Lookahead<'_>) -> Result<u64, Unread> {
    const INTRODUCTION: u64 = 16;
    const ENTRY: u64 = 16;
    let offset = input.position();
    let [
        0x8e,
        0xad,
        0xe8,
        1,
        _,
        _,
        _,
        _,
        e0,
        e1,
        e2,
        e3,
        s0,
        s1,
        s2,
        s3,
    ] = block::<16>(input)?.unwrap_or_default()
    else {
        let message = format!("no header at byte {offset}, where one should be");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
    };
    let entries = u64::from(u32::from_be_bytes([e0, e1, e2, e3]));
    let length = ENTRY * entries + u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
    Exactly::new(input, length).skip_rest()?;
    Ok(INTRODUCTION + length)
}
