//! Carries a plan out: one request at a time, each counted before it is sent and settled after.
//!
//! It knows neither HTTP nor SQL. A [`Transport`] sends, the [`Ledger`] counts and remembers, a
//! [`Clock`] waits; what an answer means is `answer`'s, what it calls for is `judge`'s, and what
//! is sent next is `queue`'s. Here they are put in order:
//!
//! Before all else, the plan is written down. Then, for each request:
//!
//! 1. Take the host's turn, so that no other process sends at the same time.
//! 2. Drop the tokens that another process has had accepted meanwhile.
//! 3. Ask for a slot. With it, the request and its tokens are on disk as sent.
//! 4. Send, and record what became of it.
//!
//! Between requests the turn is free, so that several processes get on side by side. If this
//! process dies between 3 and 4, the next to take the turn finds the request open.

use std::collections::HashMap;
use std::time::Duration;

use super::account::Account;
use super::answer::Manner;
use super::budget::{Cause, Policy};
use super::echo::Echo;
use super::host::{Authentication, Host};
use super::ledger::{Closed, Entry, Grant, Ledger, LedgerError, RequestId, Turn};
use super::login::Login;
use super::observer::Observer;
use super::plan::{Plan, Planned, Settled};
use super::transport::Transport;
use crate::vocabulary::{
    Clock, Fingerprint, Interrupt, Outcome, Redact, RevokeReport, Secret, State, Stop, Waited,
};

mod conclude;
mod judge;
mod queue;
mod refusals;

use conclude::doubt;
pub use judge::Backoff;
use judge::{Circumstances, Judgement, Streaks};
use queue::{Queue, Work};
use refusals::Refusals;

/// The longest wait before the ledger is asked again. A machine's suspend stops the clock that
/// waits are measured by, and other processes may have been faster.
const LONGEST_NAP: Duration = Duration::from_secs(60);

/// How often it is asked whose turn it is.
const TURN_NAP: Duration = Duration::from_millis(200);

/// What happens when the budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The run waits, however long it takes.
    Wait,
    /// The run ends, and leaves the rest pending. The pause between one request and the next
    /// is still kept.
    NoWait,
}

/// Everything that it takes to carry out a plan.
pub struct Runner<'a> {
    /// Where to.
    pub host: &'a Host,
    /// On whose behalf, where the host asks for it.
    pub login: Option<&'a Login>,
    /// What sends.
    pub transport: &'a dyn Transport,
    /// What counts and remembers.
    pub ledger: &'a mut Ledger,
    /// How fast.
    pub policy: Policy,
    /// How long to hold back when something went wrong.
    pub backoff: Backoff,
    /// Whether to wait.
    pub patience: Patience,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// The user's wish to stop: the request under way is still recorded.
    pub interrupt: &'a Interrupt,
    /// What every text from outside passes through.
    pub redact: &'a dyn Redact,
    /// Who is told.
    pub observer: &'a mut dyn Observer,
}

impl Runner<'_> {
    /// Carries `plan` out as far as it goes. Never fails: what stands in the way is told as
    /// [`Stop`], and every token of the plan is in the report.
    pub fn run(self, plan: Plan) -> RevokeReport {
        let intended = self
            .ledger
            .intend(self.host.key(), &plan, &self.clock.now());
        if let Err(error) = intended {
            return plan.unsent(Stop::Failed(format!("{error}; nothing was sent")));
        }
        let (batches, outcomes) = plan.into_parts();
        let mut run = Run {
            account: Account::new(self.host.key(), self.login.map(Login::fingerprint)),
            with: self,
            queue: Queue::new(batches),
            outcomes,
            requests: 0,
            streaks: Streaks::default(),
            refusals: Refusals::default(),
        };
        let stop = run.drain();
        let stop = run.doubt_refusals(stop);
        let mut outcomes = run.outcomes;
        outcomes.extend(run.queue.into_tokens().map(Planned::rest));
        outcomes.sort_unstable_by_key(|outcome| outcome.fingerprint);
        RevokeReport {
            outcomes,
            requests: run.requests,
            stop,
        }
    }
}

/// A run under way.
struct Run<'a> {
    with: Runner<'a>,
    account: Account,
    queue: Queue,
    outcomes: Vec<Outcome>,
    requests: u64,
    streaks: Streaks,
    refusals: Refusals,
}

/// What an attempt to send came to.
enum Attempt {
    /// Another process has the turn.
    Queued,
    /// The budget says so.
    Wait { wait: Duration, cause: Cause },
    /// Nothing is left of the batch to be sent.
    Empty,
    /// It was sent, or at least a connection was tried; and it is on record.
    Made(Made),
    /// It was sent, and its end could not be recorded.
    Unrecorded(LedgerError),
}

/// An attempt that is on record.
struct Made {
    request: RequestId,
    at_ms: i64,
    judgement: Judgement,
}

