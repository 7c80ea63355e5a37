use super::super::budget::Cause;
use super::super::host::Limits;
use super::*;
use crate::vocabulary::{AskedFor, AuditEntry, BootStamp, HostStatus, OutcomeEntry, RequestEntry};

mod files;
mod history;
mod processes;

const HOST: &str = "https://api.github.com";
const OTHER: &str = "http://[::1]:8080";

fn at(ms: i64) -> Stamp {
    let boot = Some(BootStamp {
        id: "a".to_owned(),
        ms,
    });
    Stamp {
        wall_ms: 1_000_000 + ms,
        boot,
    }
}

fn name(token: &str) -> Fingerprint {
    Fingerprint::of(token)
}

fn entry(token: &str) -> Entry<'static> {
    Entry {
        fingerprint: name(token),
        kind: "github_personal_access_token",
    }
}

fn account(host: &str) -> Account {
    Account::new(host, None)
}

fn ours<'a>(ledger: &'a mut Ledger, now: &Stamp) -> Sender<'a> {
    match ledger.turn(&account(HOST), now).unwrap() {
        Turn::Ours(sender) => sender,
        Turn::Taken => panic!("another has the turn"),
    }
}

fn closing(closed: Closed) -> Closing {
    Closing {
        closed,
        http_status: Some(202),
        github_request_id: Some("AB:1".to_owned()),
        message: Some("words".to_owned()),
        hold: None,
        earlier: Earlier::Stands,
    }
}

fn one_an_hour() -> Policy {
    let rate = "1/1h".parse().unwrap();
    Policy::new(rate, Duration::from_secs(1), Limits::Github).unwrap()
}

fn grant(ledger: &mut Ledger, token: &str, now: i64) -> Grant {
    let mut sender = ours(ledger, &at(now));
    sender
        .grant(&Policy::GITHUB, &[entry(token)], &at(now))
        .unwrap()
}

/// Sends one token; its request ends as told, at the same moment.
fn send(ledger: &mut Ledger, token: &str, closed: Closed, now: i64) -> RequestId {
    let mut sender = ours(ledger, &at(now));
    let granted = sender
        .grant(&Policy::GITHUB, &[entry(token)], &at(now))
        .unwrap();
    let Grant::Go(request) = granted else {
        panic!("{granted:?}")
    };
    sender.settle(request, &closing(closed), &at(now)).unwrap();
    request
}

fn state_of(ledger: &Ledger, token: &str) -> Option<State> {
    let known = ledger.settled(HOST, [name(token)]).unwrap();
    known.get(&name(token)).map(|known| known.state)
}

/// Everything that is on record, as an onlooker reads it.
fn audit(ledger: &Ledger) -> (Vec<RequestEntry>, Vec<OutcomeEntry>) {
    let (mut requests, mut outcomes) = (Vec::new(), Vec::new());
    let visit = |entry| -> Result<(), LedgerError> {
        match entry {
            AuditEntry::Request(request) => requests.push(request),
            AuditEntry::Outcome(outcome) => outcomes.push(outcome),
        }
        Ok(())
    };
    Record::open(&ledger.path)
        .unwrap()
        .unwrap()
        .audit(visit)
        .unwrap();
    (requests, outcomes)
}

fn requests(ledger: &Ledger) -> Vec<RequestEntry> {
    audit(ledger).0
}

fn status(ledger: &Ledger, policy: &Policy, now: &Stamp) -> HostStatus {
    let record = Record::open(&ledger.path).unwrap().unwrap();
    record.status(policy, now).unwrap().hosts.remove(0)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state/douse/ledger.db")
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path()).unwrap()
    }
}

#[cfg(unix)]
#[test]
fn one_process_at_a_time_sends_to_a_host() {
    let folder = Folder::new();
    let (mut first, mut second) = (folder.open(), folder.open());
    let turn = ours(&mut first, &at(0));
    assert!(matches!(
        second.turn(&account(HOST), &at(0)).unwrap(),
        Turn::Taken
    ));
    assert!(matches!(
        second.turn(&account(OTHER), &at(0)).unwrap(),
        Turn::Ours(_)
    ));
    drop(turn);
    assert!(matches!(
        second.turn(&account(HOST), &at(0)).unwrap(),
        Turn::Ours(_)
    ));
}

#[test]
fn a_grant_is_on_disk_before_anything_is_sent() {
    let folder = Folder::new();
    let (mut ledger, onlooker) = (folder.open(), folder.open());
    let mut sender = ours(&mut ledger, &at(0));
    sender
        .grant(&Policy::GITHUB, &[entry("a"), entry("b")], &at(0))
        .unwrap();
    assert_eq!(state_of(&onlooker, "a"), Some(State::Unknown));
    assert_eq!(state_of(&onlooker, "never sent"), None);
    let seen = requests(&onlooker);
    assert_eq!(
        (seen[0].state.as_str(), seen[0].tokens, seen[0].ended_ms),
        ("open", 2, None)
    );
}

