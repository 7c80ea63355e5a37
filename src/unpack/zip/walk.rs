//! The walk from record to record, wherever they stand.

use std::io::{self, BufRead as _, Read};
use std::ops::ControlFlow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::vocabulary::SkipReason;

use super::super::checked::checksum_differs;
use super::super::peek::PeekReader;
use super::super::{Members, Unread};
use super::entry::{self, Handed, Trust};
use super::record::{
    CENTRAL, CENTRAL_LENGTH, Central, END, END_LENGTH, END64, END64_LENGTH, End, LOCAL,
    LOCAL_LENGTH, Local,
};
use super::seen::{Seen, Standing};

/// How all records start.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"PK"));

/// Central directories that are remembered to be read again. An honest file has one.
const RUNS_KEPT: usize = 64;

/// Whether what was passed can be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    Possible,
    Impossible,
}

/// A central directory that was passed: entries right behind each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Where its first entry stands.
    pub(super) start: u64,
    /// Where its last one ends.
    pub(super) end: u64,
    /// How many they are.
    pub(super) entries: u64,
    /// Where its archive starts, by the word of the end record: the offsets count from there.
    pub(super) base: Option<u64>,
    /// Where its first local header stands, which is where most archives start.
    pub(super) first: u64,
    /// Whether it names an entry that was not seen.
    unseen: bool,
}

impl Run {
    /// A central directory that was not passed.
    pub(super) fn at(start: u64, base: Option<u64>) -> Self {
        Self {
            start,
            end: start,
            entries: 0,
            base,
            first: 0,
            unseen: true,
        }
    }

    /// Where the local header of an entry may stand, the likeliest place first.
    pub(super) fn starts_of(&self, central: &Central) -> impl Iterator<Item = u64> {
        let bases = [self.base, Some(0), Some(self.first)];
        bases
            .into_iter()
            .flatten()
            .filter_map(move |base| base.checked_add(central.local))
    }
}

/// What a walk came to.
pub(super) struct Walked {
    /// The entries.
    pub(super) seen: Seen,
    /// The central directories that name what was not seen.
    pub(super) unseen: Vec<Run>,
    /// Where all those that were passed start.
    pub(super) starts: Vec<u64>,
    /// Bytes passed.
    pub(super) length: u64,
    handed: u64,
    ends: u64,
    trouble: Option<io::Error>,
}

impl Walked {
    /// Counts something that was handed out or told.
    pub(super) fn hand(&mut self) {
        self.handed += 1;
    }

    /// How it is to be told.
    pub(super) fn verdict(self) -> Result<(), Unread> {
        match self.trouble {
            _ if self.handed == 0 => Err(Unread::Foreign),
            Some(trouble) => Err(trouble.into()),
            None if self.ends == 0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it ends before its central directory does",
            )
            .into()),
            None if self.seen.is_short() => Err(Unread::Skipped(SkipReason::MemoryLimit)),
            None => Ok(()),
        }
    }
}

/// A walk under way.
pub(super) struct Walk<'m, 'i> {
    input: PeekReader<'i>,
    members: &'m mut dyn Members,
    back: Back,
    walked: Walked,
    /// Where the next record stands if all is well.
    expected: u64,
    /// Where the first local header since the last end record stands.
    first: Option<u64>,
    run: Option<Run>,
    /// What the 64-bit end record said, until the 32-bit one comes.
    end64: Option<End>,
}

impl<'m, 'i> Walk<'m, 'i> {
    pub(super) fn new(input: &'i mut dyn Read, back: Back, members: &'m mut dyn Members) -> Self {
        Self {
            input: PeekReader::new(input),
            members,
            back,
            walked: Walked {
                seen: Seen::default(),
                unseen: Vec::new(),
                starts: Vec::new(),
                length: 0,
                handed: 0,
                ends: 0,
                trouble: None,
            },
            expected: u64::MAX,
            first: None,
            run: None,
            end64: None,
        }
    }

