//! Reads back what was ever recorded, row by row. No secrets are in it.
//!
//! It takes no lock that a sender would wait for, so it may look on while a revocation runs, and
//! sees one moment of it.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction};

use super::super::budget::{Cause, Decision, Policy};
use super::{LedgerError, decide, schema, state};
use crate::vocabulary::{
    AskedFor, AuditEntry, BudgetStatus, Call, Credentials, Fingerprint, HostStatus, LedgerStatus,
    OutcomeEntry, RequestEntry, Stamp, State,
};

/// A ledger that is only read.
#[derive(Debug)]
pub struct Record {
    connection: Connection,
}

impl Record {
    /// Opens the ledger at `path`, if there is one.
    pub fn open(path: &Path) -> Result<Option<Self>, LedgerError> {
        let connection = schema::open_to_read(path)?;
        Ok(connection.map(|connection| Self { connection }))
    }

    /// Shows everything to `visit` in the order in which it happened, until it fails: each request
    /// with its tokens, and between them what became of tokens without one. At the end stand the
    /// tokens that were planned and never sent.
    pub fn audit<E: From<LedgerError>>(
        &self,
        mut visit: impl FnMut(AuditEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        // One moment for all that is read.
        let reading = self.connection.unchecked_transaction().map_err(failed)?;
        let mut last = 0;
        each(
            &reading,
            REQUESTS,
            &[],
            request,
            &mut |request: RequestEntry| {
                events(&reading, last, request.id, &mut visit)?;
                last = request.id;
                let outcomes = Outcomes::of(&request);
                visit(AuditEntry::Request(request))?;
                each(
                    &reading,
                    ATTEMPTS,
                    &[last],
                    |row| outcomes.read(row),
                    &mut |outcome| visit(AuditEntry::Outcome(outcome)),
                )
            },
        )?;
        events(&reading, last, i64::MAX, &mut visit)?;
        each(&reading, PLANNED, &[], outcome, &mut |outcome| {
            visit(AuditEntry::Outcome(outcome))
        })
    }

    /// How things stand, `policy` being the limits that hold.
    pub fn status(&self, policy: &Policy, now: &Stamp) -> Result<LedgerStatus, LedgerError> {
        let reading = self.connection.unchecked_transaction()?;
        let mut hosts: Vec<HostStatus> = Vec::new();
        for (host, state, tokens) in counts(&reading)? {
            of(&mut hosts, host).tokens.push((state, tokens));
        }
        for (host, identity, open) in accounts(&reading)? {
            let (decision, used) = decide(&reading, (&host, &identity), policy, now)?;
            let (next, asked_for) = match decision {
                Decision::Go => (std::time::Duration::ZERO, AskedFor::ByUs),
                Decision::Wait { wait, cause } => match cause {
                    Cause::Hold => (wait, AskedFor::ByHost),
                    Cause::Interval | Cause::Window => (wait, AskedFor::ByUs),
                },
            };
            let host = of(&mut hosts, host);
            host.open += open;
            host.budgets.push(BudgetStatus {
                identity: Some(identity).filter(|identity| !identity.is_empty()),
                used,
                requests: policy.requests(),
                window: policy.window(),
                next,
                asked_for,
            });
        }
        hosts.sort_by(|one, other| one.host.cmp(&other.host));
        Ok(LedgerStatus { hosts })
    }
}

const REQUESTS: &str = "
    SELECT id, host, identity, call, enterprise, username, destroys, state, tokens,
        started_wall_ms, ended_wall_ms, http_status, github_request_id, message
    FROM request ORDER BY id";

const ATTEMPTS: &str = "
    SELECT attempt.fingerprint, kind, resting
    FROM attempt JOIN request ON request.id = attempt.request
        JOIN credential USING (host, fingerprint)
    WHERE attempt.request = ?1 ORDER BY attempt.fingerprint";

const EVENTS: &str = "
    SELECT event.host, event.fingerprint, kind, event.state, event.request, event.reason, at_ms
    FROM event JOIN credential USING (host, fingerprint)
    WHERE after_request >= ?1 AND after_request < ?2 ORDER BY event.id";

const PLANNED: &str = "
    SELECT host, fingerprint, kind, state, request, reason, updated_ms
    FROM credential WHERE request IS NULL AND state = 'pending' ORDER BY host, fingerprint";

/// What was noted between two requests.
fn events<E: From<LedgerError>>(
    reading: &Transaction<'_>,
    from: i64,
    to: i64,
    visit: &mut impl FnMut(AuditEntry) -> Result<(), E>,
) -> Result<(), E> {
    each(reading, EVENTS, &[from, to], outcome, &mut |outcome| {
        visit(AuditEntry::Outcome(outcome))
    })
}

/// What a request did to each of its tokens: the same to all.
struct Outcomes {
    host: String,
    request: i64,
    /// Nothing if they went back to where they stood.
    state: Option<State>,
    reason: Option<String>,
    at_ms: i64,
}

impl Outcomes {
    fn of(request: &RequestEntry) -> Self {
        let (state, reason) = match request.state.as_str() {
            "accepted" => (Some(State::Accepted), None),
            "rejected" if request.tokens == 1 => (Some(State::Rejected), request.message.clone()),
            "unknown" => (Some(State::Unknown), request.message.clone()),
            "open" => (
                Some(State::Unknown),
                Some("under way, or cut off with its process".to_owned()),
            ),
            ended => (
                None,
                Some(format!("the request was {ended}; nothing was taken")),
            ),
        };
        Self {
            host: request.host.clone(),
            request: request.id,
            state,
            reason,
            at_ms: request.ended_ms.unwrap_or(request.started_ms),
        }
    }

