//! The calls that end an enterprise's credential authorizations: of all its members, or of one.
//!
//! One request each, without tokens in it; on record before it is sent, like any other. GitHub
//! Enterprise Cloud has these calls
//! (`POST /enterprises/{enterprise}/credential-authorizations/revoke-all` and `…/{user}/revoke`).

use std::time::Duration;

use super::account::Account;
use super::answer::{self, Manner, Pause, Reading, Verdict, presentable};
use super::client::Client;
use super::echo::Echo;
use super::host::Host;
use super::ledger::{Closed, Closing, Earlier, Grant, Ledger, LedgerError, Turn};
use super::login::Login;
use super::transport::Sent;
use crate::vocabulary::{Call, Clock, EnterpriseReport, Redact, Stamp, State};

/// The pause when the host asks for fewer requests and does not say for how long.
const UNSAID: Duration = Duration::from_secs(60);

/// The longest short name of an enterprise, and longest user name, that is believed.
const LONGEST_NAME: usize = 100;

/// Why a call was not made.
#[derive(Debug, thiserror::Error)]
pub enum EnterpriseError {
    /// Another process is sending to the host.
    #[error("another douse is sending to this host; try again when it is done")]
    Busy,
    /// The host asked for a pause.
    #[error("the host asked for a pause; try again in {} s", .0.as_secs() + 1)]
    Pause(Duration),
    /// The ledger failed, so nothing was sent.
    #[error("{0}; nothing was sent")]
    Ledger(#[from] LedgerError),
    /// The call was made, and its end could not be recorded.
    #[error("the call was made, and what became of it could not be recorded: {0}")]
    Unrecorded(LedgerError),
}

/// Why a name can't be that of an enterprise or a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has letters, digits, `-` and `_` only (an enterprise's is the one in its URL)")]
pub struct NameError;

/// Checks a name of an enterprise or a user: it becomes a part of a URL.
pub fn name(text: &str) -> Result<String, NameError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let sound = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(fits);
    sound.then(|| text.to_owned()).ok_or(NameError)
}

/// All that it takes to make a call.
pub struct Request<'a> {
    /// Where to.
    pub host: &'a Host,
    /// On whose behalf.
    pub login: &'a Login,
    /// What sends.
    pub client: &'a Client,
    /// What remembers.
    pub ledger: &'a mut Ledger,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// What every text from outside passes through.
    pub redact: &'a dyn Redact,
}

impl Request<'_> {
    /// Makes `call`, once.
    pub fn make(self, call: Call) -> Result<EnterpriseReport, EnterpriseError> {
        let account = Account::new(self.host.key(), Some(self.login.fingerprint()));
        let mut sender = match self.ledger.turn(&account, &self.clock.now())? {
            Turn::Ours(sender) => sender,
            Turn::Taken => return Err(EnterpriseError::Busy),
        };
        let request = match sender.grant_call(&call, &self.clock.now())? {
            Grant::Go(request) => request,
            Grant::Wait { wait, .. } => return Err(EnterpriseError::Pause(wait)),
        };
        let sent = self.client.call(&call);
        let now = self.clock.now();
        let echo = Echo::new(&[], Some(self.login), self.redact);
        let end = End::of(sent, &call, &now, &echo);
        let closing = Closing {
            closed: end.closed,
            http_status: end.http_status,
            github_request_id: end.github_request_id,
            message: end.message.clone(),
            hold: end.hold,
            earlier: Earlier::Stands,
        };
        sender
            .settle(request, &closing, &now)
            .map_err(EnterpriseError::Unrecorded)?;
        Ok(EnterpriseReport {
            host: self.host.key().to_owned(),
            call,
            state: state(end.closed),
            http_status: end.http_status,
            message: end.message,
            warning: end.warning,
            advice: end.advice,
            request,
            at_ms: now.wall_ms,
        })
    }
}

/// How a call ended.
struct End {
    closed: Closed,
    http_status: Option<u16>,
    github_request_id: Option<String>,
    message: Option<String>,
    warning: Option<String>,
    advice: Option<String>,
    hold: Option<Duration>,
}

impl End {
    fn of(sent: Sent, call: &Call, now: &Stamp, redact: &dyn Redact) -> Self {
        let (closed, error, advice) = match sent {
            Sent::Answer(answer) => {
                return Self::answered(answer::read(&answer, now, redact), call);
            }
            Sent::NotSent(error) => (Closed::NotSent, error, "nothing was sent"),
            Sent::Lost(error) => (
                Closed::Unknown,
                error,
                "the host may have done it: look into the enterprise's audit log, or make the \
                 call again, which does no harm",
            ),
        };
        Self {
            closed,
            http_status: None,
            github_request_id: None,
            message: presentable(&error, redact),
            warning: None,
            advice: Some(advice.to_owned()),
            hold: None,
        }
    }

    fn answered(reading: Reading, call: &Call) -> Self {
        let (closed, advice) = match reading.verdict {
            Verdict::Accepted => (Closed::Accepted, None),
            Verdict::Invalid => (Closed::TokenRejected, Some(invalid(call))),
            Verdict::Throttled => (Closed::Throttled, Some("the host asks for a pause")),
            Verdict::Refused(refusal) => {
                (Closed::Refused, Some(refusal.advice(Manner::Enterprise)))
            }
            Verdict::Broken => (
                Closed::Unknown,
                Some("the host is in trouble; it may have done it. Make the call again later"),
            ),
        };
        Self {
            closed,
            http_status: Some(reading.status),
            github_request_id: reading.request_id,
            message: reading.message,
            warning: reading.warning,
            advice: advice.map(str::to_owned),
            hold: match reading.pause {
                Pause::No => None,
                Pause::For(wait) => Some(wait),
                Pause::Unsaid => Some(UNSAID),
            },
        }
    }
}

/// What 422 means to each call, as GitHub documents it.
fn invalid(call: &Call) -> &'static str {
    match call {
        Call::Revoke | Call::RevokeAll { .. } => {
            "credentials can be destroyed only in an enterprise with managed users; leave out \
             --destroy-credentials to end their authorizations alone"
        }
        Call::RevokeUser { .. } => {
            "the first owner of an enterprise with managed users cannot be revoked; and credentials \
             can be destroyed only in an enterprise with managed users (leave out \
             --destroy-credentials)"
        }
    }
}

fn state(closed: Closed) -> State {
    match closed {
        Closed::Accepted => State::Accepted,
        Closed::TokenRejected | Closed::BatchRejected | Closed::Refused => State::Rejected,
        Closed::Unknown => State::Unknown,
        Closed::Throttled | Closed::NotSent => State::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for sound in ["acme", "Acme-Corp", "mona_acme", "x"] {
            assert_eq!(name(sound).as_deref(), Ok(sound));
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "a?b",
            "a b",
            "a%2fb",
            "caf\u{e9}",
            &long,
        ] {
            assert_eq!(name(text), Err(NameError), "{text}");
        }
    }
}
