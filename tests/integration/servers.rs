//! GitHub Enterprise Server: requests with a login, kinds by version, a budget for each login.

use crate::douse::Douse;
use crate::github::{Behaviour, Github};
use crate::revoke::{revoke, states};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// A sandbox, a server at which `login` is valid, and the login.
fn server() -> (Sandbox, Github, String) {
    let sandbox = Sandbox::new();
    let login = sandbox.token(Kind::Personal);
    let github = Github::server(&login);
    (sandbox, github, login)
}

fn with_login<'s>(sandbox: &'s Sandbox, github: &Github, login: &str) -> Douse<'s> {
    revoke(sandbox, github).env("GH_ENTERPRISE_TOKEN", login)
}

#[test]
fn a_server_is_asked_with_our_token() {
    let (sandbox, github, login) = server();
    let leaked = sandbox.revocable(5);
    sandbox.write("leak", [leaked.join("\n"), login.clone()].join("\n"));
    let output = with_login(&sandbox, &github, &login).run().expect(1);
    // Our own token lies there too, and is not sent.
    assert_eq!(states(&output)[5], "withheld");
    let mut sent = leaked;
    sent.sort_unstable();
    assert_eq!(github.taken(), sent);
    let request = &github.log()[0];
    assert_eq!(request.path, "/api/v3/credentials/revoke");
    let expected = format!("Bearer {login}");
    assert_eq!(request.header("authorization"), Some(expected.as_str()));
    assert_eq!(request.header("x-github-api-version"), Some("2026-03-10"));
}

#[test]
fn the_first_variable_that_is_set_has_the_token() {
    for (set, named) in [
        (&["GITHUB_ENTERPRISE_TOKEN"][..], None),
        (&["OUR_TOKEN"], Some("OUR_TOKEN")),
    ] {
        let (sandbox, github, login) = server();
        sandbox.write("leak", sandbox.token(Kind::OAuth));
        let mut run = revoke(&sandbox, &github).env("GH_TOKEN", sandbox.token(Kind::Personal));
        for name in set {
            run = run.env(name, &login);
        }
        if let Some(name) = named {
            run = run.arg("--token-env").arg(name);
            run = run.env("GH_ENTERPRISE_TOKEN", sandbox.token(Kind::Personal));
        }
        run.run().expect(0);
        assert_eq!(github.taken().len(), 1);
    }
}

/// A token that was named is never sent to be revoked, even if it lies in what is scanned.
#[test]
fn a_named_token_is_withheld_too() {
    let (sandbox, github, login) = server();
    sandbox.write("leak", &login);
    let run = revoke(&sandbox, &github).arg("--token-env").arg("OURS");
    let output = run.env("OURS", &login).run().expect(1);
    assert_eq!(states(&output), ["withheld"]);
    assert_eq!(github.log().len(), 0);
}

#[test]
fn without_a_token_that_the_call_takes_nothing_is_sent() {
    let (sandbox, github, _) = server();
    sandbox.write("leak", sandbox.token(Kind::OAuth));
    let none = revoke(&sandbox, &github).run().expect(2);
    assert!(
        none.talk()
            .contains("GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN"),
        "{none}"
    );
    // Those of the cloud are no business of a server's.
    let cloud = revoke(&sandbox, &github)
        .env("GH_TOKEN", sandbox.token(Kind::Personal))
        .env("GITHUB_TOKEN", sandbox.token(Kind::Personal));
    cloud.run().expect(2);
    for kind in [
        Kind::FineGrained,
        Kind::AppUser,
        Kind::Refresh,
        Kind::Installation,
    ] {
        let refused = with_login(&sandbox, &github, &sandbox.token(kind))
            .run()
            .expect(2);
        assert!(refused.talk().contains(kind.prefix()), "{refused}");
    }
    with_login(&sandbox, &github, "two words").run().expect(2);
    assert_eq!(github.log().len(), 0);
    // A dry run needs none.
    let arguments = ["revoke", "--dry-run", "--api-url", &github.url()];
    let dry = sandbox.douse(arguments).run().expect(1);
    assert!(dry.text().contains("github.com looks the same"), "{dry}");
}