    fn read(&self, row: &Row<'_>) -> rusqlite::Result<OutcomeEntry> {
        let resting: String = row.get(2)?;
        Ok(OutcomeEntry {
            host: self.host.clone(),
            fingerprint: Fingerprint::from_bytes(row.get(0)?),
            kind: row.get(1)?,
            state: self.state.unwrap_or_else(|| state(&resting)),
            request: Some(self.request),
            reason: self.reason.clone(),
            at_ms: self.at_ms,
        })
    }
}

fn request(row: &Row<'_>) -> rusqlite::Result<RequestEntry> {
    let identity: String = row.get(2)?;
    let call: String = row.get(3)?;
    let credentials = if row.get(6)? {
        Credentials::Destroyed
    } else {
        Credentials::Kept
    };
    let name = |column| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(column)?.unwrap_or_default())
    };
    Ok(RequestEntry {
        id: row.get(0)?,
        host: row.get(1)?,
        identity: Some(identity).filter(|identity| !identity.is_empty()),
        call: match call.as_str() {
            "revoke_all" => Call::RevokeAll {
                enterprise: name(4)?,
                credentials,
            },
            "revoke_user" => Call::RevokeUser {
                enterprise: name(4)?,
                user: name(5)?,
                credentials,
            },
            // The table admits no other.
            _ => Call::Revoke,
        },
        state: row.get(7)?,
        tokens: row.get(8)?,
        started_ms: row.get(9)?,
        ended_ms: row.get(10)?,
        http_status: row.get(11)?,
        github_request_id: row.get(12)?,
        message: row.get(13)?,
    })
}

fn outcome(row: &Row<'_>) -> rusqlite::Result<OutcomeEntry> {
    Ok(OutcomeEntry {
        host: row.get(0)?,
        fingerprint: Fingerprint::from_bytes(row.get(1)?),
        kind: row.get(2)?,
        state: state(&row.get::<_, String>(3)?),
        request: row.get(4)?,
        reason: row.get(5)?,
        at_ms: row.get(6)?,
    })
}

/// How many tokens are in which state, by host.
fn counts(reading: &Transaction<'_>) -> Result<Vec<(String, State, u64)>, LedgerError> {
    let mut counts = Vec::new();
    each(
        reading,
        // What is under way may have been taken or not, like what is unknown.
        "SELECT host, CASE state WHEN 'sent' THEN 'unknown' ELSE state END AS shown, count(*)
         FROM credential GROUP BY host, shown ORDER BY host, shown",
        &[],
        |row| {
            let tokens = row.get::<_, i64>(2)?.unsigned_abs();
            Ok((row.get(0)?, state(&row.get::<_, String>(1)?), tokens))
        },
        &mut |count| {
            counts.push(count);
            Ok::<(), LedgerError>(())
        },
    )?;
    Ok(counts)
}

/// Every host and identity that a request was made for, and its requests that are still open.
fn accounts(reading: &Transaction<'_>) -> Result<Vec<(String, String, u64)>, LedgerError> {
    let mut accounts = Vec::new();
    each(
        reading,
        "SELECT host, identity, sum(state = 'open') FROM request
         GROUP BY host, identity ORDER BY host, identity",
        &[],
        |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get::<_, i64>(2)?.unsigned_abs(),
            ))
        },
        &mut |account| {
            accounts.push(account);
            Ok::<(), LedgerError>(())
        },
    )?;
    Ok(accounts)
}

/// The status of `host` in a list of them.
fn of(hosts: &mut Vec<HostStatus>, host: String) -> &mut HostStatus {
    let at = hosts.iter().position(|status| status.host == host);
    let at = at.unwrap_or_else(|| {
        hosts.push(HostStatus {
            host,
            budgets: Vec::new(),
            tokens: Vec::new(),
            open: 0,
        });
        hosts.len() - 1
    });
    &mut hosts[at]
}

fn each<T, E: From<LedgerError>>(
    reading: &Transaction<'_>,
    sql: &str,
    parameters: &[i64],
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    visit: &mut dyn FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let mut query = reading.prepare_cached(sql).map_err(failed)?;
    let mut rows = query
        .query(rusqlite::params_from_iter(parameters))
        .map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        visit(read(row).map_err(failed)?)?;
    }
    Ok(())
}

fn failed<E: From<LedgerError>>(error: rusqlite::Error) -> E {
    E::from(LedgerError::Database(error))
}
