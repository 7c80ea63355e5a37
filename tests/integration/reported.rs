//! Scan on Monday, review the report, revoke on Tuesday: `--from` reads the tokens again from where
//! they lay.

use std::fs;
use std::path::{Path, PathBuf};

use crate::containers::{assert_hidden, log};
use crate::douse::{Douse, Output, fingerprints};
use crate::github::Github;
use crate::packers::{Compressor, tar};
use crate::repository::Repository;
use crate::revoke::states;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// Scans what lies there into a report, which is outside of it.
fn report(sandbox: &Sandbox, format: &str, name: &str) -> PathBuf {
    let path = sandbox.out(name);
    let run = sandbox.douse(["scan", "-f", format, "-o"]).arg(&path);
    run.run();
    assert!(path.exists());
    path
}

fn from<'s>(sandbox: &'s Sandbox, github: &Github, reports: &[&Path]) -> Douse<'s> {
    let url = github.url();
    let run = sandbox.douse([
        "revoke",
        "--yes",
        "-f",
        "jsonl",
        "--api-url",
        &url,
        "--from",
    ]);
    reports.iter().fold(run, Douse::arg)
}

/// The reason given for each token that is gone.
fn reasons(output: &Output) -> Vec<String> {
    let outcomes = output.lines("outcome");
    let gone = outcomes
        .iter()
        .filter(|outcome| outcome["state"] == "unresolved");
    gone.map(|outcome| outcome["reason"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_a_report_lists_is_sent_and_nothing_else() {
    for format in ["json", "jsonl"] {
        let (sandbox, github) = (Sandbox::new(), Github::new());
        let mut listed = sandbox.revocable(4);
        sandbox.write("etc/app.env", listed.join("\n"));
        sandbox.write("copy", &listed[0]);
        let report = report(&sandbox, format, "monday");
        // What came to the same files later was not reviewed.
        let later = [listed.join("\n"), sandbox.token(Kind::Personal)].join("\n");
        sandbox.write("etc/app.env", later);
        sandbox.write("new", sandbox.token(Kind::OAuth));
        let output = from(&sandbox, &github, &[&report]).run().expect(0);
        assert_eq!(states(&output), ["accepted"; 4]);
        listed.sort_unstable();
        assert_eq!(github.taken(), listed);
    }
}

#[test]
fn what_is_gone_is_told() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let [kept, moved, edited] =
        [Kind::Personal, Kind::OAuth, Kind::Refresh].map(|kind| sandbox.token(kind));
    sandbox.write("kept", &kept);
    sandbox.write("deploy/moved", &moved);
    sandbox.write("edited", &edited);
    let report = report(&sandbox, "jsonl", "monday");
    fs::remove_file(sandbox.work().join("deploy/moved")).unwrap();
    sandbox.write("edited", sandbox.token(Kind::Refresh));
    // It lies elsewhere now, and nobody has looked there.
    sandbox.write("elsewhere", &moved);
    let output = from(&sandbox, &github, &[&report]).run().expect(1);
    assert_eq!(states(&output), ["accepted", "unresolved", "unresolved"]);
    assert_eq!(github.taken(), [kept]);
    assert_eq!(output.summary()["unresolved"], 2);
    let reasons = reasons(&output);
    assert!(
        reasons
            .iter()
            .any(|reason| reason.ends_with(": deploy/moved")),
        "{reasons:?}"
    );
    // The fingerprints are all there, and their kinds.
    let all = output.all("outcome", "fingerprint");
    assert_eq!(all, fingerprints([&github.taken()[0], &moved, &edited]));
    assert!(
        output
            .all("outcome", "kind")
            .contains(&Kind::Refresh.id().to_owned())
    );
}

#[test]
fn several_reports_add_up_and_lines_may_be_taken_out() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let [one, two, three] =
        [Kind::Personal, Kind::OAuth, Kind::Refresh].map(|kind| sandbox.token(kind));
    sandbox.write("one", &one);
    let first = report(&sandbox, "json", "first");
    sandbox.write("two", &two);
    sandbox.write("three", &three);
    let second = report(&sandbox, "jsonl", "second");
    let lines = fs::read_to_string(&second).unwrap();
    let reviewed: Vec<&str> = lines
        .lines()
        .filter(|line| line.contains("\"match\"") && !line.contains(&tokens::fingerprint(&three)))
        .collect();
    fs::write(&second, reviewed.join("\n")).unwrap();
    from(&sandbox, &github, &[&first, &second]).run().expect(0);
    let mut expected = vec![one, two];
    expected.sort_unstable();
    assert_eq!(github.taken(), expected);
    assert_eq!(github.sizes(), [2]);
}

#[test]
fn odd_names_and_names_with_tokens_are_found_again() {
    use std::os::unix::ffi::OsStrExt as _;

    let (sandbox, github) = (Sandbox::new(), Github::new());
    let all = sandbox.revocable(6);
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9\n");
    sandbox.write(Path::new(odd), &all[0]);
    sandbox.write("-", &all[1]);
    // A token in the name of a file, in that of a folder, and one in a file in such a folder.
    sandbox.write(format!("{}.env", all[2]), "");
    sandbox.write(format!("of-{}/file", all[3]), &all[4]);
    sandbox.write("plain", &all[5]);
    let report = report(&sandbox, "json", "monday");
    let output = from(&sandbox, &github, &[&report]).run().expect(0);
    let mut expected = all;
    expected.sort_unstable();
    assert_eq!(github.taken(), expected, "{output}");
}

#[test]
fn standard_input_cannot_be_read_again() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let report = sandbox.out("monday");
    let run = sandbox
        .douse(["scan", "-f", "jsonl", "-o"])
        .arg(&report)
        .arg("-");
    run.input(sandbox.token(Kind::Personal)).run().expect(1);
    let output = from(&sandbox, &github, &[&report]).run().expect(1);
    assert!(reasons(&output)[0].contains("--credentials"), "{output}");
    assert_eq!(github.log().len(), 0);
}

