//! Tokens that are not written as themselves, encoded by programs made by others.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

/// Python's and coreutils' encoders; the names of the files say what is expected.
const ENCODERS: &str = include_str!("encoders.py");

#[test]
fn what_others_encode_is_found_once_and_told_as_what_it_is() {
    for kind in Kind::ALL {
        let sandbox = Sandbox::new();
        let token = sandbox.token(kind);
        let mut python = sandbox
            .program("python3")
            .args(["-c", ENCODERS])
            .stdin(Stdio::piped())
            .spawn()
            .expect("python3, of the Debian package of that name");
        let mut input = python.stdin.take().unwrap();
        input.write_all(token.as_bytes()).unwrap();
        drop(input);
        assert!(python.wait().unwrap().success(), "the encoders failed");
        let mut expected = Vec::new();
        for entry in fs::read_dir(sandbox.work()).unwrap() {
            let path = entry.unwrap().path();
            let content = fs::read(&path).unwrap();
            let raw = token.as_bytes();
            assert!(!content.windows(raw.len()).any(|window| window == raw));
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let (encoding, _) = name.split_once('.').unwrap();
            expected.push((encoding.to_owned(), name));
        }
        assert!(expected.len() > 60, "{}", expected.len());
        let output = sandbox.scan(["."]).expect(1);
        let mut found = Vec::new();
        for line in output.lines("match") {
            assert_eq!(line["fingerprint"], tokens::fingerprint(&token), "{line}");
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            let name = text("path").trim_start_matches("./").to_owned();
            found.push((text("encoding"), name));
        }
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{kind:?}");
        assert_eq!(output.summary()["unverified"], 0);
    }
}

/// Encoded text is full of what looks like a token by chance, so only proof counts.
#[test]
fn encoded_typing_errors_are_not_even_unverified() {
    let sandbox = Sandbox::new();
    let wrong = sandbox.mistyped(Kind::Personal);
    let hex: Vec<String> = wrong.bytes().map(|byte| format!("{byte:02x}")).collect();
    let wide: Vec<u8> = wrong.bytes().flat_map(|byte| [byte, 0]).collect();
    sandbox.write("hex", hex.concat());
    sandbox.write("wide", wide);
    sandbox.write("percent", wrong.replace('_', "%5F"));
    let output = sandbox.scan(["."]).expect(0);
    assert_eq!(output.summary()["unverified"], 0);
    sandbox.write("plain", wrong);
    assert_eq!(sandbox.scan(["."]).expect(0).summary()["unverified"], 1);
}