    /// Goes to the end. Break: nothing more is wanted.
    pub(super) fn run(&mut self) -> io::Result<ControlFlow<()>> {
        while let Some(signature) = self.next_record()? {
            let flow = match signature {
                LOCAL => self.local()?,
                CENTRAL => self.central()?,
                END => self.end()?,
                END64 => self.end64()?,
                _ => self.pass(2),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What it came to.
    pub(super) fn finish(mut self) -> Walked {
        self.close_run(None);
        self.walked.length = self.input.offset();
        self.walked
    }

    /// Goes on behind `n` bytes.
    fn pass(&mut self, n: usize) -> ControlFlow<()> {
        self.input.consume(n);
        ControlFlow::Continue(())
    }

    /// Goes to the next place that a record may start at, and tells its first bytes.
    fn next_record(&mut self) -> io::Result<Option<[u8; 4]>> {
        loop {
            let bytes = self.input.look(4)?;
            let length = bytes.len();
            match MARK.find(bytes) {
                Some(0) => match bytes.first_chunk() {
                    Some(signature) => return Ok(Some(*signature)),
                    None => self.input.consume(length),
                },
                Some(at) => self.input.consume(at),
                None if length < 4 => self.input.consume(length),
                // The last one may be the first half of a mark.
                None => self.input.consume(length - 1),
            }
            if length == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads an entry by its local header.
    fn local(&mut self) -> io::Result<ControlFlow<()>> {
        let offset = self.input.offset();
        let Some(mut local) = self
            .input
            .look(LOCAL_LENGTH)?
            .first_chunk()
            .map(Local::read)
        else {
            return Ok(self.cut_short());
        };
        let bytes = self.input.look(local.length())?;
        let Some(rest) = bytes.get(LOCAL_LENGTH..local.length()) else {
            return Ok(self.cut_short());
        };
        let (name, extra) = rest.split_at(local.name);
        local.entry.widen(extra);
        let trust = if offset == self.expected {
            Trust::Expected
        } else if local.entry.is_plausible() && is_plausible_name(name) {
            Trust::Stray
        } else {
            return Ok(self.pass(2));
        };
        let name = name.to_vec();
        self.input.consume(local.length());
        let data = self.input.offset();
        let (handed, flow) =
            entry::hand_out(&local.entry, &name, trust, &mut self.input, self.members)?;
        let Handed::Entry(fate) = handed else {
            return Ok(flow);
        };
        self.walked.hand();
        let end = self.input.offset();
        if end > data {
            self.walked
                .seen
                .add(offset, data, end, local.entry.method, fate);
        }
        if flow.is_continue() && local.entry.has_descriptor() {
            entry::descriptor(fate, end - data, &name, &mut self.input, self.members)?;
        }
        self.first.get_or_insert(offset);
        let claimed = data.saturating_add(local.entry.compressed);
        self.expected = claimed.max(self.input.offset());
        Ok(flow)
    }

    /// A header that the end of the stream cuts short.
    fn cut_short(&mut self) -> ControlFlow<()> {
        if self.input.offset() == self.expected {
            self.trouble(io::ErrorKind::UnexpectedEof, "it ends within a header");
        }
        self.pass(2)
    }

    fn trouble(&mut self, kind: io::ErrorKind, what: &str) {
        self.walked
            .trouble
            .get_or_insert_with(|| io::Error::new(kind, what));
    }

    /// Holds an entry of a central directory against what was seen.
    fn central(&mut self) -> io::Result<ControlFlow<()>> {
        let offset = self.input.offset();
        let bytes = self.input.look(CENTRAL_LENGTH)?;
        let Some(mut central) = bytes.first_chunk().map(Central::read) else {
            return Ok(self.cut_short());
        };
        let bytes = self.input.look(central.length())?;
        let Some(rest) = bytes.get(CENTRAL_LENGTH..central.length()) else {
            return Ok(self.cut_short());
        };
        let (name, rest) = rest.split_at(central.name);
        central.widen(&rest[..central.extra]);
        let goes_on = self.run.is_some_and(|run| run.end == offset);
        if !(goes_on || central.entry.is_plausible() && is_plausible_name(name)) {
            return Ok(self.pass(2));
        }
        let first = self.first.unwrap_or(0);
        let at = |base: u64| {
            let offset = central.local.saturating_add(base);
            self.walked.seen.standing(&central, offset)
        };
        let unseen = match (at(0), at(first)) {
            (Standing::Seen, _) | (_, Standing::Seen) => false,
            (Standing::Other, _) | (_, Standing::Other) => {
                self.members.error(name, &checksum_differs());
                false
            }
            (Standing::Unseen, Standing::Unseen) => true,
        };
        if unseen && self.back == Back::Impossible {
            self.members.skip(name, SkipReason::Unseekable);
            self.walked.handed += 1;
        }
        self.input.consume(central.length());
        let end = self.input.offset();
        self.expected = end;
        if !goes_on {
            self.close_run(None);
            self.walked.starts.push(offset);
        }
        let run = self.run.get_or_insert(Run {
            start: offset,
            end,
            entries: 0,
            base: None,
            first,
            unseen: false,
        });
        run.end = end;
        run.entries += 1;
        run.unseen |= unseen;
        Ok(ControlFlow::Continue(()))
    }

    /// Notes the 64-bit end record.
    fn end64(&mut self) -> io::Result<ControlFlow<()>> {
        if let Some(bytes) = self.input.look(END64_LENGTH)?.first_chunk() {
            self.end64 = Some(End::read64(bytes));
        }
        Ok(self.pass(4))
    }

    /// Ends an archive.
    fn end(&mut self) -> io::Result<ControlFlow<()>> {
        let Some(bytes) = self.input.look(END_LENGTH)?.first_chunk() else {
            return Ok(self.pass(4));
        };
        let end = End::read(bytes);
        if self.run.is_none() && end.entries != 0 && self.back == Back::Impossible {
            self.trouble(
                io::ErrorKind::InvalidData,
                "its central directory is missing",
            );
        }
        let wide = self.end64.take();
        self.close_run(Some(wide.unwrap_or(end)));
        self.walked.ends += 1;
        self.first = None;
        Ok(self.pass(END_LENGTH))
    }

    /// Ends a central directory, with what its end record says, if there is one.
    fn close_run(&mut self, end: Option<End>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        if let Some(end) = end {
            run.base = run.start.checked_sub(end.offset);
            // Some writers count modulo 65,536 without a 64-bit record.
            if end.entries != run.entries && end.entries != run.entries % (1 << 16) {
                self.trouble(
                    io::ErrorKind::InvalidData,
                    "its central directory is damaged",
                );
            }
        }
        if !run.unseen {
            return;
        }
        if self.walked.unseen.len() < RUNS_KEPT {
            self.walked.unseen.push(run);
        } else {
            let what = "it has more central directories than are read again";
            self.trouble(io::ErrorKind::InvalidData, what);
        }
    }
}

/// Whether a name may be one: not empty, and without control characters.
pub(super) fn is_plausible_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.iter().any(|byte| matches!(byte, 0..=8 | 14..=31))
}
