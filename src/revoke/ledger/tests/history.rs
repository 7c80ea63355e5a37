//! What stays on record, whatever comes after it; and how it comes from an older ledger.

use std::sync::Arc;

use super::super::super::plan::{Candidate, PlanOptions};
use super::*;
use crate::revoke::Host;
use crate::vocabulary::{Call, Checksum, Credentials, Kind, Revocable, Secret, Standing};

/// The tables of version 1 as its program made them, and something in each.
const VERSION_1: &str = include_str!("version_1.sql");

fn candidate(token: &str, revocable: Revocable) -> Candidate {
    let kind = Kind {
        id: "github_personal_access_token".into(),
        title: "".into(),
        prefix: "".into(),
        revocable,
    };
    Candidate {
        fingerprint: name(token),
        kind: Arc::new(kind),
        secret: Secret::new(token),
        checksum: Checksum::Valid,
        standing: Standing::Finding,
    }
}

fn plan(candidates: Vec<Candidate>) -> Plan {
    let host = Host::parse(HOST).unwrap();
    Plan::new(candidates, |_| None, &PlanOptions::new(&host))
}

/// Token, state and request of each outcome, in order.
fn outcomes(ledger: &Ledger) -> Vec<(Fingerprint, State, Option<RequestId>)> {
    let outcomes = audit(ledger).1.into_iter();
    outcomes
        .map(|outcome| (outcome.fingerprint, outcome.state, outcome.request))
        .collect()
}

#[test]
fn every_request_of_a_token_stays_on_record() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    for (at, closed) in [
        (0, Closed::Throttled),
        (100_000, Closed::Unknown),
        (200_000, Closed::NotSent),
        (300_000, Closed::Accepted),
    ] {
        send(&mut ledger, "a", closed, at);
    }
    let a = name("a");
    assert_eq!(
        outcomes(&ledger),
        [
            (a, State::Pending, Some(1)),
            (a, State::Unknown, Some(2)),
            // It may have been taken before, and that this one was not sent changes nothing.
            (a, State::Unknown, Some(3)),
            (a, State::Accepted, Some(4)),
        ]
    );
    let (requests, outcomes) = audit(&ledger);
    let states: Vec<&str> = requests
        .iter()
        .map(|request| request.state.as_str())
        .collect();
    assert_eq!(states, ["throttled", "unknown", "not_sent", "accepted"]);
    assert_eq!(outcomes[0].at_ms, at(0).wall_ms);
    assert_eq!(outcomes[1].reason.as_deref(), Some("words"));
    assert_eq!(outcomes[3].reason, None);
}

#[test]
fn a_request_under_way_can_be_looked_at() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let path = ledger.path.clone();
    let mut sender = ours(&mut ledger, &at(0));
    sender
        .grant(&Policy::GITHUB, &[entry("a")], &at(0))
        .unwrap();
    let record = Record::open(&path).unwrap().unwrap();
    let seen = record.status(&Policy::GITHUB, &at(0)).unwrap();
    assert_eq!((seen.hosts[0].open, seen.hosts[0].budgets[0].used), (1, 1));
    assert_eq!(seen.hosts[0].tokens, [(State::Unknown, 1)]);
    // And the onlooker is in nobody's way.
    sender
        .settle(1, &closing(Closed::Accepted), &at(5))
        .unwrap();
    let after = record.status(&Policy::GITHUB, &at(5)).unwrap();
    assert_eq!(after.hosts[0].tokens, [(State::Accepted, 1)]);
}

#[test]
fn no_ledger_is_no_trouble_and_none_is_made() {
    let folder = Folder::new();
    assert!(Record::open(&folder.path()).unwrap().is_none());
    assert!(!folder.path().parent().unwrap().exists());
}

#[test]
fn what_is_intended_and_withheld_is_on_record_once() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    send(&mut ledger, "done", Closed::Accepted, 0);
    let intend = |ledger: &mut Ledger, now| {
        let plan = plan(vec![
            candidate("a", Revocable::ByPossession),
            candidate("b", Revocable::ReportOnly),
            candidate("done", Revocable::ByPossession),
        ]);
        ledger.intend(HOST, &plan, &at(now)).unwrap();
    };
    intend(&mut ledger, 1000);
    intend(&mut ledger, 2000);
    assert_eq!(
        outcomes(&ledger),
        [
            (name("done"), State::Accepted, Some(1)),
            (name("b"), State::Withheld, None),
            (name("a"), State::Pending, None),
        ]
    );
    assert_eq!(state_of(&ledger, "done"), Some(State::Accepted));
    // That it was withheld stays on record when it is sent after all.
    send(&mut ledger, "b", Closed::Accepted, 100_000);
    assert_eq!(outcomes(&ledger)[1], (name("b"), State::Withheld, None));
    assert_eq!(outcomes(&ledger)[2], (name("b"), State::Accepted, Some(2)));
}

