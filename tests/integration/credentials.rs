//! Lists of tokens, and the credentials of the user who runs this.

use crate::douse::fingerprints;
use crate::github::Github;
use crate::revoke::{revoke, states};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

#[test]
fn a_list_is_read_as_people_write_it() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let [one, two, three] =
        [Kind::Personal, Kind::FineGrained, Kind::Refresh].map(|kind| sandbox.token(kind));
    let truncated = sandbox.token(Kind::Refresh)[..40].to_owned();
    let comment = sandbox.token(Kind::OAuth);
    let glued = format!(
        "{}{}",
        sandbox.token(Kind::OAuth),
        sandbox.token(Kind::OAuth)
    );
    let list = [
        "\u{feff}# leaked in May",
        "",
        &format!("  {one}\t"),
        &two,
        &one,
        &format!("# {comment}"),
        "garbage",
        &truncated,
        &format!("{comment} # said so"),
        &glued,
        &three,
    ];
    sandbox.write("list", list.join("\r\n"));
    let output = revoke(&sandbox, &github)
        .arg("--credentials")
        .arg("list")
        .run()
        .expect(1);
    let mut expected = vec![one.clone(), two.clone(), three.clone()];
    expected.sort_unstable();
    assert_eq!(github.taken(), expected);
    assert_eq!(github.sizes(), [3]);
    let states = states(&output);
    assert_eq!(
        states.iter().filter(|state| *state == "accepted").count(),
        3
    );
    assert_eq!(
        states.iter().filter(|state| *state == "withheld").count(),
        4
    );
    // Which line it is must be told, or nobody finds it in a list of thousands.
    let reasons = output.all("outcome", "reason").join("\n");
    for line in ["line 7 ", "line 8 ", "line 9 ", "line 10 "] {
        assert!(reasons.contains(line), "{line}: {reasons}");
    }
    let all = output.all("outcome", "fingerprint");
    for name in fingerprints([&one, &two, &three]) {
        assert_eq!(all.iter().filter(|other| **other == name).count(), 1);
    }
}

#[test]
fn a_list_may_come_on_standard_input() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    let token = sandbox.token(Kind::AppUser);
    let run = revoke(&sandbox, &github).arg("--credentials").arg("-");
    run.input(token.clone()).run().expect(0);
    assert_eq!(github.taken(), [token]);
    let empty = revoke(&sandbox, &github)
        .arg("--credentials")
        .arg("-")
        .run()
        .expect(2);
    // Whoever pipes a list into it must not take a list that was never written for success.
    assert!(empty.talk().contains("lists no tokens"));
    revoke(&sandbox, &github)
        .arg("--credentials")
        .arg("missing")
        .run()
        .expect(2);
    assert_eq!(github.log().len(), 1);
}

/// The call is anonymous by GitHub's rules, and a token of ours in the environment is in use.
#[test]
fn our_own_credentials_are_neither_used_nor_sent() {
    for name in [
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "GH_ENTERPRISE_TOKEN",
        "GITHUB_ENTERPRISE_TOKEN",
    ] {
        let (sandbox, github) = (Sandbox::new(), Github::new());
        let (own, other) = (sandbox.token(Kind::Personal), sandbox.token(Kind::Personal));
        sandbox.write("leak", format!("{own}\n{other}\n"));
        let output = revoke(&sandbox, &github).env(name, &own).run().expect(1);
        assert_eq!(states(&output), ["accepted", "withheld"], "{name}");
        assert_eq!(github.taken(), [other]);
        assert_eq!(github.log()[0].header("authorization"), None);
        let withheld = output.lines("outcome");
        let withheld = withheld
            .iter()
            .find(|outcome| outcome["state"] == "withheld")
            .unwrap();
        assert_eq!(withheld["fingerprint"], tokens::fingerprint(&own));
    }
}

#[test]
fn a_netrc_is_not_read() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let netrc = "machine 127.0.0.1 login me password secret\n";
    sandbox.write("../home/.netrc", netrc);
    revoke(&sandbox, &github).run().expect(0);
    assert_eq!(github.log()[0].header("authorization"), None);
}

/// A proxy has no business between this machine and itself.
#[test]
fn a_loopback_host_is_reached_without_the_proxy() {
    let (sandbox, github, proxy) = (Sandbox::new(), Github::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let mut run = revoke(&sandbox, &github);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        run = run
            .env(name, proxy.url())
            .env(&name.to_lowercase(), proxy.url());
    }
    run.run().expect(0);
    assert_eq!(github.log().len(), 1);
    assert_eq!(proxy.log().len(), 0);
}

/// The other way round: a proxy that is set is used for a host of others, and sees no token, since
/// it is asked for a tunnel and gives none.
#[test]
fn a_proxy_sees_no_token() {
    let (sandbox, proxy) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    let arguments = [
        "revoke",
        "--yes",
        "-f",
        "jsonl",
        "--no-wait",
        "--timeout",
        "5s",
    ];
    let run = sandbox
        .douse(arguments)
        .env("HTTPS_PROXY", proxy.url())
        .spawn();
    proxy.wait_for(1);
    run.signal(crate::douse::Signal::Term);
    let output = run.wait().expect(2);
    assert_eq!(states(&output), ["pending"]);
    for request in proxy.log() {
        assert_eq!(
            (request.method.as_str(), request.credentials.len()),
            ("CONNECT", 0)
        );
        assert_eq!(request.path, "api.github.com:443");
    }
}

#[test]
fn the_ledger_is_private_and_where_it_was_asked_for() {
    use std::os::unix::fs::PermissionsExt as _;

    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    // Neither named nor in the environment: in the user's state folder.
    revoke(&sandbox, &github)
        .without_env("DOUSE_LEDGER")
        .run()
        .expect(0);
    let default = sandbox
        .ledger()
        .with_file_name("douse")
        .join("ledger.sqlite3");
    assert!(default.exists());
    let folder = default.parent().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    for entry in std::fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    // Another ledger knows of nothing, so it is sent once more.
    let named = sandbox.out("named.sqlite3");
    revoke(&sandbox, &github)
        .arg("--ledger")
        .arg(&named)
        .run()
        .expect(0);
    revoke(&sandbox, &github)
        .env("DOUSE_LEDGER", &named)
        .run()
        .expect(0);
    assert!(named.exists() && !sandbox.ledger().exists());
    assert_eq!(github.log().len(), 2);
}

#[test]
fn what_is_no_ledger_is_left_as_it_is() {
    let (sandbox, github) = (Sandbox::new(), Github::new());
    sandbox.write("leak", sandbox.token(Kind::Personal));
    std::fs::write(sandbox.ledger(), "a text of somebody's").unwrap();
    revoke(&sandbox, &github).run().expect(2);
    assert_eq!(
        std::fs::read(sandbox.ledger()).unwrap(),
        b"a text of somebody's"
    );
    assert_eq!(github.log().len(), 0);
}
