//! Kills at random moments and full disks. The judge is the server's log; it knows the tokens that
//! were to arrive and the limit that was to hold, and nothing of the program.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use crate::douse::Douse;
use crate::github::Github;
use crate::http::Request;
use crate::revoke::{revoke, states};
use crate::sandbox::Sandbox;
use crate::tokens::Random;

/// Tokens in each request of a soak.
const BATCH: usize = 50;
/// Requests in each [`WINDOW`] of a soak.
const LIMIT: usize = 40;
const WINDOW: Duration = Duration::from_secs(1);
/// How often a run is killed, at most.
const KILLS: usize = 15;

fn soak<'s>(sandbox: &'s Sandbox, github: &Github) -> Douse<'s> {
    revoke(sandbox, github)
        .arg("--credentials")
        .arg("list")
        .arg("--batch-size")
        .arg(BATCH.to_string())
        .arg("--budget")
        .arg(format!("{LIMIT}/1s"))
}

/// 5,000 tokens in 100 requests, killed at random moments until it gets through.
fn one_soak(seed: u64) {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    github.limit(usize::MAX);
    let mut tokens = sandbox.revocable(100 * BATCH);
    sandbox.write("list", tokens.join("\n"));
    let mut random = Random(seed);
    let mut kills = 0;
    let output = loop {
        let patience = Duration::from_millis(20 + random.next() % 600);
        match soak(&sandbox, &github).spawn().wait_or_kill(patience) {
            Some(output) => break output,
            // From some time on it is let through.
            None if kills >= KILLS => break soak(&sandbox, &github).run(),
            None => kills += 1,
        }
    };
    let output = output.expect(0);
    assert_eq!(output.summary()["accepted"], 100 * BATCH);

    // Nothing was lost, and all that came twice was in the request under way when it was killed.
    let mut taken = github.taken();
    let arrived = taken.len();
    taken.dedup();
    tokens.sort_unstable();
    assert!(
        taken == tokens,
        "seed {seed}: {} of {} tokens",
        taken.len(),
        tokens.len()
    );
    let log = github.log();
    assert!(
        log.len() <= 100 + kills,
        "seed {seed}: {} requests, {kills} kills",
        log.len()
    );
    assert!(arrived - taken.len() <= kills * BATCH, "seed {seed}");
    only_what_was_in_flight_came_twice(&log, seed);
    for group in log.windows(LIMIT + 1) {
        let between = group[LIMIT].at - group[0].at;
        assert!(
            between >= WINDOW,
            "seed {seed}: {LIMIT} requests and one more in {between:?}"
        );
    }
}

/// A token that arrives again was in the very request before: all earlier ones had their end on
/// record when the process was killed.
fn only_what_was_in_flight_came_twice(log: &[Request], seed: u64) {
    let mut before: HashSet<&str> = HashSet::new();
    let mut last: HashSet<&str> = HashSet::new();
    for (number, request) in log.iter().enumerate() {
        let now: HashSet<&str> = request.credentials.iter().map(String::as_str).collect();
        assert!(
            now.is_disjoint(&before),
            "seed {seed}: request {number} repeats what an earlier one than the last had sent"
        );
        before.extend(std::mem::replace(&mut last, now));
        // What is repeated was in flight, and is so again.
        before.retain(|token| !last.contains(token));
    }
}

fn soaks(seeds: std::ops::Range<u64>) {
    let middle = seeds.start.midpoint(seeds.end);
    thread::scope(|scope| {
        scope.spawn(|| (seeds.start..middle).for_each(one_soak));
        scope.spawn(|| (middle..seeds.end).for_each(one_soak));
    });
}

#[test]
fn twenty_runs_that_are_killed_at_random_lose_nothing() {
    soaks(0..20);
}

#[test]
#[ignore = "takes half an hour: the same ten times over; DOUSE_SOAK=100..120 runs a part"]
fn two_hundred_runs_that_are_killed_at_random_lose_nothing() {
    let part = std::env::var("DOUSE_SOAK").unwrap_or_else(|_| "100..300".to_owned());
    let (from, to) = part.split_once("..").unwrap();
    soaks(from.parse().unwrap()..to.parse().unwrap());
}

/// Fingerprints that the ledger has as sent, whatever became of them since.
fn on_record(sandbox: &Sandbox) -> HashSet<String> {
    let Ok(ledger) = rusqlite::Connection::open(sandbox.ledger()) else {
        return HashSet::new();
    };
    let Ok(mut query) = ledger.prepare("SELECT lower(hex(fingerprint)) FROM attempt") else {
        // Not even its tables are there.
        return HashSet::new();
    };
    let names = query.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// The disk is full after so many bytes of any one file: at whatever step of the ledger that
/// happens, nothing was sent that is not on record, and the next run picks it all up.
#[test]
fn a_full_disk_stops_before_sending() {
    let mut outcomes = HashSet::new();
    // In blocks of 512 bytes; the ledger is written in pages of 4096.
    for blocks in (0..).step_by(8) {
        let (sandbox, github) = (Sandbox::new(), Github::new());
        let tokens = sandbox.revocable(60);
        sandbox.write("list", tokens.join("\n"));
        let url = github.url();
        let arguments = ["revoke", "--yes", "-f", "jsonl", "--credentials", "list"];
        let run = sandbox.douse_limited(&format!("-f {blocks}"), arguments);
        let run = run
            .arg("--batch-size")
            .arg("20")
            .arg("--min-interval")
            .arg("0s");
        let output = run.arg("--api-url").arg(&url).run();
        let known = on_record(&sandbox);
        let sent = github.log();
        for request in &sent {
            for token in &request.credentials {
                let name = crate::tokens::fingerprint(token);
                assert!(
                    known.contains(&name),
                    "{blocks} blocks: sent without a record"
                );
            }
        }
        outcomes.insert((output.code(), sent.len()));
        if output.code() == 0 {
            assert_eq!(sent.len(), 3);
            break;
        }
        // There is room again.
        let after = revoke(&sandbox, &github).arg("--credentials").arg("list");
        let after = after.arg("--retry-pause").arg("0s").run().expect(0);
        assert_eq!(states(&after), vec!["accepted"; 60], "{blocks} blocks");
        let mut taken = github.taken();
        taken.dedup();
        assert_eq!(taken.len(), 60);
    }
    // It was full before the first request, and between one and the next.
    assert!(
        outcomes.contains(&(2, 0)) && outcomes.contains(&(2, 1)),
        "{outcomes:?}"
    );
}
