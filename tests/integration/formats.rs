//! Where the report goes and how it looks to a person.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::douse::fingerprints;
use crate::hostile::fifo;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};
use crate::tools;

#[test]
fn a_report_in_a_file_is_whole_and_private() {
    let sandbox = Sandbox::new();
    sandbox.write("a", sandbox.token(Kind::Personal));
    let report = sandbox.out("report.jsonl");
    let path = report.to_str().unwrap();
    let output = sandbox.scan(["-o", path, "a"]).expect(1);
    assert_eq!(output.text(), "");
    let mode = fs::metadata(&report).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = fs::read_to_string(&report).unwrap();
    assert_eq!(written.lines().count(), 2);

    // An older one is replaced, and its mode with it.
    fs::set_permissions(&report, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&report, "old").unwrap();
    sandbox.scan(["--output", path, "a"]).expect(1);
    assert_eq!(
        fs::metadata(&report).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_to_string(&report).unwrap().lines().count(), 2);
    // Nothing else is left beside it.
    assert_eq!(fs::read_dir(report.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_hyphen_for_a_file_is_standard_output() {
    let sandbox = Sandbox::new();
    sandbox.write("a", sandbox.token(Kind::Personal));
    for arguments in [["-o", "-", "a"], ["--output=-", "a", "a"]] {
        let output = sandbox.scan(arguments).expect(1);
        assert_eq!(output.lines("match").len(), 1);
    }
    let audit = sandbox.douse(["audit", "-o", "-"]).run().expect(0);
    assert_eq!(audit.text(), "");
    assert!(!sandbox.work().join("-").exists());
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_scan() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "");
    let missing = sandbox.out("no/such/folder/report");
    // Standard input that never ends: a scan before the check would wait for it.
    let mut run = sandbox
        .douse(["scan", "-", "-o"])
        .arg(&missing)
        .pipe()
        .spawn();
    let input = run.input.take();
    let output = run.wait().expect(2);
    drop(input);
    let why = ": there is no such folder";
    assert!(output.talk().contains("cannot write"), "{output}");
    assert!(output.talk().trim_end().ends_with(why), "{output}");
    assert_eq!(output.text(), "");

    sandbox.douse(["scan", "-o", ".", "a"]).run().expect(2);
    assert_eq!(fs::read_dir(sandbox.work()).unwrap().count(), 1);
    // A run that fails leaves the old report as it was.
    let old = sandbox.out("old");
    fs::write(&old, "old").unwrap();
    sandbox
        .douse(["scan", "--files-from", "missing", "-o"])
        .arg(&old)
        .run()
        .expect(2);
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
}

#[test]
fn a_report_replaces_nothing_but_a_plain_file() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "");
    let (target, link, pipe) = (
        sandbox.out("target"),
        sandbox.out("link"),
        sandbox.out("pipe"),
    );
    fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    fifo(&pipe);
    for path in [&link, &pipe] {
        let before = fs::symlink_metadata(path).unwrap().file_type();
        let output = sandbox.douse(["scan", "a", "-o"]).arg(path).run().expect(2);
        assert!(output.talk().contains("no plain file"), "{output}");
        assert_eq!(fs::symlink_metadata(path).unwrap().file_type(), before);
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let sandbox = Sandbox::new();
    sandbox.write("many", sandbox.revocable(1000).join("\n"));
    let douse = env!("CARGO_BIN_EXE_douse");
    let scans = ["human", "json", "jsonl", "csv", "sarif", "html"];
    let scans = scans.map(|format| format!("scan -f {format} many"));
    let revocations = ["human", "json", "jsonl", "csv", "html"];
    let revocations = revocations.map(|format| format!("revoke --dry-run -f {format} many"));
    let others = ["completions bash", "man", "--help"].map(str::to_owned);
    // More is printed than a pipe holds, and nobody reads it.
    for arguments in scans.into_iter().chain(revocations).chain(others) {
        let script = format!("{{ {douse} {arguments} 2>talk; echo $? >code; }} | :");
        let run = sandbox.program("sh").args(["-c", &script]).status();
        assert!(run.unwrap().success());
        let read = |name: &str| fs::read_to_string(sandbox.work().join(name)).unwrap();
        assert_eq!(read("talk"), "", "{arguments}");
        let expected = if arguments.contains("many") { "1" } else { "0" };
        assert_eq!(read("code").trim(), expected, "{arguments}");
    }
}

/// What paints text.
const PAINT: &str = "\u{1b}[";

/// As <https://no-color.org> and <https://bixense.com/clicolors> have it; what the user says outright
/// comes first.
#[test]
fn colour_is_for_those_who_want_it() {
    let sandbox = Sandbox::new();
    sandbox.write("a", sandbox.token(Kind::Personal));
    for (words, set, is_coloured) in [
        ("scan a", "", false),
        ("scan a", "CLICOLOR_FORCE=1", true),
        ("scan a", "CLICOLOR_FORCE=1 NO_COLOR=1", false),
        ("scan --color always a", "NO_COLOR=1", true),
        ("scan --color never a", "CLICOLOR_FORCE=1", false),
        ("scan -f json a", "CLICOLOR_FORCE=1", false),
        ("revoke --dry-run a", "CLICOLOR_FORCE=1", true),
    ] {
        let run = sandbox.douse(words.split(' '));
        let set = set.split_whitespace().filter_map(|one| one.split_once('='));
        let run = set.fold(run, |run, (name, value)| run.env(name, value));
        let text = run.run().expect(1).text();
        assert_eq!(text.contains(PAINT), is_coloured, "{words}: {text}");
    }
    // `script` runs it on a terminal.
    let script = tools::from_debian("script", "bsdutils");
    for (set, is_coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("NO_COLOR", "")], true),
        (&[("TERM", "dumb")], false),
    ] {
        let command = format!("{} scan a", env!("CARGO_BIN_EXE_douse"));
        let mut run = sandbox.program(script.to_str().unwrap());
        run.env("TERM", "xterm").envs(set.iter().copied());
        let output = run.args(["-qc", &command, "/dev/null"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("in 1 place"), "{text}");
        // Progress, which is drawn there too, is cleared and not painted.
        assert_eq!(text.contains("\u{1b}[1m"), is_coloured, "{set:?}: {text:?}");
    }
}

