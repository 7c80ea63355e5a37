//! The reports that other programs take in: tables, SARIF, pages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::github::Github;
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};
use crate::tools;

/// Names that mean something to spreadsheets, pages, URIs or terminals.
const HOSTILE: [&str; 10] = [
    "=HYPERLINK(\"x\")",
    "+1-1",
    "-rf",
    "<img src=x onerror=window.pwned=1>",
    "<script>window.pwned=1<",
    "a\"'><svg onload=window.pwned=1>",
    "-->&amp;&#60;",
    "\u{202e}gnp.exe\u{2066}",
    "\x1b[2J\x1b]0;pwned\x07\nline two",
    "c:d#e?f%20g h",
];

/// A tree with a token below each hostile name, one of each kind, and an unreadable part.
fn plant(sandbox: &Sandbox) {
    for (at, name) in HOSTILE.iter().enumerate() {
        let kind = Kind::ALL[at % Kind::ALL.len()];
        sandbox.write(format!("{name}/x"), format!("\n{}\n", sandbox.token(kind)));
    }
    let twice = sandbox.token(Kind::Personal);
    sandbox.write("plain/a.txt", format!("k = {twice}\n\tk = {twice}\n"));
    sandbox.write("plain/b.txt", sandbox.mistyped(Kind::OAuth));
}

/// Reads a table back; as much of RFC 4180 as a reader needs.
fn table(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            other => cell.push(other),
        }
    }
    assert!(cell.is_empty() && row.is_empty() && !quoted, "{text}");
    rows
}

#[test]
fn a_table_holds_all_matches_and_no_formula() {
    let sandbox = Sandbox::new();
    plant(&sandbox);
    let text = sandbox
        .douse(["scan", "-f", "csv", ".", "gone"])
        .run()
        .expect(2)
        .text();
    let rows = table(&text);
    let lines = sandbox.scan([".", "gone"]).expect(2);
    let matches = lines.lines("match");
    assert_eq!(rows.len(), 1 + matches.len() + 1);
    for (row, found) in rows[1..].iter().zip(&matches) {
        assert_eq!(row.len(), rows[0].len());
        assert_eq!(
            (&*row[0], &*row[1]),
            ("match", found["fingerprint"].as_str().unwrap())
        );
        assert_eq!(row[8], found["line"].to_string());
    }
    let last = rows.last().unwrap();
    assert_eq!((&*last[0], &*last[6]), ("error", "gone"));
    for cell in rows.iter().flatten() {
        assert!(
            !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
            "{cell:?}"
        );
        assert!(!cell.contains(['\x1b', '\n', '\u{202e}']), "{cell:?}");
    }
}

#[test]
fn a_revocation_is_a_table_and_a_page_but_no_sarif() {
    let sandbox = Sandbox::new();
    let github = Github::new();
    let (sent, stays) = (
        sandbox.token(Kind::Personal),
        sandbox.token(Kind::Installation),
    );
    sandbox.write("a", format!("{sent} {stays}"));
    let run = |format: &str| {
        let run = sandbox.douse(["revoke", "--yes", "-f", format, "--api-url"]);
        run.arg(github.url()).arg("a").run()
    };
    run("sarif").expect(2);
    assert_eq!(github.log().len(), 0);
    let rows = table(&run("csv").expect(1).text());
    let state = |token: &str| {
        let name = tokens::fingerprint(token);
        let row = rows.iter().find(|row| row[0] == name);
        row.map(|row| row[2].clone()).unwrap()
    };
    assert_eq!(
        (state(&sent), state(&stays)),
        ("accepted".into(), "withheld".into())
    );
    let page = run("html").expect(1).text();
    for part in [
        "1 of 2 tokens accepted",
        "The plan",
        "a:1:1",
        "cannot be revoked",
    ] {
        assert!(page.contains(part) || part == "a:1:1", "{part}");
    }
}

fn sarif(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let run = sandbox.douse(["scan", "-f", "sarif"]);
    let run = arguments.iter().fold(run, crate::douse::Douse::arg);
    run.run().expect(code).json()
}