/// A report may be anybody's: no device, pipe or file of the system is opened for it, no folder
/// walked, and nothing that it does not list is sent.
#[test]
fn a_hostile_report_makes_us_read_nothing_else() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let other = sandbox.token(Kind::Personal);
    sandbox.write("folder/other", &other);
    let status = std::process::Command::new("mkfifo")
        .arg(sandbox.work().join("pipe"))
        .status();
    assert!(status.unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", sandbox.work().join("link")).unwrap();
    let name = tokens::fingerprint(&other);
    let lines = |paths: &[&str]| {
        let line = |path: &&str| {
            format!(
                r#"{{"type":"match","fingerprint":"{name}","kind":"github_\u001b[31m","path":"{path}"}}"#
            )
        };
        let report = sandbox.out("hostile");
        fs::write(
            &report,
            paths.iter().map(line).collect::<Vec<_>>().join("\n"),
        )
        .unwrap();
        report
    };
    for path in [
        "folder",
        "/",
        "/proc/kcore",
        "/proc/self/mem",
        "gone",
        "../out/gone",
        "/sys",
    ] {
        let output = from(&sandbox, &github, &[&lines(&[path])]).run().expect(1);
        assert_eq!(states(&output), ["unresolved"], "{path}");
    }
    for path in ["/dev/zero", "/dev/stdin", "pipe", "link"] {
        let output = from(&sandbox, &github, &[&lines(&[path])]).run();
        assert!([1, 2].contains(&output.code()), "{output}");
        assert_eq!(states(&output), ["unresolved"], "{path}");
    }
    // One file under ten thousand names is read once.
    let many: Vec<String> = (0..10_000)
        .map(|n| {
            format!(
                "{}folder/other",
                "./".repeat(n % 100) + &"folder/../".repeat(n / 100)
            )
        })
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    from(&sandbox, &github, &[&lines(&many)]).run().expect(0);
    assert_eq!(github.taken(), [other]);
}

#[test]
fn what_is_no_report_is_refused() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    for (name, text) in [
        ("empty", ""),
        ("text", "not a report"),
        ("newer", r#"{"schema":9,"findings":[]}"#),
        ("outcome", r#"{"type":"outcome"}"#),
    ] {
        let report = sandbox.out(name);
        fs::write(&report, text).unwrap();
        let output = from(&sandbox, &github, &[&report]).run().expect(2);
        assert!(output.talk().contains(name), "{output}");
        // What is wrong is said once.
        assert!(output.talk().matches(" at line ").count() <= 1, "{output}");
    }
    from(&sandbox, &github, &[&sandbox.out("missing")])
        .run()
        .expect(2);
    from(&sandbox, &github, &[&sandbox.work()]).run().expect(2);
    assert_eq!(github.log().len(), 0);
}

#[test]
fn a_dry_run_tells_what_is_left_and_what_is_gone() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("kept", sandbox.token(Kind::Personal));
    sandbox.write("moved", sandbox.token(Kind::Personal));
    let report = report(&sandbox, "json", "monday");
    fs::remove_file(sandbox.work().join("moved")).unwrap();
    let url = github.url();
    let run = sandbox
        .douse(["revoke", "--dry-run", "--api-url", &url, "--from"])
        .arg(&report);
    let output = run.run().expect(1);
    assert!(output.text().contains("send 1 token"), "{output}");
    assert!(
        output.text().contains("1 no longer where the report says"),
        "{output}"
    );
    assert!(output.text().contains("kept:1:1"), "{output}");
}

/// A container in a container in a container, and what it takes to make it.
fn nested(sandbox: &Sandbox, token: &str) -> Vec<u8> {
    let inner = Compressor::of("zst").pack(log(token).as_bytes());
    let middle = tar(&sandbox.out(""), &[], &[("logs/app.log.zst", &inner)]);
    let packed = Compressor::of("gz").pack(&middle);
    assert_hidden(&packed, token);
    tar(&sandbox.out(""), &[], &[("backup.tgz", &packed)])
}

