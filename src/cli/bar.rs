//! A revocation under way as a bar: tokens, requests, and what is waited for until when.

use std::time::Duration;

use douse::progress::Progress;
use douse::revoke::{Cause, Closed, Observer, Plan, RequestId};
use douse::vocabulary::{Clock, rfc3339};

use super::Session;

/// Shows a run as a bar.
pub(super) struct Bar<'a> {
    progress: Progress,
    clock: &'a dyn Clock,
    /// Requests that it takes, if every one is accepted.
    planned: usize,
    /// Requests that were made.
    made: usize,
}

impl<'a> Bar<'a> {
    pub(super) fn new(session: &'a Session, plan: &Plan) -> Self {
        let bar = Self {
            progress: Progress::of_revocation(session.visibility, plan.tokens() as u64),
            clock: &session.clock,
            planned: plan.requests(),
            made: 0,
        };
        bar.say("");
        bar
    }

    /// Says what is going on, and the number of requests: a batch that is taken apart, or sent
    /// again, costs more than was planned.
    fn say(&self, what: &str) {
        let planned = self.planned.max(self.made);
        self.progress.say((self.made, planned), what.to_owned());
    }
}

impl Observer for Bar<'_> {
    fn queued(&mut self) {
        self.say("waiting for another douse to finish its request");
    }

    fn waiting(&mut self, wait: Duration, cause: Cause) {
        let why = match cause {
            Cause::Interval => return,
            Cause::Window => "the budget is used up",
            Cause::Hold => "the host asked for a pause",
        };
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let at = rfc3339(self.clock.now().wall_ms.saturating_add(wait_ms));
        self.say(&format!("{why}; the next goes at {at}"));
    }

    fn unreachable(&mut self, wait: Duration, _error: &str) {
        let seconds = wait.as_secs();
        self.say(&format!("no connection; trying again in {seconds} s"));
    }

    fn sending(&mut self, _request: RequestId, tokens: usize) {
        self.made += 1;
        self.say(&format!("sending {tokens}"));
    }

    fn closed(&mut self, _request: RequestId, closed: Closed, tokens: usize) {
        match closed {
            Closed::Accepted | Closed::TokenRejected => self.progress.advance(tokens as u64),
            Closed::NotSent => self.made -= 1,
            Closed::BatchRejected | Closed::Throttled | Closed::Refused | Closed::Unknown => {}
        }
    }

    fn accepted_elsewhere(&mut self, tokens: usize) {
        self.progress.advance(tokens as u64);
    }
}
