//! What the end of a request calls for: what becomes of its tokens, and whether the run goes on.

use super::super::ledger::{Closed, LedgerError};
use super::judge::{ATTEMPTS, INVALID_IN_A_ROW, LOST_IN_A_ROW, RECONNECTS, THROTTLED_IN_A_ROW};
use super::queue::Work;
use super::{Made, Run};
use crate::vocabulary::{Fingerprint, Outcome, State, Stop};

impl Run<'_> {
    /// Does what the end of a request calls for.
    pub(super) fn conclude(&mut self, mut work: Work, made: &Made) -> Result<(), Stop> {
        let words = made.judgement.words.as_str();
        match made.judgement.closing.closed {
            Closed::Accepted => {
                self.queue.learn(&work);
                self.settle(work, State::Accepted, made);
                Ok(())
            }
            Closed::TokenRejected => {
                self.settle(work, State::Rejected, made);
                self.give_up_if_all_is_invalid(words)
            }
            Closed::BatchRejected => {
                self.queue.split(work);
                self.give_up_if_all_is_invalid(words)
            }
            Closed::Throttled => {
                self.queue.put_back(work);
                give_up_if(self.streaks.throttled >= THROTTLED_IN_A_ROW, || {
                    format!(
                        "the host asked for fewer requests {THROTTLED_IN_A_ROW} times in a row \
                         ({words}); run again later, what was accepted is not sent twice"
                    )
                })
            }
            Closed::Refused => {
                self.queue.put_back(work);
                Err(Stop::Failed(format!(
                    "the host refused the request: {words}"
                )))
            }
            Closed::Unknown => {
                work.attempts += 1;
                doubt(&mut work);
                if work.attempts < ATTEMPTS {
                    self.queue.put_back(work);
                    return Ok(());
                }
                self.streaks.lost += 1;
                let stop = give_up_if(self.streaks.lost >= LOST_IN_A_ROW, || {
                    format!(
                        "{LOST_IN_A_ROW} batches in a row got no usable answer, the last one: \
                         {words}; whether the host took their tokens is not known, and the next \
                         run sends them again"
                    )
                });
                self.settle(work, State::Unknown, made);
                stop
            }
            Closed::NotSent => {
                self.queue.put_back(work);
                give_up_if(self.streaks.unreached > RECONNECTS, || {
                    format!("no connection to {}: {words}", self.with.host.key())
                })?;
                let pause = self.streaks.reconnect_pause(&self.with.backoff);
                self.with.observer.unreachable(pause, words);
                self.nap(pause)
            }
        }
    }

    fn give_up_if_all_is_invalid(&mut self, words: &str) -> Result<(), Stop> {
        if !self.streaks.refuses_everything() {
            return Ok(());
        }
        let mut why = format!(
            "the host refused {INVALID_IN_A_ROW} requests in a row as invalid ({words}): this \
             cannot be about single tokens, so those that it refused one by one are left for a \
             later run like the others"
        );
        if let Err(error) = self.take_back() {
            why = format!("{why}; and what is on record of them could not be read: {error}");
        }
        Err(Stop::Failed(why))
    }

    /// At the end of a run: takes back the refusals that nothing bears out.
    pub(super) fn doubt_refusals(&mut self, stop: Stop) -> Stop {
        if !self.refusals.are_doubtful() {
            return stop;
        }
        let host = self.account.host();
        let taken = self
            .with
            .ledger
            .take_back(host, &self.with.clock.now())
            .and_then(|()| self.take_back());
        match (taken, stop) {
            (Err(error), _) => Stop::Failed(format!(
                "the host refused tokens one by one and may have meant none of them; to leave \
                 them for a later run failed: {error}"
            )),
            (Ok(()), Stop::Done) => Stop::Failed(
                "the host refused every token that it was sent by itself, and took nothing since: \
                 this may not have been about the tokens, so they are left for a later run; if it \
                 goes on like this, ask GitHub's support"
                    .to_owned(),
            ),
            (
                Ok(()),
                stop @ (Stop::DryRun | Stop::Budget { .. } | Stop::Interrupted | Stop::Failed(_)),
            ) => stop,
        }
    }

    /// Tells of refusals what the ledger tells, which has taken them back.
    fn take_back(&mut self) -> Result<(), LedgerError> {
        let rejected = |outcome: &&mut Outcome| outcome.state == State::Rejected;
        let names = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.state == State::Rejected);
        let names: Vec<Fingerprint> = names.map(|outcome| outcome.fingerprint).collect();
        let known = self.with.ledger.settled(self.account.host(), names)?;
        for outcome in self.outcomes.iter_mut().filter(rejected) {
            if let Some(settled) = known.get(&outcome.fingerprint) {
                outcome.state = settled.state;
                outcome.at_ms = Some(settled.at_ms);
            }
        }
        Ok(())
    }

    fn settle(&mut self, work: Work, state: State, made: &Made) {
        let reason = match state {
            State::Rejected | State::Unknown => made.judgement.closing.message.as_ref(),
            State::Accepted | State::Withheld | State::Pending | State::Unresolved => None,
        };
        self.outcomes
            .extend(work.tokens.into_iter().map(|token| Outcome {
                state,
                reason: reason.cloned(),
                request: Some(made.request),
                at_ms: Some(made.at_ms),
                ..token.rest()
            }));
    }
}

fn give_up_if(enough: bool, why: impl FnOnce() -> String) -> Result<(), Stop> {
    if enough {
        Err(Stop::Failed(why()))
    } else {
        Ok(())
    }
}

/// Notes that a request may have taken these tokens.
pub(super) fn doubt(work: &mut Work) {
    for token in &mut work.tokens {
        token.resting = State::Unknown;
    }
}
