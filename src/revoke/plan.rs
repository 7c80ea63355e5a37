//! What a run is going to send, what it holds back, and why.
//!
//! Pure: it knows no ledger, no network and no files. What the ledger says of a token is asked
//! through a function, so that the same tokens and the same record always make the same plan.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::budget::Policy;
use super::host::{Host, HostKind, Reach};
use crate::vocabulary::{
    Checksum, Fingerprint, Kind, Outcome, Revocable, RevokeReport, Secret, Standing, State, Stop,
    Warning,
};

/// A token that may be sent.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// The token.
    pub secret: Secret,
    /// What its checksum says.
    pub checksum: Checksum,
    /// Whether it counts as found.
    pub standing: Standing,
}

/// What the ledger knows of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Where it stands.
    pub state: State,
    /// The request that last carried it.
    pub request: Option<i64>,
    /// When it came to stand there, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Whether tokens are sent whose checksum does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// They are held back.
    Withhold,
    /// They are sent like the others.
    Send,
}

/// Whether tokens are sent again that the server refused one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// They are held back: each costs its batch 10 to 20 requests to be found out.
    Withhold,
    /// They are sent again.
    Resend,
}

/// How many tokens one request may carry, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize(usize);

/// Why a batch size is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request carries 1 to 1000 tokens: GitHub takes no more")]
pub struct BatchSizeError;

impl BatchSize {
    /// GitHub's documented limit.
    pub const GITHUB: Self = Self(1000);

    /// Checks a size; larger ones than GitHub's are for loopback hosts.
    pub fn new(tokens: usize, reach: Reach) -> Result<Self, BatchSizeError> {
        let fits = match reach {
            Reach::Loopback => tokens >= 1,
            Reach::Remote => (1..=Self::GITHUB.0).contains(&tokens),
        };
        fits.then_some(Self(tokens)).ok_or(BatchSizeError)
    }
}

/// How a plan is made.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// The size of its batches.
    pub batch_size: BatchSize,
    /// What is done with tokens that nothing proves to be tokens.
    pub unverified: Unverified,
    /// What is done with tokens that were refused before.
    pub rejected: Rejected,
    /// The identifiers of the kinds that the host takes.
    pub takes: &'static [&'static str],
    /// The user's own credentials, which are never sent.
    pub own: HashSet<Fingerprint>,
}

impl PlanOptions {
    /// GitHub's batches, everything doubtful held back.
    pub fn new(host: &Host) -> Self {
        Self {
            batch_size: BatchSize::GITHUB,
            unverified: Unverified::Withhold,
            rejected: Rejected::Withhold,
            takes: host.takes(),
            own: HashSet::new(),
        }
    }
}

/// A token that is going to be sent.
#[derive(Debug)]
pub struct Planned {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// The token.
    pub secret: Secret,
    /// Where it stands as long as no request settles it: [`State::Pending`], or
    /// [`State::Unknown`] if it was sent before and may have been taken.
    pub resting: State,
}

/// Tokens that travel in one request: one or more.
#[derive(Debug)]
pub struct Batch(pub(super) Vec<Planned>);

impl Batch {
    /// The tokens, by fingerprint.
    pub fn tokens(&self) -> &[Planned] {
        &self.0
    }
}

/// A token that is not going to be sent.
#[derive(Debug, Clone)]
pub struct Withheld {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// Why.
    pub reason: WithheldReason,
}

/// Why a token is not going to be sent. Shows itself in plain words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithheldReason {
    /// Its issuer does not let its holder revoke it.
    NotRevocable,
    /// The host does not take its kind, and a secret is not shown to those it does not concern.
    KindNotTaken,
    /// It is in use by the user who runs this.
    Own,
    /// Nothing proves that it is a token.
    Unverified,
    /// The server refused it before.
    AlreadyRejected(Settled),
}

impl fmt::Display for WithheldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRevocable => "tokens of this kind cannot be revoked by whoever holds them",
            Self::KindNotTaken => "the host does not take tokens of this kind",
            Self::Own => {
                "it is the token in your own environment; revoke it by itself, from elsewhere"
            }
            Self::Unverified => "its checksum does not fit: probably not a token",
            Self::AlreadyRejected(_) => "the host refused it in an earlier request",
        })
    }
}

/// A token that an earlier request settled.
#[derive(Debug, Clone)]
pub struct Already {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// What the ledger says of it.
    pub settled: Settled,
}

/// The kinds of tokens that an app has from its user.
const OF_APPS: [&str; 3] = [
    "github_oauth_access_token",
    "github_app_user_access_token",
    "github_refresh_token",
];

/// All that a run is going to do and not do. Every token is in exactly one of its lists, and each
/// list is in the order of the fingerprints.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is sent: full batches first.
    pub batches: Vec<Batch>,
    /// What is held back.
    pub withheld: Vec<Withheld>,
    /// What the host accepted in an earlier request, and is not sent again.
    pub already: Vec<Already>,
}

impl Plan {
    /// Sorts tokens out. Of tokens with one fingerprint, the one that counts as found stands.
    pub fn new(
        mut candidates: Vec<Candidate>,
        settled: impl Fn(&Fingerprint) -> Option<Settled>,
        options: &PlanOptions,
    ) -> Self {
        candidates.sort_by_key(|candidate| (candidate.fingerprint, is_doubtful(candidate)));
        candidates.dedup_by_key(|candidate| candidate.fingerprint);
        let mut plan = Self::default();
        let size = options.batch_size.0;
        for candidate in candidates {
            let known = settled(&candidate.fingerprint);
            plan.place(candidate, known, options, size);
        }
        plan
    }

