//! Asks a host to put tokens out, and keeps count of it.
//!
//! A [`Plan`] sorts tokens into batches and what is held back. A [`Runner`] takes a slot from the
//! [`Ledger`], which puts the request on disk before it is sent; has a [`Transport`] send it; and
//! records what became of it. Revoking can't be undone and is limited to 60 requests an hour, so
//! two things hold throughout: nothing is sent that is not on record, and nothing is called
//! revoked, for a host only ever *accepts* tokens for processing.
//!
//! | file | for |
//! |---|---|
//! | `host` | which server, and what a server of its kind asks for |
//! | `login`, `account` | the token of ours that a request is made with, and whose budget it takes from |
//! | `plan` | what is sent, what is held back, and why (pure) |
//! | `budget` | whether a request may go now (pure) |
//! | `answer` | what a server's answer means (pure) |
//! | `echo` | what a server repeats of the tokens it was sent, taken out (pure) |
//! | `ledger` | what was sent, across runs, processes and crashes; the only SQLite |
//! | `transport`, `client` | how a request travels; the only HTTP |
//! | `runner` | the order of it all |
//! | `enterprise` | the calls that concern an enterprise's credentials |
//! | `observer` | what a run tells while it is under way |
//!
//! The room does not know files, detectors, reports, the command line or the environment. Tokens
//! reach it as [`Secret`](crate::vocabulary::Secret)s with their kinds, and leave it for the host
//! that was named and nowhere else.

mod account;
mod answer;
mod budget;
mod client;
#[cfg(test)]
mod dice;
mod echo;
mod enterprise;
mod host;
mod ledger;
mod login;
mod observer;
mod plan;
mod runner;
mod transport;

pub use account::Account;
pub use answer::{Answer, BodyEnd, Headers};
pub use budget::{Cause, Decision, Hold, Policy, PolicyError, Rate, Slot, parse_span};
pub use client::{Client, ClientError, ClientOptions};
pub use enterprise::{EnterpriseError, NameError, Request as EnterpriseRequest, name};
pub use host::{Authentication, Host, HostError, HostKind, Limits, Reach};
pub use ledger::{
    Closed, Closing, Earlier, Entry, Grant, Ledger, LedgerError, Record, RequestId, Sender, Turn,
};
pub use login::{Login, LoginError, Purpose};
pub use observer::{Observer, Unobserved};
pub use plan::{
    Already, Batch, BatchSize, BatchSizeError, Candidate, Plan, PlanOptions, Planned, Rejected,
    Settled, Unverified, Withheld, WithheldReason,
};
pub use runner::{Backoff, Patience, Runner};
pub use transport::{Sent, Transport};
