//! Tokens that stand in names, and names that are made to do harm when they are shown.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::symlink;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::douse::fingerprints;
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// Names that a terminal would obey.
const HOSTILE: [&[u8]; 8] = [
    b"a\x1b[2J\x1b]0;title\x07",
    b"two\nlines",
    b"back\x08space\rreturn\ttab",
    b"\xff\xfe not utf-8",
    b"caf\xe9\x1b[31m",
    "c1 \u{9b}31m".as_bytes(),
    "turned \u{202e}txt.exe".as_bytes(),
    "hidden\u{200b}\u{2028}\u{feff}".as_bytes(),
];

#[test]
fn a_token_in_a_name_is_found_and_not_shown() {
    let sandbox = Sandbox::new();
    let tokens = [
        Kind::Personal,
        Kind::FineGrained,
        Kind::OAuth,
        Kind::Refresh,
    ]
    .map(|kind| sandbox.token(kind));
    let [file, folder, target, named] = &tokens;
    let inner = sandbox.token(Kind::AppUser);
    sandbox.write(format!("dump-{file}.sql"), "");
    sandbox.write(format!("{folder}/notes"), &inner);
    symlink(format!("../{target}/x"), sandbox.work().join("link")).unwrap();
    sandbox.write(named, "");

    let output = sandbox.scan([".", named]).expect(1);
    assert_eq!(output.found(), fingerprints(tokens.iter().chain([&inner])));
    let mut paths = output.all("match", "path");
    paths.sort_unstable();
    assert!(paths.contains(&"dump-ghp_….sql".to_owned()), "{paths:?}");
    assert!(
        paths.contains(&"github_pat_…/notes".to_owned()),
        "{paths:?}"
    );
    assert!(paths.contains(&"ghr_…".to_owned()), "{paths:?}");
    let of_link = output
        .lines("match")
        .into_iter()
        .find(|found| found["path"] == "link")
        .unwrap();
    assert_eq!(of_link["members"], serde_json::json!(["(link target)"]));
    assert_eq!(of_link["offset"], 3);
    for format in ["human", "json"] {
        sandbox
            .douse(["scan", "--format", format, "--unverified", "."])
            .run()
            .expect(1);
    }
}

/// A token in the name of what cannot be read, of what is left out, and of the report itself.
#[test]
fn a_token_in_a_name_is_shown_nowhere_else() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let folder = sandbox.work().join(&token);
    let paths = [
        format!("missing-{token}"),
        format!("missing/{token}/x"),
        folder.join("gone").display().to_string(),
    ];
    for format in ["human", "json", "jsonl"] {
        sandbox
            .douse(["scan", "--format", format])
            .arg(&paths[0])
            .arg(&paths[1])
            .run()
            .expect(2);
        sandbox
            .douse(["revoke", "--dry-run", "--format", format, &paths[2]])
            .run()
            .expect(2);
    }
    for flag in ["--files-from", "--ignore-file", "--output"] {
        sandbox.douse(["scan", flag, &paths[1]]).run().expect(2);
    }
    for flag in ["--credentials", "--ca-file"] {
        sandbox
            .douse(["revoke", "--yes", flag, &paths[1]])
            .run()
            .expect(2);
    }
    let beneath_a_file = sandbox.write("file", "").join(&token);
    let ledger = [
        OsStr::new("revoke"),
        OsStr::new("--yes"),
        OsStr::new("--ledger"),
    ];
    sandbox.douse(ledger).arg(beneath_a_file).run().expect(2);
    sandbox
        .douse(["patterns", "check", &paths[0]])
        .run()
        .expect(2);
    let excluded = sandbox
        .scan(["--exclude", &format!("*{token}*"), "."])
        .expect(0);
    assert_eq!(excluded.talk(), "");
}

#[test]
fn hostile_names_do_nothing_to_a_terminal() {
    let sandbox = Sandbox::new();
    let mut tokens = Vec::new();
    for name in HOSTILE {
        let token = sandbox.token(Kind::Personal);
        fs::write(sandbox.work().join(OsStr::from_bytes(name)), &token).unwrap();
        tokens.push(token);
        let mut link = b"link ".to_vec();
        link.extend(name);
        symlink(
            OsStr::from_bytes(name),
            sandbox.work().join(OsString::from_vec(link)),
        )
        .unwrap();
    }
    let missing = HOSTILE.map(|name| [b"missing ", name].concat());
    let missing = missing.map(OsString::from_vec);
    let mut run = sandbox.douse(["scan", "--color", "never", "."]);
    for name in &missing {
        run = run.arg(name);
    }
    let output = run.run().expect(2);
    for (what, text) in [("stdout", output.text()), ("stderr", output.talk())] {
        let bad = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2028}' | '\u{feff}')
        };
        assert!(!text.contains(bad), "{what}: {text:?}");
        assert!(!text.contains("two\nlines"), "{what}");
    }
    assert_eq!(output.text().matches("two\\nlines").count(), 2);

    // Names on the command line that are complained of.
    for name in &missing {
        for arguments in [["scan", "--files-from"], ["scan", "--ignore-file"]] {
            let talk = sandbox.douse(arguments).arg(name).run().expect(2).talk();
            assert!(
                !talk.contains('\x1b') && !talk.contains('\u{202e}'),
                "{talk:?}"
            );
        }
    }
    let json = sandbox.scan(["."]).expect(1);
    assert_eq!(json.found(), fingerprints(&tokens));
}

/// A usage error repeats what was not understood, and that may be anything too.
#[test]
fn usage_errors_do_nothing_to_a_terminal() {
    let sandbox = Sandbox::new();
    for arguments in [
        ["\x1b[2Jscan", "x"],
        ["scan", "--\x1b[2Jflag"],
        ["scan", "--format=\x1b[2J"],
        ["scan", "-j\u{9b}2J"],
    ] {
        let talk = sandbox.douse(arguments).run().expect(2).talk();
        assert!(
            !talk.contains(|c: char| c.is_control() && c != '\n'),
            "{talk:?}"
        );
    }
}

#[test]
fn a_name_that_is_not_text_comes_in_two_forms() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::OAuth);
    let name = b"dir\xff/f\xe9\n";
    fs::create_dir(sandbox.work().join(OsStr::from_bytes(b"dir\xff"))).unwrap();
    fs::write(sandbox.work().join(OsStr::from_bytes(name)), &token).unwrap();
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.all("match", "path"), ["dir\u{fffd}/f\u{fffd}\n"]);
    assert_eq!(output.all("match", "path_base64"), [BASE64.encode(name)]);
    let plain = sandbox.write("plain", &token);
    let output = sandbox.scan([plain]).expect(1);
    assert!(output.lines("match")[0].get("path_base64").is_none());

    // Not even the form for machines holds a token that stands in the name.
    let in_name = sandbox.token(Kind::Personal);
    let mut name = in_name.into_bytes();
    name.push(0xff);
    fs::write(sandbox.work().join(OsStr::from_bytes(&name)), "").unwrap();
    let output = sandbox.scan(["."]).expect(1);
    let redacted = BASE64.encode(["ghp_…".as_bytes(), b"\xff"].concat());
    assert!(output.all("match", "path_base64").contains(&redacted));
}
