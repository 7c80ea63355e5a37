//! The record of every request and every token sent, in one SQLite file that all `douse`
//! processes of a user share.
//!
//! It answers two questions that must survive crashes and reboots: may a request go now, and was
//! this token accepted already. A request is on disk before its first byte leaves the machine;
//! so whatever happens, nothing that was sent goes uncounted.
//!
//! What was recorded stays: every request with its tokens and its end, and every token that was
//! held back, can be read again ([`Record`]), by an auditor or while a revocation runs.
//!
//! It holds fingerprints only, never a token. It knows no network, waits for nothing but the
//! file's own locks, and takes the time from its caller.
//!
//! | file | for |
//! |---|---|
//! | `ledger` | the database, mode 0600; `ledger-wal` and `ledger-shm` beside it are SQLite's |
//! | `ledger.lock` | locked while the database is opened: two processes that create one at the same time would fail each other |
//! | `ledger.send-HOST.lock` | locked from the grant of a request to the record of its end: requests to one host are serial over all processes |
//!
//! The locks are the operating system's, so they vanish with the process that holds them.

use std::collections::HashMap;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::account::Account;
use super::budget::{Decision, Hold, Policy, Slot};
use super::plan::{Plan, Settled};
use crate::vocabulary::{Fingerprint, Stamp, State};

mod intent;
mod record;
mod schema;
mod sender;
mod steps;

pub use record::Record;
pub use sender::{Closed, Closing, Earlier, Entry, Grant, RequestId, Sender};

/// Why the ledger can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file, its folder or a lock beside it can't be made, opened or locked.
    #[error("cannot open the ledger {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The file is not a ledger. It is left as it is.
    #[error("{} is not a douse ledger; it was left as it is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is a ledger, and of a later version. It is left as it is.
    #[error(
        "the ledger {} has version {version}, and this douse knows only version {known}: use a \
         newer douse",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// Ours.
        known: i64,
    },
    /// The file is damaged. It is left as it is, for to begin another would forget what was sent.
    #[error(
        "the ledger {} is damaged and was left as it is; it tells what was sent in the last hour, \
         so move it away only after that hour",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It can't be put in the mode in which readers and a writer don't block each other.
    #[error("the ledger {} cannot use SQLite's WAL mode (is it on a network drive?)", path.display())]
    NoWal {
        /// The file.
        path: PathBuf,
    },
    /// A request ended that is not under way: another process took this one for dead.
    #[error("request {0} is not open in the ledger; was one of its lock files removed?")]
    NotOpen(RequestId),
    /// The database failed.
    #[error("the ledger failed: {0}")]
    Database(#[from] rusqlite::Error),
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
}

/// Whose turn it is to send to a host.
#[derive(Debug)]
pub enum Turn<'a> {
    /// Ours, until the sender is dropped.
    Ours(Sender<'a>),
    /// Another process has a request under way.
    Taken,
}

impl Ledger {
    /// Opens the ledger at `path`, and makes it and its folder if they are missing.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        // One file has one name here, or its users would not meet at the same locks.
        let path = schema::resolve(path)?;
        Ok(Self {
            connection: schema::open(&path)?,
            path,
        })
    }

    /// Takes the turn to send to the host of `account`, if no other process has it, whoever it
    /// asks on behalf of.
    ///
    /// A request that is still open then belongs to a process that died: it is closed as unknown,
    /// and counts as having ended only now, since nobody knows when it did.
    pub fn turn(&mut self, account: &Account, now: &Stamp) -> Result<Turn<'_>, LedgerError> {
        let lock = format!(".send-{}.lock", file_name(account.host()));
        let path = schema::beside(&self.path, &lock);
        let open = |source| LedgerError::Open {
            path: path.clone(),
            source,
        };
        let file = schema::private_file(&path).map_err(open)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Turn::Taken),
            Err(TryLockError::Error(source)) => return Err(open(source)),
        }
        let mut sender = Sender::new(&mut self.connection, account, file);
        sender.close_abandoned(now)?;
        Ok(Turn::Ours(sender))
    }

    /// What is known of tokens that were sent to `host`. Those never sent are left out.
    pub fn settled(
        &self,
        host: &str,
        names: impl IntoIterator<Item = Fingerprint>,
    ) -> Result<HashMap<Fingerprint, Settled>, LedgerError> {
        settled(&self.connection, host, names)
    }

    /// Writes down what `plan` is going to send to `host` and what it holds back. Nothing of what
    /// is known of earlier requests is changed by it.
    pub fn intend(&mut self, host: &str, plan: &Plan, now: &Stamp) -> Result<(), LedgerError> {
        intent::write(&mut self.connection, host, plan, now)
    }

    /// Takes back what the host refused, token by token, since it last accepted something: none of
    /// it was about a token. What a later request says of one stands.
    pub fn take_back(&mut self, host: &str, now: &Stamp) -> Result<(), LedgerError> {
        let settling = steps::immediate(&mut self.connection)?;
        steps::take_back(&settling, host, now)?;
        Ok(settling.commit()?)
    }

    /// Makes the ledger fail at a certain point, for tests of what happens then.
    #[cfg(test)]
    pub(super) fn spoil(&self, trigger: &str) {
        self.connection.execute_batch(trigger).unwrap();
    }
}

