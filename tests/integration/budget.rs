//! How fast it goes, over runs, processes and crashes.

use std::thread;
use std::time::Duration;

use crate::douse::Signal;
use crate::github::{Behaviour, Github};
use crate::http::Verdict;
use crate::revoke::{revoke, states};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

const HOUR: Duration = Duration::from_secs(3600);

fn duplicates(tokens: &[String]) -> usize {
    tokens.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

#[test]
fn what_the_budget_does_not_allow_is_left_for_later() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(5);
    sandbox.write("leak", tokens.join("\n"));
    let run = || {
        let run = revoke(&sandbox, &github)
            .arg("--no-wait")
            .arg("--batch-size")
            .arg("1");
        run.arg("--budget").arg("2/1h").run()
    };
    let first = run().expect(1);
    assert_eq!(
        states(&first),
        ["accepted", "accepted", "pending", "pending", "pending"]
    );
    assert_eq!(github.log().len(), 2);
    let next = first.summary()["next_seconds"].as_u64().unwrap();
    assert!((3500..=3600).contains(&next), "{next}");

    // At once: nothing may go.
    let second = run().expect(1);
    assert_eq!(states(&second), states(&first));
    assert_eq!(second.summary()["requests"], 0);
    assert_eq!(github.log().len(), 2);
    // A minute too early as well.
    sandbox.let_pass(Duration::from_secs(59 * 60));
    run().expect(1);
    assert_eq!(github.log().len(), 2);

    sandbox.let_pass(Duration::from_secs(60));
    run().expect(1);
    assert_eq!(github.log().len(), 4);
    sandbox.let_pass(HOUR);
    assert_eq!(states(&run().expect(0)), ["accepted"; 5]);
    assert_eq!(github.log().len(), 5);
    assert_eq!(duplicates(&github.taken()), 0);
    assert_eq!(github.taken().len(), 5);
}

/// The limit that holds without a word on the command line.
#[test]
fn sixty_requests_an_hour_are_the_default() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(61);
    sandbox.write("leak", tokens.join("\n"));
    let run = revoke(&sandbox, &github)
        .arg("--no-wait")
        .arg("--batch-size")
        .arg("1");
    let output = run.run().expect(1);
    assert_eq!(output.summary()["accepted"], 60);
    assert_eq!(output.summary()["pending"], 1);
    // Not one was refused: the server never had to say so.
    assert_eq!(github.taken().len(), 60);
    assert_eq!(github.log().len(), 60);
}

#[test]
fn a_second_lies_between_two_requests() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.revocable(3).join("\n"));
    let url = github.url();
    let arguments = ["revoke", "--yes", "--batch-size", "1", "--api-url", &url];
    sandbox.douse(arguments).run().expect(0);
    let log = github.log();
    assert_eq!(log.len(), 3);
    for pair in log.windows(2) {
        let between = pair[1].at - pair[0].at;
        assert!(between >= Duration::from_secs(1), "{between:?}");
    }
}

/// Two processes share one ledger: whatever is the order of things, each token arrives once, and
/// no two requests are under way together.
#[test]
fn two_processes_share_the_work_and_the_budget() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(30);
    sandbox.write("leak", tokens.join("\n"));
    let outputs = thread::scope(|scope| {
        let start = || {
            let run = revoke(&sandbox, &github)
                .arg("--batch-size")
                .arg("2")
                .arg("--no-wait");
            run.arg("--budget").arg("12/1h").run()
        };
        let runs = [scope.spawn(start), scope.spawn(start)];
        runs.map(|run| run.join().unwrap())
    });
    // Twelve requests of two tokens, and six tokens are left.
    assert_eq!(github.log().len(), 12);
    assert_eq!(github.taken().len(), 24);
    assert_eq!(duplicates(&github.taken()), 0);
    for output in &outputs {
        assert_eq!(output.code(), 1, "{output}");
        assert!(output.summary()["pending"].as_u64().unwrap() >= 6);
    }
    let requests = outputs
        .iter()
        .map(|output| output.summary()["requests"].as_u64().unwrap());
    assert_eq!(requests.sum::<u64>(), 12);
    sandbox.let_pass(HOUR);
    revoke(&sandbox, &github).run().expect(0);
    assert_eq!(github.taken().len(), 30);
    assert_eq!(duplicates(&github.taken()), 0);
}

/// A process waits while another's request is under way, and sends nothing of it a second time.
#[test]
fn a_process_waits_for_the_request_of_another() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Personal);
    sandbox.write("leak", &token);
    github.script([Behaviour::Hang]);
    let first = revoke(&sandbox, &github)
        .arg("--no-wait")
        .arg("--timeout")
        .arg("2s")
        .spawn();
    github.wait_for(1);
    let second = revoke(&sandbox, &github).arg("--no-wait").spawn();
    // The first one's time runs out, and it tells everybody to hold still for a while.
    assert_eq!(states(&first.wait().expect(1)), ["unknown"]);
    assert_eq!(states(&second.wait().expect(1)), ["unknown"]);
    assert_eq!(github.log().len(), 1);
}

/// Killed while the server has the request: nobody knows what became of it, so it is sent again,
/// whole, and counts against the budget meanwhile.
#[test]
fn a_killed_run_is_taken_up_by_the_next() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(5);
    sandbox.write("leak", tokens.join("\n"));
    github.script([Behaviour::Hang]);
    let run = |budget| {
        let run = revoke(&sandbox, &github)
            .arg("--batch-size")
            .arg("3")
            .arg("--no-wait");
        run.arg("--budget").arg(budget)
    };
    let killed = run("3/1h").spawn();
    github.wait_for(1);
    killed.signal(Signal::Kill);
    let lost = github.log()[0].credentials.clone();
    assert_eq!(lost.len(), 3);
    drop(killed);

    // Its request has the one place that there is.
    let output = run("1/1h").run().expect(1);
    assert_eq!(
        states(&output),
        ["pending", "pending", "unknown", "unknown", "unknown"]
    );
    assert_eq!(github.log().len(), 1);

    sandbox.let_pass(HOUR);
    let output = run("3/1h").run().expect(0);
    assert_eq!(states(&output), ["accepted"; 5]);
    let log = github.log();
    assert_eq!(log.len(), 3);
    assert!(log[1..].iter().any(|request| request.credentials == lost));
    assert_eq!(log[0].verdict, Verdict::Dropped);
    assert_eq!(github.taken().len(), 5);
    assert_eq!(duplicates(&github.taken()), 0);
    let ledger = rusqlite::Connection::open(sandbox.ledger()).unwrap();
    let state: String = ledger
        .query_row("SELECT state FROM request WHERE id = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(state, "unknown");
}

/// The server's own limit may be nearer than the ledger knows: others share the address.
#[test]
fn the_servers_limit_is_believed() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    github.limit(2);
    sandbox.write("leak", sandbox.revocable(4).join("\n"));
    let run = || {
        let run = revoke(&sandbox, &github)
            .arg("--no-wait")
            .arg("--batch-size")
            .arg("1");
        run.run()
    };
    // The second answer says that none is left, so no third request is made.
    let output = run().expect(1);
    assert_eq!(
        states(&output),
        ["accepted", "accepted", "pending", "pending"]
    );
    assert_eq!(github.log().len(), 2);
    run().expect(1);
    assert_eq!(github.log().len(), 2);
    let next = output.summary()["next_seconds"].as_u64().unwrap();
    assert!((3590..=3602).contains(&next), "{next}");
}
