//! The calls of an enterprise: what they send, what they ask before, what they make of the answer.

use serde_json::{Value, json};

use crate::douse::{Douse, Output};
use crate::github::{Behaviour, Github};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// A sandbox with a token of ours, and a host for it.
fn stage() -> (Sandbox, Github, String) {
    let sandbox = Sandbox::new();
    let login = sandbox.token(Kind::Personal);
    (sandbox, Github::new(), login)
}

fn enterprise<'s>(sandbox: &'s Sandbox, github: &Github, arguments: &[&str]) -> Douse<'s> {
    let run = sandbox.douse(["enterprise"]);
    let run = arguments.iter().fold(run, Douse::arg);
    run.arg("--api-url").arg(github.url())
}

fn accepted() -> Behaviour {
    Behaviour::status(202).with_body(
        r#"{"message":"Revocation started","warning":"Your own token may be \u001b[31mrevoked"}"#,
    )
}

/// What the only request asked for.
fn asked(github: &Github) -> (String, Value) {
    let log = github.log();
    assert_eq!(log.len(), 1);
    (
        log[0].path.clone(),
        serde_json::from_slice(&log[0].body).unwrap(),
    )
}

fn answer(output: &Output) -> Value {
    let answer = output.json();
    assert_eq!(answer["type"], "enterprise");
    answer
}

#[test]
fn each_call_goes_to_its_place_with_our_token() {
    for (arguments, path, destroys) in [
        (
            &["revoke-all", "acme"][..],
            "/enterprises/acme/credential-authorizations/revoke-all",
            false,
        ),
        (
            &["revoke-all", "acme", "--destroy-credentials"],
            "/enterprises/acme/credential-authorizations/revoke-all",
            true,
        ),
        (
            &["revoke-user", "acme", "mona_acme", "--destroy-credentials"],
            "/enterprises/acme/credential-authorizations/mona_acme/revoke",
            true,
        ),
    ] {
        let (sandbox, github, login) = stage();
        github.script([accepted()]);
        let run = enterprise(&sandbox, &github, arguments)
            .arg("--yes")
            .arg("-f")
            .arg("json");
        let output = run.env("GITHUB_TOKEN", &login).run().expect(0);
        let (asked, body) = asked(&github);
        assert_eq!(
            (asked.as_str(), body),
            (path, json!({"revoke_credentials": destroys}))
        );
        let request = &github.log()[0];
        assert_eq!(request.method, "POST");
        let expected = format!("Bearer {login}");
        assert_eq!(request.header("authorization"), Some(expected.as_str()));
        assert_eq!(request.header("x-github-api-version"), Some("2026-03-10"));
        let answer = answer(&output);
        assert_eq!(answer["state"], "accepted");
        assert_eq!(answer["message"], "Revocation started");
        assert_eq!(answer["destroy_credentials"], destroys);
        assert!(output.talk().contains("cannot be undone"), "{output}");
        assert!(
            output.talk().contains("The token that makes this call"),
            "{output}"
        );

        // On record like everything, and nothing of the budget for tokens is gone.
        let audit = sandbox.douse(["audit"]).run().expect(0);
        let request = &audit.lines("request")[0];
        assert_eq!(request["enterprise"], "acme");
        assert_eq!(request["identity"], tokens::fingerprint(&login));
        assert_eq!(request["state"], "accepted");
        assert_eq!(request["destroy_credentials"], destroys);
    }
}

#[test]
fn a_person_is_told_the_warning_and_no_terminal_is_moved_by_it() {
    let (sandbox, github, login) = stage();
    github.script([accepted()]);
    let run = enterprise(&sandbox, &github, &["revoke-user", "acme", "mona", "--yes"]);
    let output = run.env("GH_TOKEN", &login).run().expect(0);
    let text = output.text();
    assert!(text.contains("accepted (status 202)"), "{text}");
    assert!(
        text.contains("The host warns: Your own token may be"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn refusals_are_told_in_the_hosts_words_with_what_to_do() {
    for (status, code, state, advice) in [
        (401, 1, "rejected", "admin:enterprise"),
        (403, 1, "rejected", "admin:enterprise"),
        (404, 1, "rejected", "no such enterprise or user"),
        (422, 1, "rejected", "managed users"),
        (429, 1, "pending", "pause"),
        (500, 1, "unknown", "may have done it"),
    ] {
        let (sandbox, github, login) = stage();
        let words: &'static str =
            format!(r#"{{"message":"No, {}","errors":["none"]}}"#, &login[8..14]).leak();
        github.script([Behaviour::status(status).with_body(words)]);
        let run = enterprise(
            &sandbox,
            &github,
            &["revoke-all", "acme", "--yes", "-f", "json"],
        );
        let output = run.env("GH_TOKEN", &login).run().expect(code);
        let answer = answer(&output);
        assert_eq!(answer["state"], state, "{status}");
        assert_eq!(answer["http_status"], status);
        assert_eq!(answer["message"], "No, …; none");
        assert!(
            answer["advice"].as_str().unwrap().contains(advice),
            "{answer}"
        );
        assert_eq!(github.log().len(), 1);
    }
}

#[test]
fn what_got_no_answer_is_unknown() {
    let (sandbox, github, login) = stage();
    github.script([Behaviour::Close]);
    let run = enterprise(
        &sandbox,
        &github,
        &["revoke-all", "acme", "--yes", "-f", "json"],
    );
    let output = run.env("GH_TOKEN", &login).run().expect(1);
    assert_eq!(answer(&output)["state"], "unknown");
    assert_eq!(github.log().len(), 1);
}

#[test]
fn nothing_is_sent_without_consent_a_token_or_a_sound_name() {
    let (sandbox, github, login) = stage();
    let run = |arguments: &[&str]| enterprise(&sandbox, &github, arguments).env("GH_TOKEN", &login);
    // A pipe that holds the name is no person who types it.
    run(&["revoke-all", "acme"]).input("acme\n").run().expect(2);
    for name in ["../acme", "a/b", "a?b", "", "a b", "%2e%2e"] {
        run(&["revoke-all", name, "--yes"]).run().expect(2);
        run(&["revoke-user", "acme", name, "--yes"]).run().expect(2);
    }
    let refresh = sandbox.token(Kind::Refresh);
    run(&["revoke-all", "acme", "--yes"])
        .env("GH_TOKEN", &refresh)
        .run()
        .expect(2);
    let none = enterprise(&sandbox, &github, &["revoke-all", "acme", "--yes"])
        .env("GH_ENTERPRISE_TOKEN", &login)
        .run()
        .expect(2);
    assert!(none.talk().contains("GH_TOKEN or GITHUB_TOKEN"), "{none}");
    let dry = run(&["revoke-all", "acme", "--dry-run"]).run().expect(1);
    assert!(dry.talk().contains("nothing was sent"), "{dry}");
    assert_eq!(github.log().len(), 0);
    assert!(!sandbox.ledger().exists());
}
