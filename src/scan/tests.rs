mod packs;

use std::num::NonZeroUsize;

use super::file::{STRETCH, STRETCHES_PER_THREAD};
use super::*;
use crate::detect::tests::{PREFIXES, detector, token};
use crate::silence::Markers;
use crate::source::{Repositories, Rules, TreeRules, WINDOW, Walk};
use crate::unpack::collect::Drip;
use crate::vocabulary::SystemClock;

/// Offset, line, column and token.
type Spot = (u64, u64, u64, String);

/// Scans what `push` pushes on `threads` threads.
fn report(threads: usize, push: impl FnOnce(&dyn Sink)) -> ScanReport {
    let scan = Scan {
        detector: detector(),
        threads: &Threads::new(NonZeroUsize::new(threads).unwrap()),
        clock: &SystemClock::new(),
        interrupt: &Interrupt::new(),
        counters: &Counters::default(),
        retain: Retain::Secrets,
        unverified: Unverified::Count,
        silence: &Silence::new(Markers::Heed),
        archives: Archives::Open(Limits::default()),
    };
    scan.run(push)
}

/// The places of what is found so; all must have been read.
fn scan(threads: usize, push: impl FnOnce(&dyn Sink)) -> Vec<Spot> {
    let report = report(threads, push);
    assert!(report.is_complete(), "{:?}", report.errors);
    let mut found = Vec::new();
    for finding in &report.findings {
        let token = finding.secret.as_ref().unwrap().expose();
        for at in &finding.matches.items {
            found.push((at.offset, at.line, at.column, token.to_owned()));
        }
    }
    found.sort();
    found
}

/// A text with tokens around each multiple of `every` bytes, and where they stand.
fn planted(length: usize, every: usize) -> (Vec<u8>, Vec<Spot>) {
    let line = b"2026-11-21 INFO a line of some log or other, sixty bytes long\n";
    let mut text: Vec<u8> = line.iter().copied().cycle().take(length).collect();
    let mut tokens = Vec::new();
    for (n, border) in (every..length - 200).step_by(every).enumerate() {
        let token = token(PREFIXES[n % 6], n as u64);
        let at = border - n * 7 % 100;
        text[at..at + token.len()].copy_from_slice(token.as_bytes());
        tokens.push((at, token));
    }
    let mut newlines = text.iter().enumerate().filter(|&(_, &byte)| byte == b'\n');
    let mut next = newlines.next();
    let (mut line, mut start) = (1, 0);
    let places = tokens.into_iter().map(|(at, token)| {
        while let Some((newline, _)) = next.filter(|&(newline, _)| newline < at) {
            (line, start) = (line + 1, newline + 1);
            next = newlines.next();
        }
        (at as u64, line, (at - start + 1) as u64, token)
    });
    let places = places.collect();
    (text, places)
}

#[test]
fn a_stream_yields_what_its_bytes_yield_whatever_the_sizes_of_its_reads() {
    let (text, places) = planted(4 * WINDOW + 1000, WINDOW / 3);
    assert!(places.len() > 10);
    let whole = scan(1, |sink| sink.blob(&Origin::Stdin, Content::Whole(&text)));
    assert_eq!(whole, places);
    for seed in [1, 77, 4096] {
        let mut drip = Drip(&text, seed);
        let found = scan(1, |sink| {
            sink.blob(&Origin::Stdin, Content::Stream(&mut drip));
        });
        assert_eq!(found, places);
    }
}

#[test]
fn a_file_yields_the_same_on_any_number_of_threads() {
    let length = STRETCH * STRETCHES_PER_THREAD as u64 + STRETCH / 2;
    let (text, places) = planted(usize::try_from(length).unwrap(), 1 << 20);
    let mut file = tempfile::tempfile().unwrap();
    io::Write::write_all(&mut file, &text).unwrap();
    for threads in [1, 2, 5] {
        let found = scan(threads, |sink| {
            sink.blob(&Origin::Stdin, Content::File(&file, length));
        });
        assert_eq!(found, places, "{threads} threads");
    }
}

