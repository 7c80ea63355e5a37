//! Opening the database file: who may open it, what it must be, and how it is made.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior};

use super::{LedgerError, is_damage};
use crate::vocabulary::{BootStamp, Stamp};

/// Marks a SQLite file as ours: "dous" in ASCII.
const APPLICATION_ID: i64 = 0x646f_7573;

/// The version of the tables below. A change to them is a new version and a way from the old one.
pub(super) const VERSION: i64 = 2;

/// How long one process waits for another's transaction; those are short.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// `slot_*` is the moment from which a request counts against the budget; null for one that took
/// nothing from it. It is the moment of its end, or a later one, where that is not known.
/// `identity` is the fingerprint of the token that a request is authenticated with, or empty.
///
/// `credential` has the present state of each token. What led to it stays: `attempt` has each
/// token of each request, and `event` what became of tokens outside of requests. Rows of those two
/// are added and never changed. `resting` is where a token goes back to when its request took
/// nothing: `unknown` if an earlier one may have taken it.
const TABLES: &str = "
    CREATE TABLE request (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        host TEXT NOT NULL,
        identity TEXT NOT NULL,
        call TEXT NOT NULL CHECK (call IN ('revoke', 'revoke_all', 'revoke_user')),
        enterprise TEXT,
        username TEXT,
        destroys INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL CHECK (state IN
            ('open', 'accepted', 'rejected', 'throttled', 'refused', 'unknown', 'not_sent')),
        tokens INTEGER NOT NULL,
        started_wall_ms INTEGER NOT NULL, started_boot_id TEXT, started_boot_ms INTEGER,
        ended_wall_ms INTEGER, ended_boot_id TEXT, ended_boot_ms INTEGER,
        slot_wall_ms INTEGER, slot_boot_id TEXT, slot_boot_ms INTEGER,
        http_status INTEGER,
        github_request_id TEXT,
        message TEXT
    ) STRICT;
    CREATE INDEX request_by_account ON request (host, identity, id);
    CREATE INDEX request_open ON request (host) WHERE state = 'open';

    CREATE TABLE credential (
        host TEXT NOT NULL,
        fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
        kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN
            ('sent', 'accepted', 'rejected', 'unknown', 'pending', 'withheld')),
        request INTEGER REFERENCES request (id),
        reason TEXT,
        updated_ms INTEGER NOT NULL,
        PRIMARY KEY (host, fingerprint)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX credential_sent ON credential (request) WHERE state = 'sent';

    CREATE TABLE attempt (
        request INTEGER NOT NULL REFERENCES request (id),
        fingerprint BLOB NOT NULL,
        resting TEXT NOT NULL CHECK (resting IN ('unknown', 'pending')),
        PRIMARY KEY (request, fingerprint)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        after_request INTEGER NOT NULL,
        host TEXT NOT NULL,
        fingerprint BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'withheld')),
        request INTEGER REFERENCES request (id),
        reason TEXT,
        at_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE hold (
        host TEXT NOT NULL,
        identity TEXT NOT NULL,
        set_wall_ms INTEGER NOT NULL, set_boot_id TEXT, set_boot_ms INTEGER,
        wait_ms INTEGER NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (host, identity)
    ) STRICT, WITHOUT ROWID;
";

/// Empties the names for the tables of the present version.
const SET_ASIDE_1: &str = "
    DROP INDEX request_by_host; DROP INDEX request_open; DROP INDEX credential_sent;
    ALTER TABLE request RENAME TO request_1;
    ALTER TABLE credential RENAME TO credential_1;
    ALTER TABLE hold RENAME TO hold_1;
";

/// Carries over what version 1 knew. It had only each token's last request.
const CARRY_OVER_1: &str = "
    INSERT INTO request
        (id, host, identity, call, state, tokens,
         started_wall_ms, started_boot_id, started_boot_ms,
         ended_wall_ms, ended_boot_id, ended_boot_ms,
         slot_wall_ms, slot_boot_id, slot_boot_ms, http_status, github_request_id, message)
    SELECT id, host, '', 'revoke', state, tokens,
         started_wall_ms, started_boot_id, started_boot_ms,
         ended_wall_ms, ended_boot_id, ended_boot_ms,
         slot_wall_ms, slot_boot_id, slot_boot_ms, http_status, github_request_id, message
    FROM request_1;
    INSERT INTO credential (host, fingerprint, kind, state, request, reason, updated_ms)
    SELECT host, fingerprint, kind, state, request, reason, updated_ms FROM credential_1;
    INSERT INTO attempt (request, fingerprint, resting)
    SELECT request, fingerprint, resting FROM credential_1;
    INSERT INTO hold (host, identity, set_wall_ms, set_boot_id, set_boot_ms, wait_ms, why)
    SELECT host, '', set_wall_ms, set_boot_id, set_boot_ms, wait_ms, why FROM hold_1;
    DROP TABLE credential_1; DROP TABLE hold_1; DROP TABLE request_1;
";

/// The ledger's own path, links resolved; its folder is made if it is missing.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, LedgerError> {
    let resolved = if path.symlink_metadata().is_ok() {
        path.canonicalize()
    } else {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        private_folder(folder)
            .and_then(|()| folder.canonicalize())
            .map(|folder| folder.join(path.file_name().unwrap_or_default()))
    };
    resolved.map_err(|source| LedgerError::Open {
        path: path.to_owned(),
        source,
    })
}

