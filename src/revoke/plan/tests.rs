use std::collections::HashMap;

use super::*;

fn kind(id: &str, revocable: Revocable) -> Arc<Kind> {
    Arc::new(Kind {
        id: id.into(),
        title: id.into(),
        prefix: "ghx_".into(),
        revocable,
    })
}

fn pat() -> Arc<Kind> {
    kind("github_personal_access_token", Revocable::ByPossession)
}

fn candidate(name: &str, kind: &Arc<Kind>) -> Candidate {
    let secret = Secret::new(name);
    Candidate {
        fingerprint: secret.fingerprint(),
        kind: Arc::clone(kind),
        secret,
        checksum: Checksum::Valid,
        standing: Standing::Finding,
    }
}

fn doubtful(name: &str) -> Candidate {
    let mut candidate = candidate(name, &pat());
    candidate.checksum = Checksum::Invalid;
    candidate.standing = Standing::Unverified;
    candidate
}

fn options() -> PlanOptions {
    PlanOptions::new(&Host::parse("https://api.github.com").unwrap())
}

fn many(count: usize) -> Vec<Candidate> {
    let kind = pat();
    (0..count)
        .map(|n| candidate(&n.to_string(), &kind))
        .collect()
}

#[test]
fn tokens_travel_in_as_few_requests_as_can_be() {
    for (tokens, requests) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (2000, 2), (2500, 3)] {
        let plan = Plan::new(many(tokens), |_| None, &options());
        assert_eq!((plan.tokens(), plan.requests()), (tokens, requests));
        let sizes: Vec<usize> = plan
            .batches
            .iter()
            .map(|batch| batch.tokens().len())
            .collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
        let names = plan.batches.iter().flat_map(Batch::tokens);
        assert!(names.map(|token| token.fingerprint).is_sorted());
    }
    let plan = Plan::new(
        many(61),
        |_| None,
        &PlanOptions {
            batch_size: BatchSize(1),
            ..options()
        },
    );
    assert_eq!(plan.estimate(&Policy::GITHUB), Duration::from_secs(3600));
}

#[test]
fn one_token_is_sent_once_and_its_better_standing_counts() {
    let doubled = vec![
        doubtful("a"),
        candidate("a", &pat()),
        doubtful("a"),
        candidate("b", &pat()),
    ];
    let plan = Plan::new(doubled, |_| None, &options());
    assert_eq!((plan.tokens(), plan.withheld.len()), (2, 0));
}

#[test]
fn what_is_held_back_says_why() {
    let server = kind(
        "github_app_installation_access_token",
        Revocable::ReportOnly,
    );
    let foreign = kind("example_api_key", Revocable::ByPossession);
    let candidates = || {
        vec![
            candidate("s", &server),
            candidate("f", &foreign),
            doubtful("d"),
        ]
    };
    let plan = Plan::new(candidates(), |_| None, &options());
    assert_eq!(plan.tokens(), 0);
    let reason = |name: &str| {
        let mut withheld = plan.withheld.iter();
        withheld
            .find(|token| token.fingerprint == Fingerprint::of(name))
            .unwrap()
            .reason
    };
    assert_eq!(reason("s"), WithheldReason::NotRevocable);
    assert_eq!(reason("f"), WithheldReason::KindNotTaken);
    assert_eq!(reason("d"), WithheldReason::Unverified);
    let send = PlanOptions {
        unverified: Unverified::Send,
        ..options()
    };
    assert_eq!(Plan::new(candidates(), |_| None, &send).tokens(), 1);
}

#[test]
fn the_ledger_s_word_decides_what_goes_again() {
    let states = [
        State::Accepted,
        State::Rejected,
        State::Unknown,
        State::Pending,
        State::Withheld,
    ];
    let known: HashMap<Fingerprint, Settled> = states
        .into_iter()
        .map(|state| {
            (
                Fingerprint::of(state.as_str()),
                Settled {
                    state,
                    request: Some(7),
                    at_ms: 9,
                },
            )
        })
        .collect();
    let all = || {
        states
            .map(|state| candidate(state.as_str(), &pat()))
            .to_vec()
    };
    let plan = Plan::new(all(), |name| known.get(name).copied(), &options());
    assert_eq!(
        (plan.tokens(), plan.already.len(), plan.withheld.len()),
        (3, 1, 1)
    );
    let report = plan.unsent(Stop::DryRun);
    assert!(
        report
            .outcomes
            .is_sorted_by_key(|outcome| outcome.fingerprint)
    );
    for state in [State::Accepted, State::Rejected, State::Unknown] {
        assert_eq!(report.count(state), 1, "{state:?}");
    }
    assert_eq!(report.count(State::Pending), 2);
    let resend = PlanOptions {
        rejected: Rejected::Resend,
        ..options()
    };
    assert_eq!(
        Plan::new(all(), |name| known.get(name).copied(), &resend).tokens(),
        4
    );
}

#[test]
fn batches_hold_no_more_than_github_takes() {
    assert_eq!(BatchSize::new(1000, Reach::Remote), Ok(BatchSize::GITHUB));
    assert!(BatchSize::new(0, Reach::Loopback).is_err());
    assert!(BatchSize::new(1001, Reach::Remote).is_err());
    assert!(BatchSize::new(1001, Reach::Loopback).is_ok());
}

#[test]
fn our_own_credential_is_never_sent() {
    let own = candidate("own", &pat());
    let options = PlanOptions {
        own: HashSet::from([own.fingerprint]),
        ..options()
    };
    let plan = Plan::new(vec![own, candidate("other", &pat())], |_| None, &options);
    assert_eq!(plan.tokens(), 1);
    assert_eq!(plan.withheld[0].reason, WithheldReason::Own);
}
