//! One process's turn to send to one host: a request is granted, sent, settled.

use std::collections::HashMap;
use std::fs::File;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::super::account::Account;
use super::super::budget::{Cause, Decision, Policy};
use super::super::plan::Settled;
use super::schema::boot;
use super::steps::{decide, enter, extend_hold, immediate, open, take_back};
use super::{LedgerError, hold, settled};
use crate::vocabulary::{Call, Fingerprint, Stamp};

/// The number of a request in the ledger.
pub type RequestId = i64;

/// The exclusive right to send to one host; one process has it at a time, until it is dropped.
#[derive(Debug)]
pub struct Sender<'a> {
    connection: &'a mut Connection,
    host: String,
    identity: String,
    // Its lock is the right itself; closing the file gives it back.
    _lock: File,
}

/// A token as the ledger is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// The identifier of its kind.
    pub kind: &'a str,
}

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// It may; it is on disk under this number, and its tokens as sent.
    Go(RequestId),
    /// Not yet; nothing was recorded.
    Wait {
        /// For how long.
        wait: Duration,
        /// What for.
        cause: Cause,
    },
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The server took all of it.
    Accepted,
    /// The server refused its one token.
    TokenRejected,
    /// The server refused it because of something in it; nothing was taken.
    BatchRejected,
    /// The server asked for fewer requests; nothing was taken.
    Throttled,
    /// The server refused it whatever is in it; nothing was taken.
    Refused,
    /// What the server took is not known.
    Unknown,
    /// Nothing of it left this machine, so it takes nothing from the budget.
    NotSent,
}

impl Closed {
    /// The request's state in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::TokenRejected | Self::BatchRejected => "rejected",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }

    /// The state of its tokens, unless they go back to where they stood before.
    fn settles(self) -> Option<&'static str> {
        match self {
            Self::Accepted => Some("accepted"),
            Self::TokenRejected => Some("rejected"),
            Self::Unknown => Some("unknown"),
            Self::BatchRejected | Self::Throttled | Self::Refused | Self::NotSent => None,
        }
    }

    /// Whether the request counts against the budget.
    fn is_counted(self) -> bool {
        match self {
            Self::Accepted
            | Self::TokenRejected
            | Self::BatchRejected
            | Self::Throttled
            | Self::Refused
            | Self::Unknown => true,
            Self::NotSent => false,
        }
    }
}

/// All that is recorded of a request's end.
#[derive(Debug, Clone)]
pub struct Closing {
    /// How it ended.
    pub closed: Closed,
    /// The answer's status, if there was one.
    pub http_status: Option<u16>,
    /// GitHub's own number of the request.
    pub github_request_id: Option<String>,
    /// The server's words, or the connection's error; redacted.
    pub message: Option<String>,
    /// For how long nothing is to be sent on this account, by any process.
    pub hold: Option<Duration>,
    /// What it means for what the host refused before.
    pub earlier: Earlier,
}

/// What the end of a request means for the tokens that the host refused before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing.
    Stands,
    /// The host refuses whatever it is sent, so no refusal since it last accepted something was
    /// about a token: they are taken back.
    TakenBack,
}

impl<'a> Sender<'a> {
    pub(super) fn new(connection: &'a mut Connection, account: &Account, lock: File) -> Self {
        Self {
            connection,
            host: account.host().to_owned(),
            identity: account.identity(),
            _lock: lock,
        }
    }

