//! Packs made here, entry by entry, and read as a plain scan of their objects would read them.
//!
//! What is looked for is a toy: a `T`, nine digits, and their sum's last digit. It has what matters
//! of a token: a length, and a checksum that a wrong byte anywhere breaks.

#![allow(
    clippy::cast_possible_truncation,
    clippy::double_ended_iterator_last,
    reason = "deltas are forged byte by byte"
)]

mod hostile;
mod indexed;
mod seams;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;

use proptest::prelude::*;

use super::writer::{Edit, Naming, Writer, size};
use super::*;
use crate::source::{Clue, Content, End, Lead, Reach};
use crate::vocabulary::SkipReason;

const TOY: usize = 11;

/// A toy starts with a `T` and three digits, and is met by the last two of them.
const REACH: Reach = Reach {
    lead: 2,
    start: 3,
    whole: TOY,
};

fn toys(bytes: &[u8]) -> Vec<usize> {
    let is_toy = |window: &[u8]| {
        let digits = window[1..]
            .iter()
            .map(|byte| u32::from(byte.wrapping_sub(b'0')));
        let sum: u32 = digits.clone().take(9).sum();
        window[0] == b'T'
            && digits.clone().all(|digit| digit < 10)
            && digits.last() == Some(sum % 10)
    };
    let windows = bytes.windows(TOY).enumerate();
    windows
        .filter(|(_, window)| is_toy(window))
        .map(|(at, _)| at)
        .collect()
}

fn toy(seed: u32) -> String {
    let nine = format!("{:09}", seed % 1_000_000_000);
    let sum: u32 = nine.bytes().map(|byte| u32::from(byte - b'0')).sum();
    format!("T{nine}{}", sum % 10)
}

/// Where toys are, by the last part of the name of what holds them.
type Found = BTreeMap<String, Vec<usize>>;

#[derive(Default)]
struct Log {
    found: Mutex<Found>,
    errors: Mutex<Vec<String>>,
    skips: Mutex<Vec<SkipReason>>,
    glanced: Mutex<(usize, u64)>,
    pushed: Mutex<(usize, u64)>,
    /// What those were called.
    names: Mutex<BTreeSet<String>>,
}

fn name(origin: &Origin<'_>) -> String {
    match origin {
        Origin::Member { name, .. } => String::from_utf8(name.to_vec()).unwrap(),
        Origin::Stdin | Origin::File(_) | Origin::Label { .. } | Origin::Unpacked { .. } => {
            "the pack".to_owned()
        }
    }
}

impl Sink for Log {
    fn blob(&self, origin: &Origin<'_>, content: Content<'_>) {
        let mut bytes = Vec::new();
        match content {
            Content::Whole(whole) => bytes.extend_from_slice(whole),
            Content::Stream(stream) => {
                stream.read_to_end(&mut bytes).unwrap();
            }
            Content::File(..) => unreachable!("no object is a file"),
        }
        let mut pushed = self.pushed.lock().unwrap();
        *pushed = (pushed.0 + 1, pushed.1 + bytes.len() as u64);
        self.names.lock().unwrap().insert(name(origin));
        let toys = toys(&bytes);
        if !toys.is_empty() {
            self.found.lock().unwrap().insert(name(origin), toys);
        }
    }

    fn skip(&self, _origin: &Origin<'_>, reason: SkipReason) {
        self.skips.lock().unwrap().push(reason);
    }

    fn error(&self, origin: &Origin<'_>, error: &io::Error) {
        let told = format!("{}: {error}", name(origin));
        self.errors.lock().unwrap().push(told);
    }

    fn is_done(&self) -> bool {
        false
    }

    fn glance(&self, bytes: &[u8], end: End) -> bool {
        match end {
            End::Head => bytes.starts_with(b"!"),
            End::Tail => bytes.contains(&b'~'),
        }
    }

    fn tail_start(&self, magic: &[u8], length: u64) -> u64 {
        let tail = if magic.starts_with(b"?") {
            20
        } else {
            length / 4 + 4
        };
        length.saturating_sub(tail)
    }

    fn leads(&self, bytes: &[u8], found: &mut dyn FnMut(Lead)) {
        for (start, two) in bytes.windows(2).enumerate() {
            if two.iter().all(u8::is_ascii_digit) {
                let sort = usize::from(two[0] - b'0');
                found(Lead { start, sort });
            }
        }
    }

    fn follow(&self, bytes: &[u8], lead: Lead) -> Clue {
        assert_eq!(bytes[lead.start], b'0' + u8::try_from(lead.sort).unwrap());
        match lead.start.checked_sub(2) {
            Some(start) if bytes[start] == b'T' && bytes[start + 1].is_ascii_digit() => {
                let toy = bytes[start..].get(..TOY);
                if toy.is_some_and(|toy| !toys(toy).is_empty()) {
                    Clue::Hit
                } else {
                    Clue::Start
                }
            }
            Some(_) | None => Clue::Nothing,
        }
    }

    fn reach(&self) -> Reach {
        REACH
    }

    fn glanced(&self, length: u64) {
        let mut glanced = self.glanced.lock().unwrap();
        *glanced = (glanced.0 + 1, glanced.1 + length);
    }
}

/// What a plain scan of every object finds.
fn plain(writer: &Writer) -> Found {
    let objects = writer.objects.iter();
    objects
        .map(|object| (hex(&object.id), toys(&object.content)))
        .filter(|(_, toys)| !toys.is_empty())
        .collect()
}

/// What a sink wants pushed of all objects.
fn worth_it(writer: &Writer, sink: &dyn Sink) -> BTreeSet<String> {
    let objects = writer.objects.iter();
    objects
        .filter(|object| sink.glance_whole(&object.content, &mut |_, _| {}))
        .map(|object| hex(&object.id))
        .collect()
}

