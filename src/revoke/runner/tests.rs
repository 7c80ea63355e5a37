//! Whole runs, verdict by verdict.

use super::super::host::{Limits, Reach};
use super::super::ledger::Record;
use super::super::plan::{BatchSize, PlanOptions};
use super::super::transport::Sent;
use super::*;

mod refused;
mod world;

use world::{World, account, candidates, failed, host, name, plan, retry_after, says, status};

const HOUR: i64 = 3_600_000;

#[test]
fn every_token_is_accepted_in_as_few_requests_as_can_be() {
    for (tokens, requests) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (3456, 4)] {
        let ran = World::new().run(tokens, |_, _| status(202));
        assert_eq!(
            (ran.report.requests, ran.log.len() as u64),
            (requests, requests)
        );
        assert_eq!(ran.report.count(State::Accepted), tokens);
        assert_eq!(ran.report.stop, Stop::Done);
        assert!(
            ran.report
                .outcomes
                .is_sorted_by_key(|outcome| outcome.fingerprint)
        );
        assert!(
            ran.report
                .outcomes
                .iter()
                .all(|outcome| outcome.request.is_some())
        );
    }
}

#[test]
fn what_was_accepted_is_not_sent_again() {
    let world = World::new();
    world.run(1500, |_, _| status(202));
    let again = world.run(1501, |_, names| {
        assert_eq!(names, [name(1500)]);
        status(202)
    });
    assert_eq!(
        (again.report.requests, again.report.count(State::Accepted)),
        (1, 1501)
    );
}

#[test]
fn what_another_process_had_accepted_meanwhile_is_dropped() {
    let world = World::new();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    let late = plan(3);
    let early = plan(2);
    world.carry_out(&mut ledger, early, |_, _| status(202));
    let ran = world.carry_out(&mut ledger, late, |_, names| {
        assert_eq!(names, [name(2)]);
        status(202)
    });
    assert_eq!(ran.report.count(State::Accepted), 3);
    assert_eq!(ran.told[0], "elsewhere 2");
    let nothing = world.carry_out(&mut ledger, plan(3), |_, _| panic!("sent again"));
    assert_eq!(
        (nothing.report.requests, nothing.report.stop),
        (0, Stop::Done)
    );
}

#[test]
fn sixty_an_hour_holds_over_two_hundred_batches() {
    let world = World::new();
    let size = BatchSize::new(2, Reach::Remote).unwrap();
    let options = PlanOptions {
        batch_size: size,
        ..PlanOptions::new(&host())
    };
    let plan = Plan::new(candidates(400), |_| None, &options);
    let mut ledger = Ledger::open(&world.path()).unwrap();
    let log = world.carry_out(&mut ledger, plan, |_, _| status(202)).log;
    assert_eq!(log.len(), 200);
    assert!(log.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 1300));
    assert!(
        log.windows(61)
            .all(|group| group[60].0 - group[0].0 >= HOUR + 300)
    );
    // And no more is waited than that.
    assert!(log[199].0 < 3 * HOUR + 300_000, "{:?}", log[199]);
}

#[test]
fn without_patience_the_rest_is_left_for_the_next_run() {
    let mut world = World::new();
    world.policy = Policy::new(
        "2/1h".parse().unwrap(),
        Duration::from_secs(1),
        Limits::Github,
    )
    .unwrap();
    world.patience = Patience::NoWait;
    let ran = world.run(3500, |_, _| status(202));
    assert_eq!(
        (ran.report.requests, ran.report.count(State::Pending)),
        (2, 1500)
    );
    let Stop::Budget { next_ms } = ran.report.stop else {
        panic!("{:?}", ran.report.stop)
    };
    assert_eq!(
        i64::try_from(next_ms).unwrap(),
        ran.log[0].0 + 300 + HOUR - world.clock.ms()
    );
    world.clock.pass(HOUR);
    let ran = world.run(3500, |_, _| status(202));
    assert_eq!((ran.report.requests, &ran.report.stop), (2, &Stop::Done));
    assert_eq!(ran.report.count(State::Accepted), 3500);
}