    /// Puts one token where it belongs.
    fn place(
        &mut self,
        candidate: Candidate,
        known: Option<Settled>,
        options: &PlanOptions,
        size: usize,
    ) {
        let doubtful = is_doubtful(&candidate);
        let Candidate {
            fingerprint,
            kind,
            secret,
            ..
        } = candidate;
        if let Some(settled) = known.filter(|known| known.state == State::Accepted) {
            self.already.push(Already {
                fingerprint,
                kind,
                settled,
            });
            return;
        }
        let rejected = known.filter(|known| known.state == State::Rejected);
        let reason = if kind.revocable == Revocable::ReportOnly {
            Some(WithheldReason::NotRevocable)
        } else if !options.takes.contains(&&*kind.id) {
            Some(WithheldReason::KindNotTaken)
        } else if options.own.contains(&fingerprint) {
            Some(WithheldReason::Own)
        } else if doubtful && options.unverified == Unverified::Withhold {
            Some(WithheldReason::Unverified)
        } else if options.rejected == Rejected::Withhold {
            rejected.map(WithheldReason::AlreadyRejected)
        } else {
            None
        };
        if let Some(reason) = reason {
            self.withheld.push(Withheld {
                fingerprint,
                kind,
                reason,
            });
            return;
        }
        let planned = Planned {
            fingerprint,
            kind,
            secret,
            resting: match known.map(|known| known.state) {
                Some(State::Unknown) => State::Unknown,
                Some(
                    State::Accepted
                    | State::Rejected
                    | State::Withheld
                    | State::Pending
                    | State::Unresolved,
                )
                | None => State::Pending,
            },
        };
        match self.batches.last_mut() {
            Some(Batch(tokens)) if tokens.len() < size => tokens.push(planned),
            Some(_) | None => self.batches.push(Batch(vec![planned])),
        }
    }

    /// How many tokens it sends.
    pub fn tokens(&self) -> usize {
        self.batches.iter().map(|batch| batch.0.len()).sum()
    }

    /// How many requests that takes, if every one is accepted.
    pub fn requests(&self) -> usize {
        self.batches.len()
    }

    /// How long it takes at least, if nothing was sent before and every request is accepted.
    pub fn estimate(&self, policy: &Policy) -> Duration {
        policy.estimate(self.requests() as u64)
    }

    /// What to think of before it is carried out at `host`.
    pub fn warnings(&self, host: &Host) -> Vec<Warning> {
        let mut warnings = vec![Warning::OwnersAreMailed];
        let mut tokens = self.batches.iter().flat_map(Batch::tokens);
        if tokens.any(|token| OF_APPS.contains(&&*token.kind.id)) {
            warnings.push(Warning::AppAuthorizationsMayEnd);
        }
        warnings.push(match host.kind() {
            HostKind::Cloud => Warning::ServersTokensDisclosed,
            HostKind::EnterpriseServer => Warning::CloudTokensDisclosed,
        });
        warnings
    }

    /// The report of a run that sent nothing of it, for the reason given.
    pub fn unsent(self, stop: Stop) -> RevokeReport {
        let (batches, mut outcomes) = self.into_parts();
        outcomes.extend(
            batches
                .into_iter()
                .flat_map(|batch| batch.0)
                .map(Planned::rest),
        );
        outcomes.sort_unstable_by_key(|outcome| outcome.fingerprint);
        RevokeReport {
            outcomes,
            requests: 0,
            stop,
        }
    }

    /// The batches, and the outcomes of all that is in none.
    pub(super) fn into_parts(self) -> (Vec<Batch>, Vec<Outcome>) {
        let already = self.already.into_iter().map(|already| Outcome {
            fingerprint: already.fingerprint,
            kind: already.kind,
            state: State::Accepted,
            reason: Some("accepted in an earlier request".to_owned()),
            request: already.settled.request,
            at_ms: Some(already.settled.at_ms),
        });
        let withheld = self.withheld.into_iter().map(Withheld::into_outcome);
        (self.batches, already.chain(withheld).collect())
    }
}

/// Whether nothing proves it to be a token. A known shape without a checksum is not doubtful.
fn is_doubtful(candidate: &Candidate) -> bool {
    candidate.standing == Standing::Unverified || candidate.checksum == Checksum::Invalid
}

impl Withheld {
    fn into_outcome(self) -> Outcome {
        // A token that was refused stays refused: that it is not sent again changes nothing.
        let (state, settled) = match self.reason {
            WithheldReason::AlreadyRejected(settled) => (State::Rejected, Some(settled)),
            WithheldReason::NotRevocable
            | WithheldReason::KindNotTaken
            | WithheldReason::Own
            | WithheldReason::Unverified => (State::Withheld, None),
        };
        Outcome {
            fingerprint: self.fingerprint,
            kind: self.kind,
            state,
            reason: Some(self.reason.to_string()),
            request: settled.and_then(|settled| settled.request),
            at_ms: settled.map(|settled| settled.at_ms),
        }
    }
}

impl Planned {
    /// The outcome of a token that no request settled.
    pub(super) fn rest(self) -> Outcome {
        Outcome {
            fingerprint: self.fingerprint,
            kind: self.kind,
            state: self.resting,
            reason: None,
            request: None,
            at_ms: None,
        }
    }
}

#[cfg(test)]
mod tests;
