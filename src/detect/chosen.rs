//! Which literals to search for, so that every spelling of every prefix is met: known ahead.
//!
//! To choose and arrange them takes milliseconds, which is as long as all the rest of a hook's
//! scan, and is done better by what real text holds than by what is known of single bytes. So it
//! was done once, for the prefixes that are built in (`chosen/sample.rs` does it). Patterns that the
//! table does not fit have theirs worked out.

#[cfg(test)]
mod sample;

use super::arrange::{self, BUCKETS};
use super::cover::{Literal, Probe, cover};
use super::frequency::SingleBytes;
use super::spell::Spelling;

/// The literals for all `spellings`, and the order in which to give them to the searcher.
pub(super) fn literals(spellings: &[Spelling]) -> (Vec<Literal>, Vec<usize>) {
    ready(spellings).unwrap_or_else(|| {
        let literals = cover(spellings, &SingleBytes);
        let texts: Vec<&[u8]> = literals.iter().map(|one| one.text.as_slice()).collect();
        let order = arrange::arrange(&texts, &SingleBytes);
        (literals, order)
    })
}

/// Those of the table, if they meet all spellings.
fn ready(spellings: &[Spelling]) -> Option<(Vec<Literal>, Vec<usize>)> {
    let mut table: Vec<(usize, Literal)> = Vec::new();
    for (bucket, texts) in CHOSEN.iter().enumerate() {
        let literal = |text: &&[u8]| Literal {
            text: text.to_vec(),
            probes: Vec::new(),
        };
        table.extend(texts.iter().map(|text| (bucket, literal(text))));
    }
    table.sort_unstable_by(|(_, a), (_, b)| a.text.cmp(&b.text));
    for spelling in spellings {
        meet(&mut table, spelling)?;
    }
    table.retain(|(_, literal)| !literal.probes.is_empty());
    let (buckets, literals): (Vec<usize>, Vec<Literal>) = table.into_iter().unzip();
    let texts: Vec<&[u8]> = literals.iter().map(|one| one.text.as_slice()).collect();
    let order = arrange::order(&texts, |at| buckets[at]);
    Some((literals, order))
}

/// Has one of the literals, sorted by their texts, lead to a spelling.
fn meet(table: &mut [(usize, Literal)], spelling: &Spelling) -> Option<()> {
    let form = spelling.form;
    let mut chosen = None;
    for offset in 0..spelling.text.len() {
        let behind = &spelling.text[offset..spelling.piece_end(offset)];
        // None is the start of another one, so only the last that is not behind it may be its start.
        let after = table.partition_point(|(_, literal)| literal.text.as_slice() <= behind);
        let Some(at) = after.checked_sub(1) else {
            continue;
        };
        let (_, literal) = &table[at];
        if behind.starts_with(&literal.text) {
            let probe = Probe { offset, form };
            if literal.probes.contains(&probe) {
                return Some(());
            }
            chosen.get_or_insert((at, probe));
        }
    }
    let (at, probe) = chosen?;
    table[at].1.probes.push(probe);
    Some(())
}

/// What meets all spellings of GitHub's prefixes, by the searcher's buckets.
///
/// The sample was 60 parts: 24 of source code in Rust, C and Python, 14 of logs and JSON lines made
/// of a repository's history, 8 of JavaScript and JSON, 5 of shared libraries, 4 of random base64, 2 of
/// random hexadecimal digits, 2 of a package manager's logs, one of mail. In the first three a bucket
/// stops once in 2000 bytes and more, in base64 once in 120. With only one of base64, text is no
/// better and base64 a third worse.
#[rustfmt::skip]
const CHOSEN: [&[&[u8]]; BUCKETS] = [
    &[b"ub_", b"5hRzlm", b"1lYUm", b"\nb_pat_", b"uYU", b"5hS", b"VhS"],
    &[b"g\0h\0", b"2do", b"mdo", b"gho", b"Gdo", b"Wdo", b"\r\nh", b"=\nh", b"dGh1"],
    &[b"676", b"=5F", b"\r\n_", b"=\n_", b"&#95;"],
    &[b"aMm", b"WJf", b"oya", b"aHV"],
    &[b"u005", b"_\0p\0a\0t\0_", b"\\_pat\\_", b"Z2h", b"%5F", b"%5f"],
    &[b"ghu", b"ghs", b"kb2", b"ghr", b"ghp", b"gh=", b"WjJ"],
    &[b"CaGRG", b"F8A", b"GgA", b"bmF"],
    &[b"ZwB", b"aG9f", b"aHBf", b"RvY", b"RvZF", b"ZG9", b"aHJf", b"WFJ", b"aHNf", b"#x5", b"\\x5"],
];

#[cfg(test)]
mod tests {
    use super::super::arrange::{LOOKED_AT, Mask};
    use super::super::spell::spellings;
    use super::super::stems;
    use super::*;
    use crate::pattern::PatternSet;

    pub(super) fn built_in() -> Vec<Spelling> {
        let stems = stems(&PatternSet::embedded().unwrap());
        let spellings = stems.iter().flat_map(|stem| spellings(&stem.text));
        spellings.collect()
    }

    /// Whether each spelling has a probe that a literal in it leads to.
    fn meet(literals: &[Literal], spellings: &[Spelling]) -> bool {
        spellings.iter().all(|spelling| {
            literals.iter().any(|literal| {
                literal.probes.iter().any(|&Probe { offset, form }| {
                    let behind = spelling.text.get(offset..spelling.piece_end(offset));
                    form == spelling.form && behind.is_some_and(|b| b.starts_with(&literal.text))
                })
            })
        })
    }

    #[test]
    fn the_table_meets_all_that_is_built_in_and_nothing_in_it_is_idle() {
        let spellings = built_in();
        let (literals, order) = ready(&spellings).expect("a table that fits");
        assert!(meet(&literals, &spellings));
        assert_eq!(
            literals.len(),
            CHOSEN.iter().map(|texts| texts.len()).sum::<usize>()
        );
        for (at, literal) in literals.iter().enumerate() {
            let others = literals.iter().filter(|other| other.text != literal.text);
            assert!(
                others
                    .clone()
                    .all(|other| !other.text.starts_with(&literal.text))
            );
            assert!(order.contains(&at));
            assert!(literal.text.len() >= LOOKED_AT);
        }
        // What the searcher keeps together stands together.
        let texts: Vec<&[u8]> = literals.iter().map(|one| one.text.as_slice()).collect();
        for (row, bucket) in CHOSEN.iter().zip(0..) {
            let keys = |text: &[u8]| Mask::of(text).halves().map(|(low, _)| low);
            for text in *row {
                for other in &texts {
                    assert!(keys(other) != keys(text) || CHOSEN[bucket].contains(other));
                }
            }
        }
    }

    #[test]
    fn what_the_table_does_not_meet_is_worked_out() {
        let mut all = built_in();
        all.extend(spellings(b"acme_"));
        assert!(ready(&all).is_none());
        assert!(meet(&literals(&all).0, &all));
    }

    #[test]
    fn of_the_table_only_what_is_needed_is_searched_for() {
        let some = spellings(b"ghp_");
        let (literals, order) = ready(&some).unwrap();
        assert!(meet(&literals, &some));
        assert!(literals.iter().all(|literal| !literal.probes.is_empty()));
        assert!(order.iter().all(|&at| at < literals.len()));
    }
}