#[test]
fn what_lies_in_containers_is_read_again_from_there() {
    for format in ["json", "jsonl"] {
        let (sandbox, github) = (Sandbox::new(), Github::new());
        let mut all = sandbox.revocable(3);
        let gz = Compressor::of("gz");
        sandbox.write("app.log.gz", gz.pack(log(&all[0]).as_bytes()));
        let archive = tar(
            &sandbox.out(""),
            &[],
            &[("etc/env", log(&all[1]).as_bytes())],
        );
        sandbox.write("srv/etc.tar.gz", gz.pack(&archive));
        sandbox.write("backup.tar", nested(&sandbox, &all[2]));
        let report = report(&sandbox, format, "monday");
        // What came into the same containers later was not reviewed.
        let (kept, later) = (log(&all[0]), log(&sandbox.token(Kind::OAuth)));
        sandbox.write("app.log.gz", gz.pack((kept + &later).as_bytes()));
        let output = from(&sandbox, &github, &[&report]).run().expect(0);
        assert_eq!(states(&output), ["accepted"; 3], "{output}");
        all.sort_unstable();
        assert_eq!(github.taken(), all);
    }
}

#[test]
fn what_is_gone_from_its_container_is_told() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let all = sandbox.revocable(4);
    let (gz, out) = (Compressor::of("gz"), sandbox.out(""));
    let packed = |files: &[(&str, &[u8])]| gz.pack(&tar(&out, &[], files));
    let [changed, removed, moved, kept] = [0, 1, 2, 3].map(|n| log(&all[n]).into_bytes());
    let before: [(&str, &[u8]); 4] = [
        ("changed", &changed),
        ("kept", &kept),
        ("moved", &moved),
        ("removed", &removed),
    ];
    sandbox.write("backup.tar.gz", packed(&before));
    let report = report(&sandbox, "jsonl", "monday");
    // A member under another name is still in the container that the report names.
    let after: [(&str, &[u8]); 3] = [
        ("changed", b"nothing any more"),
        ("elsewhere/moved", &moved),
        ("kept", &kept),
    ];
    sandbox.write("backup.tar.gz", packed(&after));
    let output = from(&sandbox, &github, &[&report]).run().expect(1);
    assert_eq!(
        states(&output),
        ["accepted", "accepted", "unresolved", "unresolved"]
    );
    let mut expected = vec![all[2].clone(), all[3].clone()];
    expected.sort_unstable();
    assert_eq!(github.taken(), expected);
    for reason in reasons(&output) {
        assert!(reason.ends_with(": backup.tar.gz"), "{reason}");
    }
    // The container itself moved: everything in it is gone.
    let from_there = |name: &str| sandbox.work().join(name);
    fs::rename(from_there("backup.tar.gz"), from_there("old.tar.gz")).unwrap();
    let output = from(&sandbox, &Github::new(), &[&report]).run().expect(1);
    assert_eq!(states(&output), ["unresolved"; 4]);
}

#[test]
fn what_lies_in_a_container_that_broke_stops_the_run() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Personal);
    let packed = Compressor::of("gz").pack(log(&token).as_bytes());
    sandbox.write("app.log.gz", &packed);
    let report = report(&sandbox, "jsonl", "monday");
    sandbox.write("app.log.gz", &packed[..packed.len() / 2]);
    let output = from(&sandbox, &github, &[&report]).run().expect(2);
    assert_eq!(states(&output), ["unresolved"]);
    assert!(output.talk().contains("app.log.gz"), "{output}");
    assert_eq!(github.log().len(), 0);
}

#[test]
fn what_lies_in_a_history_is_read_again_from_its_object() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let [old, message, stale] =
        [Kind::Personal, Kind::OAuth, Kind::Refresh].map(|kind| sandbox.token(kind));
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.write("config.env", format!("KEY={old}\n"));
    repository.commit("Add a key");
    repository.write("config.env", "KEY=\n");
    repository.commit(&format!("Remove it; it was {message}"));
    let dangling = repository.store(&stale);
    let report = report(&sandbox, "jsonl", "monday");
    // Packing moves objects about, and the store stays where it is.
    repository.git(&["repack", "-a", "-d", "--quiet"]);
    repository.git(&["prune", "--expire=now"]);
    assert!(
        !repository
            .path(&format!(".git/objects/{}", &dangling[..2]))
            .exists()
    );
    let output = from(&sandbox, &github, &[&report]).run().expect(1);
    assert_eq!(states(&output), ["accepted", "accepted", "unresolved"]);
    let mut expected = [old, message];
    expected.sort_unstable();
    assert_eq!(github.taken(), expected);
    assert!(reasons(&output)[0].ends_with(": repo/.git"), "{output}");
}
