//! The floors that `douse` is measured against, each doing the least that the work can mean.
//!
//! `floor walk THREADS PATH` walks a tree with the same walker and reads every byte, searching
//! nothing; to be timed from outside. It reads into a plain `Vec`; `floor walk-aligned` into the
//! program's own buffer, which makes reading itself faster. `floor search FILE...` holds the files
//! in memory and takes turns between a bare packed searcher over the plain prefixes, a detector of
//! plain tokens and one of tokens in every encoding, and prints the median of each and the ratios.
//!
//! `floor inflate THREADS PACK` holds a git pack in memory and inflates the zlib stream of every entry
//! once, building nothing from them, which any scan of it must; it prints the median of its times.

#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it measures, prints three digits, and has nothing to tell if it cannot begin"
)]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use aho_corasick::packed::{MatchKind, Searcher};
use douse::detect::{Detector, Encodings, Window};
use douse::pattern::PatternSet;
use douse::source::{Buffer, WINDOW};
use ignore::{WalkBuilder, WalkState};

const ROUNDS: usize = 11;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["walk", threads, path] => walk(threads, path, || vec![0; WINDOW], |buffer| buffer),
        ["walk-aligned", threads, path] => {
            walk(threads, path, || Buffer::new(0), Buffer::window);
        }
        ["search", files @ ..] if !files.is_empty() => search(files),
        ["inflate", threads, pack] => inflate(threads, pack),
        // `cargo bench` and `cargo test` call every benchmark without arguments of ours.
        _ => println!(
            "usage: floor walk|walk-aligned THREADS PATH | floor search FILE... | floor inflate THREADS PACK"
        ),
    }
}

fn walk<B: Send>(
    threads: &str,
    path: &str,
    buffer: impl Fn() -> B,
    window: impl Fn(&mut B) -> &mut [u8] + Sync,
) {
    let threads = threads.parse().expect("a number of threads");
    let bytes = AtomicU64::new(0);
    let files = AtomicU64::new(0);
    let mut builder = WalkBuilder::new(path);
    builder.standard_filters(false).threads(threads);
    builder.build_parallel().run(|| {
        let mut buffer = buffer();
        let (bytes, files, window) = (&bytes, &files, &window);
        Box::new(move |entry| {
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_file())
                && let Ok(read) = read(entry.path(), window(&mut buffer))
            {
                bytes.fetch_add(read, Ordering::Relaxed);
                files.fetch_add(1, Ordering::Relaxed);
            }
            WalkState::Continue
        })
    });
    println!("{} files, {} bytes", files.into_inner(), bytes.into_inner());
}

fn read(path: &Path, buffer: &mut [u8]) -> std::io::Result<u64> {
    let mut file = File::open(path)?;
    let mut total = 0;
    loop {
        match file.read(buffer)? {
            0 => return Ok(total),
            n => total += n as u64,
        }
    }
}

fn search(files: &[&str]) {
    let text: Vec<u8> = files
        .iter()
        .flat_map(|path| fs::read(path).expect("a readable file"))
        .collect();
    let detector = |encodings| {
        let patterns = PatternSet::embedded().expect("patterns");
        Detector::with_encodings(patterns, encodings).expect("a detector")
    };
    let (plain, all) = (detector(Encodings::PlainOnly), detector(Encodings::All));
    let prefixes = plain.patterns().patterns().iter();
    let mut config = aho_corasick::packed::Config::new();
    let bare: Searcher = config
        .match_kind(MatchKind::LeftmostFirst)
        .builder()
        .extend(prefixes.map(|pattern| pattern.kind.prefix.as_bytes()))
        .build()
        .expect("a packed searcher");
    let scan = |detector: &Detector| {
        let mut hits = 0;
        detector.scan(Window::whole(&text), |_| hits += 1);
        hits
    };
    let works: [(&str, &dyn Fn() -> usize); 3] = [
        ("bare packed searcher", &|| bare.find_iter(&text).count()),
        ("detector, plain only", &|| scan(&plain)),
        ("detector", &|| scan(&all)),
    ];
    let mut times = [const { Vec::new() }; 3];
    let mut found = [0; 3];
    for _ in 0..ROUNDS {
        for (at, (_, work)) in works.iter().enumerate() {
            let start = Instant::now();
            found[at] = work();
            times[at].push(start.elapsed().as_secs_f64());
        }
    }
    let megabytes = text.len() as f64 / 1e6;
    let times = times.map(median);
    println!("{megabytes:.0} MB, median of {ROUNDS}:");
    for ((name, _), (time, found)) in works.iter().zip(times.iter().zip(found)) {
        let speed = megabytes / time / 1e3;
        println!("{name:20} {speed:6.2} GB/s, {found} found");
    }
    println!(
        "detector of plain tokens to bare searcher {:.3}",
        times[0] / times[1]
    );
    println!(
        "detector to detector of plain tokens      {:.3}",
        times[1] / times[2]
    );
}

/// Entries of a pack that one thread takes at a time.
const TURN: usize = 64;

fn inflate(threads: &str, pack: &str) {
    let threads = threads.parse().expect("a number of threads");
    let bytes = fs::read(pack).expect("a pack");
    let index = Path::new(pack).with_extension("idx");
    let index = gix_pack::index::File::at(index, gix_hash::Kind::Sha1).expect("its index");
    let offsets = index.sorted_offsets();
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        let inflated = inflate_all(&bytes, &offsets, threads);
        (start.elapsed().as_secs_f64(), inflated)
    });
    let (times, inflated): (Vec<f64>, Vec<u64>) = rounds.unzip();
    println!(
        "{} entries, {} bytes inflated, median of {ROUNDS}: {:.3} s",
        offsets.len(),
        inflated[0],
        median(times)
    );
}

/// Inflates every entry once, each thread into one buffer; tells how many bytes there were.
fn inflate_all(pack: &[u8], offsets: &[u64], threads: usize) -> u64 {
    let next = AtomicUsize::new(0);
    let inflated = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (mut zlib, mut out) = (flate2::Decompress::new(true), Vec::new());
                let mut total = 0;
                loop {
                    let start = next.fetch_add(TURN, Ordering::Relaxed);
                    let Some(turn) = offsets.get(start..) else {
                        break;
                    };
                    for &offset in turn.iter().take(TURN) {
                        total += inflate_entry(pack, offset, &mut zlib, &mut out);
                    }
                }
                inflated.fetch_add(total, Ordering::Relaxed);
            });
        }
    });
    inflated.into_inner()
}

fn inflate_entry(
    pack: &[u8],
    offset: u64,
    zlib: &mut flate2::Decompress,
    out: &mut Vec<u8>,
) -> u64 {
    let from = usize::try_from(offset).expect("a pack in memory");
    let entry = gix_pack::data::Entry::from_bytes(&pack[from..], offset, gix_hash::Kind::Sha1);
    let entry = entry.expect("an entry");
    let data = usize::try_from(entry.data_offset).expect("a pack in memory");
    let size = usize::try_from(entry.decompressed_size).expect("an object in memory");
    zlib.reset(true);
    // The buffer only ever grows, and only what the entry needs of it is handed out: flate2 fills
    // all that it is given with zeros, and zlib-rs takes its length for a promise.
    if out.len() <= size {
        out.resize(size + 1, 0);
    }
    let flush = flate2::FlushDecompress::Finish;
    let status = zlib.decompress(&pack[data..], &mut out[..=size], flush);
    assert_eq!(status.expect("a zlib stream"), flate2::Status::StreamEnd);
    assert_eq!(zlib.total_out(), entry.decompressed_size);
    entry.decompressed_size
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
