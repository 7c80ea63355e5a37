//! Everything that was ever recorded, read back row by row. No secrets are in it.

use rusqlite::Row;

use super::{Ledger, LedgerError, RequestId};
use crate::vocabulary::{Fingerprint, State};

/// One request as it is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its number.
    pub id: RequestId,
    /// The host it went to ([`Host::key`](super::super::host::Host::key)).
    pub host: String,
    /// `open`, or how it ended ([`Closed::as_str`](super::Closed::as_str)).
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

/// The present state of one token at one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRecord {
    /// The host it was sent to.
    pub host: String,
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// The identifier of its kind.
    pub kind: String,
    /// Where it stands.
    pub state: State,
    /// The request that last carried it.
    pub request: RequestId,
    /// The server's words about it, or why nothing is known; redacted.
    pub reason: Option<String>,
    /// When it came to stand there, in milliseconds since 1970 UTC.
    pub updated_ms: i64,
}

/// How many tokens of one host are in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The host.
    pub host: String,
    /// The state.
    pub state: State,
    /// How many.
    pub tokens: u64,
}

impl Ledger {
    /// Shows every request to `visit`, in the order in which they were granted, until it fails.
    pub fn requests<E: From<LedgerError>>(
        &self,
        mut visit: impl FnMut(RequestRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows(
            "SELECT id, host, state, tokens, started_wall_ms, ended_wall_ms, http_status,
                 github_request_id, message FROM request ORDER BY id",
            |row| {
                Ok(RequestRecord {
                    id: row.get(0)?,
                    host: row.get(1)?,
                    state: row.get(2)?,
                    tokens: row.get(3)?,
                    started_ms: row.get(4)?,
                    ended_ms: row.get(5)?,
                    http_status: row.get(6)?,
                    github_request_id: row.get(7)?,
                    message: row.get(8)?,
                })
            },
            &mut visit,
        )
    }

    /// Shows every token to `visit`, by host and fingerprint, until it fails.
    pub fn credentials<E: From<LedgerError>>(
        &self,
        mut visit: impl FnMut(CredentialRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows(
            "SELECT host, fingerprint, kind, state, request, reason, updated_ms FROM credential
             ORDER BY host, fingerprint",
            |row| {
                Ok(CredentialRecord {
                    host: row.get(0)?,
                    fingerprint: Fingerprint::from_bytes(row.get(1)?),
                    kind: row.get(2)?,
                    state: super::state(&row.get::<_, String>(3)?),
                    request: row.get(4)?,
                    reason: row.get(5)?,
                    updated_ms: row.get(6)?,
                })
            },
            &mut visit,
        )
    }

    /// How many tokens are in which state, by host.
    pub fn counts(&self) -> Result<Vec<Count>, LedgerError> {
        let mut counts: Vec<Count> = Vec::new();
        self.rows(
            // What is under way may have been taken or not, like what is unknown.
            "SELECT host, CASE state WHEN 'sent' THEN 'unknown' ELSE state END AS shown, count(*)
             FROM credential GROUP BY host, shown ORDER BY host, shown",
            |row| {
                Ok(Count {
                    host: row.get(0)?,
                    state: super::state(&row.get::<_, String>(1)?),
                    tokens: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            },
            &mut |count| {
                counts.push(count);
                Ok::<(), LedgerError>(())
            },
        )?;
        Ok(counts)
    }

    fn rows<T, E: From<LedgerError>>(
        &self,
        sql: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        visit: &mut dyn FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(LedgerError::Database(error));
        let mut query = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = query.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            visit(read(row).map_err(failed)?)?;
        }
        Ok(())
    }
}
