//! The container format that the target is named after, whatever its bytes: nothing panics or hangs,
//! memory is bounded, and the same is found whether the bytes come in one piece or one by one.
//!
//! `cargo +nightly fuzz run zip`; `fuzz/seeds.py` makes a corpus with the formats' own tools. What does not start as the format
//! does is put behind its first bytes, and sums that keep a mutation from going deep are mended.
#![no_main]

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::LazyLock;

use douse::detect::Detector;
use douse::findings::{Retain, Unverified};
use douse::pattern::PatternSet;
use douse::scan::{Archives, Scan};
use douse::silence::{Markers, Silence};
use douse::source::{Content, Repositories, Sink, Threads};
use douse::unpack::{Limit, Limits};
use douse::vocabulary::{Counters, Interrupt, Origin, ScanReport, SystemClock};
use libfuzzer_sys::fuzz_target;

const FORMAT: &str = env!("CARGO_BIN_NAME");

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector"));
static THREADS: LazyLock<Threads> = LazyLock::new(|| Threads::new(NonZeroUsize::MIN));

/// Time has no limit, so that the fuzzer sees what hangs.
const LIMITS: Limits = Limits {
    depth: 8,
    bytes: Limit::Fixed(16 << 20),
    entries: Limit::Fixed(10_000),
    time: Limit::Fixed(u64::MAX),
    memory: 64 << 20,
    packs: Repositories::Open,
};

fuzz_target!(|bytes: &[u8]| {
    let bytes = dressed(bytes);
    let origin = Origin::File(Path::new(match FORMAT {
        // It has no first bytes to be known by.
        "brotli" => "x.br",
        _ => "x",
    }));
    let whole = scan(|sink| sink.blob(&origin, Content::Whole(&bytes)));
    let streamed = scan(|sink| sink.blob(&origin, Content::Stream(&mut OneByOne(&bytes))));
    // A stream's end, which may tell of a zip archive, comes too late to be looked at.
    if FORMAT == "zip" || !bytes.windows(4).any(|four| four == b"PK\x05\x06") {
        assert_eq!(places(&whole), places(&streamed));
    }
});

/// Bytes that start as the format does.
fn dressed(bytes: &[u8]) -> Vec<u8> {
    let starts: &[&[u8]] = match FORMAT {
        "ar" => &[b"!<arch>\n"],
        "brotli" | "tar" => &[b""],
        "bzip2" => &[b"BZh9"],
        "cpio" => &[b"070701", b"070702", b"070707", b"\xc7\x71", b"\x71\xc7"],
        "gzip" => &[b"\x1f\x8b\x08"],
        "lz4" => &[b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"],
        "lzip" => &[b"LZIP\x01"],
        "lzma" => &[b"\x5d\0\0"],
        "pdf" => &[b"%PDF-1."],
        "rpm" => &[b"\xed\xab\xee\xdb"],
        "sevenz" => &[b"7z\xbc\xaf\x27\x1c"],
        "xz" => &[b"\xfd7zXZ\0"],
        "zip" => &[b"PK\x03\x04"],
        "zlib" => &[b"\x78\x9c", b"\x78\x01", b"\x78\xda"],
        "zstd" => &[b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"],
        other => panic!("no format is called {other}"),
    };
    let start = match starts.iter().find(|start| bytes.starts_with(start)) {
        Some(_) => &[],
        None => starts[0],
    };
    let mut dressed = [start, bytes].concat();
    match FORMAT {
        "sevenz" => mend_sevenz(&mut dressed),
        "tar" => dressed.chunks_exact_mut(512).for_each(mend_tar),
        _ => {}
    }
    dressed
}

/// Mends the sums of a 7z archive's first header and of the one that it points to.
fn mend_sevenz(bytes: &mut [u8]) {
    let Some((first, rest)) = bytes.split_at_mut_checked(32) else {
        return;
    };
    let number = |at: usize| {
        let bytes = first[at..at + 8].try_into().expect("eight bytes");
        usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX)
    };
    let (at, length) = (number(12), number(20));
    let header = rest.get(at..at.saturating_add(length)).unwrap_or_default();
    let sum = crc32fast::hash(header);
    first[28..32].copy_from_slice(&sum.to_le_bytes());
    let sum = crc32fast::hash(&first[12..32]);
    first[8..12].copy_from_slice(&sum.to_le_bytes());
}

/// Mends the sum of a block that is a tar's header.
fn mend_tar(block: &mut [u8]) {
    if block[257..].starts_with(b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

/// Where tokens were found: which, in what members, at which offset.
fn places(report: &ScanReport) -> Vec<(String, Vec<String>, u64)> {
    let all = report.findings.iter().flat_map(|finding| {
        let found = finding.matches.items.iter();
        found.map(|at| {
            let (token, members) = (finding.fingerprint.to_string(), at.place.members.clone());
            (token, members, at.offset)
        })
    });
    all.collect()
}

fn scan(push: impl FnOnce(&dyn Sink)) -> ScanReport {
    let scan = Scan {
        detector: &DETECTOR,
        threads: &THREADS,
        clock: &SystemClock::new(),
        interrupt: &Interrupt::new(),
        counters: &Counters::default(),
        retain: Retain::Fingerprints,
        unverified: Unverified::Count,
        silence: &Silence::new(Markers::Heed),
        archives: Archives::Open(LIMITS),
    };
    scan.run(push)
}

struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = buffer.len().min(1);
        self.0.read(&mut buffer[..n])
    }
}
