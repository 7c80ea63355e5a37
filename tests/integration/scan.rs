//! What is found: every kind, wherever it stands, and exactly where it is said to stand.

use base64::Engine as _;
use serde_json::json;

use crate::douse::fingerprints;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind, Random};

#[test]
fn every_kind_is_found_whatever_stands_around_it() {
    let sandbox = Sandbox::new();
    let mut tokens = Vec::new();
    for (before, behind) in [
        ("", ""),
        ("key = '", "'\n"),
        ("\\n", "\\n"),
        ("%20", "%20"),
        ("\u{1b}[31m", "\u{1b}[0m"),
        ("my_", "_v2"),
        ("0123456789", "abc"),
        ("ghp_", "ghs_"),
        ("\0", "\0"),
        ("ключ=", "。"),
    ] {
        for kind in Kind::ALL {
            let token = sandbox.token(kind);
            let name = format!("{}.txt", tokens.len());
            sandbox.write(name, format!("{before}{token}{behind}"));
            tokens.push(token);
        }
    }
    let long = tokens::long_installation(1);
    sandbox.know(&long);
    sandbox.write("long.txt", format!("token: {long}. That was it."));
    tokens.push(long);
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.found(), fingerprints(&tokens));
    assert_eq!(output.summary()["findings"], tokens.len());
}

#[test]
fn glued_tokens_are_all_found() {
    let sandbox = Sandbox::new();
    let tokens = Kind::ALL.map(|kind| sandbox.token(kind));
    sandbox.write("glued", tokens.concat());
    let output = sandbox.scan(["glued"]).expect(1);
    let mut offset = 0;
    for (line, token) in output.lines("match").iter().zip(&tokens) {
        assert_eq!(line["fingerprint"], tokens::fingerprint(token));
        assert_eq!(line["offset"], offset);
        offset += token.len();
    }
    assert_eq!(output.lines("match").len(), tokens.len());
}

#[test]
fn a_match_says_what_the_contract_promises() {
    let sandbox = Sandbox::new();
    for (kind, checksum) in Kind::ALL.map(|kind| (kind, "valid")) {
        let token = sandbox.token(kind);
        let text = format!("first\r\nsecond\n\tkey: {token}\n");
        let path = format!("a folder/{}.env", kind.id());
        sandbox.write(&path, &text);
        let output = sandbox.scan([path.as_str()]).expect(1);
        let expected = json!({
            "type": "match",
            "fingerprint": tokens::fingerprint(&token),
            "kind": kind.id(),
            "checksum": checksum,
            "revocable": kind.is_revocable(),
            "encoding": "plain",
            "redacted": format!("{}…", kind.prefix()),
            "path": path,
            "members": [],
            "line": 3,
            "column": 7,
            "offset": text.find(&token),
            "length": kind.length(),
        });
        assert_eq!(output.lines("match"), [expected]);
    }
}

#[test]
fn a_summary_says_what_the_contract_promises() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let text = format!("{token} {token}\n{}", sandbox.mistyped(Kind::OAuth));
    sandbox.write("a", &text);
    sandbox.write("b", "");
    let output = sandbox.scan(["a", "b"]).expect(1);
    let mut summary = output.summary();
    assert!(summary["seconds"].as_f64().unwrap() < 60.0);
    summary.as_object_mut().unwrap().remove("seconds");
    let expected = json!({
        "type": "summary", "schema": 1, "complete": true, "files": 2, "blobs": 2,
        "bytes": text.len(), "findings": 1, "matches": 2, "unverified": 1, "silenced": 0, "errors": 0, "skipped": 0, "omitted": 0,
    });
    assert_eq!(summary, expected);
    assert_eq!(output.talk(), "");
}

