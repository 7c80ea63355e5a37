//! Makes the table of literals, by what real files hold.
//!
//! `DOUSE_SAMPLE=FILE:FILE... cargo test --profile bench --lib -- --ignored --nocapture sample`
//! prints it. Each file weighs the same however long it is, and more when it is named more often.
//! It takes minutes.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "it counts, needs three digits, and is told its files by whoever makes the table"
)]

use std::collections::HashMap;

use super::super::arrange::{Arranger, BUCKETS, Bucket, LOOKED_AT, Mask};
use super::super::cover::cover;
use super::super::frequency::Model;
use super::tests::built_in;

/// How often three bytes follow each other.
struct Sample {
    /// By the first of them.
    triples: Vec<Vec<([u8; LOOKED_AT], f32)>>,
}

impl Sample {
    fn read(paths: &str) -> Self {
        let mut counts: HashMap<[u8; LOOKED_AT], f64> = HashMap::new();
        let paths: Vec<&str> = paths.split(':').collect();
        for path in &paths {
            let bytes = std::fs::read(path).unwrap();
            let one = 1.0 / (bytes.len() * paths.len()) as f64;
            for triple in bytes.windows(LOOKED_AT) {
                *counts.entry(triple.try_into().unwrap()).or_default() += one;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(triple, _)| *triple);
        let mut triples = vec![Vec::new(); 256];
        for (triple, count) in counts {
            triples[usize::from(triple[0])].push((triple, count as f32));
        }
        Self { triples }
    }
}

impl Model for Sample {
    fn text(&self, text: &[u8]) -> f32 {
        let same = self.triples[usize::from(text[0])].iter();
        let same = same.filter(|(triple, _)| text.starts_with(triple));
        same.map(|(_, count)| count).sum()
    }

    fn mask(&self, mask: &Mask) -> f32 {
        let halves = mask.halves();
        let passes =
            |(low, high): (u16, u16), byte: u8| low >> (byte & 15) & high >> (byte >> 4) & 1 == 1;
        let passing: Vec<[bool; LOOKED_AT]> = (0..=255)
            .map(|byte| halves.map(|halves| passes(halves, byte)))
            .collect();
        let pass = |at: usize, triple: &[u8; LOOKED_AT]| passing[usize::from(triple[at])][at];
        let first = self.triples.iter().zip(&passing);
        let triples = first.filter(|(_, passing)| passing[0]);
        let triples = triples.flat_map(|(triples, _)| triples);
        let passing = triples.filter(|(triple, _)| pass(1, triple) && pass(2, triple));
        passing.map(|(_, count)| count).sum()
    }
}

/// Puts literals into buckets as the program does, and then goes on trying from the best there is.
fn arrange(arranger: &Arranger<'_>) -> Vec<Bucket> {
    const TRIES: usize = 400;
    const MOVED: usize = 6;

    let cost = |buckets: &[Bucket]| buckets.iter().map(|bucket| bucket.chance).sum::<f32>();
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut best = arranger.join();
    arranger.improve(&mut best);
    for _ in 0..TRIES {
        let mut other = best.clone();
        for _ in 0..MOVED {
            let from = random(BUCKETS);
            if other[from].sets.is_empty() {
                continue;
            }
            let (rest, set) = arranger.without(&other[from], random(other[from].sets.len()));
            other[from] = rest;
            arranger.add(&mut other[random(BUCKETS)], set);
        }
        arranger.improve(&mut other);
        if cost(&other) < cost(&best) {
            best = other;
        }
    }
    best
}

#[test]
#[ignore = "prints a table, made for the files of DOUSE_SAMPLE"]
fn choose() {
    let sample = Sample::read(&std::env::var("DOUSE_SAMPLE").expect("files"));
    let literals = cover(&built_in(), &sample);
    let texts: Vec<&[u8]> = literals.iter().map(|one| one.text.as_slice()).collect();
    let arranger = Arranger {
        literals: &texts,
        model: &sample,
    };
    let buckets = arrange(&arranger);
    let stops: f32 = buckets.iter().map(|bucket| bucket.chance).sum();
    for bucket in buckets {
        let texts = bucket.sets.into_iter().flatten().map(|at| texts[at]);
        let shown = texts.map(|text| format!("b\"{}\"", text.escape_ascii()));
        println!("    &[{}],", shown.collect::<Vec<_>>().join(", "));
    }
    println!("a bucket stops once in {:.0} bytes", 1.0 / stops);
}
