//! What only the central directory tells of: entries that the walk did not come upon, or that it
//! took for something else.
//!
//! # Overlaps
//!
//! Such an entry mostly shares its bytes with others: that is how it was hidden, and it is also how
//! a bomb has ten thousand entries share one kernel. So all overlapping entries together may take
//! up as many bytes as the archive has; those beyond are a skip. Every byte is then decoded twice
//! on average: once by the walk and once here.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read as _, SeekFrom};
use std::ops::{ControlFlow, Range};

use memchr::memmem;

use crate::vocabulary::SkipReason;

use super::super::peek::PeekReader;
use super::super::{Members, ReadSeek};
use super::entry::{self, Trust};
use super::record::{
    CENTRAL, CENTRAL_LENGTH, Central, END, END_LENGTH, END64, END64_LENGTH, End, LOCAL,
    LOCAL_LENGTH, LOCATOR64, LOCATOR64_LENGTH, Local, u64_at,
};
use super::seen::Standing;
use super::walk::{Run, Walked};
use super::{TAIL, behind};

/// End records that are tried. Readers differ in which of several they take.
const ENDS_TRIED: usize = 16;

/// Entries that are taken out of a central directory before they are read.
const BATCH: usize = 256;

/// Entries that are read again at most; what is more is a skip.
const AGAIN: usize = 100_000;

/// No file is longer; what lies beyond, seeking cannot even ask for.
const FAR: u64 = i64::MAX.cast_unsigned();