fn scan_with(pack: &[u8], threads: usize, elsewhere: &dyn Elsewhere) -> Log {
    let log = Log::default();
    let path = Origin::File(Path::new("x.pack"));
    let pack = Pack {
        bytes: &pack.to_vec(),
        index: None,
        hash: gix_hash::Kind::Sha1,
        within: &path,
        elsewhere,
    };
    let threads = Threads::new(NonZeroUsize::new(threads).unwrap());
    pack.push(&threads, &log, &nobody);
    log
}

fn scan(pack: &[u8]) -> Log {
    scan_with(pack, 1, &Nowhere)
}

/// Text with toys, halves of toys, and little else.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[a-z \n]{0,30}".prop_map(String::into_bytes),
        2 => any::<u32>().prop_map(|seed| toy(seed).into_bytes()),
        1 => (any::<u32>(), 1_usize..TOY).prop_map(|(seed, at)| toy(seed).into_bytes()[at..].to_vec()),
        1 => (any::<u32>(), 1_usize..TOY).prop_map(|(seed, at)| toy(seed).into_bytes()[..at].to_vec()),
        1 => "[T0-9]{0,12}".prop_map(String::into_bytes),
        1 => "[!?~]".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        2 => (any::<u16>(), any::<u16>()).prop_map(|(from, length)| Edit::Copy(from, length)),
        3 => any::<u16>().prop_map(Edit::Go),
        1 => any::<u16>().prop_map(|from| Edit::Copy(from, u16::MAX)),
        2 => text().prop_map(Edit::Insert),
        1 => "[T0-9]{0,4}".prop_map(|text| Edit::Insert(text.into_bytes())),
    ];
    proptest::collection::vec(edit, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_pack_yields_what_a_plain_scan_of_its_objects_yields(
        roots in proptest::collection::vec(text(), 1..4),
        deltas in proptest::collection::vec((any::<u16>(), edits(), any::<bool>()), 0..30),
        are_all_placed: bool,
        threads in 1_usize..3,
    ) {
        let mut writer = Writer::new();
        for root in &roots {
            writer.blob(root);
        }
        for (base, edits, by_id) in &deltas {
            let base = usize::from(*base) % writer.objects.len();
            let by_id = *by_id && !are_all_placed;
            let naming = if by_id { Naming::Id } else { Naming::Offset };
            writer.delta(base, edits, naming);
        }
        let log = scan_with(&writer.finish(), threads, &Nowhere);
        prop_assert_eq!(log.errors.lock().unwrap().clone(), Vec::<String>::new());
        // Just those are pushed that are worth it when looked at whole.
        prop_assert_eq!(log.names.lock().unwrap().clone(), worth_it(&writer, &log));
        prop_assert_eq!(log.found.into_inner().unwrap(), plain(&writer));
        let (glanced, pushed) = (log.glanced.into_inner().unwrap(), log.pushed.into_inner().unwrap());
        let bytes: usize = writer.objects.iter().map(|object| object.content.len()).sum();
        prop_assert_eq!(glanced.0 + pushed.0, writer.objects.len());
        prop_assert_eq!(glanced.1 + pushed.1, bytes as u64);
    }

    #[test]
    fn damaged_packs_end_in_errors_and_nothing_else(
        deltas in proptest::collection::vec((any::<u16>(), edits(), any::<bool>()), 0..8),
        at in any::<u16>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut writer = Writer::new();
        writer.blob(toy(1).as_bytes());
        for (base, edits, by_id) in &deltas {
            let base = usize::from(*base) % writer.objects.len();
            let naming = if *by_id { Naming::Id } else { Naming::Offset };
            writer.delta(base, edits, naming);
        }
        let mut pack = writer.finish();
        let at = usize::from(at) % pack.len();
        if cut {
            pack.truncate(at);
            let log = scan(&pack);
            // Whatever is missing, its checksum alone or all, is told.
            prop_assert!(!log.errors.into_inner().unwrap().is_empty());
        } else {
            pack[at] ^= byte;
            scan(&pack);
        }
    }
}

#[test]
fn a_thin_pack_finds_its_bases_elsewhere() {
    struct One(ObjectId, Vec<u8>);
    impl Elsewhere for One {
        fn find(&self, id: &oid) -> Option<(Kind, Vec<u8>)> {
            (id == self.0).then(|| (Kind::Blob, self.1.clone()))
        }
    }
    let mut full = Writer::new();
    full.blob(toy(5).as_bytes());
    full.delta(
        0,
        &[Edit::Go(u16::MAX), Edit::Insert(b" and more".to_vec())],
        Naming::Id,
    );
    full.delta(
        1,
        &[Edit::Go(u16::MAX), Edit::Insert(b" and more".to_vec())],
        Naming::Offset,
    );
    // Without its first object the pack is a thin one.
    let (base, start) = (&full.objects[0], full.objects[1].offset);
    let mut pack = data::header::encode(data::Version::V2, 2).to_vec();
    pack.extend_from_slice(&full.bytes[start..]);
    pack.extend_from_slice(&[0; 20]);
    let mut expected = plain(&full);
    expected.remove(&hex(&base.id));
    let there = scan_with(&pack, 1, &One(base.id, base.content.clone()));
    assert_eq!(there.found.into_inner().unwrap(), expected);
    let gone = scan(&pack).errors.into_inner().unwrap();
    assert_eq!(gone.len(), 2);
    assert!(
        gone.iter().any(|told| told.contains(&hex(&base.id))),
        "{gone:?}"
    );
}
