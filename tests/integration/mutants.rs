//! Files of real git with a few wrong bytes, from a fixed seed: nothing panics, nothing hangs, and
//! what is not read is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::douse::fingerprints;
use crate::repository::{Repository, only};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// Mutants of each file.
const MUTANTS: u64 = 40;

/// No mutant of so small a repository takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Numbers that look random, by `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    /// Some bytes with a few of them wrong, or some missing, or some twice.
    fn mutant(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut mutant = bytes.to_vec();
        let at = self.roll(bytes.len());
        match self.roll(8) {
            0 => mutant.truncate(at),
            1 => drop(mutant.splice(at..at, bytes[at..].iter().take(40).copied())),
            2 => mutant[at..]
                .iter_mut()
                .take(8)
                .for_each(|byte| *byte = 0xff),
            _ => {
                for _ in 0..=self.roll(4) {
                    // The tables at the start decide about most.
                    let end = if self.roll(2) == 0 {
                        bytes.len()
                    } else {
                        1100.min(bytes.len())
                    };
                    mutant[self.roll(end)] ^= 1 << self.roll(8);
                }
            }
        }
        mutant
    }
}

/// A repository with two packs over which a multi-pack-index stands, and its tokens.
fn repository(sandbox: &Sandbox) -> (Repository, Vec<String>) {
    let repository = Repository::new(sandbox, "repo", &[]);
    let mut tokens = Vec::new();
    for round in 0..2 {
        let filler = "a line that all versions share\n".repeat(40);
        for n in 0..6 {
            let token = sandbox.token(Kind::Personal);
            repository.write("file", format!("{round} {n}\n{filler}{token}\n{filler}"));
            repository.commit("one more");
            tokens.push(token);
        }
        repository.git(&["repack", "-dq"]);
    }
    repository.git(&["multi-pack-index", "write"]);
    (repository, tokens)
}

/// Scans with mutants in the place of a file. What was found must be all, or not all be read.
fn scan_mutants(file: &Path, sandbox: &Sandbox, arguments: &[&str], tokens: &[String]) {
    let whole = fs::read(file).unwrap();
    fs::remove_file(file).unwrap();
    let mut dice = Dice(whole.len() as u64);
    for n in 0..MUTANTS {
        fs::write(file, dice.mutant(&whole)).unwrap();
        let run = sandbox.douse(["scan", "--format=jsonl"].iter().chain(arguments));
        let output = run.spawn().wait_or_kill(PATIENCE);
        let output = output.unwrap_or_else(|| panic!("mutant {n} of {} hangs", file.display()));
        assert!(
            !output.talk().contains("panicked"),
            "mutant {n}: {}",
            output.talk()
        );
        match output.code() {
            2 => {}
            code => {
                assert_eq!(code, i32::from(!tokens.is_empty()), "mutant {n}");
                assert_eq!(output.found(), fingerprints(tokens), "mutant {n}");
            }
        }
    }
    fs::write(file, whole).unwrap();
}

#[test]
fn mutated_indexes_of_packs_hide_nothing() {
    let sandbox = Sandbox::new();
    let (repository, tokens) = repository(&sandbox);
    let folder = repository.path(".git/objects/pack");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let indexes = files.filter(|path| path.extension().is_some_and(|ending| ending == "idx"));
    let mut indexes: Vec<PathBuf> = indexes.collect();
    indexes.sort();
    assert_eq!(indexes.len(), 2);
    scan_mutants(&indexes[0], &sandbox, &["repo"], &tokens);
    scan_mutants(
        &folder.join("multi-pack-index"),
        &sandbox,
        &["repo"],
        &tokens,
    );
}

#[test]
fn mutated_packs_hide_nothing() {
    let sandbox = Sandbox::new();
    let (repository, tokens) = repository(&sandbox);
    repository.git(&["repack", "-adq"]);
    let pack = only(&repository.path(".git/objects/pack"), "pack");
    scan_mutants(&pack, &sandbox, &["repo"], &tokens);
}

#[test]
fn a_mutated_index_hides_nothing() {
    let sandbox = Sandbox::new();
    let (repository, tokens) = repository(&sandbox);
    for n in 0..20 {
        repository.write(&format!("folder/{n}"), format!("{n}"));
    }
    repository.git(&["add", "--all"]);
    let index = repository.path(".git/index");
    scan_mutants(&index, &sandbox, &["repo"], &tokens);
}

/// What a wrong index says is staged may be anything, so nothing is said of what is found.
#[test]
fn a_mutated_index_is_compared_with_head_or_told() {
    let sandbox = Sandbox::new();
    let (repository, _) = repository(&sandbox);
    for n in 0..20 {
        repository.write(&format!("folder/{}/{n}", n % 4), format!("{n}"));
    }
    repository.git(&["add", "--all"]);
    // It remembers the trees that it came from, so that folders are passed over.
    repository.commit("a tree for each folder");
    repository.write("folder/1/1", sandbox.token(Kind::Personal));
    repository.git(&["add", "--all"]);
    let index = repository.path(".git/index");
    let whole = fs::read(&index).unwrap();
    assert!(whole.windows(4).any(|name| name == b"TREE"));
    let staged = || {
        let run = sandbox.douse(["scan", "--staged", "--format=jsonl"]);
        run.folder("repo").spawn().wait_or_kill(PATIENCE)
    };
    assert_eq!(staged().unwrap().code(), 1);
    let mut dice = Dice(99);
    let mut codes = [0; 3];
    for n in 0..12 * MUTANTS {
        fs::write(&index, dice.mutant(&whole)).unwrap();
        let output = staged().unwrap_or_else(|| panic!("mutant {n} hangs"));
        assert!(
            !output.talk().contains("panicked"),
            "mutant {n}: {}",
            output.talk()
        );
        codes[usize::try_from(output.code()).unwrap()] += 1;
    }
    // Some are read, and some cannot be.
    assert!(codes[1] > 0 && codes[2] > 0, "{codes:?}");
}
