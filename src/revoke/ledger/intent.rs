//! What a run is going to do, written down before it does any of it: so that a run that was ended
//! has said what it left undone, and what was held back is on record with its reason.

use rusqlite::{Connection, Transaction, params};

use super::super::plan::{Batch, Plan, Withheld};
use super::LedgerError;
use super::steps::immediate;
use crate::vocabulary::Stamp;

/// Adds the tokens of `plan` of which nothing is known yet.
pub(super) fn write(
    connection: &mut Connection,
    host: &str,
    plan: &Plan,
    now: &Stamp,
) -> Result<(), LedgerError> {
    let writing = immediate(connection)?;
    {
        let mut pending = writing.prepare_cached(
            "INSERT INTO credential (host, fingerprint, kind, state, reason, updated_ms)
             VALUES (?1, ?2, ?3, 'pending', NULL, ?4)
             ON CONFLICT (host, fingerprint) DO UPDATE SET
                 state = 'pending', reason = NULL, updated_ms = excluded.updated_ms
             WHERE state = 'withheld'",
        )?;
        for token in plan.batches.iter().flat_map(Batch::tokens) {
            let name = token.fingerprint.as_bytes();
            pending.execute(params![host, name, token.kind.id, now.wall_ms])?;
        }
    }
    for token in &plan.withheld {
        withhold(&writing, host, token, now)?;
    }
    writing.commit()?;
    Ok(())
}

/// Notes that a token is held back; once, as long as the reason is the same. What was said of it
/// by the host stands.
fn withhold(
    writing: &Transaction<'_>,
    host: &str,
    token: &Withheld,
    now: &Stamp,
) -> Result<(), LedgerError> {
    let reason = token.reason.to_string();
    let name = token.fingerprint.as_bytes();
    let changed = writing
        .prepare_cached(
            "INSERT INTO credential (host, fingerprint, kind, state, reason, updated_ms)
             VALUES (?1, ?2, ?3, 'withheld', ?4, ?5)
             ON CONFLICT (host, fingerprint) DO UPDATE SET
                 state = 'withheld', reason = excluded.reason, updated_ms = excluded.updated_ms
             WHERE state = 'pending' OR (state = 'withheld' AND reason <> excluded.reason)",
        )?
        .execute(params![host, name, token.kind.id, reason, now.wall_ms])?;
    if changed > 0 {
        writing
            .prepare_cached(
                "INSERT INTO event (after_request, host, fingerprint, state, reason, at_ms)
                 VALUES (coalesce((SELECT max(id) FROM request), 0), ?1, ?2, 'withheld', ?3, ?4)",
            )?
            .execute(params![host, name, reason, now.wall_ms])?;
    }
    Ok(())
}
