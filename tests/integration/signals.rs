//! Signals: a scan ends with what it has found, a revocation with what it has sent on record.

use std::io::Write as _;

use crate::douse::{Signal, fingerprints};
use crate::github::{Behaviour, Github};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// So much that a pipe cannot hold it: when it is written, most of it has been read, and what came
/// first has been scanned.
const FILLER: usize = 2 * 1024 * 1024;

#[test]
fn a_scan_that_is_told_to_stop_tells_what_it_found() {
    for signal in [Signal::Int, Signal::Term] {
        let sandbox = Sandbox::new();
        let token = sandbox.token(Kind::Personal);
        sandbox.write("never reached", sandbox.token(Kind::Personal));
        let mut run = sandbox
            .douse(["scan", "-f", "jsonl", "-", "."])
            .pipe()
            .spawn();
        let mut input = run.input.take().unwrap();
        input.write_all(token.as_bytes()).unwrap();
        input.write_all(&vec![b'.'; FILLER]).unwrap();
        run.signal(signal);
        let output = run.wait().expect(2);
        // Only now: it ended although its input did not.
        drop(input);
        assert_eq!(output.found(), fingerprints([&token]), "{signal:?}");
        assert_eq!(output.summary()["complete"], false);
    }
}

#[test]
fn a_person_is_told_that_a_scan_was_interrupted() {
    let sandbox = Sandbox::new();
    let mut run = sandbox.douse(["scan", "-"]).pipe().spawn();
    let mut input = run.input.take().unwrap();
    input.write_all(&vec![b'.'; FILLER]).unwrap();
    run.signal(Signal::Int);
    let text = run.wait().expect(2).text();
    drop(input);
    assert!(text.contains("it was interrupted"), "{text}");
    assert!(!text.contains("see above"), "{text}");
}

#[test]
fn an_interrupted_scan_for_revocation_sends_nothing() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Personal);
    let arguments = ["revoke", "--yes", "--api-url", &github.url(), "-"];
    let mut run = sandbox.douse(arguments).pipe().spawn();
    let mut input = run.input.take().unwrap();
    input.write_all(token.as_bytes()).unwrap();
    input.write_all(&vec![b'.'; FILLER]).unwrap();
    run.signal(Signal::Int);
    run.wait().expect(2);
    drop(input);
    assert_eq!(github.log().len(), 0);
}

/// At the question, too, whoever stops it is told that nothing was sent.
#[test]
fn an_interrupted_question_sends_nothing() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let revoke = sandbox.douse(["revoke", "--api-url", &github.url()]);
    let run = revoke.terminal("").spawn();
    run.wait_for("type the number of tokens (1): ");
    run.signal(Signal::Int);
    let talk = run.wait().expect(2).talk();
    assert!(
        talk.contains("\ndouse: error: interrupted; nothing was sent"),
        "{talk:?}"
    );
    assert_eq!(github.log().len(), 0);
}

/// The request in flight is waited for and recorded; the next one is not begun.
#[test]
fn a_revocation_that_is_told_to_stop_ends_behind_its_request() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(4);
    sandbox.write("list", tokens.join("\n"));
    // Told to hold off: the run waits when the signal comes.
    github.script([Behaviour::status(429).with_header("retry-after", &600)]);
    let arguments = [
        "--yes",
        "--min-interval",
        "0s",
        "--batch-size",
        "2",
        "-f",
        "jsonl",
    ];
    let run = sandbox.douse([
        "revoke",
        "--credentials",
        "list",
        "--api-url",
        &github.url(),
    ]);
    let run = arguments
        .into_iter()
        .fold(run, crate::douse::Douse::arg)
        .spawn();
    github.wait_for(1);
    run.signal(Signal::Term);
    let output = run.wait().expect(2);
    assert_eq!(github.log().len(), 1);
    assert_eq!(output.all("outcome", "state"), ["pending"; 4]);
    assert_eq!(output.summary()["complete"], false);
}
