//! What the end of an attempt means: how it is recorded, how long everybody holds still after it,
//! and what to tell the user if it is the last.
//!
//! Pure. All of the run's patience is here, as numbers.

use std::time::Duration;

use super::super::answer::{self, Manner, Pause, Reading, Verdict, presentable};
use super::super::budget::PolicyError;
use super::super::host::Limits;
use super::super::ledger::{Closed, Closing, Earlier};
use super::super::transport::Sent;
use crate::vocabulary::{Redact, Stamp};

/// How often in a row the host may ask for fewer requests before the run gives up.
pub(super) const THROTTLED_IN_A_ROW: u32 = 5;
/// How often one batch is sent when what became of it is not known.
pub(super) const ATTEMPTS: u32 = 3;
/// How many batches in a row may end unknown before the run gives up.
pub(super) const LOST_IN_A_ROW: u32 = 3;
/// How many requests in a row may be refused as invalid before the run gives up. Five bad tokens
/// side by side make less than twenty; more means that the host refuses whatever it is sent.
pub(super) const INVALID_IN_A_ROW: u32 = 40;
/// How often a connection is tried again.
pub(super) const RECONNECTS: u32 = 3;

/// The hold when the host asks for fewer requests and does not say for how long; GitHub asks for
/// at least a minute. Doubled each time in a row.
const THROTTLED_HOLD: Duration = Duration::from_secs(60);

/// How a run holds back when something went wrong, and the host did not say for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The hold when the host is in trouble. Doubled each time in a row.
    trouble: Duration,
}

impl Backoff {
    /// Ten seconds, then twenty, and so on.
    pub const GITHUB: Self = Self {
        trouble: Duration::from_secs(10),
    };

    /// Another first hold; a shorter one only for a host whose owner sets its limits.
    pub fn new(trouble: Duration, limits: Limits) -> Result<Self, PolicyError> {
        match limits {
            Limits::Github if trouble < Self::GITHUB.trouble => Err(PolicyError::TooHasty),
            Limits::Github | Limits::Owners => Ok(Self { trouble }),
        }
    }

    /// The pause before a connection is tried again. Doubled each time in a row.
    fn reconnect(&self) -> Duration {
        self.trouble / 5
    }
}

/// What a judgement depends on besides the answer.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) now: &'a Stamp,
    pub(super) redact: &'a dyn Redact,
    pub(super) manner: Manner,
    pub(super) backoff: &'a Backoff,
}

/// How often something has gone wrong in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Streaks {
    /// The host asked for fewer requests, and took none since.
    pub(super) throttled: u32,
    /// Requests that were refused as invalid, and none was accepted since.
    pub(super) invalid: u32,
    /// Requests whose fate is not known.
    pub(super) unknown: u32,
    /// Batches that were given up as unknown.
    pub(super) lost: u32,
    /// Connections that did not come to be.
    pub(super) unreached: u32,
}

/// What an attempt came to.
#[derive(Debug)]
pub(super) struct Judgement {
    /// What is recorded.
    pub(super) closing: Closing,
    /// It in words, for the case that the run ends here; redacted.
    pub(super) words: String,
}

impl Streaks {
    /// Judges an attempt to send `tokens` tokens, and counts it.
    pub(super) fn judge(
        &mut self,
        sent: Sent,
        tokens: usize,
        with: &Circumstances<'_>,
    ) -> Judgement {
        match sent {
            Sent::Answer(answer) => {
                let reading = answer::read(&answer, with.now, with.redact);
                self.judge_answer(reading, tokens, with)
            }
            Sent::NotSent(error) => {
                self.count(Closed::NotSent);
                no_answer(Closed::NotSent, &error, None, with.redact)
            }
            Sent::Lost(error) => {
                self.count(Closed::Unknown);
                let hold = growing(with.backoff.trouble, self.unknown);
                no_answer(Closed::Unknown, &error, Some(hold), with.redact)
            }
        }
    }

    fn judge_answer(
        &mut self,
        reading: Reading,
        tokens: usize,
        with: &Circumstances<'_>,
    ) -> Judgement {
        let (closed, advice) = match reading.verdict {
            Verdict::Accepted => (Closed::Accepted, None),
            Verdict::Invalid if tokens == 1 => (Closed::TokenRejected, None),
            Verdict::Invalid => (Closed::BatchRejected, None),
            Verdict::Throttled => (Closed::Throttled, None),
            Verdict::Refused(refusal) => (Closed::Refused, Some(refusal.advice(with.manner))),
            Verdict::Broken => (Closed::Unknown, None),
        };
        self.count(closed);
        let mut words = in_words(&reading);
        if let Some(advice) = advice {
            words = format!("{words} ({advice})");
        }
        // A word about trouble is kept with the tokens it leaves unknown; the status is a word.
        let message = match closed {
            Closed::Unknown => Some(words.clone()),
            Closed::Accepted
            | Closed::TokenRejected
            | Closed::BatchRejected
            | Closed::Throttled
            | Closed::Refused
            | Closed::NotSent => reading.message,
        };
        let closing = Closing {
            closed,
            http_status: Some(reading.status),
            github_request_id: reading.request_id,
            message,
            hold: self.hold(closed, reading.pause, with.backoff),
            earlier: if self.refuses_everything() {
                Earlier::TakenBack
            } else {
                Earlier::Stands
            },
        };
        Judgement { closing, words }
    }