/// Reads what `walked` did not see. Break: nothing more is wanted.
pub(super) fn read(
    input: &mut dyn ReadSeek,
    walked: &mut Walked,
    members: &mut dyn Members,
) -> io::Result<ControlFlow<()>> {
    let mut runs = walked.unseen.clone();
    runs.extend(hidden(input, walked)?);
    let mut spare = Spare {
        bytes: walked.length,
        taken: BTreeMap::new(),
    };
    for run in runs {
        let mut at = run.start;
        while let Some(batch) = Batch::read(input, at, &run, walked)? {
            at = batch.end;
            for (name, central) in &batch.unseen {
                if again(input, &run, name, central, walked, &mut spare, members)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Some entries of a central directory.
struct Batch {
    /// Those to be read, with their names.
    unseen: Vec<(Vec<u8>, Central)>,
    /// Where the next entry stands.
    end: u64,
}

impl Batch {
    /// Reads entries from `at` on. Nothing if there is none.
    fn read(
        input: &mut dyn ReadSeek,
        at: u64,
        run: &Run,
        walked: &Walked,
    ) -> io::Result<Option<Self>> {
        let mut unseen = Vec::new();
        let mut input = lookahead(input, at)?;
        while unseen.len() < BATCH {
            let bytes = input.look(CENTRAL_LENGTH)?;
            let fixed = bytes
                .first_chunk()
                .filter(|fixed| fixed.starts_with(&CENTRAL));
            let Some(mut central) = fixed.map(Central::read) else {
                break;
            };
            let bytes = input.look(central.length())?;
            let Some(rest) = bytes.get(CENTRAL_LENGTH..central.length()) else {
                break;
            };
            let (name, rest) = rest.split_at(central.name);
            central.widen(&rest[..central.extra]);
            let is_seen = run
                .starts_of(&central)
                .any(|offset| walked.seen.standing(&central, offset) != Standing::Unseen);
            if !is_seen {
                unseen.push((name.to_vec(), central));
            }
            input.consume(central.length());
        }
        let end = input.offset();
        Ok((end > at).then_some(Self { unseen, end }))
    }
}

/// What entries that overlap others may still take.
struct Spare {
    /// Bytes.
    bytes: u64,
    /// The ranges of what was read here, by start and method.
    taken: BTreeMap<(u64, u16), u64>,
}

impl Spare {
    fn overlaps(&self, range: &Range<u64>) -> bool {
        let before = self.taken.range(..(range.end, 0)).next_back();
        before.is_some_and(|(_, end)| *end > range.start)
    }
}

/// Reads an entry by the word of the central directory.
fn again(
    input: &mut dyn ReadSeek,
    run: &Run,
    name: &[u8],
    central: &Central,
    walked: &mut Walked,
    spare: &mut Spare,
    members: &mut dyn Members,
) -> io::Result<ControlFlow<()>> {
    walked.hand();
    let mut found = None;
    for offset in run.starts_of(central) {
        if let Some((local, is_local)) = local_at(input, offset)? {
            if is_local || found.is_none() {
                found = Some((offset, local, is_local));
            }
            if is_local {
                break;
            }
        }
    }
    let Some((offset, local, is_local)) = found else {
        members.error(name, &io::ErrorKind::UnexpectedEof.into());
        return Ok(ControlFlow::Continue(()));
    };
    let data = offset + local.length() as u64;
    let range = offset..data.saturating_add(central.entry.compressed);
    let key = (offset, central.entry.method);
    if spare.taken.contains_key(&key) {
        return Ok(ControlFlow::Continue(()));
    }
    if walked.seen.overlaps(&range) || spare.overlaps(&range) {
        let cost = range.end - range.start;
        if cost > spare.bytes || spare.taken.len() >= AGAIN {
            members.skip(name, SkipReason::Overlapping);
            return Ok(ControlFlow::Continue(()));
        }
        spare.bytes -= cost;
    }
    if spare.taken.len() < AGAIN {
        spare.taken.insert(key, range.end);
    }
    if !is_local {
        let what = "no local header stands where the central directory says";
        members.error(name, &io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let trust = if is_local {
        Trust::Expected
    } else {
        Trust::Stray
    };
    let mut input = lookahead(input, data)?;
    let (_, flow) = entry::hand_out(&central.entry, name, trust, &mut input, members)?;
    Ok(flow)
}

/// The fixed part of what stands at `offset`, taken for a local header, and whether it is one.
fn local_at(input: &mut dyn ReadSeek, offset: u64) -> io::Result<Option<(Local, bool)>> {
    if offset > FAR {
        return Ok(None);
    }
    input.seek(SeekFrom::Start(offset))?;
    let mut bytes = [0; LOCAL_LENGTH];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(Some((Local::read(&bytes), bytes.starts_with(&LOCAL)))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The central directories that end records name and that the walk did not pass.
fn hidden(input: &mut dyn ReadSeek, walked: &Walked) -> io::Result<Vec<Run>> {
    let length = walked.length;
    let reach = (TAIL + LOCATOR64_LENGTH + END64_LENGTH) as u64;
    let start = length.saturating_sub(reach);
    input.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    input.take(length - start).read_to_end(&mut tail)?;
    let mut runs: Vec<Run> = Vec::new();
    // Readers take the last one, or one whose comment goes on to the end. Those of archives within
    // this one are neither.
    let ends = memmem::rfind_iter(&tail, &END).enumerate();
    let ends = ends.filter(|(nth, at)| *nth == 0 || behind(&tail[*at..]) == Some(0));
    for (_, at) in ends.take(ENDS_TRIED) {
        let Some((end, stands)) = end_at(input, &tail, start, at)? else {
            continue;
        };
        // It mostly ends where the end record starts; else it is where that says it is.
        let behind_others = stands.checked_sub(end.length);
        for place in [behind_others, Some(end.offset)].into_iter().flatten() {
            let is_known =
                walked.starts.contains(&place) || runs.iter().any(|run| run.start == place);
            if !is_known && starts_with(input, place, CENTRAL)? {
                runs.push(Run::at(place, place.checked_sub(end.offset)));
            }
        }
    }
    Ok(runs)
}

/// The end record at `at` in the tail that starts at `start`, and where it stands; the 64-bit form
/// if there is one.
fn end_at(
    input: &mut dyn ReadSeek,
    tail: &[u8],
    start: u64,
    at: usize,
) -> io::Result<Option<(End, u64)>> {
    let Some(end) = tail[at..].first_chunk::<END_LENGTH>().map(End::read) else {
        return Ok(None);
    };
    let narrow = Some((end, start + at as u64));
    let Some(locator) = at.checked_sub(LOCATOR64_LENGTH) else {
        return Ok(narrow);
    };
    if !tail[locator..].starts_with(&LOCATOR64) {
        return Ok(narrow);
    }
    let before = (start + locator as u64).checked_sub(END64_LENGTH as u64);
    let said = Some(u64_at(&tail[locator..], 8));
    for stands in [before, said].into_iter().flatten() {
        if starts_with(input, stands, END64)? {
            let mut bytes = [0; END64_LENGTH];
            input.seek(SeekFrom::Start(stands))?;
            if input.read_exact(&mut bytes).is_ok() {
                return Ok(Some((End::read64(&bytes), stands)));
            }
        }
    }
    Ok(narrow)
}

fn starts_with(input: &mut dyn ReadSeek, offset: u64, signature: [u8; 4]) -> io::Result<bool> {
    if offset > FAR {
        return Ok(false);
    }
    input.seek(SeekFrom::Start(offset))?;
    let mut bytes = [0; 4];
    Ok(input.read_exact(&mut bytes).is_ok() && bytes == signature)
}

/// Reads on from `offset`.
fn lookahead(input: &mut dyn ReadSeek, offset: u64) -> io::Result<PeekReader<'_>> {
    input.seek(SeekFrom::Start(offset))?;
    Ok(PeekReader::at(offset, input))
}
