//! What is sent and what is not; judged by what the server received.

use crate::douse::{Douse, Output, fingerprints};
use crate::github::Github;
use crate::http::Verdict;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// A revocation of what stands in the current folder, without the second between requests.
pub(crate) fn revoke<'s>(sandbox: &'s Sandbox, github: &Github) -> Douse<'s> {
    revoke_at(sandbox, &github.url())
}

/// The same at any address.
pub(crate) fn revoke_at<'s>(sandbox: &'s Sandbox, url: &str) -> Douse<'s> {
    sandbox.douse([
        "revoke",
        "--yes",
        "-f",
        "jsonl",
        "--min-interval",
        "0s",
        "--api-url",
        url,
    ])
}

/// The state of each outcome, sorted.
pub(crate) fn states(output: &Output) -> Vec<String> {
    let mut states = output.all("outcome", "state");
    states.sort_unstable();
    // Not a word of what nobody can know: that a token is dead.
    let text = output
        .text()
        .to_lowercase()
        .replace("cannot be revoked", "");
    assert!(!text.contains("revoked"), "{output}");
    states
}

fn sorted(tokens: &[String]) -> Vec<String> {
    let mut tokens = tokens.to_vec();
    tokens.sort_unstable();
    tokens
}

fn everything_goes_in_full_batches(count: usize) {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(count);
    sandbox.write("leak", tokens.join("\n"));
    sandbox.write("again", tokens.join(" "));
    let output = revoke(&sandbox, &github).run().expect(0);
    assert_eq!(states(&output), vec!["accepted"; count]);
    assert_eq!(github.taken(), sorted(&tokens));
    let requests = count.div_ceil(1000);
    assert_eq!(github.log().len(), requests);
    assert_eq!(output.summary()["requests"], requests);
    assert_eq!(output.all("outcome", "fingerprint"), fingerprints(&tokens));

    // What was accepted once is never sent again.
    let again = revoke(&sandbox, &github).run().expect(0);
    assert_eq!(states(&again), vec!["accepted"; count]);
    assert_eq!(github.log().len(), requests);
    assert_eq!(again.summary()["requests"], 0);
}

#[test]
fn one_token_is_one_request() {
    everything_goes_in_full_batches(1);
}

#[test]
fn a_batch_that_is_almost_full_is_one_request() {
    everything_goes_in_full_batches(999);
}

#[test]
fn a_full_batch_is_one_request() {
    everything_goes_in_full_batches(1000);
}

#[test]
fn one_more_than_a_batch_is_two_requests() {
    everything_goes_in_full_batches(1001);
}

#[test]
fn two_and_a_half_batches_are_three_requests() {
    everything_goes_in_full_batches(2500);
}

#[test]
fn a_request_is_what_github_documents() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Personal);
    sandbox.write("leak", &token);
    revoke(&sandbox, &github).run().expect(0);
    let log = github.log();
    let request = &log[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/credentials/revoke")
    );
    assert_eq!(
        request.header("accept"),
        Some("application/vnd.github+json")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-github-api-version"), Some("2026-03-10"));
    assert!(request.header("user-agent").unwrap().starts_with("douse/"));
    for name in ["authorization", "cookie", "referer", "proxy-authorization"] {
        assert_eq!(request.header(name), None, "{name}");
    }
    assert_eq!(request.credentials, [token]);
    assert_eq!(request.verdict, Verdict::Taken);
}

#[test]
fn another_api_version_can_be_asked_for() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let unknown = revoke(&sandbox, &github)
        .arg("--api-version")
        .arg("2020-01-01")
        .run()
        .expect(2);
    assert_eq!(states(&unknown), ["pending"]);
    revoke(&sandbox, &github)
        .arg("--api-version")
        .arg("2022-11-28")
        .run()
        .expect(0);
    assert_eq!(
        github.log()[1].header("x-github-api-version"),
        Some("2022-11-28")
    );
}

#[test]
fn outcomes_are_what_the_contract_promises() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Refresh);
    sandbox.write("leak", &token);
    let output = revoke(&sandbox, &github).run().expect(0);
    let outcome = &output.lines("outcome")[0];
    assert_eq!(outcome["fingerprint"], tokens::fingerprint(&token));
    assert_eq!(outcome["kind"], Kind::Refresh.id());
    assert_eq!(outcome["state"], "accepted");
    assert_eq!(outcome["request"], 1);
    assert!(outcome["at"].as_str().unwrap().ends_with('Z'));
    assert!(outcome.as_object().unwrap().contains_key("reason"));
    let document = revoke(&sandbox, &github).arg("-f").arg("json").run();
    // `-f` is there twice: the last word counts or it is refused; no third way.
    assert!([0, 2].contains(&document.code()), "{document}");
    let arguments = ["revoke", "--yes", "-f", "json", "--api-url", &github.url()];
    let document = sandbox.douse(arguments).run().expect(0).json();
    assert_eq!(document["outcomes"][0]["state"], "accepted");
    assert_eq!(document["summary"]["accepted"], 1);
}

