//! What may be spent on a container, and what is said when that is not enough.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::containers::log;
use crate::douse::{Output, fingerprints};
use crate::packers::{Compressor, tar};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// The one thing that was left aside: its path, members and reason.
#[track_caller]
fn skipped(output: &Output) -> (String, String, String) {
    let one = |field: &str| {
        let all = output.all("skip", field);
        assert_eq!(all.len(), 1, "{output}");
        all[0].clone()
    };
    (one("path"), one("members"), one("reason"))
}

#[test]
fn containers_are_opened_so_deep_and_no_deeper() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let mut packed = log(&token).into_bytes();
    for _ in 0..9 {
        packed = Compressor::of("gz").pack(&packed);
    }
    sandbox.write("deep", &packed);
    let output = sandbox.scan(["deep"]).expect(2);
    assert_eq!(output.lines("match").len(), 0);
    assert_eq!(skipped(&output).2, "depth_limit");
    let output = sandbox.scan(["--max-depth", "9", "deep"]).expect(1);
    assert_eq!(output.found(), fingerprints([token]));
    let output = sandbox.scan(["--max-depth", "0", "deep"]).expect(2);
    assert_eq!(
        skipped(&output),
        ("deep".into(), "[]".into(), "depth_limit".into())
    );
}

/// What came before the limit is found, and so is what stands in the file's own bytes.
#[test]
fn a_limit_is_told_and_what_came_before_it_is_found() {
    let sandbox = Sandbox::new();
    let tokens: Vec<_> = (0..4).map(|_| sandbox.token(Kind::Personal)).collect();
    let large = vec![b'.'; 4 << 20];
    let archive = tar(
        &sandbox.work(),
        &[],
        &[
            ("1", log(&tokens[0]).as_bytes()),
            ("2", &large),
            ("3", tokens[1].as_bytes()),
        ],
    );
    sandbox.write("plain.tar", [&archive, tokens[2].as_bytes()].concat());
    let packed = Compressor::of("gz").pack(&archive);
    sandbox.write("packed", &packed);
    for (option, value, reason) in [
        ("--max-unpacked", "2M", "bytes_limit"),
        ("--max-members", "2", "entries_limit"),
    ] {
        let output = sandbox.scan([option, value, "plain.tar"]).expect(2);
        // Nothing is unpacked from a tar's own bytes but what they are.
        assert_eq!(output.found(), fingerprints(&tokens[..3]), "{option}");
        assert_eq!(skipped(&output).2, reason);
        let output = sandbox.scan([option, value, "packed"]).expect(2);
        assert_eq!(skipped(&output).2, reason);
        let found = output.found();
        if option == "--max-members" {
            assert_eq!(found, fingerprints(&tokens[..1]));
        }
    }
    let output = sandbox.scan(["--max-unpacked", "1G", "--max-members", "9", "packed"]);
    assert_eq!(output.expect(1).found(), fingerprints(&tokens[..2]));
}

#[test]
fn decoders_get_so_much_memory_and_no_more() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let text = [log(&token), ".\n".repeat(9 << 20)].concat();
    for (ending, option) in [
        ("zst", "--long=26"),
        ("xz", "--lzma2=dict=64MiB"),
        ("lzma", "--lzma1=dict=64MiB"),
    ] {
        let packed = Compressor::of(ending).pack_with(&[option], text.as_bytes());
        sandbox.write(ending, &packed);
        let output = sandbox
            .scan(["--max-unpack-memory", "32M", ending])
            .expect(2);
        assert_eq!(
            skipped(&output),
            (ending.into(), "[]".into(), "memory_limit".into())
        );
        let output = sandbox
            .scan(["--max-unpack-memory", "80M", ending])
            .expect(1);
        assert_eq!(output.found(), fingerprints([&token]));
    }
}

#[test]
fn time_is_limited() {
    let sandbox = Sandbox::new();
    let zeros = Compressor::of("gz").pack(&vec![0; 64 << 20]);
    sandbox.write("zeros", &zeros);
    let output = sandbox.scan(["--max-unpack-time", "0s", "zeros"]).expect(2);
    assert_eq!(skipped(&output).2, "time_limit");
    sandbox
        .scan(["--max-unpack-time", "50s", "zeros"])
        .expect(0);
}

/// An honest log that shrinks to a thousandth is read to its end.
#[test]
fn no_ratio_is_too_good() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let line = "2026-11-21 INFO nothing happened, as every second of every day of every year\n";
    let text = [line.repeat(500_000), log(&token)].concat();
    for ending in ["gz", "xz", "zst", "bz2"] {
        let packed = Compressor::of(ending).pack(text.as_bytes());
        assert!(packed.len() * 100 < text.len(), "{ending}");
        sandbox.write(ending, &packed);
    }
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.lines("match").len(), 4);
    assert_eq!(output.summary()["skipped"], 0);
}

/// Ten gigabytes of zeros in a few kilobytes, and in many containers at once.
#[test]
fn bombs_end_soon() {
    let sandbox = Sandbox::new();
    let gzip = Compressor::of("gz");
    let token = sandbox.token(Kind::Personal);
    let megabytes = gzip.pack(&vec![0; 64 << 20]);
    let gigabytes = megabytes.repeat(160);
    let twice = gzip.pack(&gigabytes);
    let thrice = gzip.pack(&twice.repeat(100));
    let archive = tar(
        &sandbox.work(),
        &[],
        &[
            ("1", token.as_bytes()),
            ("2", &thrice),
            ("3", &thrice),
            ("4", &twice),
        ],
    );
    sandbox.write("bomb", Compressor::of("xz").pack(&archive));
    let start = Instant::now();
    let output = sandbox.scan(["--max-unpacked", "200M", "bomb"]).expect(2);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(output.found(), fingerprints([token]));
    let (path, members, reason) = skipped(&output);
    assert_eq!((path.as_str(), reason.as_str()), ("bomb", "bytes_limit"));
    assert!(members.starts_with(r#"["2","#), "{members}");
    assert_eq!(output.summary()["complete"], json!(false));
}

#[test]
fn limits_are_checked() {
    let sandbox = Sandbox::new();
    for (option, value) in [
        ("--max-unpacked", "1.5G"),
        ("--max-unpack-memory", "lots"),
        ("--max-unpack-time", "5"),
        ("--max-members", "many"),
        ("--max-depth", "x"),
    ] {
        let output = sandbox.scan([option, value, "."]).expect(2);
        assert!(output.talk().contains(option), "{}", output.talk());
    }
}
