//! Trees that nobody meant well with: what is no file, what cannot be read, what has no end.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::douse::fingerprints;
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

pub(crate) fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn what_is_no_file_is_passed_over_and_counted() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    sandbox.write("file", &token);
    fifo(&sandbox.work().join("fifo"));
    let _socket = UnixListener::bind(sandbox.work().join("socket")).unwrap();
    symlink("file", sandbox.work().join("link")).unwrap();
    symlink("link-b", sandbox.work().join("link-a")).unwrap();
    symlink("link-a", sandbox.work().join("link-b")).unwrap();
    symlink("nowhere", sandbox.work().join("dangling")).unwrap();
    symlink(".", sandbox.work().join("circle")).unwrap();
    symlink("/", sandbox.work().join("root")).unwrap();
    symlink("/dev/zero", sandbox.work().join("zero")).unwrap();

    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.found(), fingerprints([&token]));
    let skips = output.lines("skip");
    let told: Vec<_> = skips
        .iter()
        .map(|skip| (&skip["path"], &skip["reason"]))
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(path, reason)| (path.as_str().unwrap(), reason.as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("circle", "symlink"),
            ("dangling", "symlink"),
            ("fifo", "fifo"),
            ("link", "symlink"),
            ("link-a", "symlink"),
            ("link-b", "symlink"),
            ("root", "symlink"),
            ("socket", "socket"),
            ("zero", "symlink"),
        ]
    );
    assert_eq!(skips[0]["members"], json!([]));
    let summary = output.summary();
    assert_eq!(
        (&summary["files"], &summary["skipped"]),
        (&json!(1), &json!(9))
    );
    assert_eq!(summary["complete"], true);
    // They change nothing about what is clean.
    fs::remove_file(sandbox.work().join("file")).unwrap();
    sandbox.scan(["."]).expect(0);
}

#[test]
fn devices_in_a_folder_are_passed_over() {
    let sandbox = Sandbox::new();
    let output = sandbox.scan(["--exclude", "shm", "--exclude", "mqueue", "/dev"]);
    let reasons = output.all("skip", "reason");
    assert!(reasons.iter().any(|reason| reason == "device"), "{output}");
}

#[test]
fn what_is_named_outright_was_meant_to_be_read() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    sandbox.write("file", &token);
    sandbox.write("folder/inner", &token);
    symlink("file", sandbox.work().join("link")).unwrap();
    symlink("folder", sandbox.work().join("folder-link")).unwrap();
    symlink("nowhere", sandbox.work().join("dangling")).unwrap();
    symlink("circle", sandbox.work().join("circle")).unwrap();
    fifo(&sandbox.work().join("fifo"));
    let _socket = UnixListener::bind(sandbox.work().join("socket")).unwrap();

    let output = sandbox.scan(["link"]).expect(1);
    assert_eq!(output.all("match", "path"), ["link"]);
    let output = sandbox.scan(["folder-link"]).expect(1);
    assert_eq!(output.all("match", "path"), ["folder-link/inner"]);
    for name in [
        "fifo",
        "socket",
        "dangling",
        "circle",
        "/dev/zero",
        "missing",
    ] {
        let output = sandbox.scan([name, "file"]).expect(2);
        assert_eq!(output.all("error", "path"), [name]);
        assert_eq!(
            output.found(),
            fingerprints([&token]),
            "what can be read is read"
        );
        assert_eq!(output.summary()["complete"], false);
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let sandbox = Sandbox::new();
    let (token, hidden) = (sandbox.token(Kind::Personal), sandbox.token(Kind::Personal));
    sandbox.write("open", &token);
    for path in ["closed", "folder/inner", "half/inner"] {
        sandbox.write(path, &hidden);
    }
    let close = |path: &str, mode| {
        let path = sandbox.work().join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    close("closed", 0o000);
    close("folder", 0o000);
    // It can be listed, and what it lists not opened.
    close("half", 0o744);
    let run = sandbox.douse_as_nobody(["scan", "-f", "jsonl"]);
    let output = run.run().expect(2);
    close("folder", 0o755);
    close("half", 0o755);
    assert_eq!(output.found(), fingerprints([&token]));
    assert_eq!(
        output.all("error", "path"),
        ["closed", "folder", "half/inner"]
    );
    for message in output.all("error", "message") {
        assert!(message.contains("Permission denied"), "{message}");
    }
    assert_eq!(output.summary()["errors"], 3);
    assert_eq!(output.summary()["complete"], false);

    // A plan that is made of half the tree says so as well.
    close("folder", 0o000);
    let run = sandbox.douse_as_nobody(["revoke", "--dry-run", "-f", "jsonl"]);
    let output = run.run();
    close("folder", 0o755);
    assert_eq!(output.expect(2).lines("outcome").len(), 2);
}

/// Reads of this file fail, whoever asks.
#[test]
fn a_read_that_fails_is_an_error() {
    let sandbox = Sandbox::new();
    let output = sandbox.scan(["/proc/self/mem"]).expect(2);
    assert_eq!(output.all("error", "path"), ["/proc/self/mem"]);
}

/// Files that say they are empty, and are not.
#[test]
fn files_without_a_length_are_read_to_their_end() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::OAuth);
    let run = sandbox
        .douse(["scan", "-f", "jsonl", "/proc/self/environ"])
        .env("LEAKED", &token);
    assert_eq!(run.run().expect(1).found(), fingerprints([&token]));
}

