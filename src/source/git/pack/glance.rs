//! Looking at an object: at all of it, or where it differs from the one that it was made from.

use crate::source::{Clue, End, HEAD, Lead, MAGIC, Reach, Sink};

use super::draft::Draft;
use super::gist::Gist;
use super::object::Object;
use super::seen::{Leads, Mark, Seen};

/// Bytes of room that are kept from one object to the next.
const KEPT: usize = 8 * 1024 * 1024;

/// Bytes around leads that are looked at in any object, and how many times as many as it has. Leads
/// that come to something stand close only in what was made for it.
const FOLLOWED: (usize, usize) = if cfg!(test) { (128, 0) } else { (64 * 1024, 2) };

/// Looks at objects.
pub(super) struct Glance<'a> {
    sink: &'a dyn Sink,
    reach: Reach,
}

/// Room for what is looked at. Used for one object after the other.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) bytes: Vec<u8>,
    gist: Gist,
    /// Leads that are followed, and how far each stands from the nearest seam.
    leads: Vec<(Mark, usize)>,
}

/// A draft whose leads are followed.
struct Following<'d, 's> {
    draft: &'d Draft<'d>,
    scratch: &'s mut Vec<u8>,
    /// Bytes that may still be looked at.
    left: usize,
}

/// Why leads are followed no further.
enum Stop {
    /// One is a hit.
    Hit,
    /// It takes more than to look at the whole object.
    TooMuch,
}

impl Scratch {
    /// Gives back what only the largest objects take.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to(KEPT);
        self.gist.shrink(KEPT);
        self.leads.shrink_to(KEPT / size_of::<(Mark, usize)>());
    }
}

impl<'a> Glance<'a> {
    pub(super) fn new(sink: &'a dyn Sink) -> Self {
        Self {
            sink,
            reach: sink.reach(),
        }
    }

    /// Looks at an object all over.
    pub(super) fn whole(&self, object: &Object, scratch: &mut Scratch) -> Seen {
        let length = object.length();
        let bytes = object.bytes(&(0..length), &mut scratch.bytes);
        let mut leads = Leads::new(length, 0);
        let mut note = |lead, clue| leads.push(Mark::new(lead, clue));
        if self.sink.glance_whole(bytes, &mut note) {
            return Seen::Something;
        }
        leads.tail = self.tail(&bytes[..length.min(MAGIC)], length);
        leads.seen()
    }

    /// Looks at an object where it differs from its base, of which these leads were kept. Tells
    /// what was seen, and how many bytes were gone through for it; nothing if to look at all of it
    /// takes less.
    pub(super) fn changed(
        &self,
        draft: &Draft<'_>,
        base: &Leads,
        scratch: &mut Scratch,
    ) -> Option<(Seen, usize)> {
        let Scratch { bytes, gist, leads } = scratch;
        let most = Leads::most(draft.length());
        gist.take(draft, base, self.reach.lead, most)?;
        leads.clear();
        self.sink.leads(gist.bytes(), &mut |lead| {
            if leads.len() <= most {
                let start = gist.place(lead.start);
                let fresh = start.map(|start| Mark::new(Lead { start, ..lead }, Clue::Nothing));
                leads.extend(fresh.map(|fresh| (fresh, 0)));
            }
        });
        let copied = gist.copied().iter();
        leads.extend(copied.map(|copied| (copied.mark, copied.distance)));
        if leads.len() > most {
            return None;
        }
        leads.sort_by_key(|(mark, _)| mark.lead().start);
        let allowed = FOLLOWED.0 + FOLLOWED.1 * draft.length();
        let mut following = Following {
            draft,
            scratch: bytes,
            left: allowed,
        };
        let seen = match self.follow_all(&mut following, leads) {
            Ok(leads) => Some(leads),
            Err(Stop::Hit) => None,
            Err(Stop::TooMuch) => return None,
        };
        let cost = gist.cost() + allowed - following.left;
        let seen = seen.and_then(|mut leads| {
            leads.tail = self.ends(draft, base, bytes)?;
            Some(Seen::Leads(leads))
        });
        Some((seen.unwrap_or(Seen::Something), cost))
    }

    /// How many of its last bytes tell what an object is.
    fn tail(&self, magic: &[u8], length: usize) -> usize {
        let start = self.sink.tail_start(magic, length as u64);
        length - usize::try_from(start).map_or(length, |start| start.min(length))
    }

    /// Looks at the ends of an object, as far as they may tell of it what was not told of its base.
    /// Tells how much of its tail is known then; none if it is worth pushing.
    fn ends(&self, draft: &Draft<'_>, base: &Leads, scratch: &mut Vec<u8>) -> Option<usize> {
        let length = draft.length();
        let (head, tail) = (draft.kept_head(), draft.kept_tail());
        // What keeps all of both is its base once more.
        if head < HEAD && head.min(tail) < length {
            let head = draft.bytes(&(0..length.min(HEAD)), scratch);
            if self.sink.glance(head, End::Head) {
                return None;
            }
        }
        let magic = draft.bytes(&(0..length.min(MAGIC)), scratch);
        let needed = self.tail(magic, length);
        let known = base.tail.min(tail);
        if needed <= known {
            return Some(known);
        }
        let tail = draft.bytes(&(length - needed..length), scratch);
        (!self.sink.glance(tail, End::Tail)).then_some(needed)
    }

    /// Follows the leads of an object, in their order.
    fn follow_all(
        &self,
        following: &mut Following<'_, '_>,
        leads: &[(Mark, usize)],
    ) -> Result<Leads, Stop> {
        let mut followed = Leads::new(following.draft.length(), leads.len());
        for &(mark, distance) in leads {
            followed.push(self.follow(following, mark, distance)?);
        }
        Ok(followed)
    }

    /// Follows a lead that stands so far from the nearest seam, as far as that may matter.
    fn follow(
        &self,
        following: &mut Following<'_, '_>,
        mut mark: Mark,
        distance: usize,
    ) -> Result<Mark, Stop> {
        if distance < self.reach.start {
            let clue = self.clue(following, mark, self.reach.start)?;
            mark.is_start = clue != Clue::Nothing;
        }
        if mark.is_start
            && distance < self.reach.whole
            && self.clue(following, mark, self.reach.whole)? == Clue::Hit
        {
            return Err(Stop::Hit);
        }
        Ok(mark)
    }

    /// What a lead comes to in so many bytes on both sides.
    fn clue(
        &self,
        following: &mut Following<'_, '_>,
        mark: Mark,
        reach: usize,
    ) -> Result<Clue, Stop> {
        let Following {
            draft,
            scratch,
            left,
        } = following;
        let lead = mark.lead();
        let from = lead.start.saturating_sub(reach);
        let to = lead.start.saturating_add(reach).min(draft.length());
        *left = left.checked_sub(to - from).ok_or(Stop::TooMuch)?;
        let start = lead.start - from;
        let bytes = draft.bytes(&(from..to), scratch);
        Ok(self.sink.follow(bytes, Lead { start, ..lead }))
    }
}
