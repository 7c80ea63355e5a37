//! Git packs and bundles: deltas point back and forth in them, so they are held as a whole. What
//! they are made of is the business of the room that knows git.

use std::io::{self, Read, SeekFrom};
use std::ops::ControlFlow;

use crate::source::{Handed, hand_over_pack, holds_pack};
use crate::vocabulary::SkipReason;

use super::{Halt, Members, ReadSeek, Unread};

/// Whether a blob starts like one.
pub(super) fn starts(head: &[u8]) -> bool {
    holds_pack(head)
}

/// Reads all objects.
pub(super) fn read_anywhere(
    input: &mut dyn ReadSeek,
    members: &mut dyn Members,
) -> Result<(), Unread> {
    let length = input.seek(SeekFrom::End(0))?;
    input.seek(SeekFrom::Start(0))?;
    let mut memory = members.memory();
    if !memory.grow_to(length) {
        return Err(Unread::Skipped(SkipReason::MemoryLimit));
    }
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    let mut hand = Hand {
        members,
        of_pack: None,
    };
    hand_over_pack(bytes, &mut hand)?;
    match hand.of_pack {
        Some(error) => Err(Unread::Damaged(error)),
        None => Ok(()),
    }
}

/// Takes objects as members.
struct Hand<'a> {
    members: &'a mut dyn Members,
    /// What is wrong with the pack itself.
    of_pack: Option<io::Error>,
}

impl Handed for Hand<'_> {
    fn object(&mut self, id: &[u8], contents: &mut dyn Read) -> ControlFlow<()> {
        self.members.member(id, contents)
    }

    fn skip(&mut self, id: &[u8], reason: SkipReason) {
        self.members.skip(id, reason);
    }

    fn error(&mut self, id: Option<&[u8]>, error: io::Error) {
        match id {
            Some(id) => self.members.error(id, &error),
            None if Halt::of(&error).is_none() => self.of_pack = Some(error),
            None => {}
        }
    }
}
