//! The files of a ledger: whose they are, what may be one, and what never stands in them.

use std::sync::Barrier;

use super::*;

#[test]
fn many_openers_of_a_new_ledger_get_one_ledger() {
    for _ in 0..8 {
        let folder = Folder::new();
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    let ledger = Ledger::open(&folder.path()).unwrap();
                    ledger.settled(HOST, [name("a")]).unwrap();
                });
            }
        });
    }
}

#[test]
fn every_file_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let mut ledger = folder.open();
    send(&mut ledger, "a", Closed::Accepted, 0);
    let inside = folder.path().parent().unwrap().to_owned();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    let files: Vec<PathBuf> = inside
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn files_that_are_no_ledger_are_refused_and_left_alone() {
    let folder = Folder::new();
    let path = folder.0.path().join("file");
    std::fs::write(
        &path,
        b"this is somebody's diary, and no database. ".repeat(50),
    )
    .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        Ledger::open(&path),
        Err(LedgerError::Foreign { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let path = folder.0.path().join("music.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE song (name TEXT)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        Ledger::open(&path),
        Err(LedgerError::Foreign { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_later_version_is_refused_and_left_alone() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    send(&mut ledger, "a", Closed::Accepted, 0);
    ledger
        .connection
        .pragma_update(None, "user_version", schema::VERSION + 1)
        .unwrap();
    drop(ledger);
    let before = std::fs::read(folder.path()).unwrap();
    let error = Ledger::open(&folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            LedgerError::Newer {
                version: 3,
                known: 2,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(std::fs::read(folder.path()).unwrap(), before);
}

#[test]
fn a_damaged_ledger_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(folder.open());
    let mut bytes = std::fs::read(folder.path()).unwrap();
    // The first page's tree of tables, behind the file's header.
    bytes[100..1000].fill(0x5a);
    std::fs::write(folder.path(), &bytes).unwrap();
    assert!(matches!(
        Ledger::open(&folder.path()),
        Err(LedgerError::Damaged { .. })
    ));
    assert_eq!(std::fs::read(folder.path()).unwrap(), bytes);
}

#[test]
fn no_token_is_ever_written() {
    let folder = Folder::new();
    let mut ledger = folder.open();
    let body = "Zq7".repeat(12);
    let token = format!("gh{}_{body}", 'p');
    send(&mut ledger, &token, Closed::Accepted, 0);
    for file in folder.path().parent().unwrap().read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(9)
                .any(|window| window == &body.as_bytes()[..9])
        );
    }
    let outcome = audit(&ledger).1.remove(0);
    assert_eq!(
        (outcome.fingerprint, outcome.state),
        (name(&token), State::Accepted)
    );
    let host = status(&ledger, &Policy::GITHUB, &at(0));
    assert_eq!(host.tokens, [(State::Accepted, 1)]);
}

#[test]
fn a_link_to_a_ledger_is_that_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let link = folder.path().join("link");
    let mut one = Ledger::open(&path).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut other = Ledger::open(&link).unwrap();
    let now = Stamp {
        wall_ms: 0,
        boot: None,
    };
    let held = one.turn(&account("host"), &now).unwrap();
    assert!(matches!(held, Turn::Ours(_)));
    assert!(matches!(
        other.turn(&account("host"), &now).unwrap(),
        Turn::Taken
    ));
}
