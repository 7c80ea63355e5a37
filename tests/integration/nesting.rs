//! Whatever is packed is found, in whatever it is packed, and however its bytes come: through the
//! library, thousands of times. And whatever is made of it by a few changes does no harm.

use std::io::{self, Read, Write as _};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use douse::detect::Detector;
use douse::findings::{Retain, Unverified};
use douse::pattern::PatternSet;
use douse::scan::{Archives, Scan};
use douse::silence::{Markers, Silence};
use douse::source::{Content, Sink, Threads};
use douse::unpack::{Limit, Limits};
use douse::vocabulary::{Counters, Interrupt, Origin, ScanReport, SystemClock};
use proptest::prelude::*;

use crate::archives::{ARCHIVES, document, make};
use crate::containers::log;
use crate::packers::{COMPRESSORS, Compressor, shell, tar};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind, Random};

/// A match: token, members, offset, line, column.
type Spot = (String, Vec<String>, u64, u64, u64);

/// Scans what `push` pushes, within limits that no honest test comes near.
fn scan(detector: &Detector, push: impl FnOnce(&dyn Sink)) -> ScanReport {
    let scan = Scan {
        detector,
        threads: &Threads::new(NonZeroUsize::MIN),
        clock: &SystemClock::new(),
        interrupt: &Interrupt::new(),
        counters: &Counters::default(),
        retain: Retain::Fingerprints,
        unverified: Unverified::Count,
        silence: &Silence::new(Markers::Heed),
        archives: Archives::Open(Limits {
            bytes: Limit::Fixed(64 << 20),
            ..Limits::default()
        }),
    };
    scan.run(push)
}

fn detector() -> Detector {
    Detector::new(PatternSet::embedded().unwrap()).unwrap()
}

fn spots(report: &ScanReport) -> Vec<Spot> {
    let mut spots = Vec::new();
    for finding in &report.findings {
        for found in &finding.matches.items {
            let members = found.place.members.clone();
            let token = finding.fingerprint.to_string();
            spots.push((token, members, found.offset, found.line, found.column));
        }
    }
    spots.sort();
    spots
}

/// What something is wrapped in.
#[derive(Debug, Clone, Copy)]
enum Wrapper {
    Gzip,
    Zlib,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    Tar,
}

const WRAPPERS: [Wrapper; 7] = [
    Wrapper::Gzip,
    Wrapper::Zlib,
    Wrapper::Bzip2,
    Wrapper::Xz,
    Wrapper::Zstd,
    Wrapper::Lz4,
    Wrapper::Tar,
];

impl Wrapper {
    fn wrap(self, bytes: &[u8]) -> Vec<u8> {
        let fast = flate2::Compression::fast();
        match self {
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), fast);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), fast);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Bzip2 => {
                let level = bzip2::Compression::fast();
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zstd => zstd::encode_all(bytes, 1).unwrap(),
            Self::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Self::Tar => {
                let mut builder = ::tar::Builder::new(Vec::new());
                for (name, contents) in [("before", &b"nothing"[..]), ("it", bytes)] {
                    let mut header = ::tar::Header::new_gnu();
                    header.set_size(contents.len() as u64);
                    builder.append_data(&mut header, name, contents).unwrap();
                }
                builder.into_inner().unwrap()
            }
        }
    }
}

