//! Any bytes behind the first ones of any format: no panic, bounded, and the same is found whether
//! they come in one piece or as a stream. With an empty corpus every format is reached by its
//! magic; `cargo fuzz run unpack CORPUS` takes real containers too, a zero byte before each.
#![no_main]

use std::io::{self, Read};
use std::num::NonZeroUsize;
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

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector"));

/// What containers start with; the first is for those that bring their own.
const STARTS: &[&[u8]] = &[
    b"",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x16\0\0\0t/\xe5\xa3",
    b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0",
    b"LZIP\x01\x0c",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18\0\0\0\0",
    b"\x04\x22\x4d\x18\x64\x40\xa7",
    b"\x02\x21\x4c\x18",
    b"\x78\x9c",
    b"070701",
    b"070707",
    b"\xc7\x71",
    b"!<arch>\n",
    b"\xed\xab\xee\xdb",
];

fuzz_target!(|input: (u8, &[u8])| {
    let start = STARTS[usize::from(input.0) % STARTS.len()];
    let bytes = [start, input.1].concat();
    let whole = scan(|sink| sink.blob(&Origin::Stdin, Content::Whole(&bytes)));
    let mut stream = OneByOne(&bytes);
    let streamed = scan(|sink| sink.blob(&Origin::Stdin, Content::Stream(&mut stream)));
    assert_eq!(places(&whole), places(&streamed));
});

fn places(report: &ScanReport) -> Vec<(String, Vec<String>, u64)> {
    let all = report.findings.iter().flat_map(|finding| {
        let found = finding.matches.items.iter();
        found.map(|at| {
            (
                finding.fingerprint.to_string(),
                at.place.members.clone(),
                at.offset,
            )
        })
    });
    all.collect()
}

fn scan(push: impl FnOnce(&dyn Sink)) -> ScanReport {
    let limits = Limits {
        bytes: Limit::Fixed(16 << 20),
        entries: Limit::Fixed(10_000),
        memory: 64 << 20,
        packs: Repositories::Open,
        ..Limits::default()
    };
    let scan = Scan {
        detector: &DETECTOR,
        threads: &Threads::new(NonZeroUsize::MIN),
        clock: &SystemClock::new(),
        interrupt: &Interrupt::new(),
        counters: &Counters::default(),
        retain: Retain::Fingerprints,
        unverified: Unverified::Count,
        silence: &Silence::new(Markers::Heed),
        archives: Archives::Open(limits),
    };
    scan.run(push)
}

struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.len().min(buffer.len()).min(1);
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}
