//! Micro benchmarks of the detector, with figures in bytes a second: on text without candidates,
//! on text made of nothing but candidates, and on text made of nothing but tokens.
//!
//! `cargo bench --bench detector`. The ratio to a bare search, which is what the project promises,
//! is `floor search`'s to measure: it takes turns, and these do not.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot begin has nothing to tell"
)]

use divan::Bencher;
use divan::counter::BytesCount;
use douse::detect::{Detector, Window, WindowScanner};
use douse::pattern::{PatternSet, Scheme};

const SIZE: usize = 4 << 20;

fn main() {
    divan::main();
}

fn detector() -> Detector {
    Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector")
}

fn repeat(piece: &str) -> Vec<u8> {
    piece.bytes().cycle().take(SIZE).collect()
}

fn scan(bencher: Bencher<'_, '_>, text: &[u8]) {
    let detector = detector();
    bencher.counter(BytesCount::of_slice(text)).bench(|| {
        let mut hits = 0;
        detector.scan(Window::whole(text), |_| hits += 1);
        hits
    });
}

#[divan::bench]
fn prose(bencher: Bencher<'_, '_>) {
    scan(
        bencher,
        &repeat("2026-11-21 INFO the github login page got a high-grade glyph\n"),
    );
}

#[divan::bench]
fn prose_with_lines_counted(bencher: Bencher<'_, '_>) {
    let text = repeat("2026-11-21 INFO the github login page got a high-grade glyph\n");
    let detector = detector();
    bencher.counter(BytesCount::of_slice(&text)).bench(|| {
        let mut scanner = WindowScanner::new(&detector, 0);
        scanner.window(&text, 0, text.len(), |_| {});
        scanner.lines()
    });
}

#[divan::bench]
fn only_prefixes(bencher: Bencher<'_, '_>) {
    scan(bencher, &repeat(&["gh", "p_"].concat()));
}

#[divan::bench]
fn only_placeholders(bencher: Bencher<'_, '_>) {
    scan(
        bencher,
        &repeat(&["gh", "p_", &"x".repeat(36), " "].concat()),
    );
}

#[divan::bench]
fn only_tokens(bencher: Bencher<'_, '_>) {
    let payload = "abcdefghijklmnopqrstuvwxyz0123";
    let check = Scheme::Crc32Base62
        .compute("", payload)
        .expect("a checksum");
    scan(
        bencher,
        &repeat(&["gh", "p_", payload, &check, "\n"].concat()),
    );
}
