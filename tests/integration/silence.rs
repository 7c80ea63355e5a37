//! Tokens that the user knows: baselines, allow lists, markers; and the file that says so for good.

use std::fs;

use crate::douse::{Douse, fingerprints};
use crate::github::Github;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

const MARKERS: [&str; 5] = [
    "douse:allow",
    "gitleaks:allow",
    "betterleaks:allow",
    "trufflehog:ignore",
    "pragma: allowlist secret",
];

#[test]
fn a_baseline_knows_tokens_by_value_and_not_by_place() {
    let sandbox = Sandbox::new();
    let (old, new) = (sandbox.token(Kind::Personal), sandbox.token(Kind::OAuth));
    sandbox.write("a", &old);
    for format in ["json", "jsonl"] {
        let baseline = sandbox.out(format);
        sandbox
            .douse(["scan", "-f", format, "a", "-o"])
            .arg(&baseline)
            .run()
            .expect(1);
        let baseline = baseline.to_str().unwrap();
        let output = sandbox.scan(["--baseline", baseline, "a"]).expect(0);
        assert_eq!(output.found(), [""; 0]);
        assert_eq!(output.summary()["silenced"], 1);
        assert_eq!(output.summary()["findings"], 0);
        // Moved to another file it is known; another token in its old place is not.
        sandbox.write("b/moved", format!("\n\n{old} {old}"));
        sandbox.write("a", &new);
        let output = sandbox.scan(["--baseline", baseline]).expect(1);
        assert_eq!(output.found(), fingerprints([&new]));
        assert_eq!(output.summary()["silenced"], 2);
        sandbox.write("a", &old);
    }
}

#[test]
fn a_baseline_is_written_and_grows() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.token(Kind::Personal), sandbox.token(Kind::AppUser));
    let marked = sandbox.token(Kind::OAuth);
    sandbox.write("a", format!("{one}\n{marked} # douse:allow\n"));
    let baseline = sandbox.out("baseline.json");
    let path = baseline.to_str().unwrap();
    let output = sandbox.scan(["--write-baseline", path]).expect(1);
    assert_eq!(output.found(), fingerprints([&one]));
    sandbox.write("b", &two);
    sandbox
        .scan(["--baseline", path, "--write-baseline", path])
        .expect(1);
    let output = sandbox.scan(["--baseline", path]).expect(0);
    assert_eq!(output.summary()["silenced"], 3);
    let written = fs::read_to_string(&baseline).unwrap();
    assert!(!written.contains(&tokens::fingerprint(&marked)));
    // What is gone is dropped.
    fs::remove_file(sandbox.work().join("a")).unwrap();
    sandbox
        .scan(["--baseline", path, "--write-baseline", path])
        .expect(0);
    assert!(
        !fs::read_to_string(&baseline)
            .unwrap()
            .contains(&tokens::fingerprint(&one))
    );
    sandbox
        .scan(["--write-baseline", sandbox.out("no/such").to_str().unwrap()])
        .expect(2);
}

#[test]
fn what_is_no_report_is_no_baseline() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    sandbox.write("a", "");
    for (text, told) in [
        ("", "not a report of"),
        (&*token, "not a report"),
        ("{\"type\":\"outcome\"}", "not a report of"),
        (
            "{\"schema\":1,\"findings\":[{\"fingerprint\":\"1\",\"kind\":\"k\",\"matches\":[]}]}",
            "without a fingerprint",
        ),
        ("{\"type\":\"skip\",\"path\":\"a\"}", "part of a report"),
    ] {
        let path = sandbox.write("baseline", text);
        let talk = sandbox
            .scan(["a", "--baseline", path.to_str().unwrap()])
            .expect(2)
            .talk();
        assert!(talk.contains(told), "{talk}");
        fs::remove_file(path).unwrap();
    }
    sandbox.scan(["a", "--baseline", "missing"]).expect(2);
}