/// Hands out bytes in pieces of changing size.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 * 31 % 65_537;
        let n = self.1.max(1).min(buffer.len()).min(self.0.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// Scans the same bytes in every form in which a source may have them.
fn scan_in_all_forms(detector: &Detector, bytes: &[u8], pace: usize) -> Vec<ScanReport> {
    let origin = Origin::Stdin;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    vec![
        scan(detector, |sink| sink.blob(&origin, Content::Whole(bytes))),
        scan(detector, |sink| {
            sink.blob(&origin, Content::File(&file, bytes.len() as u64));
        }),
        scan(detector, |sink| {
            sink.blob(&origin, Content::Stream(&mut Drip(bytes, pace)));
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_wrapped_is_found_however_its_bytes_come(
        wrappers in proptest::collection::vec(proptest::sample::select(WRAPPERS.to_vec()), 0..6),
        seeds in proptest::collection::vec(any::<u64>(), 1..5),
        lengths in proptest::collection::vec(0_usize..200_000, 5),
        pace in 1_usize..65_537,
    ) {
        let detector = detector();
        let mut text = Vec::new();
        for (&seed, &length) in seeds.iter().zip(&lengths) {
            let mut random = Random(seed);
            text.extend((0..length).map(|_| b"0123456789 abcdef\n"[random.below(18)]));
            let kind = Kind::ALL[random.below(6)];
            text.extend_from_slice(tokens::token(kind, seed).as_bytes());
        }
        let plain = scan(&detector, |sink| sink.blob(&Origin::Stdin, Content::Whole(&text)));
        let mut bytes = text;
        for wrapper in &wrappers {
            bytes = wrapper.wrap(&bytes);
        }
        let reports = scan_in_all_forms(&detector, &bytes, pace);
        let found = spots(&reports[0]);
        for report in &reports {
            prop_assert!(report.is_complete(), "{:?} {:?}", report.errors, report.skips);
            prop_assert_eq!(&spots(report), &found);
        }
        for (token, _, offset, line, column) in spots(&plain) {
            let same = |spot: &&Spot| (&spot.0, spot.2, spot.3, spot.4) == (&token, offset, line, column);
            prop_assert!(found.iter().any(|spot| same(&spot)), "{found:?}");
        }
    }
}

/// What real tools make, to be changed.
fn originals(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let text: String = log(&sandbox.token(Kind::Personal))
        .lines()
        .skip(2950)
        .fold(String::new(), |text, line| text + line + "\n");
    let mut all = Vec::new();
    for format in ["--format=gnu", "--format=pax"] {
        let name = "n".repeat(120);
        let files = [
            ("a", text.as_bytes()),
            (name.as_str(), b"short"),
            ("c", b""),
        ];
        all.push(tar(&sandbox.work(), &[format], &files));
    }
    sandbox.write("tree/a", &text);
    sandbox.write("tree/a-name-that-is-long-enough", "b");
    let tree = sandbox.work().join("tree");
    for dialect in ["newc", "odc", "bin"] {
        let script = format!("ls | cpio --quiet -o -H {dialect}");
        all.push(shell(&tree, "cpio", &script));
    }
    let library = shell(&tree, "binutils", "ar rcS ../lib.a a*; cat ../lib.a");
    all.push(library);
    for compressor in COMPRESSORS {
        // Brotli is known by its name alone; here nothing has one.
        if compressor.ending != "br" {
            all.push(compressor.pack(text.as_bytes()));
            all.push(compressor.pack(&all[0]));
        }
    }
    let files = [("a.log", text.as_bytes()), ("b/c.log", b"short")];
    for (_, package, script) in ARCHIVES {
        all.push(make(&sandbox.work(), package, script, &files));
    }
    let page = document(&text, "title");
    let packed =
        "qpdf --object-streams=generate --stream-data=compress --recompress-flate in.pdf out";
    all.push(make(&sandbox.work(), "qpdf", packed, &[("in.pdf", &page)]));
    all.push(page);
    let gzip = Compressor::of("gz");
    all.push([gzip.pack(b"one"), gzip.pack(text.as_bytes())].concat());
    all
}

/// Scans changed containers. None may panic, or take long.
fn survive(mutants: usize, seed: u64) {
    let sandbox = Sandbox::new();
    let detector = detector();
    let originals = originals(&sandbox);
    let mut random = Random(seed);
    let mut unread = 0;
    for n in 0..mutants {
        let mutant = mutate(&originals[n % originals.len()], &mut random);
        let start = Instant::now();
        let report = scan(&detector, |sink| {
            let origin = Origin::Stdin;
            if n % 2 == 0 {
                sink.blob(&origin, Content::Whole(&mutant));
            } else {
                sink.blob(&origin, Content::Stream(&mut Drip(&mutant, n % 100 + 1)));
            }
        });
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "mutant {n} of {seed}"
        );
        unread += usize::from(!report.is_complete());
    }
    assert!(unread > mutants / 4, "only {unread} of {mutants} were told");
}

#[test]
fn mutants_are_survived() {
    survive(3_000, 1);
}

#[test]
#[ignore = "takes minutes; run it after changes to any format"]
fn a_hundred_thousand_mutants_are_survived() {
    survive(100_000, 2);
    // Nothing else runs in this process, so this is what the worst of them took: a window as large
    // as decoders may have, which changed headers ask for, and the rest.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
        let peak: u64 = peak.unwrap().parse().unwrap();
        assert!(peak < (256 + 128) * 1024, "{peak} kB");
    }
}

/// Flips, overwrites, cuts, doubles.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    for _ in 0..=random.below(4) {
        // The headers at the start are worth as much as all the rest.
        let reach = [64, 600, usize::MAX][random.below(3)];
        let at = random.below(mutant.len().min(reach));
        match random.below(5) {
            0 => mutant[at] ^= 1 << random.below(8),
            1 => mutant[at] = [0, 0xff, 0x7f, 0x80][random.below(4)],
            2 => mutant.truncate(at.max(1)),
            3 => {
                let tail = mutant.split_off(at);
                mutant.extend_from_slice(&tail[random.below(tail.len())..]);
            }
            _ => {
                let piece = mutant[at..mutant.len().min(at + 100)].to_vec();
                mutant.splice(at..at, piece);
            }
        }
    }
    mutant
}
