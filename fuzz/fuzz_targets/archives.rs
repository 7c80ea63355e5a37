//! Zip, 7z and PDF, whatever their bytes: nothing panics, hangs or takes memory without end. The
//! first byte chooses the format; checksums that would keep a mutation from going deep are mended.
#![no_main]

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use douse::detect::Detector;
use douse::findings::{Retain, Unverified};
use douse::pattern::PatternSet;
use douse::scan::{Archives, Scan};
use douse::silence::{Markers, Silence};
use douse::source::{Content, Threads};
use douse::unpack::Limits;
use douse::vocabulary::{Counters, Interrupt, Origin, SystemClock};
use libfuzzer_sys::fuzz_target;

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector"));
static THREADS: LazyLock<Threads> = LazyLock::new(|| Threads::new(NonZeroUsize::MIN));

fuzz_target!(|input: (u8, bool, Vec<u8>)| {
    let (format, is_stream, mut bytes) = input;
    match format % 4 {
        0 => bytes.splice(0..0, *b"PK\x03\x04").for_each(drop),
        1 => seal(&mut bytes),
        2 => bytes.splice(0..0, *b"%PDF-1.7\n").for_each(drop),
        _ => {}
    }
    let scan = Scan {
        detector: &DETECTOR,
        threads: &THREADS,
        clock: &SystemClock::new(),
        interrupt: &Interrupt::new(),
        counters: &Counters::default(),
        retain: Retain::Fingerprints,
        unverified: Unverified::Count,
        silence: &Silence::new(Markers::Heed),
        archives: Archives::Open(Limits::default()),
    };
    scan.run(|sink| {
        if is_stream {
            sink.blob(&Origin::Stdin, Content::Stream(&mut &bytes[..]));
        } else {
            sink.blob(&Origin::Stdin, Content::Whole(&bytes));
        }
    });
});

/// Makes bytes a 7z archive whose header they are, after what it says is packed before it.
fn seal(bytes: &mut Vec<u8>) {
    let packed = bytes
        .first()
        .map_or(0, |n| usize::from(*n))
        .min(bytes.len());
    let header = &bytes[packed..];
    let mut start = Vec::new();
    start.extend((packed as u64).to_le_bytes());
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc32fast::hash(header).to_le_bytes());
    let mut sealed = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    sealed.extend(crc32fast::hash(&start).to_le_bytes());
    sealed.extend(start);
    sealed.append(bytes);
    *bytes = sealed;
}