#[test]
fn an_allow_list_names_fingerprints_and_unused_ones_are_told() {
    let sandbox = Sandbox::new();
    let (known, other) = (sandbox.token(Kind::Personal), sandbox.token(Kind::Refresh));
    sandbox.write("a", format!("{known}\n{known}\n{other}\n"));
    let name = tokens::fingerprint(&known);
    let unused = tokens::fingerprint("nothing");
    sandbox.write(
        "allow",
        format!("# ours\n\n{name} # test server\n{unused}\n"),
    );
    let output = sandbox.scan(["--allow", "allow", "a"]).expect(1);
    assert_eq!(output.found(), fingerprints([&other]));
    assert_eq!(output.summary()["silenced"], 2);
    let talk = output.talk();
    assert!(
        talk.contains("1 of 2 ") && talk.contains("line 4"),
        "{talk}"
    );
    let quiet = sandbox.scan(["--allow", "allow", "a", "-q"]).expect(1);
    assert_eq!(quiet.talk(), "");
    // Where something was not read, nobody knows whether an entry is of use.
    let partial = sandbox.scan(["--allow", "allow", "a", "gone"]).expect(2);
    assert!(!partial.talk().contains("allow list"));
    // A token has no place in such a list, and is not repeated.
    sandbox.write("allow", format!("\n{known}\n"));
    let talk = sandbox.scan(["--allow", "allow", "a"]).expect(2).talk();
    assert!(talk.contains("line 2"), "{talk}");
}

#[test]
fn a_marker_silences_the_match_on_its_line_only() {
    let sandbox = Sandbox::new();
    for marker in MARKERS {
        let (marked, twice) = (sandbox.token(Kind::Personal), sandbox.token(Kind::OAuth));
        sandbox.write(
            "a",
            format!("k = \"{marked}\"  # {marker}\n{twice} // {marker}\n"),
        );
        sandbox.write("b", "");
        let output = sandbox.scan(["a", "b"]).expect(0);
        assert_eq!(output.summary()["silenced"], 2, "{marker}");
        sandbox.write("b", format!("# {marker}\n{twice}\n# {marker}"));
        let output = sandbox.scan(["a", "b"]).expect(1);
        assert_eq!(output.found(), fingerprints([&twice]), "{marker}");
        assert_eq!(output.all("match", "path"), ["b"]);
        assert_eq!(output.summary()["silenced"], 2);
        let output = sandbox.scan(["a", "b", "--no-allow-markers"]).expect(1);
        assert_eq!(output.found(), fingerprints([&marked, &twice]), "{marker}");
        assert_eq!(output.summary()["silenced"], 0);
    }
}

#[test]
fn silenced_tokens_are_withheld_from_revocation_with_their_reason() {
    let sandbox = Sandbox::new();
    let github = Github::new();
    let [sent, marked, allowed, known] =
        [Kind::Personal, Kind::OAuth, Kind::AppUser, Kind::Refresh].map(|kind| sandbox.token(kind));
    sandbox.write("old", &known);
    let baseline = sandbox.out("baseline");
    sandbox
        .scan(["old", "-o", baseline.to_str().unwrap()])
        .expect(1);
    sandbox.write(
        "all",
        format!("{sent}\n{marked} douse:allow\n{allowed}\n{known}\n"),
    );
    sandbox.write("allow", tokens::fingerprint(&allowed));
    let silence = ["--allow", "allow", "--baseline", baseline.to_str().unwrap()];
    let revoke = |arguments: &[&str]| {
        let mut run = sandbox.douse(["revoke", "-f", "jsonl", "--yes", "--api-url"]);
        run = run.arg(github.url());
        arguments.iter().chain(&silence).fold(run, Douse::arg).run()
    };
    let output = revoke(&["all"]).expect(1);
    let mut outcomes: Vec<_> = output
        .lines("outcome")
        .iter()
        .map(|outcome| {
            let field = |name: &str| outcome[name].as_str().unwrap_or_default().to_owned();
            (field("fingerprint"), field("state"), field("reason"))
        })
        .collect();
    let mut expected = vec![
        (tokens::fingerprint(&sent), "accepted", ""),
        (
            tokens::fingerprint(&marked),
            "withheld",
            "silenced: a marker",
        ),
        (
            tokens::fingerprint(&allowed),
            "withheld",
            "silenced: the allow list",
        ),
        (
            tokens::fingerprint(&known),
            "withheld",
            "silenced: the baseline",
        ),
    ];
    outcomes.sort();
    expected.sort();
    assert_eq!(outcomes.len(), expected.len());
    for ((name, state, reason), expected) in outcomes.iter().zip(&expected) {
        assert_eq!((name, &**state), (&expected.0, expected.1));
        assert!(reason.starts_with(expected.2), "{reason}");
    }
    // Tokens that were listed by hand are known by value all the same.
    sandbox.write("tokens", format!("{allowed}\n"));
    let output = revoke(&["--credentials", "tokens"]).expect(1);
    assert_eq!(output.all("outcome", "state"), ["withheld"]);
}