#[test]
fn a_throttled_batch_waits_as_long_as_told_and_goes_again() {
    let ran = World::new().run(1500, |request, _| match request {
        0 => retry_after(403, "7200"),
        1 => status(429),
        _ => status(202),
    });
    assert_eq!(
        (ran.report.count(State::Accepted), ran.report.requests),
        (1500, 4)
    );
    assert_eq!(ran.log[1].0 - ran.log[0].0, 7_200_300);
    assert_eq!(ran.log[2].0 - ran.log[1].0, 120_300);
    assert_eq!(ran.log[0].1, ran.log[1].1);
    assert!(
        ran.told.contains(&"waiting 7200 Hold".to_owned()),
        "{:?}",
        ran.told
    );
}

#[test]
fn a_host_that_throttles_on_and_on_ends_the_run_with_nothing_lost() {
    let world = World::new();
    let ran = world.run(1500, |_, _| says(422, "endpoint has been spammed"));
    assert_eq!(
        (ran.report.requests, ran.report.count(State::Pending)),
        (5, 1500)
    );
    assert!(
        failed(&ran.report).contains("spammed"),
        "{:?}",
        ran.report.stop
    );
    // The hold stands for whoever comes next.
    let start = world.clock.ms();
    let next = world.run(1, |_, _| status(202));
    assert!(next.log[0].0 - start >= 960_000 - 1000, "{:?}", next.log);
}

#[test]
fn trouble_is_tried_three_times_and_the_next_batch_still_goes() {
    let ran = World::new().run(2000, |request, _| match request {
        0 => status(500),
        1 => Sent::Lost("timed out".to_owned()),
        2 => status(200),
        _ => status(202),
    });
    assert_eq!((ran.report.requests, &ran.report.stop), (4, &Stop::Done));
    assert_eq!(
        (
            ran.report.count(State::Unknown),
            ran.report.count(State::Accepted)
        ),
        (1000, 1000)
    );
    let unknown = ran
        .report
        .outcomes
        .iter()
        .find(|outcome| outcome.state == State::Unknown);
    assert_eq!(unknown.unwrap().reason.as_deref(), Some("status 200"));
    let pauses: Vec<i64> = ran
        .log
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    assert_eq!(pauses, [10_300, 20_300, 40_300]);
}

#[test]
fn three_lost_batches_in_a_row_end_the_run() {
    let world = World::new();
    let ran = world.run(5000, |_, _| Sent::Lost("reset".to_owned()));
    assert_eq!(ran.report.requests, 9);
    assert_eq!(
        (
            ran.report.count(State::Unknown),
            ran.report.count(State::Pending)
        ),
        (3000, 2000)
    );
    assert!(failed(&ran.report).contains("reset"));
    // Unknown ones are sent again; and what may have been taken is not called pending after.
    let next = world.run(5000, |request, _| {
        if request < 3 {
            status(202)
        } else {
            status(401)
        }
    });
    assert_eq!(next.report.count(State::Accepted), 3000);
    assert_eq!(
        next.report.count(State::Unknown) + next.report.count(State::Pending),
        2000
    );
}

#[test]
fn doubt_outlives_a_later_refusal() {
    let ran = World::new().run(10, |request, _| match request {
        0 => Sent::Lost("reset".to_owned()),
        _ => status(403),
    });
    assert_eq!(ran.report.count(State::Unknown), 10);
    assert!(failed(&ran.report).contains("status 403"));
}

#[test]
fn without_a_connection_nothing_is_used_up() {
    let world = World::new();
    let ran = world.run(1500, |_, _| Sent::NotSent("refused".to_owned()));
    assert_eq!((ran.log.len(), ran.report.requests), (4, 0));
    assert_eq!(ran.report.count(State::Pending), 1500);
    assert!(failed(&ran.report).contains("no connection to https://api.github.com: refused"));
    let pauses: Vec<i64> = ran
        .log
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect();
    assert_eq!(pauses, [2300, 4300, 8300]);
    let record = Record::open(&world.path()).unwrap().unwrap();
    let status = record.status(&world.policy, &world.clock.now()).unwrap();
    assert_eq!(status.hosts[0].budgets[0].used, 0);
}

#[test]
fn a_refusal_ends_the_run_with_what_to_do() {
    for (code, hint) in [
        (301, "redirects"),
        (401, "blocked"),
        (404, "API URL"),
        (410, "version"),
    ] {
        let ran = World::new().run(1500, |_, _| says(code, "no such luck"));
        assert_eq!(
            (ran.report.requests, ran.report.count(State::Pending)),
            (1, 1500)
        );
        let words = failed(&ran.report);
        assert!(
            words.contains(hint) && words.contains("no such luck"),
            "{words}"
        );
    }
}