/// Folders within folders, far beyond what a path may be long.
#[test]
fn a_bottomless_tree_is_read() {
    const DEPTH: usize = 1000;
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let pit = sandbox.work().join("pit");
    fs::create_dir(&pit).unwrap();
    dig(&pit, DEPTH, token.as_bytes()).unwrap();
    for limit in ["-n 1024", "-n 64"] {
        let run = sandbox.douse_limited(limit, ["scan", "-f", "jsonl", "pit"]);
        assert_eq!(run.run().expect(1).found(), fingerprints([&token]));
    }
    // Where trees have a say paths are followed, which has an end; it must be told.
    let output = sandbox.scan(["--respect-ignore", "pit"]).expect(2);
    assert!(!output.lines("error").is_empty());
}

/// Each folder is made from within the last: no path leads all the way down. Beside each lies
/// another, so that folders wait.
fn dig(pit: &Path, depth: usize, leak: &[u8]) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

    let mut folder = openat(CWD, pit, OFlags::DIRECTORY, Mode::empty())?;
    for step in 0..depth {
        let name = format!("{step:010}");
        mkdirat(&folder, &name, Mode::RWXU)?;
        mkdirat(&folder, "beside", Mode::RWXU)?;
        folder = openat(&folder, &name, OFlags::DIRECTORY, Mode::empty())?;
    }
    let file = openat(&folder, "leak", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR)?;
    fs::File::from(file).write_all(leak).unwrap();
    Ok(())
}

/// At each depth a folder waits while the walk is in another one: more than may be held open.
#[test]
fn a_deep_tree_with_many_branches_is_read() {
    const DEPTH: usize = 600;
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::OAuth);
    let mut spine = String::new();
    for depth in 0..DEPTH {
        let branches = ["a", "b", "c"];
        for branch in branches {
            sandbox.write(format!("{spine}{branch}/leak"), &token);
        }
        // A file system lists equal names in an equal order: the way down is to be first, second
        // and last in turn.
        spine.push_str(branches[depth % branches.len()]);
        spine.push('/');
    }
    for threads in ["1", "2", "7"] {
        // Folders wait for their turn at every depth, far more of them than may be open.
        let arguments = ["scan", "--format", "jsonl", "-j", threads];
        let output = sandbox.douse_limited("-n 64", arguments).run().expect(1);
        assert_eq!(output.summary()["files"], 3 * DEPTH);
        assert_eq!(output.summary()["matches"], 3 * DEPTH);
    }
}

#[test]
fn a_crowded_folder_is_read() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::AppUser);
    for n in 0..3000 {
        sandbox.write(
            format!("f{n}"),
            if n == 2999 { token.as_str() } else { "x" },
        );
    }
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.summary()["files"], 3000);
    assert_eq!(output.found(), fingerprints([&token]));
}

/// A line of a megabyte, a file of nothing but prefixes, bodies without end: the search goes on
/// one byte behind each candidate, and must not take the square of their number.
#[test]
fn texts_made_to_be_slow_are_not() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let texts: [String; 4] = [
        "ghp_".repeat(500_000),
        format!("{}{}", "ghs_1_", "a.".repeat(500_000)),
        "ghs_".repeat(250_000),
        "github_pat_".repeat(100_000),
    ];
    for (at, text) in texts.iter().enumerate() {
        sandbox.write(format!("slow{at}"), format!("{text}\n{token}"));
    }
    let output = sandbox.scan(["."]).expect(1);
    assert!(output.all("match", "fingerprint").len() >= texts.len());
    assert!(output.found().contains(&fingerprints([&token])[0]));
}

#[test]
fn the_current_folder_may_be_gone() {
    let sandbox = Sandbox::new();
    let douse: PathBuf = env!("CARGO_BIN_EXE_douse").into();
    let script = format!(
        "mkdir gone && cd gone && rmdir ../gone && exec '{}' scan .",
        douse.display()
    );
    let run = Command::new("sh")
        .args(["-c", &script])
        .current_dir(sandbox.work())
        .output();
    let run = run.unwrap();
    assert_eq!(
        run.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