    /// Closes, as unknown and ended only now, what a dead process left open.
    pub(super) fn close_abandoned(&mut self, now: &Stamp) -> Result<(), LedgerError> {
        let open: Vec<RequestId> = {
            let mut query = self
                .connection
                .prepare_cached("SELECT id FROM request WHERE host = ?1 AND state = 'open'")?;
            let rows = query.query_map([&self.host], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        for request in open {
            let closing = Closing {
                closed: Closed::Unknown,
                http_status: None,
                github_request_id: None,
                message: Some("the process ended before the answer was recorded".to_owned()),
                hold: None,
                earlier: Earlier::Stands,
            };
            self.settle(request, &closing, now)?;
        }
        Ok(())
    }

    /// What is known of tokens that were sent to this host.
    pub fn settled(
        &self,
        names: impl IntoIterator<Item = Fingerprint>,
    ) -> Result<HashMap<Fingerprint, Settled>, LedgerError> {
        settled(self.connection, &self.host, names)
    }

    /// Asks for a request with the tokens `batch`. When this returns [`Grant::Go`], the request
    /// and its tokens are on disk.
    pub fn grant(
        &mut self,
        policy: &Policy,
        batch: &[Entry<'_>],
        now: &Stamp,
    ) -> Result<Grant, LedgerError> {
        let account = (self.host.as_str(), self.identity.as_str());
        let granting = immediate(self.connection)?;
        let grant = match decide(&granting, account, policy, now)? {
            Decision::Go => {
                let request = open(&granting, account, &Call::Revoke, batch.len(), now)?;
                enter(&granting, account.0, request, batch, now)?;
                Grant::Go(request)
            }
            Decision::Wait { wait, cause } => Grant::Wait { wait, cause },
        };
        granting.commit()?;
        Ok(grant)
    }

    /// Asks for a call that carries no tokens and takes nothing from their budget. The pause that
    /// the host asked for holds for it too. When this returns [`Grant::Go`], it is on disk.
    pub fn grant_call(&mut self, call: &Call, now: &Stamp) -> Result<Grant, LedgerError> {
        let account = (self.host.as_str(), self.identity.as_str());
        let granting = immediate(self.connection)?;
        let left = hold(&granting, account)?.map_or(Duration::ZERO, |hold| hold.left(now));
        let grant = if left.is_zero() {
            Grant::Go(open(&granting, account, call, 0, now)?)
        } else {
            Grant::Wait {
                wait: left,
                cause: Cause::Hold,
            }
        };
        granting.commit()?;
        Ok(grant)
    }

    /// Records how a request and its tokens ended, all at once.
    pub fn settle(
        &mut self,
        request: RequestId,
        closing: &Closing,
        now: &Stamp,
    ) -> Result<(), LedgerError> {
        let settling = immediate(self.connection)?;
        let closed = closing.closed;
        let slot = closed.is_counted().then_some(now);
        let (slot_boot_id, slot_boot_ms) = slot.map_or((None, None), boot);
        let (boot_id, boot_ms) = boot(now);
        let changed = settling
            .prepare_cached(
                "UPDATE request SET state = ?2, http_status = ?3, github_request_id = ?4,
                     message = ?5, ended_wall_ms = ?6, ended_boot_id = ?7, ended_boot_ms = ?8,
                     slot_wall_ms = ?9, slot_boot_id = ?10, slot_boot_ms = ?11
                 WHERE id = ?1 AND state = 'open'",
            )?
            .execute(params![
                request,
                closed.as_str(),
                closing.http_status,
                closing.github_request_id,
                closing.message,
                now.wall_ms,
                boot_id,
                boot_ms,
                slot.map(|slot| slot.wall_ms),
                slot_boot_id,
                slot_boot_ms,
            ])?;
        if changed != 1 {
            return Err(LedgerError::NotOpen(request));
        }
        settling
            .prepare_cached(
                "UPDATE credential SET state = coalesce(?2, (SELECT resting FROM attempt
                     WHERE attempt.request = ?1
                         AND attempt.fingerprint = credential.fingerprint)),
                     reason = ?3, updated_ms = ?4
                 WHERE request = ?1 AND state = 'sent'",
            )?
            .execute(params![
                request,
                closed.settles(),
                reason(closing),
                now.wall_ms
            ])?;
        let account = (self.host.as_str(), self.identity.as_str());
        if let Some(wait) = closing.hold {
            extend_hold(&settling, account, wait, closed, now)?;
        }
        match closing.earlier {
            Earlier::Stands => {}
            Earlier::TakenBack => take_back(&settling, &self.host, now)?,
        }
        settling.commit()?;
        Ok(())
    }

    /// Holds the host as if it had asked for it.
    #[cfg(test)]
    pub(in super::super) fn hold(
        &mut self,
        wait: Duration,
        now: &Stamp,
    ) -> Result<(), LedgerError> {
        let holding = immediate(self.connection)?;
        let account = (self.host.as_str(), self.identity.as_str());
        extend_hold(&holding, account, wait, Closed::Throttled, now)?;
        Ok(holding.commit()?)
    }
}

/// What is kept with each token: the words, where they are about it.
fn reason(closing: &Closing) -> Option<&str> {
    match closing.closed {
        Closed::TokenRejected | Closed::Unknown => closing.message.as_deref(),
        Closed::Accepted
        | Closed::BatchRejected
        | Closed::Throttled
        | Closed::Refused
        | Closed::NotSent => None,
    }
}