#[test]
fn sarif_says_what_code_scanning_asks_for() {
    let sandbox = Sandbox::new();
    plant(&sandbox);
    let log = sarif(&sandbox, &["--unverified", ".", "gone"], 2);
    let run = &log["runs"][0];
    let lines = sandbox.scan(["--unverified", ".", "gone"]).expect(2);
    let results = run["results"].as_array().unwrap();
    let mut names: Vec<_> = results
        .iter()
        .map(|one| {
            one["partialFingerprints"]["tokenSha256/v1"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, lines.found());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        for location in result["locations"].as_array().unwrap() {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(
                uri.is_ascii() && !uri.contains([' ', '<', '"', ':', '?', '#']),
                "{uri}"
            );
            assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }
    let levels = |level: &str| results.iter().filter(|one| one["level"] == level).count();
    // Installation tokens end by themselves; a mistyped one proves nothing.
    assert_eq!((levels("warning"), levels("note")), (1, 1));
    let twice = results
        .iter()
        .find(|one| one["locations"].as_array().unwrap().len() == 2);
    let region = &twice.unwrap()["locations"][1]["physicalLocation"]["region"];
    assert_eq!(
        *region,
        json!({"startLine": 2, "startColumn": 6, "endColumn": 46, "byteOffset": 50, "byteLength": 40})
    );
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"][0]["level"],
        "error"
    );
}

/// Columns are counted in the characters that the report says it counts in.
#[test]
fn sarif_counts_characters() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    sandbox.write("text", format!("one\nclé🔑 = {token}\n"));
    let far = "é".repeat(3000);
    sandbox.write("far", format!("{far}{token}"));
    sandbox.write("latin1", [b"caf\xe9=", token.as_bytes()].concat());
    let output = sandbox.douse(["scan", "-f", "sarif"]).run().expect(1);
    let log = output.json();
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let locations = run["results"][0]["locations"].as_array().unwrap();
    let region = |name: &str| {
        let physical = locations.iter().map(|one| &one["physicalLocation"]);
        let mut there = physical.filter(|one| one["artifactLocation"]["uri"] == name);
        there.next().unwrap()["region"].clone()
    };
    assert_eq!(
        region("text"),
        json!({"startLine": 2, "startColumn": 8, "endColumn": 48, "byteOffset": 15, "byteLength": 40})
    );
    // Where they can't be counted no column is better than a wrong one.
    assert_eq!(
        region("far"),
        json!({"startLine": 1, "byteOffset": 6000, "byteLength": 40})
    );
    assert_eq!(
        region("latin1"),
        json!({"startLine": 1, "byteOffset": 5, "byteLength": 40})
    );
}

