//! A user's pattern file may be anything. What is taken can be searched for and proved.
#![no_main]

use douse::detect::{Detector, prove};
use douse::pattern::PatternSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(patterns) = PatternSet::parse(text)
        && let Ok(detector) = Detector::new(patterns)
    {
        prove(&detector);
    }
});
