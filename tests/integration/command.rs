//! The command line itself: what it refuses, and what it never repeats.

use crate::sandbox::Sandbox;
use crate::tokens::Kind;

#[test]
fn what_is_not_understood_is_refused() {
    let sandbox = Sandbox::new();
    for arguments in [
        &[][..],
        &["scam"],
        &["scan", "--no-such-flag"],
        &["scan", "-f", "xml"],
        &["scan", "-j", "many"],
        &["scan", "-j", "-1"],
        &["scan", "--color", "sometimes"],
        &["scan", "--files-from"],
        &["revoke", "--credentials", "list", "path"],
        &["revoke", "--dry-run", "--budget", "60"],
        &["revoke", "--dry-run", "--budget", "0/1h"],
        &["revoke", "--dry-run", "--budget", "61/1h"],
        &["revoke", "--dry-run", "--budget", "60/30m"],
        &["revoke", "--dry-run", "--min-interval", "0s"],
        &["revoke", "--dry-run", "--min-interval", "1"],
        &["revoke", "--dry-run", "--batch-size", "0"],
        &["revoke", "--dry-run", "--batch-size", "1001"],
        &["revoke", "--dry-run", "--timeout", "soon"],
        &["revoke", "--dry-run", "--api-version", "v3"],
        &["revoke", "--dry-run", "--api-url", "http://api.github.com"],
        &["revoke", "--dry-run", "--api-url", "http://192.0.2.1"],
        &["revoke", "--dry-run", "--api-url", "https://github.com"],
        &[
            "revoke",
            "--dry-run",
            "--api-url",
            "https://me:pw@api.github.com",
        ],
        &[
            "revoke",
            "--dry-run",
            "--api-url",
            "https://api.github.com.example",
        ],
        &["revoke", "--dry-run", "--retry-pause", "9s"],
        &["revoke", "--dry-run", "--token-env", "GH_TOKEN"],
        &[
            "revoke",
            "--dry-run",
            "--from",
            "report",
            "--credentials",
            "list",
        ],
        &["revoke", "--dry-run", "--from"],
        &["enterprise"],
        &["enterprise", "revoke-user", "acme", "--yes"],
        &["status", "--budget", "many"],
        &["audit", "-f", "human"],
        &["patterns", "prove"],
        &["completions", "cmd"],
    ] {
        let output = sandbox.douse(arguments).run();
        assert_eq!(output.code(), 2, "{output}");
        assert!(!output.stderr.is_empty(), "{output}");
        assert!(output.stdout.is_empty(), "{output}");
    }
    assert!(!sandbox.ledger().exists());
}

/// None of them is valid in this place; all of them are in somebody's shell history by now, and
/// need not be in a log as well.
#[test]
fn a_token_on_the_command_line_is_never_repeated() {
    let sandbox = Sandbox::new();
    for kind in Kind::ALL {
        // One of them with a typing error: it may still be most of a token.
        let token = match kind {
            Kind::OAuth => sandbox.mistyped(kind),
            Kind::Personal
            | Kind::FineGrained
            | Kind::AppUser
            | Kind::Refresh
            | Kind::Installation => sandbox.token(kind),
        };
        let token = token.as_str();
        let url = format!("https://api.github.com/{token}");
        let user = format!("https://{token}@api.github.com");
        let flag = format!("--{token}");
        let value = format!("--format={token}");
        let threads = format!("-j{token}");
        for arguments in [
            &[token][..],
            &["scan", token],
            &["scan", &flag],
            &["scan", &value],
            &["scan", &threads],
            &["scan", "--color", token],
            &["scan", "--token", token],
            &["scan", "--exclude", &format!("!{token}")],
            &["revoke", token],
            &["revoke", "--yes", token],
            &["revoke", "--dry-run", token],
            &["revoke", "--dry-run", "--max", token],
            &["revoke", "--dry-run", "--api-url", token],
            &["revoke", "--dry-run", "--api-url", &url],
            &["revoke", "--dry-run", "--api-url", &user],
            &["revoke", "--dry-run", "--api-version", token],
            &["revoke", "--dry-run", "--budget", token],
            &["revoke", "--dry-run", "--timeout", token],
            &["revoke", "--credentials", token, "--yes"],
            &["patterns", token],
            &["patterns", "check", token],
            &["completions", token],
        ] {
            // The leak check of every run is the test.
            let output = sandbox.douse(arguments).run();
            assert_eq!(output.code(), 2, "{output}");
        }
    }
}

