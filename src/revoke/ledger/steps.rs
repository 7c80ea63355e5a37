//! The steps that a sender's transactions are made of.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::super::budget::{Decision, Elapsed, Hold, Policy, Slot, elapsed};
use super::schema::boot;
use super::sender::{Closed, Entry, RequestId};
use super::{LedgerError, hold, slots};
use crate::vocabulary::{Call, Stamp};

/// Begins a transaction that writes, so that it can't fail halfway for want of the right to.
pub(super) fn immediate(connection: &mut Connection) -> Result<Transaction<'_>, LedgerError> {
    let begun = Transaction::new(connection, TransactionBehavior::Immediate)?;
    Ok(begun)
}

/// Asks the budget; and where the time since a stamp can't be known, puts the present moment in
/// its place, so that the waiting starts anew and comes to an end.
pub(super) fn decide(
    granting: &Transaction<'_>,
    account: (&str, &str),
    policy: &Policy,
    now: &Stamp,
) -> Result<Decision, LedgerError> {
    let (boot_id, boot_ms) = boot(now);
    let mut counted = Vec::new();
    for (request, slot) in slots(granting, account, policy.requests())? {
        if let Slot::Ended(at) = &slot
            && elapsed(at, now) == Elapsed::Unknown
        {
            granting.execute(
                "UPDATE request SET slot_wall_ms = ?2, slot_boot_id = ?3, slot_boot_ms = ?4
                 WHERE id = ?1",
                params![request, now.wall_ms, boot_id, boot_ms],
            )?;
        }
        counted.push(slot);
    }
    let hold = hold(granting, account)?;
    if let Some(hold) = &hold
        && elapsed(&hold.set_at, now) == Elapsed::Unknown
    {
        granting.execute(
            "UPDATE hold SET set_wall_ms = ?3, set_boot_id = ?4, set_boot_ms = ?5
             WHERE host = ?1 AND identity = ?2",
            params![account.0, account.1, now.wall_ms, boot_id, boot_ms],
        )?;
    }
    Ok(policy.decide(&counted, hold.as_ref(), now))
}

/// Writes down a request that is about to be sent.
pub(super) fn open(
    granting: &Transaction<'_>,
    (host, identity): (&str, &str),
    call: &Call,
    tokens: usize,
    now: &Stamp,
) -> Result<RequestId, LedgerError> {
    let (boot_id, boot_ms) = boot(now);
    let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
    let (enterprise, username, destroys) = match call {
        Call::Revoke => (None, None, false),
        Call::RevokeAll {
            enterprise,
            credentials,
        } => (Some(enterprise), None, credentials.is_destroyed()),
        Call::RevokeUser {
            enterprise,
            user,
            credentials,
        } => (Some(enterprise), Some(user), credentials.is_destroyed()),
    };
    granting.execute(
        "INSERT INTO request
             (host, identity, call, enterprise, username, destroys, state, tokens,
              started_wall_ms, started_boot_id, started_boot_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?8, ?9, ?10)",
        params![
            host,
            identity,
            call.as_str(),
            enterprise,
            username,
            destroys,
            tokens,
            now.wall_ms,
            boot_id,
            boot_ms
        ],
    )?;
    Ok(granting.last_insert_rowid())
}

/// Writes down the tokens of a request. One that was accepted stays accepted.
pub(super) fn enter(
    granting: &Transaction<'_>,
    host: &str,
    request: RequestId,
    batch: &[Entry<'_>],
    now: &Stamp,
) -> Result<(), LedgerError> {
    let mut attempt = granting.prepare_cached(
        "INSERT OR IGNORE INTO attempt (request, fingerprint, resting) VALUES (?1, ?2, coalesce(
             (SELECT 'unknown' FROM credential
              WHERE host = ?3 AND fingerprint = ?2 AND state IN ('sent', 'unknown')),
             'pending'))",
    )?;
    let mut send = granting.prepare_cached(
        "INSERT INTO credential (host, fingerprint, kind, state, request, reason, updated_ms)
         VALUES (?1, ?2, ?3, 'sent', ?4, NULL, ?5)
         ON CONFLICT (host, fingerprint) DO UPDATE SET
             state = 'sent', kind = excluded.kind, request = excluded.request, reason = NULL,
             updated_ms = excluded.updated_ms
         WHERE state <> 'accepted'",
    )?;
    for Entry { fingerprint, kind } in batch {
        let name = fingerprint.as_bytes();
        attempt.execute(params![request, name, host])?;
        send.execute(params![host, name, kind, request, now.wall_ms])?;
    }
    Ok(())
}

/// Takes back what the host refused, token by token, since it last accepted something.
pub(super) fn take_back(
    settling: &Transaction<'_>,
    host: &str,
    now: &Stamp,
) -> Result<(), LedgerError> {
    const REFUSED: &str = "host = ?1 AND state = 'rejected' AND request > coalesce(
         (SELECT max(id) FROM request WHERE host = ?1 AND state = 'accepted'), 0)";
    const WHY: &str = "the host refused whatever it was sent: that it refused this token by \
                       itself was taken back";
    let values = params![host, WHY, now.wall_ms];
    settling.execute(
        &format!(
            "INSERT INTO event
                 (after_request, host, fingerprint, state, request, reason, at_ms)
             SELECT (SELECT max(id) FROM request), host, fingerprint, 'pending',
                 (SELECT max(id) FROM request WHERE host = ?1), ?2, ?3
             FROM credential WHERE {REFUSED}"
        ),
        values,
    )?;
    settling.execute(
        &format!(
            "UPDATE credential SET state = 'pending', reason = ?2, updated_ms = ?3 WHERE {REFUSED}"
        ),
        values,
    )?;
    Ok(())
}

/// Sets a hold, unless one is in force that lasts longer.
pub(super) fn extend_hold(
    settling: &Transaction<'_>,
    account: (&str, &str),
    wait: Duration,
    closed: Closed,
    now: &Stamp,
) -> Result<(), LedgerError> {
    let left = hold(settling, account)?.map_or(Duration::ZERO, |hold: Hold| hold.left(now));
    if left >= wait {
        return Ok(());
    }
    let (boot_id, boot_ms) = boot(now);
    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    settling.execute(
        "INSERT OR REPLACE INTO hold
             (host, identity, set_wall_ms, set_boot_id, set_boot_ms, wait_ms, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            account.0,
            account.1,
            now.wall_ms,
            boot_id,
            boot_ms,
            wait_ms,
            closed.as_str()
        ],
    )?;
    Ok(())
}
