//! Archives that are small and unpack to much, or to themselves: the scan ends soon, in bounded
//! memory, and tells what it left aside. `benches/bombs.py` makes them, there of full size.

use std::path::Path;

use crate::douse::{Output, fingerprints};
use crate::packers::{run, shell};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// Calls a function of the bombs' maker on a file of this name.
fn make(sandbox: &Sandbox, name: &str, function: &str, arguments: &str) {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let script = format!(
        "import sys; sys.path.insert(0, sys.argv[1]); import bombs; \
         bombs.{function}({name:?}, {arguments})"
    );
    let arguments = ["-Bc".as_ref(), script.as_ref(), benches.as_os_str()];
    run(&sandbox.work(), "python3", "python3", arguments);
}

/// Scans a bomb, and a token in another file, in half a gigabyte of addresses, stacks and code
/// included. Tells why anything was left aside.
fn defuse(sandbox: &Sandbox, name: &str, options: &[&str]) -> Vec<String> {
    let token = sandbox.token(Kind::Personal);
    sandbox.write("behind", &token);
    let scan = ["scan", "--format", "jsonl", name, "behind"];
    let all = scan.iter().chain(options);
    let output = sandbox.douse_limited("-v 524288", all).run().expect(2);
    assert_eq!(output.found(), fingerprints([token]), "{name}");
    assert_eq!(output.summary()["complete"], false, "{name}");
    output.all("skip", "reason")
}

#[test]
fn an_archive_that_holds_itself_is_opened_so_deep_and_no_deeper() {
    let sandbox = Sandbox::new();
    make(&sandbox, "quine.zip", "quine_zip", "");
    // It is what it says, by the judgement of others.
    shell(
        &sandbox.work(),
        "python3",
        "python3 -m zipfile -e quine.zip out; cmp quine.zip $(find out -type f)",
    );
    assert_eq!(defuse(&sandbox, "quine.zip", &[]), ["depth_limit"]);
    let output = sandbox.scan(["quine.zip"]).expect(2);
    let members = output.lines("skip")[0]["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 8, "{output}");
}

#[test]
fn entries_that_share_their_bytes_are_unpacked_once() {
    let sandbox = Sandbox::new();
    let kernel = "400, 1 << 20";
    // One local header with many names: all of it can be read, once.
    make(&sandbox, "one.zip", "same_kernel_zip", kernel);
    let output = sandbox.scan(["one.zip"]).expect(0);
    assert!(bytes(&output) < 2 << 20, "{output}");
    // Each entry's data runs over the headers of all behind it.
    make(&sandbox, "all.zip", "overlapping_zip", kernel);
    let told = defuse(&sandbox, "all.zip", &[]);
    assert!(told.len() > 300, "{told:?}");
    assert!(told.iter().all(|why| why == "overlapping"), "{told:?}");
    let output = sandbox.scan(["all.zip"]).expect(2);
    assert!(bytes(&output) < 20 << 20, "{output}");
}

fn bytes(output: &Output) -> u64 {
    output.summary()["bytes"].as_u64().unwrap()
}

#[test]
fn filters_upon_filters_are_on_one_account() {
    let sandbox = Sandbox::new();
    make(&sandbox, "nested.pdf", "nested_pdf", "20, 8, 20");
    let told = defuse(&sandbox, "nested.pdf", &["--max-unpacked", "50M"]);
    assert_eq!(told, ["bytes_limit"]);
    make(&sandbox, "deeper.pdf", "nested_pdf", "1, 9, 3");
    assert_eq!(defuse(&sandbox, "deeper.pdf", &[]), ["depth_limit"; 3]);
}

#[test]
fn so_many_members_are_looked_at_and_no_more() {
    let sandbox = Sandbox::new();
    make(&sandbox, "many.zip", "entries_zip", "70_000");
    make(&sandbox, "many.tar", "entries_tar", "70_000");
    for name in ["many.zip", "many.tar"] {
        let told = defuse(&sandbox, name, &["--max-members", "50000"]);
        assert_eq!(told, ["entries_limit"], "{name}");
    }
}

/// A window of four gigabytes, as its header has it: no more is asked of the system than allowed.
#[test]
fn a_huge_dictionary_is_left_aside() {
    let sandbox = Sandbox::new();
    sandbox.write("log", "nothing\n".repeat(100));
    let script = "7zz a -bso0 -mhc=off -m0=LZMA2 out.7z log";
    shell(&sandbox.work(), "7zip", script);
    let path = sandbox.work().join("out.7z");
    let mut archive = std::fs::read(&path).unwrap();
    // LZMA2's identifier, one byte of properties, the dictionary's size.
    let coder = b"\x21\x21\x01";
    let at = archive
        .windows(3)
        .rposition(|three| three == coder)
        .unwrap();
    archive[at + 3] = 40;
    seal(&mut archive);
    std::fs::write(&path, archive).unwrap();
    assert_eq!(defuse(&sandbox, "out.7z", &[]), ["memory_limit"]);
}

/// Mends the checksums of a 7z archive's headers.
fn seal(archive: &mut [u8]) {
    let number = |at: usize| {
        let bytes = archive[at..at + 8].try_into().unwrap();
        usize::try_from(u64::from_le_bytes(bytes)).unwrap()
    };
    let start = 32 + number(12);
    let sum = crc32fast::hash(&archive[start..start + number(20)]);
    archive[28..32].copy_from_slice(&sum.to_le_bytes());
    let sum = crc32fast::hash(&archive[12..32]);
    archive[8..12].copy_from_slice(&sum.to_le_bytes());
}
