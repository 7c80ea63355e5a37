//! Any bytes, cut into windows of any size, yield what they yield in one piece; every hit lies in
//! the bytes it was found in; and nothing that is redacted is found again.
#![no_main]

use std::sync::LazyLock;

use douse::detect::{Detector, WindowScanner};
use douse::pattern::PatternSet;
use douse::vocabulary::{Redact as _, Standing};
use libfuzzer_sys::fuzz_target;

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector"));

fuzz_target!(|input: (u16, &[u8])| {
    let (size, bytes) = input;
    let size = usize::from(size) + 1;
    let mut whole = Vec::new();
    DETECTOR.scan(bytes, bytes.len(), |hit| {
        assert!(hit.end() <= bytes.len());
        assert_eq!(&bytes[hit.start..hit.end()], hit.token.as_bytes());
        whole.push((hit.start as u64, hit.token.into_owned(), hit.standing));
    });
    let mut cut = Vec::new();
    let mut scanner = WindowScanner::new(&DETECTOR, 0);
    while scanner.offset() < bytes.len() as u64 {
        let start = usize::try_from(scanner.offset()).expect("an index");
        let decide = size.min(bytes.len() - start);
        let end = bytes.len().min(start + decide + DETECTOR.reach() - 1);
        scanner.window(&bytes[start..end], decide, |located| {
            let hit = located.hit;
            cut.push((located.offset, hit.token.into_owned(), hit.standing));
        });
    }
    assert_eq!(whole, cut);
    let redacted = DETECTOR.bytes(bytes);
    DETECTOR.scan(&redacted, redacted.len(), |hit| {
        assert_ne!(hit.standing, Standing::Finding, "redacted, and found again");
    });
});