/// `/dev/full` takes nothing: that is no closed pipe, and the report is lost.
#[test]
fn a_full_disk_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("a", sandbox.token(Kind::Personal));
    let douse = env!("CARGO_BIN_EXE_douse");
    for arguments in ["scan a", "scan -f csv a", "--help", "man", "status"] {
        let script = format!("{douse} {arguments} >/dev/full");
        let run = sandbox
            .program("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(2), "{arguments}");
        let told = String::from_utf8(run.stderr).unwrap();
        assert!(told.contains("standard output"), "{arguments}: {told}");
    }
}

#[test]
fn whole_tokens_are_shown_to_those_who_ask() {
    let sandbox = Sandbox::new();
    let (token, wrong) = (sandbox.token(Kind::Refresh), sandbox.mistyped(Kind::OAuth));
    sandbox.write("a", format!("{token}\n{wrong}\n"));
    for format in ["human", "json", "jsonl"] {
        let arguments = ["scan", "--show-secrets", "-f", format, "a"];
        let text = sandbox
            .douse(arguments)
            .showing_secrets()
            .run()
            .expect(1)
            .text();
        assert!(text.contains(&token), "{format}");
        assert!(!text.contains(&wrong), "{format}");
        let both = sandbox
            .douse(arguments)
            .arg("--unverified")
            .showing_secrets()
            .run();
        assert!(both.expect(1).text().contains(&wrong), "{format}");
        // Never by default, and never where something is revoked.
        sandbox
            .douse(["scan", "--unverified", "-f", format, "a"])
            .run()
            .expect(1);
        sandbox
            .douse(["revoke", "--show-secrets", "--dry-run", "-f", format])
            .run()
            .expect(2);
    }
    let run = sandbox
        .douse(["scan", "--show-secrets", "-f", "jsonl", "a"])
        .showing_secrets();
    assert_eq!(run.run().all("match", "token"), [token]);
}

#[test]
fn a_person_is_told_what_and_where() {
    let sandbox = Sandbox::new();
    let (token, report_only) = (
        sandbox.token(Kind::FineGrained),
        sandbox.token(Kind::Installation),
    );
    sandbox.write("src/config.py", format!("\nTOKEN = '{token}'\n"));
    sandbox.write(
        "log",
        format!("{report_only} {}", sandbox.mistyped(Kind::Personal)),
    );
    let output = sandbox.douse(["scan"]).run().expect(1);
    let text = output.text();
    for part in [
        "github_pat_…",
        &tokens::fingerprint(&token),
        "src/config.py:2:10",
        "log:1:1",
        "2 tokens in 2 places",
        "1 unverified shape",
        "douse revoke --dry-run",
    ] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    assert!(!text.contains('\x1b'), "no colour in a pipe: {text:?}");
    assert_eq!(output.talk(), "");
    let colour = sandbox
        .douse(["scan", "--color", "always"])
        .run()
        .expect(1)
        .text();
    assert!(colour.contains('\x1b'));
    let clean = sandbox.douse(["scan", "-"]).run().expect(0).text();
    assert!(clean.starts_with("no tokens"), "{clean}");
}

/// What could not be read may hold a token: nobody is to read "no tokens" and be at ease.
#[test]
fn a_person_is_told_what_is_missing() {
    let sandbox = Sandbox::new();
    sandbox.write("a", "");
    let text = sandbox.douse(["scan", "a", "gone"]).run().expect(2).text();
    assert!(
        text.contains("gone") && text.contains("not complete"),
        "{text}"
    );
}

#[test]
fn findings_come_in_one_order() {
    let sandbox = Sandbox::new();
    let tokens: Vec<_> = sandbox.revocable(30);
    for (at, token) in tokens.iter().enumerate() {
        sandbox.write(format!("{}/{at}", at % 3), token);
    }
    let output = sandbox.scan(["."]).expect(1);
    let paths = output.all("match", "path");
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(paths, sorted);
    let document = sandbox.douse(["scan", "-f", "json"]).run().expect(1).json();
    let findings = document["findings"].as_array().unwrap();
    let order: Vec<_> = findings
        .iter()
        .map(|finding| finding["fingerprint"].as_str())
        .collect();
    let expected = fingerprints(&tokens);
    assert_eq!(
        order,
        expected
            .iter()
            .map(|name| Some(name.as_str()))
            .collect::<Vec<_>>()
    );
}