/// Against a count that a reader can check at a glance.
#[test]
fn places_agree_with_a_naive_count() {
    let sandbox = Sandbox::new();
    let mut random = Random(7);
    let mut text: Vec<u8> = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..300 {
        for _ in 0..random.below(400) {
            text.push(b"\r\n\n\0\xff\xc3 ab"[random.below(9)]);
        }
        let kind = Kind::ALL[random.below(6)];
        let token = sandbox.token(kind);
        let line = text.split(|&byte| byte == b'\n').count();
        let column = 1 + text.iter().rev().take_while(|&&byte| byte != b'\n').count();
        expected.push((tokens::fingerprint(&token), text.len(), line, column));
        text.extend_from_slice(token.as_bytes());
    }
    sandbox.write("binary", &text);
    for output in [
        sandbox.scan(["binary"]),
        sandbox
            .douse(["scan", "-f", "jsonl", "-"])
            .input(text)
            .run(),
    ] {
        let output = output.expect(1);
        let matches = output.lines("match");
        let told: Vec<_> = matches
            .iter()
            .map(|found| {
                let number = |field: &str| usize::try_from(found[field].as_u64().unwrap()).unwrap();
                let fingerprint = found["fingerprint"].as_str().unwrap().to_owned();
                (
                    fingerprint,
                    number("offset"),
                    number("line"),
                    number("column"),
                )
            })
            .collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn standard_input_is_scanned() {
    let sandbox = Sandbox::new();
    let (token, other) = (sandbox.token(Kind::Refresh), sandbox.token(Kind::OAuth));
    let run = sandbox.douse(["scan", "-f", "jsonl", "-"]);
    let output = run.input(format!("x\n{token}")).run().expect(1);
    assert_eq!(output.all("match", "path"), ["-"]);
    assert_eq!(output.all("match", "line"), ["2"]);
    sandbox.write("file", &other);
    let run = sandbox.douse(["scan", "-f", "jsonl", "file", "-"]);
    let output = run.input(token.clone()).run().expect(1);
    assert_eq!(output.found(), fingerprints([token, other]));
    // A file of that name needs its folder before it.
    let run = sandbox.douse(["scan", "-f", "jsonl", "./-"]);
    assert_eq!(run.run().code(), 2);
    let run = sandbox.douse(["scan", "-f", "jsonl", "-"]);
    assert_eq!(run.input("").run().expect(0).summary()["files"], 1);
}

#[test]
fn the_current_folder_is_scanned_by_default() {
    let sandbox = Sandbox::new();
    for name in [
        ".hidden",
        ".git/config",
        "node_modules/a/Cargo.lock",
        "vendor/x.min.js",
        "a.png",
    ] {
        sandbox.write(name, sandbox.token(Kind::Personal));
    }
    let output = sandbox.scan([""; 0]).expect(1);
    let paths = output.all("match", "path");
    assert_eq!(
        paths,
        [
            ".git/config",
            ".hidden",
            "a.png",
            "node_modules/a/Cargo.lock",
            "vendor/x.min.js"
        ]
    );
}

#[test]
fn nothing_found_is_a_success() {
    let sandbox = Sandbox::new();
    sandbox.write("empty", "");
    sandbox.write("text", "ghp_ ghp ghs_short github_pat_ gho_\n");
    let output = sandbox.scan(["."]).expect(0);
    assert_eq!(output.text().lines().count(), 1);
    let summary = output.summary();
    assert_eq!(
        (&summary["files"], &summary["complete"]),
        (&json!(2), &json!(true))
    );
}

#[test]
fn examples_and_typing_errors_are_counted_and_not_found() {
    let sandbox = Sandbox::new();
    let mut text = String::new();
    for example in [
        format!("{}1234567890abcdef1234567890abcdef12345678", "ghp_"),
        format!("{}{}", "ghp_", "x".repeat(36)),
        sandbox.mistyped(Kind::FineGrained),
        sandbox.mistyped(Kind::Refresh),
        sandbox.mistyped(Kind::Installation),
    ] {
        text = format!("{text}{example}\n");
    }
    let truncated = sandbox.token(Kind::Refresh)[..40].to_owned();
    sandbox.write("docs.md", format!("{text}{truncated}\n"));
    let output = sandbox.scan(["docs.md"]).expect(0);
    assert_eq!(output.lines("match").len(), 0);
    assert_eq!(output.summary()["unverified"], 5);

    let listed = sandbox.scan(["--unverified", "docs.md"]).expect(0);
    assert_eq!(listed.lines("match").len(), 5);
    assert!(
        listed
            .all("match", "checksum")
            .iter()
            .all(|checksum| checksum != "valid")
    );
    assert_eq!(listed.summary()["findings"], 0);
    assert_eq!(listed.summary()["matches"], 0);
}

#[test]
fn a_token_in_many_places_is_one_finding() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::AppUser);
    sandbox.write("many", format!("{token}\n").repeat(2500));
    sandbox.write("zzz", &token);
    let output = sandbox.scan(["."]).expect(1);
    let summary = output.summary();
    assert_eq!(
        (&summary["findings"], &summary["matches"]),
        (&json!(1), &json!(2501))
    );
    assert_eq!(summary["omitted"], 1501);
    let lines: Vec<_> = (1..=1000).map(|line: u32| line.to_string()).collect();
    assert_eq!(output.all("match", "line"), lines);

    let document = sandbox.douse(["scan", "-f", "json"]).run().expect(1).json();
    assert_eq!(document["findings"][0]["match_count"], 2501);
    assert_eq!(
        document["findings"][0]["matches"].as_array().unwrap().len(),
        1000
    );
}

#[test]
fn the_json_document_has_the_promised_shape() {
    let sandbox = Sandbox::new();
    let (token, other) = (sandbox.token(Kind::FineGrained), sandbox.token(Kind::OAuth));
    sandbox.write("a", format!("{token}\n{other}"));
    sandbox.write("b", format!("..{token}"));
    std::os::unix::fs::symlink("a", sandbox.work().join("link")).unwrap();
    let output = sandbox
        .douse(["scan", "-f", "json", ".", "missing"])
        .run()
        .expect(2);
    let document = output.json();
    let keys: Vec<_> = document
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["errors", "findings", "schema", "skips", "summary"]);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["summary"]["complete"], false);
    assert_eq!(document["errors"][0]["path"], "missing");
    assert_eq!(document["skips"][0]["path"], "link");
    assert_eq!(document["skips"][0]["reason"], "symlink");
    let findings = document["findings"].as_array().unwrap();
    let find = |token: &str| {
        let fingerprint = tokens::fingerprint(token);
        findings
            .iter()
            .find(|finding| finding["fingerprint"] == fingerprint)
            .unwrap()
    };
    let digest: Vec<u8> = {
        use sha2::Digest as _;
        sha2::Sha256::digest(token.as_bytes()).to_vec()
    };
    assert_eq!(
        *find(&token),
        json!({
            "fingerprint": tokens::fingerprint(&token),
            "hashed_token": base64::engine::general_purpose::STANDARD.encode(digest),
            "kind": Kind::FineGrained.id(),
            "checksum": "valid",
            "revocable": true,
            "redacted": "github_pat_…",
            "match_count": 2,
            "matches": [
                {"encoding": "plain", "path": "a", "members": [], "line": 1, "column": 1,
                 "offset": 0, "length": 93},
                {"encoding": "plain", "path": "b", "members": [], "line": 1, "column": 3,
                 "offset": 2, "length": 93},
            ],
        })
    );
    assert_eq!(find(&other)["match_count"], 1);
    assert_eq!(findings.len(), 2);
}
