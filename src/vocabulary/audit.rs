//! What is on record of revocations, for people and programs to read; no secrets are in it.

use std::time::Duration;

use super::outcome::State;
use super::secret::Fingerprint;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// To revoke the tokens that it carries.
    Revoke,
    /// To revoke what all members of an enterprise have authorized.
    RevokeAll {
        /// The enterprise's short name, as in its URL.
        enterprise: String,
        /// What becomes of the credentials themselves.
        credentials: Credentials,
    },
    /// To revoke what one of its users has authorized.
    RevokeUser {
        /// The enterprise's short name, as in its URL.
        enterprise: String,
        /// The user's name.
        user: String,
        /// What becomes of the credentials themselves.
        credentials: Credentials,
    },
}

/// What becomes of credentials whose authorization for an enterprise is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// They remain, without access to the enterprise.
    Kept,
    /// Personal access tokens and SSH keys are destroyed.
    Destroyed,
}

impl Credentials {
    /// Whether they are destroyed.
    pub fn is_destroyed(self) -> bool {
        match self {
            Self::Kept => false,
            Self::Destroyed => true,
        }
    }
}

impl Call {
    /// Its name in machine output and in the ledger.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::RevokeAll { .. } => "revoke_all",
            Self::RevokeUser { .. } => "revoke_user",
        }
    }
}

/// One thing on record. A request comes before the outcomes of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditEntry {
    /// A request.
    Request(RequestEntry),
    /// What became of a token, in a request or without one.
    Outcome(OutcomeEntry),
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEntry {
    /// Its number.
    pub id: i64,
    /// The host it went to.
    pub host: String,
    /// The fingerprint of the token that it was authenticated with, in hex; none if anonymous.
    pub identity: Option<String>,
    /// What it asked for.
    pub call: Call,
    /// `open`, or how it ended: `accepted`, `rejected`, `throttled`, `refused`, `unknown`,
    /// `not_sent`.
    pub state: String,
    /// How many tokens it carried.
    pub tokens: i64,
    /// When it was granted, in milliseconds since 1970 UTC.
    pub started_ms: i64,
    /// When its end was recorded, likewise.
    pub ended_ms: Option<i64>,
    /// The answer's status.
    pub http_status: Option<u16>,
    /// GitHub's own number of the request.
    pub github_request_id: Option<String>,
    /// The server's words, or the connection's error; redacted.
    pub message: Option<String>,
}

/// What became of one token at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeEntry {
    /// The host that it was for.
    pub host: String,
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// The identifier of its kind.
    pub kind: String,
    /// Where it then stood.
    pub state: State,
    /// The request that brought it there, if one did.
    pub request: Option<i64>,
    /// The server's words about it, why nothing is known, or why it was held back; redacted.
    pub reason: Option<String>,
    /// When it came to stand there, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// How things stand, host by host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerStatus {
    /// Every host that something is on record of, by name.
    pub hosts: Vec<HostStatus>,
}

/// How things stand with one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostStatus {
    /// The host.
    pub host: String,
    /// Its budgets: one for anonymous requests, one for each token of ours.
    pub budgets: Vec<BudgetStatus>,
    /// How many tokens are in which state; states that no token is in are left out.
    pub tokens: Vec<(State, u64)>,
    /// Requests whose end is not on record: under way, or cut off with their process.
    pub open: u64,
}

/// What is left of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetStatus {
    /// The fingerprint of the token that requests are authenticated with; none if anonymous.
    pub identity: Option<String>,
    /// Requests that count against it now.
    pub used: usize,
    /// Requests that may be made in each window.
    pub requests: u32,
    /// The window's length.
    pub window: Duration,
    /// How long until the next request may go; zero if it may go now.
    pub next: Duration,
    /// Whether the wait is one that the host asked for.
    pub asked_for: AskedFor,
}

/// Who wants a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedFor {
    /// Our own limits.
    ByUs,
    /// The host asked for a pause, or is in trouble.
    ByHost,
}
