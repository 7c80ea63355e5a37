//! Any bytes, cut into windows of any size, yield what they yield in one piece; every hit lies in
//! the bytes it was found in; and nothing that is redacted is found again.
#![no_main]

use std::sync::LazyLock;

use douse::detect::{Detector, LOOKBEHIND, Window, WindowScanner};
use douse::pattern::PatternSet;
use douse::vocabulary::{Encoding, Redact as _, Standing};
use libfuzzer_sys::fuzz_target;

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(PatternSet::embedded().expect("patterns")).expect("a detector"));

fuzz_target!(|input: (u16, &[u8])| {
    let (size, bytes) = input;
    let size = usize::from(size) + 1;
    let mut whole = Vec::new();
    DETECTOR.scan(Window::whole(bytes), |hit| {
        assert!(hit.end() <= bytes.len());
        if hit.encoding == Encoding::Plain {
            assert_eq!(&bytes[hit.start..hit.end()], hit.token.as_bytes());
        } else {
            assert_eq!(hit.standing, Standing::Finding);
        }
        let token = hit.token.into_owned();
        whole.push((hit.start as u64, token, hit.standing, hit.encoding));
    });
    let mut cut = Vec::new();
    let mut scanner = WindowScanner::new(&DETECTOR, 0);
    while scanner.offset() < bytes.len() as u64 {
        let at = usize::try_from(scanner.offset()).expect("an index");
        let past = at.min(LOOKBEHIND);
        let decide = size.min(bytes.len() - at);
        let end = bytes.len().min(at + decide + DETECTOR.reach() - 1);
        scanner.window(&bytes[at - past..end], past, decide, |located| {
            let hit = located.hit;
            let token = hit.token.into_owned();
            cut.push((located.offset, token, hit.standing, hit.encoding));
        });
    }
    assert_eq!(whole, cut);
    let redacted = DETECTOR.bytes(bytes);
    DETECTOR.scan(Window::whole(&redacted), |hit| {
        assert_ne!(hit.standing, Standing::Finding, "redacted, and found again");
    });
});
