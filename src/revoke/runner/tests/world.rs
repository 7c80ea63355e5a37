//! A world for runs: a real ledger in a temporary folder, a scripted host, and a clock on which
//! waiting takes no time.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::super::super::answer::{Answer, Headers};
use super::super::super::host::Limits;
use super::super::super::plan::{Candidate, PlanOptions};
use super::super::super::transport::Sent;
use super::super::*;
use crate::vocabulary::{BootStamp, Checksum, Kind, RedactNothing, Revocable, Stamp, Standing};

/// A clock on which waiting takes no time.
#[derive(Default)]
pub(super) struct Simulated(AtomicI64);

impl Simulated {
    pub(super) fn ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Simulated {
    fn now(&self) -> Stamp {
        let boot = Some(BootStamp {
            id: "a".to_owned(),
            ms: self.ms(),
        });
        Stamp {
            wall_ms: self.ms(),
            boot,
        }
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.ms().unsigned_abs())
    }

    fn wait(&self, duration: Duration, interrupt: &Interrupt) -> Waited {
        if interrupt.is_raised() {
            return Waited::Interrupted;
        }
        self.pass(i64::try_from(duration.as_millis()).unwrap());
        Waited::Through
    }
}

pub(super) type Script<'a> = Box<dyn FnMut(usize, &[Fingerprint]) -> Sent + 'a>;

/// A host that answers by a script, which is told the number of the request, from 0.
pub(super) struct Scripted<'a> {
    pub(super) clock: &'a Simulated,
    pub(super) script: RefCell<Script<'a>>,
    /// When each request came, and how many tokens it held.
    pub(super) log: RefCell<Vec<(i64, usize)>>,
}

impl Transport for Scripted<'_> {
    fn send(&self, secrets: &[&Secret]) -> Sent {
        let names: Vec<Fingerprint> = secrets.iter().map(|secret| secret.fingerprint()).collect();
        let number = self.log.borrow().len();
        self.log.borrow_mut().push((self.clock.ms(), names.len()));
        self.clock.pass(300);
        (self.script.borrow_mut())(number, &names)
    }
}

pub(super) fn status(status: u16) -> Sent {
    Sent::Answer(Answer {
        status,
        ..Answer::default()
    })
}

pub(super) fn says(status: u16, message: &str) -> Sent {
    let body = serde_json::json!({ "message": message })
        .to_string()
        .into_bytes();
    Sent::Answer(Answer {
        status,
        body,
        ..Answer::default()
    })
}

pub(super) fn retry_after(status: u16, seconds: &str) -> Sent {
    let headers = Headers {
        retry_after: Some(seconds.to_owned()),
        ..Headers::default()
    };
    Sent::Answer(Answer {
        status,
        headers,
        ..Answer::default()
    })
}

#[derive(Default)]
pub(super) struct Told(Vec<String>);

impl Observer for Told {
    fn queued(&mut self) {
        self.0.push("queued".to_owned());
    }
    fn waiting(&mut self, wait: Duration, cause: Cause) {
        self.0.push(format!("waiting {} {cause:?}", wait.as_secs()));
    }
    fn unreachable(&mut self, wait: Duration, error: &str) {
        self.0
            .push(format!("unreachable {} {error}", wait.as_secs()));
    }
    fn closed(&mut self, request: RequestId, closed: Closed, tokens: usize) {
        self.0.push(format!("{request} {closed:?} {tokens}"));
    }
    fn accepted_elsewhere(&mut self, tokens: usize) {
        self.0.push(format!("elsewhere {tokens}"));
    }
}

/// What stays from one run to the next.
pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) clock: Simulated,
    pub(super) interrupt: Interrupt,
    pub(super) policy: Policy,
    pub(super) patience: Patience,
}

pub(super) struct Ran {
    pub(super) report: RevokeReport,
    pub(super) log: Vec<(i64, usize)>,
    pub(super) told: Vec<String>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Simulated::default(),
            interrupt: Interrupt::new(),
            policy: Policy::GITHUB,
            patience: Patience::Wait,
        }
    }

    /// One without limits.
    pub(super) fn unlimited() -> Self {
        let rate = "9999/1s".parse().unwrap();
        Self {
            policy: Policy::new(rate, Duration::ZERO, Limits::Owners).unwrap(),
            ..Self::new()
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    pub(super) fn run(
        &self,
        tokens: usize,
        script: impl FnMut(usize, &[Fingerprint]) -> Sent,
    ) -> Ran {
        let host = host();
        let mut ledger = Ledger::open(&self.path()).unwrap();
        let candidates = candidates(tokens);
        let names = candidates.iter().map(|candidate| candidate.fingerprint);
        let known = ledger.settled(host.key(), names).unwrap();
        let settled = |name: &Fingerprint| known.get(name).copied();
        self.carry_out(
            &mut ledger,
            Plan::new(candidates, settled, &PlanOptions::new(&host)),
            script,
        )
    }

    pub(super) fn carry_out(
        &self,
        ledger: &mut Ledger,
        plan: Plan,
        script: impl FnMut(usize, &[Fingerprint]) -> Sent,
    ) -> Ran {
        let mut told = Told::default();
        let (report, log) = self.observed(ledger, plan, script, &mut told);
        let told = told.0;
        Ran { report, log, told }
    }

    pub(super) fn observed(
        &self,
        ledger: &mut Ledger,
        plan: Plan,
        script: impl FnMut(usize, &[Fingerprint]) -> Sent,
        observer: &mut dyn Observer,
    ) -> (RevokeReport, Vec<(i64, usize)>) {
        let script: Script<'_> = Box::new(script);
        let transport = Scripted {
            clock: &self.clock,
            script: RefCell::new(script),
            log: RefCell::default(),
        };
        let runner = Runner {
            host: &host(),
            login: None,
            transport: &transport,
            ledger,
            policy: self.policy,
            backoff: Backoff::GITHUB,
            patience: self.patience,
            clock: &self.clock,
            interrupt: &self.interrupt,
            redact: &RedactNothing,
            observer,
        };
        (runner.run(plan), transport.log.into_inner())
    }
}

pub(super) fn host() -> Host {
    Host::parse("https://api.github.com").unwrap()
}

pub(super) fn account() -> Account {
    Account::new(host().key(), None)
}

/// A plan for tokens of which nothing is known.
pub(super) fn plan(tokens: usize) -> Plan {
    Plan::new(candidates(tokens), |_| None, &PlanOptions::new(&host()))
}

pub(super) fn name(n: usize) -> Fingerprint {
    Fingerprint::of(&n.to_string())
}

pub(super) fn candidates(count: usize) -> Vec<Candidate> {
    let texts: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    spelled(&texts)
}

/// Tokens with these texts.
pub(super) fn spelled(texts: &[impl AsRef<str>]) -> Vec<Candidate> {
    let kind = Arc::new(Kind {
        id: "github_personal_access_token".into(),
        title: "".into(),
        prefix: "".into(),
        revocable: Revocable::ByPossession,
    });
    let candidate = |text: &str| Candidate {
        fingerprint: Fingerprint::of(text),
        kind: Arc::clone(&kind),
        secret: Secret::new(text),
        checksum: Checksum::Valid,
        standing: Standing::Finding,
    };
    texts.iter().map(|text| candidate(text.as_ref())).collect()
}

pub(super) fn failed(report: &RevokeReport) -> &str {
    match &report.stop {
        Stop::Failed(words) => words,
        stop @ (Stop::Done | Stop::DryRun | Stop::Budget { .. } | Stop::Interrupted) => {
            panic!("{stop:?}")
        }
    }
}