    /// Whether so many requests in a row were refused as invalid that it can't be about tokens.
    pub(super) fn refuses_everything(&self) -> bool {
        self.invalid >= INVALID_IN_A_ROW
    }

    fn count(&mut self, closed: Closed) {
        match closed {
            Closed::Accepted => *self = Self::default(),
            Closed::TokenRejected | Closed::BatchRejected => {
                *self = Self {
                    invalid: self.invalid + 1,
                    ..Self::default()
                };
            }
            Closed::Throttled => {
                self.throttled += 1;
                self.unreached = 0;
            }
            Closed::Unknown => {
                self.unknown += 1;
                self.unreached = 0;
            }
            Closed::Refused => {}
            Closed::NotSent => self.unreached += 1,
        }
    }

    /// For how long nobody sends: as long as the server said, and longer when it is in trouble.
    fn hold(&self, closed: Closed, pause: Pause, backoff: &Backoff) -> Option<Duration> {
        let told = match pause {
            Pause::No => None,
            Pause::For(wait) => Some(wait),
            Pause::Unsaid => Some(growing(THROTTLED_HOLD, self.throttled)),
        };
        match closed {
            Closed::Unknown => told.max(Some(growing(backoff.trouble, self.unknown))),
            Closed::Accepted
            | Closed::TokenRejected
            | Closed::BatchRejected
            | Closed::Throttled
            | Closed::Refused
            | Closed::NotSent => told,
        }
    }

    /// The pause before a connection is tried again.
    pub(super) fn reconnect_pause(&self, backoff: &Backoff) -> Duration {
        growing(backoff.reconnect(), self.unreached)
    }
}

/// An answer's status and message.
fn in_words(reading: &Reading) -> String {
    match &reading.message {
        Some(message) => format!("status {}, {message:?}", reading.status),
        None => format!("status {}", reading.status),
    }
}

fn no_answer(
    closed: Closed,
    error: &str,
    hold: Option<Duration>,
    redact: &dyn Redact,
) -> Judgement {
    let words = presentable(error, redact).unwrap_or_else(|| "no reason was given".to_owned());
    let closing = Closing {
        closed,
        http_status: None,
        github_request_id: None,
        message: Some(words.clone()),
        hold,
        earlier: Earlier::Stands,
    };
    Judgement { closing, words }
}

/// `first`, doubled for each further time in a row.
fn growing(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.saturating_sub(1).min(16))
}

#[cfg(test)]
mod tests {
    use super::super::super::answer::{Answer, Headers};
    use super::*;
    use crate::vocabulary::RedactNothing;

    fn judge(streaks: &mut Streaks, status: u16, retry_after: Option<&str>) -> Closing {
        let headers = Headers {
            retry_after: retry_after.map(str::to_owned),
            ..Headers::default()
        };
        let answer = Answer {
            status,
            headers,
            ..Answer::default()
        };
        let now = Stamp {
            wall_ms: 0,
            boot: None,
        };
        let with = Circumstances {
            now: &now,
            redact: &RedactNothing,
            manner: Manner::Anonymous,
            backoff: &Backoff::GITHUB,
        };
        streaks.judge(Sent::Answer(answer), 2, &with).closing
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn unsaid_waits_grow_and_said_ones_are_kept() {
        let mut streaks = Streaks::default();
        assert_eq!(judge(&mut streaks, 429, None).hold, Some(secs(60)));
        assert_eq!(judge(&mut streaks, 429, None).hold, Some(secs(120)));
        assert_eq!(judge(&mut streaks, 429, Some("7")).hold, Some(secs(7)));
        assert_eq!(judge(&mut streaks, 429, None).hold, Some(secs(480)));
        assert_eq!(judge(&mut streaks, 202, None).hold, None);
        assert_eq!(judge(&mut streaks, 429, None).hold, Some(secs(60)));
    }

    #[test]
    fn trouble_waits_as_long_as_it_grew_or_was_told() {
        let mut streaks = Streaks::default();
        assert_eq!(judge(&mut streaks, 500, None).hold, Some(secs(10)));
        assert_eq!(judge(&mut streaks, 503, Some("3")).hold, Some(secs(20)));
        assert_eq!(judge(&mut streaks, 503, Some("999")).hold, Some(secs(999)));
        assert_eq!(judge(&mut streaks, 202, Some("5")).hold, Some(secs(5)));
    }

    #[test]
    fn growth_has_no_overflow() {
        assert_eq!(growing(Duration::from_secs(60), 0), Duration::from_secs(60));
        assert!(growing(Duration::from_secs(60), u32::MAX) > Duration::from_secs(24 * 3600));
    }
}
