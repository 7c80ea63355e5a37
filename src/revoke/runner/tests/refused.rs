//! Hosts that refuse single tokens, and hosts that refuse everything.

use std::collections::HashSet;

use super::*;

#[test]
fn bad_tokens_cost_no_other_its_revocation() {
    for bad in 1..=5 {
        // Under GitHub's own limits, hours and all.
        let world = World::new();
        let poison: HashSet<Fingerprint> = (0..bad).map(|n| name(n * 997)).collect();
        let ran = world.run(5000, |_, names| {
            if names.iter().any(|name| poison.contains(name)) {
                says(422, "Validation Failed")
            } else {
                status(202)
            }
        });
        assert_eq!(ran.report.stop, Stop::Done);
        assert_eq!(ran.report.count(State::Accepted), 5000 - bad);
        let rejected = ran
            .report
            .outcomes
            .iter()
            .filter(|outcome| outcome.state == State::Rejected);
        for outcome in rejected {
            assert!(poison.contains(&outcome.fingerprint));
            assert_eq!(outcome.reason.as_deref(), Some("Validation Failed"));
        }
        assert_eq!(ran.report.requests, ran.log.len() as u64);
        let extra = ran.log.len() - 5;
        assert!(
            (10 * bad.min(3)..=20 * bad).contains(&extra),
            "{bad}: {extra}"
        );
        let within = |group: &[(i64, usize)]| group[60].0 - group[0].0 >= HOUR;
        assert!(ran.log.windows(61).all(within), "{bad}");
    }
}

#[test]
fn what_one_half_tells_of_the_other_is_used() {
    let last = (0..1000).map(name).max().unwrap();
    let ran = World::unlimited().run(1000, |_, names| {
        if names.contains(&last) {
            status(422)
        } else {
            status(202)
        }
    });
    // Once in full, nine first halves that are accepted, and the bad one alone.
    assert_eq!(ran.report.requests, 11);
    assert_eq!(ran.report.count(State::Accepted), 999);
}

#[test]
fn a_host_that_refuses_every_token_is_not_believed() {
    let world = World::unlimited();
    for words in ["Validation Failed", "Validation failed, or spammed"] {
        let ran = world.run(16, |_, _| says(422, words));
        assert_eq!(
            (ran.report.count(State::Pending), ran.report.requests),
            (16, 31)
        );
        assert!(failed(&ran.report).contains("later run"));
    }
    let again = world.run(16, |_, _| status(202));
    assert_eq!(again.report.count(State::Accepted), 16);
}

/// In a run of one token nothing tells the token from the host but the host's words.
#[test]
fn a_lone_refusal_is_as_good_as_its_words() {
    for (words, state) in [
        ("Validation Failed", State::Rejected),
        ("Validation failed, or spammed", State::Pending),
    ] {
        let ran = World::new().run(1, |_, _| says(422, words));
        assert_eq!(ran.report.count(state), 1, "{words}");
    }
}

/// However the run ends: what was refused before that is no more believed.
#[test]
fn refusals_before_an_early_end_are_taken_back_too() {
    let world = World::unlimited();
    let ran = world.run(4, |request, _| match request {
        // All, one half, and its two tokens.
        0..4 => status(422),
        _ => says(403, "blocked"),
    });
    assert!(failed(&ran.report).contains("blocked"));
    assert_eq!(ran.report.count(State::Pending), 4);
    assert_eq!(ran.report.requests, 5);
}

/// A host that takes a batch, and then nothing more.
#[test]
fn a_host_that_turns_against_us_is_not_believed_since_then() {
    let world = World::unlimited();
    let bad = names_in_order(1010)[500];
    let ran = world.run(1010, |_, names| {
        let turned = names.len() <= 10 && names[0] > names_in_order(1010)[999];
        status(if turned || names.contains(&bad) {
            422
        } else {
            202
        })
    });
    assert_eq!(ran.report.count(State::Accepted), 999);
    assert_eq!(ran.report.count(State::Rejected), 1);
    assert_eq!(ran.report.count(State::Pending), 10);
}

fn names_in_order(count: usize) -> Vec<Fingerprint> {
    let mut names: Vec<Fingerprint> = (0..count).map(name).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_host_that_refuses_everything_is_not_asked_for_ever() {
    let world = World::new();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    let ended = world.carry_out(&mut ledger, plan(1000), |_, _| status(422));
    assert_eq!(ended.log.len(), 40);
    assert!(matches!(ended.report.stop, Stop::Failed(_)));
    // Nothing that it said was about any token.
    assert_eq!(ended.report.count(State::Pending), 1000);
    let later = world.run(1000, |_, _| status(202));
    assert_eq!(later.report.count(State::Accepted), 1000);
}

/// What it accepts shows that it does not refuse everything; what it refused before that stands.
#[test]
fn a_refusal_that_was_about_a_token_is_not_taken_back() {
    let world = World::unlimited();
    let bad = name(0);
    world.run(2, |_, names| {
        status(if names.contains(&bad) { 422 } else { 202 })
    });
    let ended = world.run(1000, |_, _| status(422));
    assert!(matches!(ended.report.stop, Stop::Failed(_)));
    assert_eq!(ended.report.count(State::Rejected), 1);
    assert_eq!(ended.report.count(State::Accepted), 1);
    assert_eq!(ended.report.count(State::Pending), 998);
}