#[test]
fn a_host_that_refuses_everything_has_its_refusals_taken_back() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    send(&mut ledger, "bad", Closed::TokenRejected, 0);
    send(&mut ledger, "good", Closed::Accepted, 10_000);
    send(&mut ledger, "a", Closed::TokenRejected, 20_000);
    let mut sender = ours(&mut ledger, &at(30_000));
    let granted = sender
        .grant(&Policy::GITHUB, &[entry("b")], &at(30_000))
        .unwrap();
    let Grant::Go(request) = granted else {
        panic!("{granted:?}")
    };
    let closing = Closing {
        earlier: Earlier::TakenBack,
        ..closing(Closed::TokenRejected)
    };
    sender.settle(request, &closing, &at(30_000)).unwrap();
    // What was refused before the host last accepted something was about the token.
    assert_eq!(state_of(&ledger, "bad"), Some(State::Rejected));
    for token in ["a", "b"] {
        assert_eq!(state_of(&ledger, token), Some(State::Pending), "{token}");
    }
    let all = outcomes(&ledger);
    assert_eq!(all[2], (name("a"), State::Rejected, Some(3)));
    assert_eq!(all[3], (name("b"), State::Rejected, Some(4)));
    let mut after = all[4..].to_vec();
    after.sort_unstable_by_key(|(name, _, _)| *name != name_of_a());
    assert_eq!(
        after,
        [
            (name("a"), State::Pending, Some(4)),
            (name("b"), State::Pending, Some(4)),
        ]
    );
}

fn name_of_a() -> Fingerprint {
    name("a")
}

#[test]
fn each_identity_has_its_own_budget_and_all_take_turns() {
    let folder = Folder::new();
    let (mut ledger, mut other) = (folder.open(), folder.open());
    let lowered = one_an_hour();
    let account = |token: &str| Account::new(HOST, Some(name(token)));
    let ask = |ledger: &mut Ledger, whose: &Account, token: &str| {
        let Turn::Ours(mut sender) = ledger.turn(whose, &at(0)).unwrap() else {
            panic!("another has the turn");
        };
        let granted = sender.grant(&lowered, &[entry(token)], &at(0)).unwrap();
        if let Grant::Go(request) = granted {
            let end = closing(Closed::Accepted);
            sender.settle(request, &end, &at(0)).unwrap();
        }
        matches!(granted, Grant::Go(_))
    };
    assert!(ask(&mut ledger, &account("ours"), "a"));
    assert!(!ask(&mut ledger, &account("ours"), "b"));
    assert!(ask(&mut ledger, &account("theirs"), "b"));
    let held = ledger.turn(&account("ours"), &at(0)).unwrap();
    let waits = other.turn(&account("theirs"), &at(0)).unwrap();
    assert!(matches!((&held, &waits), (Turn::Ours(_), Turn::Taken)));
    drop((held, waits));
    let seen = status(&ledger, &lowered, &at(0));
    assert_eq!(seen.budgets.len(), 2);
    assert!(seen.budgets.iter().all(|budget| budget.used == 1));
}

#[test]
fn a_call_for_an_enterprise_is_on_record_and_takes_nothing_from_the_budget() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let call = Call::RevokeUser {
        enterprise: "acme".to_owned(),
        user: "mona".to_owned(),
        credentials: Credentials::Destroyed,
    };
    let mut sender = ours(&mut ledger, &at(0));
    let Grant::Go(request) = sender.grant_call(&call, &at(0)).unwrap() else {
        panic!("it was not granted");
    };
    sender
        .settle(request, &closing(Closed::Accepted), &at(0))
        .unwrap();
    drop(sender);
    let seen = audit(&ledger).0.remove(0);
    assert_eq!((seen.call, seen.tokens), (call.clone(), 0));
    assert!(matches!(grant(&mut ledger, "a", 0), Grant::Go(_)));
    // A pause that the host asks for holds for it as for all else.
    let mut sender = ours(&mut ledger, &at(0));
    sender.hold(Duration::from_secs(9), &at(0)).unwrap();
    let granted = sender.grant_call(&call, &at(0)).unwrap();
    assert!(matches!(
        granted,
        Grant::Wait {
            cause: Cause::Hold,
            ..
        }
    ));
}

#[test]
fn an_older_ledger_is_carried_over_whole() {
    for look_first in [false, true] {
        let folder = Folder::new();
        std::fs::create_dir_all(folder.path().parent().unwrap()).unwrap();
        let old = Connection::open(folder.path()).unwrap();
        old.execute_batch(VERSION_1).unwrap();
        drop(old);
        if look_first {
            assert!(Record::open(&folder.path()).unwrap().is_some());
        }
        let mut ledger = folder.open();
        assert_eq!(state_of(&ledger, "a"), Some(State::Accepted));
        assert_eq!(state_of(&ledger, "b"), Some(State::Rejected));
        assert_eq!(state_of(&ledger, "c"), Some(State::Unknown));
        let (requests, outcomes) = audit(&ledger);
        assert_eq!((requests.len(), outcomes.len()), (3, 3));
        assert_eq!(requests[1].message.as_deref(), Some("Validation Failed"));
        // What was under way is taken up, the budget and the hold still hold, numbers go on.
        let now = at(0);
        drop(ours(&mut ledger, &now));
        let seen = status(&ledger, &Policy::GITHUB, &now);
        assert_eq!((seen.open, seen.budgets[0].used), (0, 3));
        assert_eq!(seen.budgets[0].asked_for, AskedFor::ByHost);
        assert_eq!(send(&mut ledger, "d", Closed::Accepted, 7_200_000), 4);
    }
}

#[test]
fn a_migration_that_fails_leaves_the_older_ledger() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().parent().unwrap()).unwrap();
    let old = Connection::open(folder.path()).unwrap();
    old.execute_batch(VERSION_1).unwrap();
    // A state that no version knows.
    old.execute_batch("PRAGMA ignore_check_constraints = ON; UPDATE credential SET state = 'x'")
        .unwrap();
    drop(old);
    assert!(Ledger::open(&folder.path()).is_err());
    let old = Connection::open(folder.path()).unwrap();
    let version: i64 = old
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    let rows: i64 = old
        .query_row(
            "SELECT count(*) FROM credential WHERE state = 'x'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!((version, rows), (1, 3));
}
