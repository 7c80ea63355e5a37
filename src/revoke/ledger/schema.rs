//! Opening the database file: who may open it, what it must be, and how it is made.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Row, Transaction, TransactionBehavior};

use super::{LedgerError, is_damage};
use crate::vocabulary::{BootStamp, Stamp};

/// Marks a SQLite file as ours: "dous" in ASCII.
const APPLICATION_ID: i64 = 0x646f_7573;

/// The version of the tables below. A change to them is a new version and a way from the old one.
pub(super) const VERSION: i64 = 1;

/// How long one process waits for another's transaction; those are short.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// `slot_*` is the moment from which a request counts against the budget; null for one that took
/// nothing from it. It is the moment of its end, or a later one, where that is not known.
///
/// `resting` is where a token that is under way goes back to when its request took nothing:
/// `unknown` if an earlier one may have taken it.
const TABLES: &str = "
    CREATE TABLE request (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        host TEXT NOT NULL,
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
    CREATE INDEX request_by_host ON request (host, id);
    CREATE INDEX request_open ON request (host) WHERE state = 'open';

    CREATE TABLE credential (
        host TEXT NOT NULL,
        fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
        kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN
            ('sent', 'accepted', 'rejected', 'unknown', 'pending')),
        resting TEXT NOT NULL CHECK (resting IN ('unknown', 'pending')),
        request INTEGER NOT NULL REFERENCES request (id),
        reason TEXT,
        updated_ms INTEGER NOT NULL,
        PRIMARY KEY (host, fingerprint)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX credential_sent ON credential (request) WHERE state = 'sent';

    CREATE TABLE hold (
        host TEXT PRIMARY KEY,
        set_wall_ms INTEGER NOT NULL, set_boot_id TEXT, set_boot_ms INTEGER,
        wait_ms INTEGER NOT NULL,
        why TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
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
    check(path, &mut connection)?;
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

/// Sees to it that the file is a ledger of our version; makes one of an empty file.
fn check(path: &Path, connection: &mut Connection) -> Result<(), LedgerError> {
    let pragma = |name: &str| -> Result<i64, rusqlite::Error> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let version = pragma("user_version")?;
    let things: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match pragma("application_id")? {
        APPLICATION_ID if version == VERSION => Ok(()),
        APPLICATION_ID if version > VERSION => Err(LedgerError::Newer {
            path: path.to_owned(),
            version,
            known: VERSION,
        }),
        0 if version == 0 && things == 0 => create(connection),
        _ => Err(LedgerError::Foreign {
            path: path.to_owned(),
        }),
    }
}

/// Makes the tables. In one transaction, and before the file is switched to WAL: so the marks are
/// in the file itself, and a crash leaves either a whole ledger or an empty file.
fn create(connection: &mut Connection) -> Result<(), LedgerError> {
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    let making = Transaction::new(connection, TransactionBehavior::Immediate)?;
    making.execute_batch(TABLES)?;
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
