//! Packs made here, entry by entry, and read as a plain scan of their objects would read them.
//!
//! What is looked for is a toy: a `T`, nine digits, and their sum's last digit. It has what matters
//! of a token: a length, and a checksum that a wrong byte anywhere breaks.

#![allow(
    clippy::cast_possible_truncation,
    clippy::double_ended_iterator_last,
    reason = "a writer of packs cuts numbers into bytes"
)]

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_object::compute_hash;
use proptest::prelude::*;

use super::*;
use crate::source::{Content, Glance, Part};
use crate::vocabulary::SkipReason;

const TOY: usize = 11;

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

    fn glance(&self, bytes: &[u8], _part: Part) -> Glance {
        if toys(bytes).is_empty() {
            Glance::Nothing
        } else {
            Glance::Something
        }
    }

    fn reach(&self) -> usize {
        TOY
    }

    fn glanced(&self, length: u64) {
        let mut glanced = self.glanced.lock().unwrap();
        *glanced = (glanced.0 + 1, glanced.1 + length);
    }
}

/// How a delta names its base.
#[derive(Debug, Clone, Copy)]
enum Naming {
    Offset,
    Id,
}

/// A pack being written.
struct Writer {
    bytes: Vec<u8>,
    objects: Vec<Written>,
}

struct Written {
    offset: usize,
    content: Vec<u8>,
    id: ObjectId,
}

impl Writer {
    fn new() -> Self {
        Self {
            bytes: Vec::new(),
            objects: Vec::new(),
        }
    }