#[test]
fn what_a_dead_process_sent_is_unknown_and_counts_from_its_discovery() {
    let folder = Folder::new();
    let lowered = one_an_hour();
    let mut ledger = folder.open();
    // The grant is never settled: the sender and the ledger go, as they do in a kill.
    assert!(matches!(grant(&mut ledger, "a", 0), Grant::Go(_)));
    drop(ledger);
    let mut ledger = folder.open();
    let late = at(600_000);
    drop(ours(&mut ledger, &late));
    assert_eq!(state_of(&ledger, "a"), Some(State::Unknown));
    let seen = requests(&ledger);
    assert_eq!(
        (seen[0].state.as_str(), seen[0].ended_ms),
        ("unknown", Some(late.wall_ms))
    );
    let hour = Duration::from_secs(3600);
    let budget = status(&ledger, &lowered, &late).budgets.remove(0);
    assert_eq!((budget.used, budget.next), (1, hour));
    assert_eq!(budget.asked_for, AskedFor::ByUs);
}

#[test]
fn every_end_has_its_states() {
    for (closed, request, token) in [
        (Closed::Accepted, "accepted", State::Accepted),
        (Closed::TokenRejected, "rejected", State::Rejected),
        (Closed::BatchRejected, "rejected", State::Pending),
        (Closed::Throttled, "throttled", State::Pending),
        (Closed::Refused, "refused", State::Pending),
        (Closed::Unknown, "unknown", State::Unknown),
        (Closed::NotSent, "not_sent", State::Pending),
    ] {
        let folder = Folder::new();
        let mut ledger = folder.open();
        send(&mut ledger, "a", closed, 0);
        assert_eq!(state_of(&ledger, "a"), Some(token), "{closed:?}");
        let seen = requests(&ledger).remove(0);
        assert_eq!(seen.state, request);
        assert_eq!(
            (seen.http_status, seen.message.as_deref()),
            (Some(202), Some("words"))
        );
    }
}

#[test]
fn a_token_that_may_have_been_taken_stays_unknown_until_it_is_settled() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    send(&mut ledger, "a", Closed::Unknown, 0);
    for (closed, now) in [
        (Closed::Throttled, 10_000),
        (Closed::NotSent, 20_000),
        (Closed::Refused, 30_000),
    ] {
        send(&mut ledger, "a", closed, now);
        assert_eq!(state_of(&ledger, "a"), Some(State::Unknown), "{closed:?}");
    }
    send(&mut ledger, "a", Closed::Accepted, 90_000);
    send(&mut ledger, "a", Closed::Unknown, 99_000);
    assert_eq!(state_of(&ledger, "a"), Some(State::Accepted));
}

#[test]
fn a_request_that_was_not_sent_gives_its_slot_back() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    send(&mut ledger, "a", Closed::NotSent, 0);
    assert!(matches!(grant(&mut ledger, "a", 0), Grant::Go(_)));
    // That one was left open, and is closed as sent.
    assert!(matches!(grant(&mut ledger, "a", 0), Grant::Wait { .. }));
}

#[test]
fn a_hold_lasts_for_every_process_and_is_never_cut_short() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let hold = |ledger: &mut Ledger, wait, now| {
        ours(ledger, &at(now)).hold(wait, &at(now)).unwrap();
    };
    hold(&mut ledger, Duration::from_secs(100), 0);
    hold(&mut ledger, Duration::from_secs(5), 1000);
    let mut other = folder.open();
    let cause = Cause::Hold;
    let wait = Duration::from_secs(99);
    assert_eq!(grant(&mut other, "a", 1000), Grant::Wait { wait, cause });
    hold(&mut ledger, Duration::MAX, 2000);
    let wait = Duration::from_millis(i64::MAX as u64 - 3_000_000);
    assert_eq!(
        grant(&mut other, "a", 3_002_000),
        Grant::Wait { wait, cause }
    );
}

#[test]
fn a_wall_clock_that_went_back_starts_the_waiting_anew() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let lowered = one_an_hour();
    let wall = |wall_ms| Stamp {
        wall_ms,
        boot: None,
    };
    let ask = |ledger: &mut Ledger, now: &Stamp| {
        let mut sender = ours(ledger, now);
        let granted = sender.grant(&lowered, &[entry("a")], now).unwrap();
        if let Grant::Go(request) = granted {
            sender
                .settle(request, &closing(Closed::Accepted), now)
                .unwrap();
        }
        matches!(granted, Grant::Go(_))
    };
    let year = 365 * 24 * 3_600_000;
    assert!(ask(&mut ledger, &wall(year)));
    assert!(!ask(&mut ledger, &wall(0)));
    assert!(!ask(&mut ledger, &wall(3_599_999)));
    assert!(ask(&mut ledger, &wall(3_600_000)));
    // What is told of the request is still when it ended, not from when it counts.
    assert_eq!(requests(&ledger)[0].ended_ms, Some(year));
}

#[test]
fn large_batches_and_large_questions_are_no_trouble() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let names: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let batch: Vec<Entry<'_>> = names.iter().map(|name| entry(name)).collect();
    let mut sender = ours(&mut ledger, &at(0));
    let Grant::Go(request) = sender.grant(&Policy::GITHUB, &batch, &at(0)).unwrap() else {
        panic!("not granted");
    };
    sender
        .settle(request, &closing(Closed::Accepted), &at(0))
        .unwrap();
    let asked = batch.iter().map(|entry| entry.fingerprint);
    let known = sender.settled(asked).unwrap();
    assert_eq!(known.len(), 20_000);
    assert!(known.values().all(|known| known.state == State::Accepted));
}

#[cfg(unix)]
#[test]
fn a_request_that_is_not_open_cannot_end() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let mut sender = ours(&mut ledger, &at(0));
    let settled = sender.settle(7, &closing(Closed::Accepted), &at(0));
    assert!(matches!(settled, Err(LedgerError::NotOpen(7))));
}