/// One line with tokens all over and right behind the start of each stretch, and a marker behind
/// or before each at a distance that is now within [`SIGHT`] and now beyond.
fn marked(length: usize) -> Vec<u8> {
    let mut text = vec![b' '; length];
    let marker = b"douse:allow";
    let stretches = (1..).map(|n| n * usize::try_from(STRETCH).unwrap() + n * 37);
    let everywhere = (1..).map(|n| n * 3001);
    let places = [
        stretches.take(19).collect::<Vec<_>>(),
        everywhere.take(6000).collect(),
    ];
    for (n, at) in places.concat().into_iter().enumerate() {
        let token = token(PREFIXES[n % 6], n as u64);
        let away = n * 613 % (2 * SIGHT);
        text[at..at + token.len()].copy_from_slice(token.as_bytes());
        let marker_at = if n % 3 == 0 {
            at + token.len() + away
        } else {
            at - marker.len() - away
        };
        text[marker_at..marker_at + marker.len()].copy_from_slice(marker);
    }
    text
}

#[test]
fn a_marker_is_seen_or_not_whatever_the_windows() {
    let text = marked(usize::try_from(20 * STRETCH).unwrap());
    let silenced = |threads, content: Content<'_>| -> Vec<_> {
        let report = report(threads, |sink| sink.blob(&Origin::Stdin, content));
        let names = report.silenced.iter();
        names.map(|silenced| silenced.finding.fingerprint).collect()
    };
    let whole = silenced(1, Content::Whole(&text));
    assert!((2000..6000).contains(&whole.len()), "{}", whole.len());
    let mut file = tempfile::tempfile().unwrap();
    io::Write::write_all(&mut file, &text).unwrap();
    for threads in [1, 3] {
        let content = Content::File(&file, text.len() as u64);
        assert_eq!(silenced(threads, content), whole);
    }
    assert_eq!(silenced(1, Content::Stream(&mut Drip(&text, 77))), whole);
}

#[test]
fn a_file_that_shrinks_is_an_error_and_what_is_left_is_scanned() {
    let (text, places) = planted(16 * WINDOW, WINDOW);
    let mut file = tempfile::tempfile().unwrap();
    io::Write::write_all(&mut file, &text).unwrap();
    for threads in [1, 2] {
        let report = report(threads, |sink| {
            sink.blob(&Origin::Stdin, Content::File(&file, 5 * STRETCH));
        });
        assert_eq!(report.findings.len(), places.len());
        assert!(!report.is_complete());
        assert!(report.errors.items[0].message.contains("shrank"));
    }
}

/// Packs are looked at without a word about their objects: who watches has to know whose they are.
#[test]
fn whoever_watches_is_told_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("repo/.git");
    std::fs::create_dir_all(store.join("objects")).unwrap();
    std::fs::write(store.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let counters = Counters::default();
    assert_eq!(counters.ask(), None);
    let threads = Threads::new(NonZeroUsize::MIN);
    let scan = Scan {
        detector: detector(),
        threads: &threads,
        clock: &SystemClock::new(),
        interrupt: &Interrupt::new(),
        counters: &counters,
        retain: Retain::Secrets,
        unverified: Unverified::Count,
        silence: &Silence::new(Markers::Heed),
        archives: Archives::Open(Limits::default()),
    };
    let walk = Walk {
        paths: &[folder.path().to_owned()],
        rules: &Rules::new(folder.path(), &[], &[]).unwrap(),
        tree_rules: TreeRules::Disregard,
        repositories: Repositories::Open,
        threads: &threads,
    };
    scan.run(|sink| drop(walk.push(sink)));
    let told = counters.ask().unwrap();
    assert_eq!(told.path, store.as_os_str().as_encoded_bytes());
}