impl Run<'_> {
    fn drain(&mut self) -> Stop {
        while let Some(mut work) = self.queue.pop() {
            let next = if self.with.interrupt.is_raised() {
                self.queue.put_back(work);
                Err(Stop::Interrupted)
            } else {
                match self.attempt(&mut work) {
                    Ok(attempt) => self.follow(work, attempt),
                    Err(error) => {
                        self.queue.put_back(work);
                        Err(Stop::Failed(format!("{error}; nothing more was sent")))
                    }
                }
            };
            if let Err(stop) = next {
                return stop;
            }
        }
        Stop::Done
    }

    /// Steps 1 to 4. An error means that nothing was sent.
    fn attempt(&mut self, work: &mut Work) -> Result<Attempt, LedgerError> {
        let Runner {
            host,
            login,
            transport,
            ledger,
            policy,
            backoff,
            clock,
            redact,
            observer,
            ..
        } = &mut self.with;
        let mut sender = match ledger.turn(&self.account, &clock.now())? {
            Turn::Ours(sender) => sender,
            Turn::Taken => return Ok(Attempt::Queued),
        };
        let known = sender.settled(work.tokens.iter().map(|token| token.fingerprint))?;
        let elsewhere = take_accepted(work, &known);
        if !elsewhere.is_empty() {
            observer.accepted_elsewhere(elsewhere.len());
            self.outcomes.extend(elsewhere);
        }
        if work.tokens.is_empty() {
            return Ok(Attempt::Empty);
        }
        let entries: Vec<Entry<'_>> = work.tokens.iter().map(entry).collect();
        let request = match sender.grant(policy, &entries, &clock.now())? {
            Grant::Go(request) => request,
            Grant::Wait { wait, cause } => return Ok(Attempt::Wait { wait, cause }),
        };
        let tokens = work.tokens.len();
        observer.sending(request, tokens);
        let secrets: Vec<&Secret> = work.tokens.iter().map(|token| &token.secret).collect();
        let sent = transport.send(&secrets);
        let now = clock.now();
        let with = Circumstances {
            now: &now,
            redact: &Echo::new(&work.tokens, *login, *redact),
            manner: match host.authentication() {
                Authentication::Never => Manner::Anonymous,
                Authentication::Always => Manner::WithLogin,
            },
            backoff,
        };
        let judgement = self.streaks.judge(sent, tokens, &with);
        let closed = judgement.closing.closed;
        if closed != Closed::NotSent {
            self.requests += 1;
        }
        self.refusals
            .note(closed, judgement.closing.message.as_deref());
        if let Err(error) = sender.settle(request, &judgement.closing, &now) {
            return Ok(Attempt::Unrecorded(error));
        }
        observer.closed(request, closed, tokens);
        Ok(Attempt::Made(Made {
            request,
            at_ms: now.wall_ms,
            judgement,
        }))
    }

    /// Does what an attempt calls for.
    fn follow(&mut self, mut work: Work, attempt: Attempt) -> Result<(), Stop> {
        match attempt {
            Attempt::Empty => Ok(()),
            Attempt::Queued => {
                self.queue.put_back(work);
                self.with.observer.queued();
                self.nap(TURN_NAP)
            }
            Attempt::Wait { wait, cause } => {
                self.queue.put_back(work);
                self.wait(wait, cause)
            }
            Attempt::Made(made) => self.conclude(work, &made),
            Attempt::Unrecorded(error) => {
                doubt(&mut work);
                self.queue.put_back(work);
                Err(Stop::Failed(format!(
                    "a request was sent and what became of it could not be recorded: {error}; \
                     its tokens count as unknown, and will be sent again by the next run"
                )))
            }
        }
    }

    /// Waits for the budget, or for a part of it: the ledger is asked again in any case.
    fn wait(&mut self, wait: Duration, cause: Cause) -> Result<(), Stop> {
        match (self.with.patience, cause) {
            (Patience::NoWait, Cause::Window | Cause::Hold) => Err(Stop::Budget {
                next_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            }),
            (Patience::NoWait, Cause::Interval)
            | (Patience::Wait, Cause::Interval | Cause::Window | Cause::Hold) => {
                self.with.observer.waiting(wait, cause);
                self.nap(wait.min(LONGEST_NAP))
            }
        }
    }

    fn nap(&self, duration: Duration) -> Result<(), Stop> {
        match self.with.clock.wait(duration, self.with.interrupt) {
            Waited::Through => Ok(()),
            Waited::Interrupted => Err(Stop::Interrupted),
        }
    }
}

fn entry(token: &Planned) -> Entry<'_> {
    Entry {
        fingerprint: token.fingerprint,
        kind: &token.kind.id,
    }
}

/// Takes out of `work` what is on record as accepted.
fn take_accepted(work: &mut Work, known: &HashMap<Fingerprint, Settled>) -> Vec<Outcome> {
    let accepted = |token: &Planned| {
        let settled = known.get(&token.fingerprint).copied();
        settled.filter(|settled| settled.state == State::Accepted)
    };
    work.tokens
        .extract_if(.., |token| accepted(token).is_some())
        .map(|token| {
            let settled = accepted(&token);
            Outcome {
                state: State::Accepted,
                reason: Some("accepted in a request of another run".to_owned()),
                request: settled.and_then(|settled| settled.request),
                at_ms: settled.map(|settled| settled.at_ms),
                ..token.rest()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
