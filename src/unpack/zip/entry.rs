//! One entry: from its header to whoever takes its contents.
//!
//! The walk and the central directory both come here, each with its own word about the entry.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use super::super::checked::{Came, Checked, checksum_differs};
use super::super::peek::PeekReader;
use super::super::{Halt, Members};
use super::contents::{Opened, open};
use super::described::Described;
use super::record::{DESCRIPTOR, Entry, Sizes, u32_at, u64_at};
use super::seen::Fate;

/// How sure it is that an entry is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It stands where one was expected; if it cannot be read, it is broken.
    Expected,
    /// It stands somewhere; if nothing of it can be read, it is none.
    Stray,
}

/// What came of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handed {
    /// It was one.
    Entry(Fate),
    /// It was none.
    Nothing,
}

/// Hands out the entry whose data comes next in `input`.
pub(super) fn hand_out(
    entry: &Entry,
    name: &[u8],
    trust: Trust,
    input: &mut PeekReader<'_>,
    members: &mut dyn Members,
) -> io::Result<(Handed, ControlFlow<()>)> {
    /// More than any decoder's header.
    const HEAD: usize = 32;
    let claim = entry.claim();
    let head: Vec<u8> = input.look(HEAD)?.iter().take(HEAD).copied().collect();
    let handed = match (entry.method, entry.sizes()) {
        // Nothing in it, so nothing to decode and nothing to mistake.
        (_, Sizes::Known) if entry.compressed == 0 && entry.size == 0 => (
            Handed::Entry(Fate::Partly),
            members.member(name, &mut io::empty()),
        ),
        (0, Sizes::Known) if !entry.is_encrypted() => {
            let offset = input.offset();
            let data = input.take(entry.compressed);
            let mut contents = Checked::new(Box::new(data), claim);
            let flow = members.stored(name, offset, &mut contents);
            (Handed::Entry(contents.came().into()), flow)
        }
        (0, Sizes::Behind) if !entry.is_encrypted() => {
            let offset = input.offset();
            let data = Described::new(input);
            let mut contents = Checked::new(Box::new(data), None);
            let flow = members.stored(name, offset, &mut contents);
            (Handed::Entry(contents.came().into()), flow)
        }
        (_, Sizes::Known) => {
            let mut data = input.take(entry.compressed);
            decode(entry, name, trust, &head, &mut data, members)
        }
        (_, Sizes::Behind) => decode(entry, name, trust, &head, input, members),
    };
    Ok(handed)
}

/// Hands out what `input` decodes to.
fn decode(
    entry: &Entry,
    name: &[u8],
    trust: Trust,
    head: &[u8],
    input: &mut dyn BufRead,
    members: &mut dyn Members,
) -> (Handed, ControlFlow<()>) {
    let going_on = ControlFlow::Continue(());
    let broken = |error: &io::Error, members: &mut dyn Members| match (trust, Halt::of(error)) {
        (_, Some(Halt::Aside(reason))) => {
            members.skip(name, reason);
            (Handed::Entry(Fate::Left(reason)), going_on)
        }
        (Trust::Expected, _) => {
            members.error(name, error);
            (Handed::Entry(Fate::Broken), going_on)
        }
        (Trust::Stray, _) => (Handed::Nothing, going_on),
    };
    let decoder = match open(entry, head, input, members.memory()) {
        Ok(Opened::Decoder(decoder)) => decoder,
        Ok(Opened::Aside(reason)) => {
            members.skip(name, reason);
            return (Handed::Entry(Fate::Left(reason)), going_on);
        }
        Err(error) => return broken(&error, members),
    };
    let mut contents = Checked::new(decoder, entry.claim());
    if let Err(error) = contents.try_first() {
        return broken(&error, members);
    }
    let flow = members.member(name, &mut contents);
    (Handed::Entry(contents.came().into()), flow)
}

/// Takes the descriptor that comes next in `input` behind data of `length` bytes, if one does, and
/// tells if it contradicts what was read.
pub(super) fn descriptor(
    fate: Fate,
    length: u64,
    name: &[u8],
    input: &mut PeekReader<'_>,
    members: &mut dyn Members,
) -> io::Result<()> {
    let bytes = input.look(24)?;
    let is_signed = bytes.starts_with(&DESCRIPTOR);
    let fields = if is_signed { &bytes[4..] } else { bytes };
    let numbers = if fields.len() >= 12 && u64::from(u32_at(fields, 4)) == length {
        12
    } else if fields.len() >= 20 && u64_at(fields, 4) == length {
        20
    } else {
        return Ok(());
    };
    let crc = u32_at(fields, 0);
    match fate {
        Fate::Whole(seen) if seen == crc => {}
        Fate::Whole(_) if is_signed => members.error(name, &checksum_differs()),
        // What has neither signature nor sum is no descriptor.
        Fate::Whole(_) => return Ok(()),
        Fate::Broken | Fate::Partly | Fate::Left(_) => {}
    }
    input.consume(numbers + if is_signed { 4 } else { 0 });
    Ok(())
}

impl From<Came> for Fate {
    fn from(came: Came) -> Self {
        match came {
            Came::Whole(claim) => Self::Whole(claim.crc),
            Came::Broken => Self::Broken,
            Came::Partly => Self::Partly,
        }
    }
}