#[test]
fn zero_threads_are_as_many_as_there_are_cores() {
    let sandbox = Sandbox::new();
    sandbox.write("a", sandbox.token(Kind::Personal));
    sandbox.scan(["-j", "0", "."]).expect(1);
}

#[test]
fn help_completions_and_manual_page_are_printed() {
    let sandbox = Sandbox::new();
    for (arguments, part) in [
        (&["--help"][..], "Exit codes"),
        (&["scan", "--help"], "--files-from"),
        (&["revoke", "--help"], "--dry-run"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "_douse"),
        (&["completions", "zsh"], "#compdef douse"),
        (&["completions", "fish"], "complete -c douse"),
        (&["man"], ".TH douse"),
    ] {
        let output = sandbox.douse(arguments).run().expect(0);
        assert!(output.text().contains(part), "{output}");
        assert_eq!(output.talk(), "");
    }
}

/// Whoever mistypes a word is told which one was meant, after `help` too.
#[test]
fn what_was_meant_is_told() {
    let sandbox = Sandbox::new();
    for (arguments, meant) in [
        (&["scna"][..], "'scan'"),
        (&["help", "revok"], "'revoke'"),
        (&["--quiet", "help", "revok"], "'revoke'"),
        (&["help", "enterprise", "revoke-al"], "'revoke-all'"),
        (&["scan", "--formt", "json"], "'--format'"),
        (&["scan", "--format", "jsn"], "'json'"),
        (&["completions", "bsh"], "'bash'"),
        (&["patterns", "lst"], "'list'"),
        (&["man", "scam"], "`douse help`"),
    ] {
        let talk = sandbox.douse(arguments).run().expect(2).talk();
        assert!(talk.contains(meant), "{arguments:?}: {talk}");
    }
    let talk = sandbox.douse(["help", "--color", "x"]).run().expect(2);
    assert!(talk.talk().contains("'--color'"), "{talk}");
}

/// No token is taken from the command line: no flag has such a name.
#[test]
fn no_flag_takes_a_token() {
    let sandbox = Sandbox::new();
    for command in ["scan", "revoke"] {
        let help = sandbox.douse([command, "--help"]).run().expect(0).text();
        for name in ["--token ", "--token=", "--password", "--secret "] {
            assert!(!help.contains(name), "{command} has {name}");
        }
    }
}

/// Where a path is expected, too: nobody is to read "no such file" and try again.
#[test]
fn a_token_is_no_path() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    for arguments in [
        &["scan", &token][..],
        &["revoke", "--dry-run", &token],
        &["revoke", "--dry-run", "--credentials", &token],
    ] {
        let talk = sandbox.douse(arguments).run().expect(2).talk();
        assert!(talk.contains("--credentials -"), "{talk}");
    }
    // A file may have any name.
    sandbox.write(&token, "");
    sandbox.douse(["scan", &token]).run().expect(1);
}

/// Neither our own words nor the parser's let a name of several lines stand as such.
#[test]
fn no_name_forges_a_line() {
    let sandbox = Sandbox::new();
    let forged = "x\ndouse: error: all is well";
    sandbox.write("douse.toml", "");
    for arguments in [
        &["scan", "--baseline", forged][..],
        &["scan", "--allow", forged],
        &["scan", "--config", forged],
        &["scan", "--files-from", forged],
        &["scan", "--ignore-file", forged],
        &["scan", "-f", forged],
        &["scan", "-o", &format!("{forged}/x")],
        &["revoke", "--dry-run", "--credentials", forged],
        &[forged],
        &["patterns", "check", forged],
        &["scan", &format!("--{forged}")],
        &["man", forged],
    ] {
        let talk = sandbox.douse(arguments).run().expect(2).talk();
        let forged = talk
            .lines()
            .filter(|line| line.starts_with("douse: error: all"));
        assert_eq!(forged.count(), 0, "{talk}");
        assert!(talk.contains("all is well"), "{talk}");
    }
}