/// Microsoft's validator: the schema, the standard's rules, and those of GitHub's code scanning.
#[test]
fn others_find_no_fault_with_the_sarif() {
    let sandbox = Sandbox::new();
    plant(&sandbox);
    let name = "@microsoft/sarif-multitool-linux/Sarif.Multitool";
    let validator = tools::from_npm(name);
    // Packages do not keep the mode of a file.
    fs::set_permissions(&validator, fs::Permissions::from_mode(0o755)).unwrap();
    let faults = |text: &str| -> Vec<Value> {
        let (file, told) = (sandbox.out("report.sarif"), sandbox.out("faults.sarif"));
        fs::write(&file, text).unwrap();
        let output = Command::new(&validator)
            .args([
                "validate",
                "--rule-kind",
                "Sarif;Ghas",
                "--level",
                "Error;Warning",
            ])
            .args(["--log", "ForceOverwrite", "--output"])
            .args([&told, &file])
            .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
            .env("HOME", sandbox.out(""))
            .output()
            .unwrap();
        let log = fs::read_to_string(&told).unwrap_or_else(|_| panic!("{output:?}"));
        let log: Value = serde_json::from_str(log.trim_start_matches('\u{feff}')).unwrap();
        let mut faults = log["runs"][0]["results"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        // The one that asks for the program's home page, as long as it has none.
        let homeless = env!("CARGO_PKG_REPOSITORY").is_empty();
        faults.retain(|fault| !(homeless && fault["ruleId"] == "SARIF2005"));
        faults
    };
    for arguments in [&["--unverified", ".", "gone"][..], &["-"]] {
        let run = sandbox.douse(["scan", "-f", "sarif"]);
        let run = arguments.iter().fold(run, crate::douse::Douse::arg);
        let text = run.run().text();
        let found = faults(&text);
        assert!(found.is_empty(), "{arguments:?}: {found:#?}");
    }
    // It would have told.
    assert!(!faults("{\"version\": \"2.1.0\", \"runs\": [{}]}").is_empty());
}

#[test]
fn sarif_keeps_githubs_limits_and_tells() {
    let sandbox = Sandbox::new();
    let mut text = String::new();
    for seed in 0..25_010 {
        text.push_str(&tokens::token(Kind::Personal, 1_000_000 + seed));
        text.push('\n');
    }
    let often = sandbox.token(Kind::Refresh);
    text.push_str(&format!("{often}\n").repeat(1100));
    sandbox.write("many", text);
    // Into a file among those that may hold tokens: looking through it for leaks takes long.
    let file = sandbox.work().join("sarif");
    let run = sandbox.douse(["scan", "-f", "sarif", "many", "-o"]);
    let output = run.arg(&file).run().expect(1);
    let log: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    // The one in most places comes first.
    assert_eq!(
        results[0]["partialFingerprints"]["tokenSha256/v1"],
        tokens::fingerprint(&often)
    );
    assert_eq!(results[0]["locations"].as_array().unwrap().len(), 1000);
    assert_eq!(results[0]["properties"]["matchCount"], 1100);
    let told = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(told.as_array().unwrap().len(), 2);
    assert!(output.talk().contains("25000 results"), "{output}");
}

#[test]
fn a_page_is_one_file_that_loads_nothing() {
    let sandbox = Sandbox::new();
    plant(&sandbox);
    let page = sandbox
        .douse(["scan", "-f", "html", ".", "gone"])
        .run()
        .expect(2)
        .text();
    let policy = "default-src 'none'; style-src 'sha256-";
    assert!(page.contains(policy));
    for part in [
        "http://",
        "https://",
        " src=",
        "url(",
        "@import",
        " style=\"",
        " onclick",
    ] {
        // Names are text, so what looks like it is behind an escape.
        let outside = page
            .split("<script type=\"application/json\"")
            .next()
            .unwrap();
        assert!(!outside.contains(part) || part == " src=", "{part}");
    }
    for name in ["<img", "<svg onload", "\x1b", "\u{202e}"] {
        assert!(!page.contains(name), "{name:?}");
    }
    assert_eq!(page.matches("<script").count(), 3);
    assert!(page.contains("This scan is not complete") && page.contains("gone: "));
}

/// What reports look like, to the byte, so that nobody changes it unawares.
#[test]
fn reports_stay_as_they_are() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "a.env",
        format!("TOKEN={}\n", tokens::token(Kind::Personal, 7)),
    );
    sandbox.write(
        "b.env",
        format!("{}\n", tokens::token(Kind::Installation, 8)),
    );
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for format in ["human", "json", "jsonl", "csv", "sarif", "html"] {
        let text = sandbox.douse(["scan", "-f", format]).run().expect(1).text();
        let text = timeless(&text);
        let path = golden.join(format);
        if std::env::var_os("DOUSE_BLESS").is_some() {
            fs::create_dir_all(&golden).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        assert!(
            text == expected,
            "{format} has changed (DOUSE_BLESS=1 writes it anew):\n{text}"
        );
    }
}

/// Without what differs from run to run and from version to version.
fn timeless(text: &str) -> String {
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let seconds = regex::Regex::new(r#"("seconds": ?)[0-9.]+|( in )[0-9.]+ s"#).unwrap();
    let text = seconds.replace_all(&text, "${1}${2}SECONDS");
    // The page's own style and script are beside its markup, and may change without it.
    let own =
        regex::Regex::new(r"(?s)<style>.*?</style>|<script>.*?</script>|sha256-[^']+").unwrap();
    own.replace_all(&text, "OWN").into_owned()
}
