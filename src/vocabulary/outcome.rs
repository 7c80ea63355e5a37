//! What became of each token that was to be revoked.

use std::sync::Arc;
use std::time::Duration;

use super::audit::Call;
use super::exit::Exit;
use super::finding::Match;
use super::kind::Kind;
use super::secret::Fingerprint;

/// Where one token stands.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// What became of it.
    pub state: State,
    /// Why, where the state alone does not say.
    pub reason: Option<String>,
    /// The ledger's number of the request that settled it.
    pub request: Option<i64>,
    /// When it was settled, in milliseconds since 1970 UTC.
    pub at_ms: Option<i64>,
}

/// The states of a token on its way. Nothing here says "revoked": the server accepts a token for
/// processing, and never confirms its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The server took it for processing.
    Accepted,
    /// The server refused it.
    Rejected,
    /// It was sent, and whether the server took it is not known. It will be sent again.
    Unknown,
    /// It was not to be sent.
    Withheld,
    /// It is left for a later run.
    Pending,
    /// A report told of it, and it is no longer where it lay.
    Unresolved,
}

impl State {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Rejected,
        Self::Unknown,
        Self::Withheld,
        Self::Pending,
        Self::Unresolved,
    ];

    /// Its name in machine output and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Withheld => "withheld",
            Self::Pending => "pending",
            Self::Unresolved => "unresolved",
        }
    }
}

/// All that a revocation did.
#[derive(Debug)]
pub struct RevokeReport {
    /// Every token of the plan, by fingerprint.
    pub outcomes: Vec<Outcome>,
    /// Requests that were sent in this run.
    pub requests: u64,
    /// How it ended.
    pub stop: Stop,
}

/// Why a revocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Everything was tried.
    Done,
    /// Only a plan was asked for.
    DryRun,
    /// The budget is used up and the user asked not to wait.
    Budget {
        /// When the next request may go, in milliseconds from now.
        next_ms: u64,
    },
    /// A signal came.
    Interrupted,
    /// The host or the ledger made it pointless or unsafe to go on; the text says what to do.
    Failed(String),
}

impl RevokeReport {
    /// How many tokens are in `state`.
    pub fn count(&self, state: State) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.state == state)
            .count()
    }

    /// How the run ends for the shell.
    pub fn exit(&self) -> Exit {
        match self.stop {
            Stop::Interrupted | Stop::Failed(_) => Exit::Trouble,
            Stop::Done | Stop::DryRun | Stop::Budget { .. } => {
                let accepted = self.count(State::Accepted);
                if accepted == self.outcomes.len() {
                    Exit::Clean
                } else {
                    Exit::Found
                }
            }
        }
    }
}

/// What a revocation is going to do, for a person to agree to.
#[derive(Debug)]
pub struct PlanSummary {
    /// The host that will be told the tokens.
    pub host: String,
    /// The tokens that will be sent, by fingerprint.
    pub tokens: Vec<PlannedToken>,
    /// The requests that takes.
    pub requests: usize,
    /// How long that takes at least.
    pub estimate: Duration,
    /// Tokens that will not be sent, counted by their reasons.
    pub withheld: Vec<(String, usize)>,
    /// Tokens that were accepted before and will not be sent again.
    pub already: usize,
    /// Tokens that a report told of and that are no longer where they lay.
    pub gone: usize,
    /// What to think of before agreeing.
    pub warnings: Vec<Warning>,
}

/// What to think of before tokens are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// It can't be taken back, and whoever owns a token is told.
    OwnersAreMailed,
    /// Revoking a token of an app may end all that its user authorized the app to do.
    AppAuthorizationsMayEnd,
    /// Tokens of a GitHub Enterprise Server look the same, and are shown to github.com.
    ServersTokensDisclosed,
    /// Tokens of github.com look the same, and are shown to this server.
    CloudTokensDisclosed,
}

/// A token that will be sent.
#[derive(Debug)]
pub struct PlannedToken {
    /// Its name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// The first place it was found in, unless it came from a list.
    pub first: Option<Match>,
    /// How many places there are.
    pub places: u64,
}

/// What became of a call that concerns an enterprise.
#[derive(Debug)]
pub struct EnterpriseReport {
    /// The host that was asked.
    pub host: String,
    /// What it was asked for.
    pub call: Call,
    /// What it said to it: accepted, rejected, unknown, or pending where nothing was taken and it
    /// may be tried again.
    pub state: State,
    /// The answer's status.
    pub http_status: Option<u16>,
    /// The host's words, or why there are none; redacted.
    pub message: Option<String>,
    /// What the host warns of; redacted.
    pub warning: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// The ledger's number of the request.
    pub request: i64,
    /// When it ended, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

impl EnterpriseReport {
    /// How the run ends for the shell.
    pub fn exit(&self) -> Exit {
        match self.state {
            State::Accepted => Exit::Clean,
            State::Rejected
            | State::Unknown
            | State::Withheld
            | State::Pending
            | State::Unresolved => Exit::Found,
        }
    }
}