    fn header(&mut self, kind: u8, mut size: usize) {
        let mut byte = kind << 4 | (size & 15) as u8;
        size >>= 4;
        while size > 0 {
            self.bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        self.bytes.push(byte);
    }

    fn body(&mut self, bytes: &[u8]) {
        let mut zlib = ZlibEncoder::new(&mut self.bytes, Compression::fast());
        zlib.write_all(bytes).unwrap();
        zlib.finish().unwrap();
    }

    fn written(&mut self, offset: usize, content: Vec<u8>) {
        let id = compute_hash(gix_hash::Kind::Sha1, Kind::Blob, &content).unwrap();
        self.objects.push(Written {
            offset,
            content,
            id,
        });
    }

    fn blob(&mut self, content: &[u8]) {
        let offset = self.bytes.len();
        self.header(3, content.len());
        self.body(content);
        self.written(offset, content.to_vec());
    }

    fn delta(&mut self, base: usize, edits: &[Edit], naming: Naming) {
        let offset = self.bytes.len();
        let (delta, content) = edited(&self.objects[base].content, edits);
        match naming {
            Naming::Offset => {
                self.header(6, delta.len());
                let mut distance = offset - self.objects[base].offset;
                let mut bytes = vec![(distance & 0x7f) as u8];
                while distance > 0x7f {
                    distance = (distance >> 7) - 1;
                    bytes.push((distance & 0x7f) as u8 | 0x80);
                }
                self.bytes.extend(bytes.iter().rev());
            }
            Naming::Id => {
                self.header(7, delta.len());
                let id = self.objects[base].id;
                self.bytes.extend_from_slice(id.as_slice());
            }
        }
        self.body(&delta);
        self.written(offset, content);
    }

    /// A delta of these very bytes on the last entry, whatever they make.
    fn forge(&mut self, delta: &[u8]) {
        let offset = self.bytes.len();
        self.header(6, delta.len());
        let distance = offset - self.objects.last().unwrap().offset;
        assert!(distance < 128);
        self.bytes.push(distance as u8);
        self.body(delta);
        self.written(offset, Vec::new());
    }

    fn finish(&self) -> Vec<u8> {
        let count = u32::try_from(self.objects.len()).unwrap();
        let mut pack = data::header::encode(data::Version::V2, count).to_vec();
        pack.extend_from_slice(&self.bytes);
        // Its checksum, which nobody asks for.
        pack.extend_from_slice(&[0; 20]);
        pack
    }

    /// What a plain scan of every object finds.
    fn plain(&self) -> Found {
        let objects = self.objects.iter();
        objects
            .map(|object| (hex(&object.id), toys(&object.content)))
            .filter(|(_, toys)| !toys.is_empty())
            .collect()
    }
}

/// A part of a delta, in terms of the base's length.
#[derive(Debug, Clone)]
enum Edit {
    /// From and how much, both in 65,536ths.
    Copy(u16, u16),
    /// From where the last copy ended.
    Go(u16),
    Insert(Vec<u8>),
}

fn size(mut size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while size > 0x7f {
        bytes.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    bytes.push(size as u8);
    bytes
}

/// A delta, and what it makes.
fn edited(base: &[u8], edits: &[Edit]) -> (Vec<u8>, Vec<u8>) {
    let (mut steps, mut content) = (Vec::new(), Vec::new());
    let mut last = 0;
    let scale = |part: u16, whole: usize| usize::from(part) * whole / 65_535;
    for edit in edits {
        let (from, length) = match edit {
            Edit::Insert(bytes) => {
                for chunk in bytes.chunks(127) {
                    steps.push(chunk.len() as u8);
                    steps.extend_from_slice(chunk);
                }
                content.extend_from_slice(bytes);
                continue;
            }
            Edit::Copy(from, length) => {
                let from = scale(*from, base.len());
                (from, scale(*length, base.len() - from))
            }
            Edit::Go(length) => (last, scale(*length, base.len() - last)),
        };
        if length > 0 {
            steps.push(0xff);
            steps.extend_from_slice(&u32::try_from(from).unwrap().to_le_bytes());
            steps.extend_from_slice(&u32::try_from(length).unwrap().to_le_bytes()[..3]);
            content.extend_from_slice(&base[from..from + length]);
            last = from + length;
        }
    }
    let delta = [size(base.len()), size(content.len()), steps].concat();
    (delta, content)
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
    pack.push(&Threads::new(NonZeroUsize::new(threads).unwrap()), &log);
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
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        2 => (any::<u16>(), any::<u16>()).prop_map(|(from, length)| Edit::Copy(from, length)),
        3 => any::<u16>().prop_map(Edit::Go),
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
        threads in 1_usize..3,
    ) {
        let mut writer = Writer::new();
        for root in &roots {
            writer.blob(root);
        }
        for (base, edits, by_id) in &deltas {
            let base = usize::from(*base) % writer.objects.len();
            let naming = if *by_id { Naming::Id } else { Naming::Offset };
            writer.delta(base, edits, naming);
        }
        let log = scan_with(&writer.finish(), threads, &Nowhere);
        prop_assert_eq!(log.errors.into_inner().unwrap(), Vec::<String>::new());
        prop_assert_eq!(log.found.into_inner().unwrap(), writer.plain());
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

/// A rotated token keeps its first letters: those are copied, the rest is inserted.
#[test]
fn a_token_rotated_in_place_is_found_wherever_the_seam_falls() {
    let filler = "a line of text\n".repeat(500);
    let (old, new) = (toy(123_456_789), toy(987_654_321));
    for seam in 0..=TOY {
        // What was never a token in the base becomes one.
        let base = format!("{filler}{}{filler}", &new[..seam]);
        let to = filler.len() + seam;
        let scale = |at: usize| u16::try_from((at * 65_535).div_ceil(base.len())).unwrap();
        let mut writer = Writer::new();
        writer.blob(base.as_bytes());
        let rest = new.as_bytes()[seam..].to_vec();
        writer.delta(
            0,
            &[
                Edit::Copy(0, scale(to)),
                Edit::Insert(rest),
                Edit::Go(u16::MAX),
            ],
            Naming::Offset,
        );
        assert!(
            writer.objects[1].content.len() == 2 * filler.len() + TOY,
            "{seam}"
        );
        writer.blob(old.as_bytes());
        assert_eq!(writer.plain().len(), 2);
        assert_eq!(
            scan(&writer.finish()).found.into_inner().unwrap(),
            writer.plain()
        );
    }
}

#[test]
fn what_is_copied_from_a_clean_base_is_not_looked_at_again() {
    struct Counting(Log, Mutex<usize>);
    impl Sink for Counting {
        fn blob(&self, origin: &Origin<'_>, content: Content<'_>) {
            self.0.blob(origin, content);
        }
        fn skip(&self, _: &Origin<'_>, _: SkipReason) {}
        fn error(&self, origin: &Origin<'_>, error: &io::Error) {
            self.0.error(origin, error);
        }
        fn is_done(&self) -> bool {
            false
        }
        fn glance(&self, bytes: &[u8], part: Part) -> Glance {
            *self.1.lock().unwrap() += bytes.len();
            self.0.glance(bytes, part)
        }
        fn reach(&self) -> usize {
            TOY
        }
    }
    let base = "a line of text\n".repeat(10_000);
    let mut writer = Writer::new();
    writer.blob(base.as_bytes());
    for n in 0..100 {
        let insert = Edit::Insert(b"one more line\n".to_vec());
        writer.delta(
            n,
            &[Edit::Copy(0, 40_000), insert, Edit::Go(u16::MAX)],
            Naming::Offset,
        );
    }
    let sink = Counting(Log::default(), Mutex::default());
    let path = Origin::File(Path::new("x.pack"));
    let pack = Pack {
        bytes: &writer.finish(),
        index: None,
        hash: gix_hash::Kind::Sha1,
        within: &path,
        elsewhere: &Nowhere,
    };
    pack.push(&Threads::new(NonZeroUsize::MIN), &sink);
    let looked_at = sink.1.into_inner().unwrap();
    assert!(looked_at < base.len() + 100 * 100, "{looked_at}");
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
    let mut expected = full.plain();
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

/// All of a base of `length` bytes, twice.
fn doubled(length: usize) -> Vec<u8> {
    let mut delta = [size(length), size(2 * length)].concat();
    for _ in 0..2 {
        delta.push(0x80 | 0x70);
        delta.extend_from_slice(&(length as u32).to_le_bytes()[..3]);
    }
    delta
}

#[test]
fn deltas_that_double_end_where_memory_does() {
    let mut writer = Writer::new();
    writer.blob(&[b'.'; 64]);
    let mut length = 64;
    for _ in 0..18 {
        writer.forge(&doubled(length));
        length *= 2;
    }
    let log = scan(&writer.finish());
    let skips = log.skips.into_inner().unwrap();
    // 64 bytes may be doubled 14 times; what the next ones make is more than is held.
    assert_eq!(skips, [SkipReason::TooLarge; 4]);
    assert_eq!(log.errors.into_inner().unwrap(), [""; 0]);
    let (objects, bytes) = log.glanced.into_inner().unwrap();
    assert_eq!((objects, bytes), (15, (64 << 15) - 64));
}

#[test]
fn a_small_pack_may_not_cost_much() {
    let mut writer = Writer::new();
    let base = format!("{}{}", toy(3), ".".repeat(50_000));
    writer.blob(base.as_bytes());
    // What holds something is looked at as a whole, each time.
    for _ in 0..200 {
        writer.delta(0, &[Edit::Go(u16::MAX)], Naming::Offset);
    }
    let log = scan(&writer.finish());
    assert_eq!(log.skips.into_inner().unwrap(), [SkipReason::BytesLimit; 1]);
    let (_, bytes) = log.pushed.into_inner().unwrap();
    assert!((1 << 19..4 << 20).contains(&bytes), "{bytes}");
    assert!(!log.found.into_inner().unwrap().is_empty());
}

#[test]
fn a_long_chain_of_named_bases_needs_no_deep_calls() {
    let mut writer = Writer::new();
    writer.blob(b"the first");
    for n in 0..20_000 {
        let text = if n == 19_999 { toy(8) } else { n.to_string() };
        writer.delta(n, &[Edit::Insert(text.into_bytes())], Naming::Id);
    }
    let log = scan(&writer.finish());
    assert_eq!(log.errors.into_inner().unwrap(), [""; 0]);
    assert_eq!(log.found.into_inner().unwrap(), writer.plain());
    assert_eq!(writer.plain().len(), 1);
}
