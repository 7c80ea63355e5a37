//! What is on record: `status` and `audit`, while revocations run and after.

use std::time::Duration;

use serde_json::Value;

use crate::douse::{Signal, fingerprints};
use crate::github::{Behaviour, Github};
use crate::revoke::revoke;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

fn audit(sandbox: &Sandbox) -> Vec<Value> {
    let output = sandbox.douse(["audit"]).run().expect(0);
    let text = output.text();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn status(sandbox: &Sandbox) -> Value {
    sandbox
        .douse(["status", "-f", "json"])
        .run()
        .expect(0)
        .json()
}

#[test]
fn an_untouched_machine_has_nothing_on_record() {
    let sandbox = Sandbox::new();
    assert!(audit(&sandbox).is_empty());
    assert_eq!(status(&sandbox)["hosts"], Value::Array(Vec::new()));
    let human = sandbox.douse(["status"]).run().expect(0);
    assert!(human.text().contains("Nothing is on record"));
    assert!(!sandbox.ledger().exists());
}

/// Who mistypes the name of a ledger is not to read that nothing was ever sent.
#[test]
fn a_ledger_that_is_named_must_be_there() {
    let sandbox = Sandbox::new();
    for command in ["status", "audit"] {
        let named = sandbox.douse([command, "--ledger", "typo"]).run().expect(2);
        assert!(named.talk().contains("no ledger at typo"), "{named}");
        let folder = sandbox.douse([command, "--ledger", "."]).run().expect(2);
        assert!(folder.talk().contains("is a directory"), "{folder}");
    }
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let revoke = sandbox.douse(["revoke", "--yes", "--ledger", "../out"]);
    let output = revoke.arg("leak").run().expect(2);
    assert!(output.talk().contains("is a directory"), "{output}");
    // Nothing was made beside it.
    assert!(!sandbox.out("../out.lock").exists());
}

/// The judge is the server's log: each request that it has stands in the audit with its tokens.
#[test]
fn the_audit_has_every_request_with_its_tokens() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.revocable(7).join("\n"));
    let withheld = sandbox.token(Kind::Installation);
    sandbox.write("other", &withheld);
    github.script([
        Behaviour::Close,
        Behaviour::status(429).with_header("retry-after", &0),
        Behaviour::status(503),
    ]);
    let run = revoke(&sandbox, &github).arg("--batch-size").arg("3");
    run.arg("--retry-pause").arg("0s").run().expect(1);
    let lines = audit(&sandbox);
    let requests: Vec<&Value> = lines
        .iter()
        .filter(|line| line["type"] == "request")
        .collect();
    let log = github.log();
    assert_eq!((requests.len(), log.len()), (6, 6));
    let states: Vec<&str> = requests
        .iter()
        .map(|line| line["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        [
            "unknown",
            "throttled",
            "unknown",
            "accepted",
            "accepted",
            "accepted"
        ]
    );
    for (request, seen) in requests.iter().zip(&log) {
        assert_eq!(request["tokens"], seen.credentials.len());
        assert_eq!(request["host"], github.url());
        let of = |line: &&Value| line["type"] == "outcome" && line["request"] == request["request"];
        let names: Vec<&str> = lines
            .iter()
            .filter(of)
            .map(|line| line["fingerprint"].as_str().unwrap())
            .collect();
        assert_eq!(names, fingerprints(&seen.credentials));
    }
    assert_eq!(requests[2]["http_status"], 503);
    let held: Vec<&Value> = lines
        .iter()
        .filter(|line| line["state"] == "withheld")
        .collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["fingerprint"], tokens::fingerprint(&withheld));
    // What it looks like now.
    let now = status(&sandbox);
    let host = &now["hosts"][0];
    assert_eq!(host["tokens"]["accepted"], 7);
    assert_eq!(host["tokens"]["withheld"], 1);
    assert_eq!(host["budgets"][0]["used"], 6);
    assert_eq!(host["budgets"][0]["requests"], 60);

    // A file that holds it, and nobody else may read.
    let file = sandbox.out("audit.jsonl");
    sandbox.douse(["audit", "-o"]).arg(&file).run().expect(0);
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written.lines().count(), lines.len());
}

#[test]
fn both_work_while_a_revocation_runs_and_after_it_was_killed() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.revocable(5).join("\n"));
    github.script([Behaviour::Hang]);
    let run = revoke(&sandbox, &github)
        .arg("--batch-size")
        .arg("2")
        .spawn();
    github.wait_for(1);
    let look = || {
        let now = status(&sandbox);
        let host = &now["hosts"][0];
        assert_eq!(host["open_requests"], 1);
        assert_eq!(host["tokens"]["unknown"], 2);
        // Those that were not sent yet are on record as well: nobody has to remember them.
        assert_eq!(host["tokens"]["pending"], 3);
        let lines = audit(&sandbox);
        assert_eq!(lines[0]["state"], "open");
        assert_eq!(lines.len(), 6);
    };
    look();
    let human = sandbox.douse(["status"]).run().expect(0);
    assert!(human.text().contains("1 request under way"), "{human}");
    run.signal(Signal::Kill);
    drop(run);
    look();
}

#[test]
fn the_next_slot_is_told() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    github.script([Behaviour::status(429).with_header("retry-after", &600)]);
    revoke(&sandbox, &github).arg("--no-wait").run().expect(1);
    let next = |status: &Value| {
        status["hosts"][0]["budgets"][0]["next_seconds"]
            .as_u64()
            .unwrap()
    };
    let seen = status(&sandbox);
    assert!((580..=600).contains(&next(&seen)), "{seen}");
    assert_eq!(seen["hosts"][0]["budgets"][0]["asked_for_by_host"], true);
    sandbox.let_pass(Duration::from_secs(600));
    assert_eq!(next(&status(&sandbox)), 0);
}

#[test]
fn a_ledger_that_is_none_is_told_and_left_alone() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.ledger(), "a text of somebody's").unwrap();
    for command in ["status", "audit"] {
        let output = sandbox.douse([command]).run().expect(2);
        assert!(output.talk().contains("not a douse ledger"), "{output}");
    }
    assert_eq!(
        std::fs::read(sandbox.ledger()).unwrap(),
        b"a text of somebody's"
    );
}
