//! What goes wrong on the way to the server and back, and what is made of it. Nothing may be lost,
//! nothing sent that was refused, nobody pressed who asked for a pause.

use std::time::Duration;

use crate::douse::Output;
use crate::github::{Behaviour, Github};
use crate::http::Verdict;
use crate::revoke::{revoke, states};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// One token, one behaviour, no waiting; what the run says.
fn meet(sandbox: &Sandbox, github: &Github, behaviour: Behaviour) -> Output {
    github.script([behaviour]);
    let run = revoke(sandbox, github)
        .arg("--no-wait")
        .arg("--timeout")
        .arg("1s");
    run.run()
}

/// A sandbox with one leaked token.
fn leak() -> (Sandbox, Github, String) {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    sandbox.write("leak", &token);
    (sandbox, Github::new(), token)
}

#[test]
fn a_refusal_stops_the_run_at_once() {
    for status in [400, 401, 403, 404, 405, 410, 415] {
        let (sandbox, github) = (Sandbox::new(), Github::new());
        sandbox.write("leak", sandbox.revocable(4).join("\n"));
        github.script([Behaviour::status(status).with_body(r#"{"message":"Forbidden"}"#)]);
        let run = revoke(&sandbox, &github).arg("--batch-size").arg("1");
        let output = run.run().expect(2);
        assert_eq!(states(&output), ["pending"; 4], "{status}");
        assert_eq!(github.log().len(), 1, "{status}");
        let stopped = output.summary()["stopped"].to_string();
        assert!(stopped.contains(&status.to_string()), "{stopped}");
        // When the cause is gone, all are sent.
        revoke(&sandbox, &github).run().expect(0);
        assert_eq!(github.taken().len(), 4);
    }
}

#[test]
fn a_request_for_a_pause_is_honoured_by_all_runs() {
    let in_an_hour = {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_secs() + 3600
    };
    for (behaviour, pause) in [
        (Behaviour::status(429).with_header("retry-after", &120), 120),
        (
            Behaviour::status(403).with_header("retry-after", &7200),
            7200,
        ),
        (Behaviour::status(429), 60),
        (
            Behaviour::status(403)
                .with_body(r#"{"message":"You have exceeded a secondary rate limit"}"#),
            60,
        ),
        (
            Behaviour::status(403)
                .with_header("x-ratelimit-remaining", &0)
                .with_header("x-ratelimit-reset", &in_an_hour),
            3590,
        ),
    ] {
        let (sandbox, github, token) = leak();
        let output = meet(&sandbox, &github, behaviour.clone()).expect(1);
        assert_eq!(states(&output), ["pending"], "{behaviour:?}");
        let again = revoke(&sandbox, &github).arg("--no-wait").run().expect(1);
        assert_eq!(states(&again), ["pending"]);
        let next = again.summary()["next_seconds"].as_u64().unwrap();
        assert!(
            (pause - 30..=pause + 20).contains(&next),
            "{behaviour:?}: {next}"
        );
        // Just before its end, and just behind it.
        sandbox.let_pass(Duration::from_secs(next - 20));
        revoke(&sandbox, &github).arg("--no-wait").run().expect(1);
        assert_eq!(github.log().len(), 1, "{behaviour:?}");
        sandbox.let_pass(Duration::from_secs(20));
        revoke(&sandbox, &github).arg("--no-wait").run().expect(0);
        assert_eq!(github.taken(), [token]);
    }
}

/// However the answer fails to come, the token may have been taken or not: it is unknown, and sent
/// again later. Twice is better than never.
#[test]
fn what_got_no_answer_is_unknown_and_sent_again() {
    for behaviour in [
        Behaviour::Close,
        Behaviour::TakeAndClose,
        Behaviour::Reset,
        Behaviour::Hang,
        Behaviour::Dribble,
        Behaviour::CloseAfterHeaders(500),
        Behaviour::status(500),
        Behaviour::status(502).with_body("<html>Bad gateway</html>"),
        Behaviour::status(503).with_header("retry-after", &5),
        Behaviour::status(200).with_body("{}"),
    ] {
        let (sandbox, github, token) = leak();
        let output = meet(&sandbox, &github, behaviour.clone()).expect(1);
        assert_eq!(states(&output), ["unknown"], "{behaviour:?}");
        // Nothing behind our back tried again.
        assert_eq!(github.log().len(), 1, "{behaviour:?}");
        // At once is too early for a server in trouble.
        let output = revoke(&sandbox, &github).arg("--no-wait").run().expect(1);
        assert_eq!(states(&output), ["unknown"], "{behaviour:?}");
        assert_eq!(github.log().len(), 1, "{behaviour:?}");

        sandbox.let_pass(Duration::from_secs(15));
        let output = revoke(&sandbox, &github).arg("--no-wait").run().expect(0);
        assert_eq!(states(&output), ["accepted"], "{behaviour:?}");
        let log = github.log();
        assert_eq!(log.len(), 2, "{behaviour:?}");
        assert_eq!(log[1].credentials, [token]);
    }
}

/// Without `--no-wait` one run sees it through, holding back a little longer each time.
#[test]
fn a_patient_run_sends_again_by_itself() {
    let (sandbox, github, token) = leak();
    github.script([Behaviour::Close, Behaviour::Close]);
    let run = revoke(&sandbox, &github).arg("--retry-pause").arg("1s");
    let output = run.run().expect(0);
    assert_eq!(states(&output), ["accepted"]);
    assert_eq!(output.summary()["requests"], 3);
    let log = github.log();
    assert_eq!(log.len(), 3);
    assert!(log[1].at - log[0].at >= Duration::from_secs(1));
    assert!(log[2].at - log[1].at >= Duration::from_secs(2));
    assert_eq!(github.taken(), [token]);
}

/// An answer of 202 counts, whatever its body; what has been said cannot be unsaid.
#[test]
fn an_acceptance_needs_no_body() {
    for behaviour in [
        Behaviour::status(202),
        Behaviour::status(202).with_body("null"),
        Behaviour::status(202).with_body("{\"message\": 1}"),
        Behaviour::status(202).with_body("not JSON"),
        Behaviour::CloseAfterHeaders(202),
    ] {
        let (sandbox, github, _) = leak();
        let output = meet(&sandbox, &github, behaviour.clone()).expect(0);
        assert_eq!(states(&output), ["accepted"], "{behaviour:?}");
        revoke(&sandbox, &github).run().expect(0);
        assert_eq!(github.log().len(), 1, "{behaviour:?}");
    }
}

#[test]
fn a_batch_with_one_bad_token_is_taken_apart() {
    for position in [0, 500, 999] {
        let (sandbox, github) = (Sandbox::new(), Github::new());
        let mut tokens = sandbox.revocable(1000);
        // In the order in which they travel.
        tokens.sort_by_key(|token| tokens::fingerprint(token));
        sandbox.write("leak", tokens.join("\n"));
        let bad = tokens.remove(position);
        github.poison(&bad);
        let output = revoke(&sandbox, &github).run().expect(1);
        tokens.sort_unstable();
        assert_eq!(github.taken(), tokens);
        assert!(github.log().len() <= 22, "{} requests", github.log().len());
        let outcomes = output.lines("outcome");
        let rejected: Vec<_> = outcomes
            .iter()
            .filter(|outcome| outcome["state"] == "rejected")
            .collect();
        assert_eq!(rejected.len(), 1);
        assert_eq!(rejected[0]["fingerprint"], tokens::fingerprint(&bad));
        assert!(
            rejected[0]["reason"]
                .as_str()
                .unwrap()
                .contains("Validation Failed")
        );

        // It is not sent again, unless that is asked for.
        let requests = github.log().len();
        revoke(&sandbox, &github).run().expect(1);
        assert_eq!(github.log().len(), requests);
        revoke(&sandbox, &github)
            .arg("--resend-rejected")
            .run()
            .expect(1);
        assert_eq!(
            github.log()[requests..]
                .iter()
                .map(|r| &r.credentials)
                .collect::<Vec<_>>(),
            [&[bad]]
        );
    }
}

#[test]
fn a_single_token_that_is_refused_is_rejected() {
    let (sandbox, github, token) = leak();
    github.poison(&token);
    let output = revoke(&sandbox, &github).run().expect(1);
    assert_eq!(states(&output), ["rejected"]);
    assert_eq!(github.log().len(), 1);
    assert_eq!(github.log()[0].verdict, Verdict::Refused(422));
}

/// The server repeats what it was sent: that is the server's affair, and must not become ours.
#[test]
fn an_answer_that_repeats_a_token_is_not_repeated() {
    let (sandbox, github, token) = leak();
    let said: &'static str =
        format!(r#"{{"message":"Validation failed for {token}","errors":["{token}"]}}"#).leak();
    let id = format!("{token}\u{1b}[31m");
    for status in [422, 403, 500, 429, 202] {
        let (sandbox, github) = (&sandbox, &github);
        let behaviour = Behaviour::status(status)
            .with_body(said)
            .with_header("x-github-request-id", &id);
        github.script([behaviour]);
        for format in ["human", "json"] {
            let arguments = [
                "revoke",
                "--yes",
                "--no-wait",
                "--resend-rejected",
                "-f",
                format,
            ];
            sandbox
                .douse(arguments)
                .arg("--api-url")
                .arg(github.url())
                .run();
        }
        sandbox.let_pass(Duration::from_secs(3600));
    }
    assert!(github.log().len() >= 5);
}

#[test]
fn a_redirect_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let (sandbox, github, _) = leak();
        let elsewhere = Github::new();
        let location = format!("{}/credentials/revoke", elsewhere.url());
        let redirect = Behaviour::status(status).with_header("location", &location);
        let output = meet(&sandbox, &github, redirect).expect(2);
        assert_eq!(states(&output), ["pending"], "{status}");
        assert_eq!(github.log().len(), 1);
        assert_eq!(elsewhere.log().len(), 0, "{status}");
    }
}

/// No connection, no request, nothing taken from the budget; and it does not try for ever.
#[test]
fn nobody_there_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let url = Github::new().url();
    let arguments = [
        "revoke",
        "--yes",
        "-f",
        "jsonl",
        "--no-wait",
        "--retry-pause",
        "0s",
        "--api-url",
        &url,
    ];
    let output = sandbox.douse(arguments).run().expect(2);
    assert_eq!(states(&output), ["pending"]);
    assert_eq!(output.summary()["requests"], 0);
}

#[test]
fn plain_http_is_for_this_machine_only() {
    let (sandbox, github, _) = leak();
    let elsewhere = github.url().replace("127.0.0.1", "0.0.0.0");
    for url in [
        "http://api.github.com",
        "http://192.0.2.1",
        "http://localhost.example",
        &elsewhere,
    ] {
        sandbox
            .douse(["revoke", "--yes", "--api-url", url])
            .run()
            .expect(2);
    }
    assert_eq!(github.log().len(), 0);
    assert!(!sandbox.ledger().exists());
}

/// A server that never gets enough: the run gives up, and says so.
#[test]
fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    github.limit(1000);
    let tokens = sandbox.revocable(200);
    sandbox.write("leak", tokens.join("\n"));
    for token in &tokens {
        github.poison(token);
    }
    let run = revoke(&sandbox, &github).arg("--budget").arg("1000/1h");
    let output = run.run().expect(2);
    assert!(github.log().len() <= 60, "{} requests", github.log().len());
    // What it refused one by one was no more about a token than the rest.
    assert_eq!(states(&output), vec!["pending"; 200]);
}

/// Too few tokens for the run to give up: even so, nothing shows that it was about the tokens.
#[test]
fn a_server_that_refused_every_token_is_asked_again_by_the_next_run() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(5);
    sandbox.write("leak", tokens.join("\n"));
    let words = r#"{"message":"Validation failed, or the endpoint has been spammed."}"#;
    let refusal = Behaviour::status(422).with_body(words);
    // The batch, its halves, and so on to each token: five and the four above them.
    github.script(std::iter::repeat_n(refusal, 9));
    let output = revoke(&sandbox, &github).run().expect(2);
    assert_eq!(github.log().len(), 9);
    assert_eq!(states(&output), ["pending"; 5]);
    assert!(
        output.summary()["stopped"]
            .to_string()
            .contains("later run"),
        "{output}"
    );
    // On record is both: that they were refused, and that it was taken back.
    let audit = sandbox.douse(["audit"]).run().expect(0);
    let outcomes = audit.lines("outcome");
    let rejected = outcomes.iter().filter(|one| one["state"] == "rejected");
    let taken_back = |reason: &serde_json::Value| reason.to_string().contains("taken back");
    let pending = outcomes.iter().filter(|one| taken_back(&one["reason"]));
    assert_eq!((rejected.count(), pending.count()), (5, 5), "{audit}");
    revoke(&sandbox, &github).run().expect(0);
    assert_eq!(github.taken().len(), 5);
}