/// Opens the ledger at a resolved path, and makes it if there is none.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    let no_file = |source| LedgerError::Open {
        path: path.to_owned(),
        source,
    };
    if path.is_dir() {
        return Err(no_file(ErrorKind::IsADirectory.into()));
    }
    // Held to the end of this function; two processes that make the file at once would both
    // switch it to WAL, and one of them would fail whatever its patience.
    let guard = private_file(&beside(path, ".lock")).map_err(no_file)?;
    guard.lock().map_err(no_file)?;
    // Made here, so that it is private from its first moment; SQLite gives its mode to -wal and
    // -shm. An empty file is an empty database.
    create_private(path).map_err(no_file)?;
    prepare(path).map_err(|error| explain(path, error))
}

fn prepare(path: &Path) -> Result<Connection, LedgerError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Nothing may be written before this: the file may be anybody's.
    match identify(path, &connection)? {
        Contents::Nothing => build(&mut connection, TABLES)?,
        Contents::Version1 => {
            let steps = [SET_ASIDE_1, TABLES, CARRY_OVER_1].concat();
            build(&mut connection, &steps)?;
        }
        Contents::Present => {}
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(LedgerError::NoWal {
            path: path.to_owned(),
        });
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON;",
    )?;
    Ok(connection)
}

/// Opens the ledger at `path` for reading alone, if there is one: no lock is taken that a sender
/// would wait for, and nothing is made or changed, unless the ledger is of an older version.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, LedgerError> {
    match path.metadata() {
        Ok(there) if there.is_dir() => {
            return Err(LedgerError::Open {
                path: path.to_owned(),
                source: ErrorKind::IsADirectory.into(),
            });
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // That it can't be looked at does not mean that nothing is in it.
        Err(source) => {
            return Err(LedgerError::Open {
                path: path.to_owned(),
                source,
            });
        }
    }
    let attempt = || -> Result<(Connection, Contents), LedgerError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let contents = identify(path, &connection)?;
        Ok((connection, contents))
    };
    match attempt().map_err(|error| explain(path, error))? {
        (_, Contents::Nothing) => Ok(None),
        (connection, Contents::Present) => Ok(Some(connection)),
        (old, Contents::Version1) => {
            drop(old);
            drop(open(path)?);
            let (connection, _) = attempt().map_err(|error| explain(path, error))?;
            Ok(Some(connection))
        }
    }
}

/// What a file holds that may become or be a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contents {
    /// Nothing yet.
    Nothing,
    /// A ledger of the first version.
    Version1,
    /// A ledger of ours.
    Present,
}

fn identify(path: &Path, connection: &Connection) -> Result<Contents, LedgerError> {
    let pragma = |name: &str| -> Result<i64, rusqlite::Error> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let version = pragma("user_version")?;
    let things: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (pragma("application_id")?, version) {
        (APPLICATION_ID, VERSION) => Ok(Contents::Present),
        (APPLICATION_ID, 1) => Ok(Contents::Version1),
        (APPLICATION_ID, _) if version > VERSION => Err(LedgerError::Newer {
            path: path.to_owned(),
            version,
            known: VERSION,
        }),
        (0, 0) if things == 0 => Ok(Contents::Nothing),
        _ => Err(LedgerError::Foreign {
            path: path.to_owned(),
        }),
    }
}

/// Makes the tables of the present version. In one transaction: a crash leaves what was there
/// before. A new file is not yet switched to WAL, so the marks are in the file itself.
fn build(connection: &mut Connection, steps: &str) -> Result<(), LedgerError> {
    // Rows are carried over table by table, so for a moment they refer to what is not there.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF")?;
    let making = Transaction::new(connection, TransactionBehavior::Immediate)?;
    making.execute_batch(steps)?;
    making.pragma_update(None, "application_id", APPLICATION_ID)?;
    making.pragma_update(None, "user_version", VERSION)?;
    making.commit()?;
    Ok(())
}

/// Says what SQLite's word for a bad file means to the user.
fn explain(path: &Path, error: LedgerError) -> LedgerError {
    let LedgerError::Database(error) = error else {
        return error;
    };
    let path = path.to_owned();
    match is_damage(&error) {
        Some(ErrorCode::NotADatabase) => LedgerError::Foreign { path },
        Some(_) => LedgerError::Damaged { path },
        None => LedgerError::Database(error),
    }
}

/// The path that has `suffix` added to its last name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a lock file, and makes it for this user's eyes only if it is missing.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    private().create(true).truncate(false).open(path)
}

/// Makes a file for this user's eyes only, unless it is there. A database that is there must not
/// be opened but by SQLite: closing such a file would give up the POSIX locks that another
/// connection of this process has on it.
fn create_private(path: &Path) -> std::io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Reads a stamp from three columns: wall clock, boot, boot clock.
pub(super) fn stamp(row: &Row<'_>, first: usize) -> rusqlite::Result<Stamp> {
    let id: Option<String> = row.get(first + 1)?;
    let ms: Option<i64> = row.get(first + 2)?;
    Ok(Stamp {
        wall_ms: row.get(first)?,
        boot: id.zip(ms).map(|(id, ms)| BootStamp { id, ms }),
    })
}

/// The two columns of a stamp's boot clock.
pub(super) fn boot(stamp: &Stamp) -> (Option<&str>, Option<i64>) {
    let boot = stamp.boot.as_ref();
    (boot.map(|boot| boot.id.as_str()), boot.map(|boot| boot.ms))
}