/// `host` as a part of a file name. Two hosts that come out alike would merely take turns.
fn file_name(host: &str) -> String {
    host.chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '.' | '-' => c,
            _ => '_',
        })
        .collect()
}

fn settled(
    connection: &Connection,
    host: &str,
    names: impl IntoIterator<Item = Fingerprint>,
) -> Result<HashMap<Fingerprint, Settled>, LedgerError> {
    // One read transaction: without it, each of a million look-ups takes and gives back a lock.
    let reading = connection.unchecked_transaction()?;
    let mut query = reading.prepare_cached(
        "SELECT state, request, updated_ms FROM credential WHERE host = ?1 AND fingerprint = ?2",
    )?;
    // In the table's own order, so that neighbours are found on the page that was just read.
    let mut names: Vec<Fingerprint> = names.into_iter().collect();
    names.sort_unstable();
    let mut found = HashMap::new();
    for name in names {
        let known = query
            .query_row(params![host, name.as_bytes()], |row| {
                Ok(Settled {
                    state: state(&row.get::<_, String>(0)?),
                    request: row.get(1)?,
                    at_ms: row.get(2)?,
                })
            })
            .optional()?;
        found.extend(known.map(|known| (name, known)));
    }
    Ok(found)
}

/// A token's state from its name in the ledger. One that is under way may have been taken.
fn state(name: &str) -> State {
    match name {
        "accepted" => State::Accepted,
        "rejected" => State::Rejected,
        "pending" => State::Pending,
        "withheld" => State::Withheld,
        // 'sent' and 'unknown'; the table admits no other.
        _ => State::Unknown,
    }
}

/// The last `count` requests of `account` that took something from its budget, newest first.
fn slots(
    connection: &Connection,
    account: (&str, &str),
    count: u32,
) -> Result<Vec<(RequestId, Slot)>, LedgerError> {
    let (host, identity) = account;
    let mut query = connection.prepare_cached(
        "SELECT id, state = 'open', slot_wall_ms, slot_boot_id, slot_boot_ms FROM request
         WHERE host = ?1 AND identity = ?2 AND call = 'revoke'
             AND (state = 'open' OR slot_wall_ms IS NOT NULL)
         ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = query.query_map(params![host, identity, count], |row| {
        let slot = if row.get(1)? {
            Slot::Open
        } else {
            Slot::Ended(schema::stamp(row, 2)?)
        };
        Ok((row.get(0)?, slot))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn hold(connection: &Connection, account: (&str, &str)) -> Result<Option<Hold>, LedgerError> {
    let (host, identity) = account;
    let mut query = connection.prepare_cached(
        "SELECT set_wall_ms, set_boot_id, set_boot_ms, wait_ms FROM hold
         WHERE host = ?1 AND identity = ?2",
    )?;
    let hold = query
        .query_row([host, identity], |row| {
            let wait = u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default();
            Ok(Hold {
                set_at: schema::stamp(row, 0)?,
                wait: Duration::from_millis(wait),
            })
        })
        .optional()?;
    Ok(hold)
}

/// What the budget says of a request of `account`, as far as the record tells; takes nothing.
fn decide(
    connection: &Connection,
    account: (&str, &str),
    policy: &Policy,
    now: &Stamp,
) -> Result<(Decision, usize), LedgerError> {
    let slots = slots(connection, account, policy.requests())?;
    let slots: Vec<Slot> = slots.into_iter().map(|(_, slot)| slot).collect();
    let hold = hold(connection, account)?;
    let decision = policy.decide(&slots, hold.as_ref(), now);
    Ok((decision, policy.used(&slots, now)))
}

/// Whether SQLite says that the file is no database, or a broken one.
fn is_damage(error: &rusqlite::Error) -> Option<ErrorCode> {
    error
        .sqlite_error_code()
        .filter(|code| matches!(code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

#[cfg(test)]
mod tests;
