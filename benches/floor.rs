//! The floors that `douse` is measured against, each doing the least that the work can mean.
//!
//! `floor walk THREADS PATH` walks a tree with the same walker and reads every byte, searching
//! nothing; to be timed from outside. It reads into a plain `Vec`; `floor walk-aligned` into the
//! program's own buffer, which makes reading itself faster. `floor search FILE...` holds the files in memory and takes
//! turns between a bare packed searcher over the detector's literals and the detector itself, and
//! prints the median of each and their ratio.

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
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aho_corasick::packed::{MatchKind, Searcher};
use douse::detect::Detector;
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
        // `cargo bench` and `cargo test` call every benchmark without arguments of ours.
        _ => println!("usage: floor walk|walk-aligned THREADS PATH | floor search FILE..."),
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
    let detector = Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector");
    let prefixes = detector.patterns().patterns().iter();
    let mut config = aho_corasick::packed::Config::new();
    let bare: Searcher = config
        .match_kind(MatchKind::LeftmostFirst)
        .builder()
        .extend(prefixes.map(|pattern| pattern.kind.prefix.as_bytes()))
        .build()
        .expect("a packed searcher");
    let (mut floors, mut ours) = (Vec::new(), Vec::new());
    let (mut candidates, mut hits) = (0, 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        candidates = bare.find_iter(&text).count();
        floors.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        hits = 0;
        detector.scan(&text, text.len(), |_| hits += 1);
        ours.push(start.elapsed().as_secs_f64());
    }
    let megabytes = text.len() as f64 / 1e6;
    let (floor, ours) = (median(floors), median(ours));
    println!("{megabytes:.0} MB, {candidates} candidates, {hits} hits, median of {ROUNDS}:");
    println!("bare packed searcher {:.2} GB/s", megabytes / floor / 1e3);
    println!("detector             {:.2} GB/s", megabytes / ours / 1e3);
    println!("ratio                {:.3}", floor / ours);
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