#[test]
fn an_interrupt_ends_the_run_after_the_request_in_flight() {
    let world = World::new();
    let ran = world.run(3000, |_, _| {
        world.interrupt.raise();
        status(202)
    });
    assert_eq!(
        (ran.report.requests, &ran.report.stop),
        (1, &Stop::Interrupted)
    );
    assert_eq!(
        (
            ran.report.count(State::Accepted),
            ran.report.count(State::Pending)
        ),
        (1000, 2000)
    );
    let ran = world.run(3000, |_, _| panic!("sent after an interrupt"));
    assert_eq!(
        (ran.report.stop, ran.report.requests),
        (Stop::Interrupted, 0)
    );
}

#[test]
fn a_ledger_that_fails_before_sending_sends_nothing() {
    let world = World::new();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    ledger.spoil(
        "CREATE TRIGGER no BEFORE INSERT ON credential BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    let ran = world.carry_out(&mut ledger, plan(5), |_, _| panic!("sent without a record"));
    assert_eq!(
        (ran.report.count(State::Pending), ran.report.requests),
        (5, 0)
    );
    assert!(failed(&ran.report).contains("full"));
}

#[test]
fn a_ledger_that_fails_after_sending_leaves_the_tokens_unknown() {
    let world = World::new();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    ledger
        .spoil("CREATE TRIGGER no BEFORE UPDATE ON request BEGIN SELECT RAISE(ABORT, 'full'); END");
    let ran = world.carry_out(&mut ledger, plan(1001), |_, _| status(202));
    assert_eq!(
        (
            ran.report.count(State::Unknown),
            ran.report.count(State::Pending)
        ),
        (1000, 1)
    );
    assert_eq!((ran.report.requests, ran.log.len()), (1, 1));
    assert!(failed(&ran.report).contains("could not be recorded"));
}

/// Gives another process's turn back when told for the second time that it is taken.
struct Release<'a>(Option<Turn<'a>>, u32);

impl Observer for Release<'_> {
    fn queued(&mut self) {
        self.1 += 1;
        if self.1 == 2 {
            self.0 = None;
        }
    }
}

#[test]
fn a_turn_that_is_taken_is_waited_for() {
    let mut world = World::new();
    world.patience = Patience::NoWait;
    let mut other = Ledger::open(&world.path()).unwrap();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    let turn = other.turn(&account(), &world.clock.now()).unwrap();
    let mut observer = Release(Some(turn), 0);
    let (report, _) = world.observed(&mut ledger, plan(5), |_, _| status(202), &mut observer);
    assert_eq!((report.count(State::Accepted), observer.1), (5, 2));
}

/// Has enough when told for the hundredth time of a hold.
struct Leave(Interrupt, u32);

impl Observer for Leave {
    fn waiting(&mut self, wait: Duration, cause: Cause) {
        assert_eq!(cause, Cause::Hold);
        assert!(wait > Duration::from_secs(3600 * 24 * 365 * 1000));
        self.1 += 1;
        if self.1 == 100 {
            self.0.raise();
        }
    }
}

#[test]
fn an_endless_hold_is_waited_for_until_the_user_has_enough() {
    let world = World::new();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    let now = world.clock.now();
    let Turn::Ours(mut sender) = ledger.turn(&account(), &now).unwrap() else {
        panic!("another has the turn");
    };
    sender.hold(Duration::MAX, &now).unwrap();
    drop(sender);
    let mut observer = Leave(world.interrupt.clone(), 0);
    let never = |_: usize, _: &[Fingerprint]| -> Sent { panic!("sent during a hold") };
    let (report, _) = world.observed(&mut ledger, plan(5), never, &mut observer);
    assert_eq!((report.stop, observer.1), (Stop::Interrupted, 100));
}

#[test]
fn what_a_server_repeats_of_a_token_is_not_kept() {
    let world = World::new();
    let mut ledger = Ledger::open(&world.path()).unwrap();
    let plan = Plan::new(
        world::spelled(&["Ab3dEf6hIj9k"]),
        |_| None,
        &PlanOptions::new(&host()),
    );
    let ended = world.carry_out(&mut ledger, plan, |_, _| says(422, "bad: dEf6h"));
    assert_eq!(ended.report.outcomes[0].reason.as_deref(), Some("bad: …"));
}