#[test]
fn what_cannot_be_revoked_is_withheld() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Personal);
    let (short, long) = (
        sandbox.token(Kind::Installation),
        tokens::long_installation(1),
    );
    sandbox.know(&long);
    sandbox.write("leak", [token.as_str(), &short, &long].join("\n"));
    let output = revoke(&sandbox, &github).run().expect(1);
    assert_eq!(states(&output), ["accepted", "withheld", "withheld"]);
    assert_eq!(github.taken(), [token]);
}

#[test]
fn what_is_not_proved_to_be_a_token_is_not_sent() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::Personal);
    let example = format!("{}1234567890abcdef1234567890abcdef12345678", "ghp_");
    let wrong = sandbox.mistyped(Kind::OAuth);
    sandbox.write("leak", [token.as_str(), &example, &wrong].join("\n"));
    let output = revoke(&sandbox, &github).run().expect(0);
    assert_eq!(states(&output), ["accepted"]);
    assert_eq!(github.taken(), [token.as_str()]);

    // From a list they are asked for by name, so something is said of them.
    sandbox.write("list", [example.as_str(), &wrong].join("\n"));
    let listed = || revoke(&sandbox, &github).arg("--credentials").arg("list");
    let output = listed().run().expect(1);
    assert_eq!(states(&output), ["withheld", "withheld"]);
    assert_eq!(github.log().len(), 1);

    listed().arg("--unverified").run().expect(0);
    let all = sorted(&[token, example, wrong]);
    assert_eq!(github.taken(), all);
}

#[test]
fn unverified_shapes_of_a_tree_are_sent_when_asked_for() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let (token, wrong) = (
        sandbox.token(Kind::Personal),
        sandbox.mistyped(Kind::FineGrained),
    );
    sandbox.write("leak", format!("{token}\n{wrong}"));
    revoke(&sandbox, &github)
        .arg("--unverified")
        .run()
        .expect(0);
    assert_eq!(github.taken(), sorted(&[token, wrong]));
}

#[test]
fn a_dry_run_sends_nothing_and_leaves_nothing() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let tokens = sandbox.revocable(3);
    sandbox.write("leak", tokens.join("\n"));
    for format in ["human", "json", "jsonl"] {
        let url = github.url();
        // Neither does `--yes` make it less dry.
        let arguments = [
            "revoke",
            "--dry-run",
            "--yes",
            "-f",
            format,
            "--api-url",
            &url,
        ];
        let output = sandbox.douse(arguments).run().expect(1);
        assert!(output.text().contains("nothing was sent"), "{output}");
        for name in fingerprints(&tokens) {
            assert!(output.text().contains(&name), "{output}");
        }
    }
    assert_eq!(github.log().len(), 0);
    assert_eq!(
        std::fs::read_dir(sandbox.ledger().parent().unwrap())
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn nothing_is_sent_without_consent() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let arguments = ["revoke", "--api-url", &github.url(), "."];
    let output = sandbox.douse(arguments).run().expect(2);
    assert!(output.talk().contains("--yes"), "{output}");
    // A pipe that says yes is no person who does.
    sandbox
        .douse(arguments)
        .input("1\ny\nyes\n")
        .run()
        .expect(2);
    assert_eq!(github.log().len(), 0);
}

#[test]
fn a_plan_that_is_too_large_is_refused() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.revocable(3).join("\n"));
    revoke(&sandbox, &github)
        .arg("--max")
        .arg("2")
        .run()
        .expect(2);
    assert_eq!(github.log().len(), 0);
    revoke(&sandbox, &github)
        .arg("--max")
        .arg("3")
        .run()
        .expect(0);
    assert_eq!(github.sizes(), [3]);
    // What was accepted before is in no plan.
    revoke(&sandbox, &github)
        .arg("--max")
        .arg("0")
        .run()
        .expect(0);
}

#[test]
fn a_person_is_told_the_outcome() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let withheld = sandbox.token(Kind::Installation);
    sandbox.write("other", &withheld);
    let arguments = ["revoke", "--yes", "--api-url", &github.url()];
    let output = sandbox.douse(arguments).run().expect(1);
    let text = output.text();
    assert!(
        text.contains("1 accepted, 1 withheld (1 request sent)"),
        "{text}"
    );
    assert!(text.contains(&tokens::fingerprint(&withheld)), "{text}");
    for text in [text, output.talk()] {
        for word in [
            "is revoked",
            "was revoked",
            "were revoked",
            "been revoked",
            "revoked:",
        ] {
            assert!(!text.contains(word), "{text}");
        }
    }
    let nothing = sandbox.douse(arguments).arg("missing").run().expect(2);
    assert_eq!(github.log().len(), 1);
    assert!(nothing.talk().contains("missing"), "{nothing}");
}
