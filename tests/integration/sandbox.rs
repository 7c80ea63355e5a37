//! A place for a test's runs: a folder to scan and all that belongs to a user, and the tokens that
//! must not leak from it.
//!
//! The leak check is not asked for; it is part of every run that is looked at. A [`Sandbox`] knows
//! the tokens that were made in it. No eight characters in a row of any of their bodies may stand
//! in what was printed, or in any file outside the folder that is scanned.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use crate::douse::{Douse, Output};
use crate::tokens::{self, Kind};

/// How much of a token's body counts as a leak.
const STRETCH: usize = 8;

/// A user nobody is.
const NOBODY: u32 = 65534;

/// A folder to work in and all that belongs to a user: home, state, temporary files. Gone with
/// the test.
pub(crate) struct Sandbox {
    root: TempDir,
    known: Mutex<HashSet<[u8; STRETCH]>>,
    made: Mutex<u64>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("sandbox")
            .tempdir()
            .unwrap();
        // Open, for some runs are another user's.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["work", "home", "state", "tmp", "out"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self {
            root,
            known: Mutex::default(),
            made: Mutex::default(),
        }
    }

    /// A token that no other call makes.
    pub(crate) fn token(&self, kind: Kind) -> String {
        let token = tokens::token(kind, self.seed());
        self.know(&token);
        token
    }

    /// Many of them, of all kinds that can be revoked.
    pub(crate) fn revocable(&self, count: usize) -> Vec<String> {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.is_revocable());
        kinds
            .cycle()
            .take(count)
            .map(|kind| self.token(kind))
            .collect()
    }

    /// What looks like a token, and has a typing error.
    pub(crate) fn mistyped(&self, kind: Kind) -> String {
        let token = tokens::mistyped(kind, self.seed());
        self.know(&token);
        token
    }

    /// Adds to what must not leak.
    pub(crate) fn know(&self, token: &str) {
        let mut known = self.known.lock().unwrap();
        for stretch in tokens::body(token).as_bytes().windows(STRETCH) {
            known.insert(stretch.try_into().unwrap());
        }
    }

    fn seed(&self) -> u64 {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        *made
    }

    /// The current folder of every run.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// A path outside it for reports; looked through for leaks.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.root.path().join("out").join(name)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.root.path().join("state").join("ledger.sqlite3")
    }

    /// Writes a file to be scanned, and the folders it lies in.
    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A run to be.
    pub(crate) fn douse<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Douse<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_douse"));
        self.furnish(&mut command);
        command.args(arguments);
        Douse::new(self, command)
    }

    /// The same by a user who may not read what is not open to all.
    pub(crate) fn douse_as_nobody<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Douse<'_> {
        // The build folder may be closed to others, so the program is put where it can be reached.
        let program = self.root.path().join("douse");
        let built = env!("CARGO_BIN_EXE_douse");
        if !program.exists() && fs::hard_link(built, &program).is_err() {
            fs::copy(built, &program).unwrap();
        }
        let mut command = Command::new(program);
        self.furnish(&mut command);
        command.args(arguments);
        if is_root(self.root.path()) {
            command.uid(NOBODY).gid(NOBODY);
        }
        Douse::new(self, command)
    }

    /// Another program, in the same place.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        self.furnish(&mut command);
        command
    }

    fn furnish(&self, command: &mut Command) {
        let path = |name: &str| self.root.path().join(name);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", path("home"))
            .env("XDG_STATE_HOME", path("state"))
            .env("TMPDIR", path("tmp"))
            .env("DOUSE_LEDGER", self.ledger())
            .current_dir(self.work());
    }

    /// Scans with `arguments`, and tells what comes out as JSON lines.
    pub(crate) fn scan<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let mut all: Vec<OsString> = ["scan", "--format", "jsonl"].map(OsString::from).to_vec();
        all.extend(arguments.into_iter().map(|one| one.as_ref().to_owned()));
        self.douse(all).run()
    }

    /// Lets time pass: moves every moment in the ledger into the past.
    pub(crate) fn let_pass(&self, time: Duration) {
        let ledger = rusqlite::Connection::open(self.ledger()).unwrap();
        let ms = i64::try_from(time.as_millis()).unwrap();
        for (table, moments) in [
            ("hold", &["set"][..]),
            ("request", &["started", "ended", "slot"]),
        ] {
            for moment in moments {
                for clock in ["wall", "boot"] {
                    let column = format!("{moment}_{clock}_ms");
                    let sql = format!("UPDATE {table} SET {column} = {column} - ?1");
                    ledger.execute(&sql, [ms]).unwrap();
                }
            }
        }
    }

    /// Fails if `text` holds anything of a token.
    pub(crate) fn check(&self, text: &[u8], what: &str) {
        let known = self.known.lock().unwrap();
        assert_clean(&known, text, what);
    }

    /// Fails if a file outside the scanned folder holds anything of a token.
    pub(crate) fn check_files(&self) {
        let known = self.known.lock().unwrap();
        let mut folders: Vec<PathBuf> = ["home", "state", "tmp", "out"]
            .map(|name| self.root.path().join(name))
            .to_vec();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let what = entry.path().display().to_string();
                    // Another run may have cleared its files away meanwhile.
                    let text = fs::read(entry.path()).unwrap_or_default();
                    assert_clean(&known, &text, &what);
                }
            }
        }
    }
}

/// Whether we may do anything, as the owner of what we have just made tells.
pub(crate) fn is_root(ours: &Path) -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(ours).unwrap()) == 0
}

fn assert_clean(known: &HashSet<[u8; STRETCH]>, text: &[u8], what: &str) {
    let leak = text
        .windows(STRETCH)
        .position(|stretch| known.contains::<[u8; STRETCH]>(stretch.try_into().unwrap()));
    if let Some(at) = leak {
        let from = at.saturating_sub(80);
        let shown = String::from_utf8_lossy(&text[from..text.len().min(at + 80)]);
        panic!("{what} holds a part of a token at byte {at}: {shown:?}");
    }
}

#[test]
#[should_panic(expected = "holds a part of a token")]
fn eight_characters_of_a_body_are_a_leak() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    fs::write(sandbox.out("log"), &token[20..28]).unwrap();
    sandbox.check_files();
}

#[test]
fn prefixes_and_fingerprints_are_no_leak() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::FineGrained);
    let shown = format!("{}… {}", &token[..11], tokens::fingerprint(&token));
    fs::write(sandbox.out("log"), shown).unwrap();
    sandbox.check_files();
}