#[test]
fn the_configuration_stands_for_flags() {
    let sandbox = Sandbox::new();
    let tokens: Vec<_> = (0..4).map(|_| sandbox.token(Kind::Personal)).collect();
    sandbox.write("a", format!("{}\n{} douse:allow\n", tokens[0], tokens[1]));
    sandbox.write("b.log", &tokens[2]);
    sandbox.write("c", &tokens[3]);
    sandbox.write("known", tokens::fingerprint(&tokens[3]));
    sandbox.write(
        "douse.toml",
        "format = \"jsonl\"\nexclude = [\"*.log\"]\nallow = [\"known\"]\nallow_markers = false\n\
         threads = 1\n",
    );
    let output = sandbox.douse(["scan"]).run().expect(1);
    assert_eq!(output.found(), fingerprints(&tokens[..2]));
    assert_eq!(output.summary()["silenced"], 1);
    // The command line wins, or turns it off.
    let output = sandbox.douse(["scan", "-f", "json"]).run().expect(1);
    assert_eq!(output.json()["schema"], 1);
    let output = sandbox.scan(["--no-config"]).expect(1);
    assert_eq!(
        output.found(),
        fingerprints([&tokens[0], &tokens[2], &tokens[3]])
    );
    // A file elsewhere names files beside itself.
    sandbox.write("../out/settings.toml", "allow = [\"list\"]\n");
    sandbox.write("../out/list", tokens::fingerprint(&tokens[0]));
    let settings = sandbox.out("settings.toml");
    let output = sandbox
        .scan(["--config", settings.to_str().unwrap(), "a"])
        .expect(0);
    assert_eq!(output.summary()["silenced"], 2);
    sandbox.scan(["--config", "missing"]).expect(2);
}

/// Whoever can put a file into a folder that somebody stands in must not get their tokens.
#[test]
fn the_configuration_cannot_send_tokens_anywhere() {
    let sandbox = Sandbox::new();
    for text in [
        "api_url = \"http://127.0.0.1:1\"",
        "yes = true",
        "ledger = \"x\"",
        "[revoke]\napi_url = \"http://127.0.0.1:1\"",
        "show_secrets = true",
        "output = \"x\"",
    ] {
        sandbox.write("douse.toml", text);
        for command in [&["scan"][..], &["revoke", "--dry-run"]] {
            let output = sandbox.douse(command).run();
            let talk = output.expect(2).talk();
            assert!(talk.contains("there is no key"), "{text}: {talk}");
        }
    }
    sandbox.write("douse.toml", "max = 1");
    let tokens = sandbox.revocable(2).join("\n");
    sandbox.write("tokens", tokens);
    let talk = sandbox
        .douse(["revoke", "--dry-run", "tokens"])
        .run()
        .expect(2)
        .talk();
    assert!(talk.contains("--max"), "{talk}");
}