#[test]
fn an_older_server_takes_the_older_kinds() {
    let (sandbox, github, login) = server();
    let all: Vec<String> = Kind::ALL.iter().map(|kind| sandbox.token(*kind)).collect();
    sandbox.write("leak", all.join("\n"));
    let run = with_login(&sandbox, &github, &login);
    let output = run.arg("--api-version").arg("2022-11-28").run().expect(1);
    let taken = github.taken();
    assert!(
        taken
            .iter()
            .all(|token| token.starts_with("ghp_") || token.starts_with("github_pat_"))
    );
    assert_eq!(taken.len(), 2);
    assert_eq!(states(&output)[2..], ["withheld"; 4]);
    // What it says to a version that it does not know tells what to do.
    sandbox.write("leak", sandbox.token(Kind::OAuth));
    github.script([Behaviour::status(410)]);
    let unknown = with_login(&sandbox, &github, &login).run().expect(2);
    assert!(unknown.text().contains("2022-11-28"), "{unknown}");
}

#[test]
fn a_login_that_is_not_taken_is_told_and_not_repeated() {
    let (sandbox, github, login) = server();
    sandbox.write("leak", sandbox.token(Kind::OAuth));
    let wrong = sandbox.token(Kind::Personal);
    let output = with_login(&sandbox, &github, &wrong).run().expect(2);
    assert!(
        output.text().contains("classic personal access token"),
        "{output}"
    );
    assert_eq!(states(&output), ["pending"]);
    // Not even five characters of it, when the server repeats it.
    let echo: &'static str = format!(r#"{{"message":"bad: {}"}}"#, &login[10..15]).leak();
    github.script([Behaviour::status(403).with_body(echo)]);
    let output = with_login(&sandbox, &github, &login).run().expect(2);
    assert!(output.text().contains("bad: …"), "{output}");
}

/// A server's limits are its owner's: more may be sent to it, and each login has its own budget.
#[test]
fn a_servers_budget_may_be_raised_and_is_each_logins_own() {
    let (sandbox, github, login) = server();
    github.limit(1000);
    sandbox.write("leak", sandbox.revocable(70).join("\n"));
    let run = |login: &str, budget: &str| {
        let run = with_login(&sandbox, &github, login)
            .arg("--no-wait")
            .arg("--batch-size");
        run.arg("1").arg("--budget").arg(budget).run()
    };
    run(&login, "65/1h").expect(1);
    assert_eq!(github.log().len(), 65);
    run(&login, "65/1h").expect(1);
    assert_eq!(github.log().len(), 65);
    // Another login's requests are counted by themselves; the server does not take this one.
    let other = sandbox.token(Kind::OAuth);
    run(&other, "65/1h").expect(2);
    assert_eq!(github.log().len(), 66);
    let status = sandbox
        .douse(["status", "-f", "json", "--budget", "65/1h"])
        .run()
        .expect(0);
    let host = &status.json()["hosts"][0];
    assert_eq!(host["host"], github.url());
    assert_eq!(host["tokens"]["accepted"], 65);
    let budgets = host["budgets"].as_array().unwrap();
    let mut seen: Vec<_> = budgets
        .iter()
        .map(|budget| {
            (
                budget["identity"].as_str().unwrap().to_owned(),
                budget["used"].clone(),
            )
        })
        .collect();
    let mut expected = vec![
        (tokens::fingerprint(&login), 65.into()),
        (tokens::fingerprint(&other), 1.into()),
    ];
    seen.sort_by(|one, two| one.0.cmp(&two.0));
    expected.sort_by(|one, two| one.0.cmp(&two.0));
    assert_eq!(seen, expected);
}

/// Whatever the environment holds, a host that is asked anonymously gets no login.
#[test]
fn the_cloud_never_gets_a_login() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::OAuth));
    let mut run = revoke(&sandbox, &github);
    for name in [
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "GH_ENTERPRISE_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
    ] {
        run = run.env(name, sandbox.token(Kind::Personal));
    }
    run.run().expect(0);
    assert_eq!(github.log()[0].header("authorization"), None);
    let asked = revoke(&sandbox, &github).arg("--token-env").arg("GH_TOKEN");
    asked
        .env("GH_TOKEN", sandbox.token(Kind::Personal))
        .run()
        .expect(2);
    assert_eq!(github.log().len(), 1);
}
