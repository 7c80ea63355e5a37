//! Archives and documents that hold many things: zip and all that is one, 7z, PDF, images of
//! containers. Real tools make them; what no tool makes is tested beside the code.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::containers::{assert_hidden, log};
use crate::douse::{Output, fingerprints};
use crate::packers::{Compressor, run, shell, tar};
use crate::sandbox::Sandbox;
use crate::tokens::{Kind, Random};

/// Ways to make an archive `out` of all that lies in the current folder: a name, the Debian
/// package of the tool, the script. Python's library writes what the tools do not.
pub(crate) const ARCHIVES: &[(&str, &str, &str)] = &[
    ("deflate", "zip", "zip -qr out ."),
    ("bzip2", "zip", "zip -qr -Z bzip2 out ."),
    ("described", "zip", "zip -qr -fd out ."),
    ("zip64", "zip", "zip -qr -fz out ."),
    ("stream", "zip", "zip -qr - . -x out.zip | cat > out.zip"),
    (
        "advanced",
        "advancecomp",
        "zip -qr0 out . && advzip -qz4 out.zip",
    ),
    ("7zip", "7zip", "7zz a -bso0 -tzip out.zip ."),
    (
        "deflate64",
        "7zip",
        "7zz a -bso0 -tzip -mm=Deflate64 out.zip .",
    ),
    (
        "7zip-bzip2",
        "7zip",
        "7zz a -bso0 -tzip -mm=BZip2 out.zip .",
    ),
    ("7zip-lzma", "7zip", "7zz a -bso0 -tzip -mm=LZMA out.zip ."),
    ("7zip-xz", "7zip", "7zz a -bso0 -tzip -mm=xz out.zip ."),
    ("7zip-ppmd", "7zip", "7zz a -bso0 -tzip -mm=PPMd out.zip ."),
    ("python-lzma", "python3", PYTHON_LZMA),
    ("zstd", "zstd", ZSTD),
    ("7z", "7zip", "7zz a -bso0 out.7z ."),
    ("7z-best", "7zip", "7zz a -bso0 -mx9 out.7z ."),
    ("7z-single", "7zip", "7zz a -bso0 -ms=off out.7z ."),
    ("7z-plain-header", "7zip", "7zz a -bso0 -mhc=off out.7z ."),
    ("7z-lzma", "7zip", "7zz a -bso0 -m0=LZMA out.7z ."),
    ("7z-ppmd", "7zip", "7zz a -bso0 -m0=PPMd out.7z ."),
    ("7z-bzip2", "7zip", "7zz a -bso0 -m0=BZip2 out.7z ."),
    ("7z-deflate", "7zip", "7zz a -bso0 -m0=Deflate out.7z ."),
    ("7z-bcj", "7zip", "7zz a -bso0 -m0=BCJ -m1=LZMA2 out.7z ."),
    (
        "7z-bcj2",
        "7zip",
        "7zz a -bso0 -mf=BCJ2 out.7z . -i!/bin/true",
    ),
    ("7z-delta", "7zip", "7zz a -bso0 -mf=Delta:2 out.7z ."),
];

/// Writes to what cannot be sought in, so that descriptors follow.
const PYTHON_LZMA: &str = "python3 -c '
import sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, \"w\", zipfile.ZIP_LZMA) as out:
    for name in [\"a.log\", \"b/c.log\"]: out.write(name)
' | cat > out.zip";

/// No packaged tool writes this method, so what zstd packed is put in as stored, and renamed.
const ZSTD: &str = "python3 -c '
import struct, subprocess, zipfile, zlib
names = [\"a.log\", \"b/c.log\"]
with zipfile.ZipFile(\"out.zip\", \"w\") as out:
    for name in names:
        out.writestr(name, subprocess.run([\"zstd\", \"-qc\", name], capture_output=True).stdout)
    infos = out.infolist()
data = bytearray(open(\"out.zip\", \"rb\").read())
at = data.index(b\"PK\\1\\2\")
for name, info in zip(names, infos):
    text = open(name, \"rb\").read()
    for start in [info.header_offset + 8, at + 10]:
        struct.pack_into(\"<H\", data, start, 93)
        struct.pack_into(\"<I\", data, start + 6, zlib.crc32(text))
        struct.pack_into(\"<I\", data, start + 14, len(text))
    at = data.find(b\"PK\\1\\2\", at + 4)
open(\"out.zip\", \"wb\").write(data)
'";

/// What a script makes of these files. It is to make `out`, with whatever ending.
pub(crate) fn make(folder: &Path, package: &str, script: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let tree = tempfile::tempdir_in(folder).unwrap();
    for (name, contents) in files {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    shell(tree.path(), package, script);
    let made = ["out", "out.zip", "out.7z", "out.pdf"].map(|name| tree.path().join(name));
    fs::read(made.iter().find(|path| path.exists()).unwrap()).unwrap()
}

/// The members of each match, in order.
fn members(output: &Output) -> Vec<Value> {
    let matches = output.lines("match");
    let mut members: Vec<Value> = matches
        .iter()
        .map(|found| found["members"].clone())
        .collect();
    members.sort_by_key(Value::to_string);
    members
}

/// Fails unless the scan read everything.
#[track_caller]
fn assert_complete(output: &Output, what: &str) {
    assert_eq!(output.summary()["complete"], true, "{what}: {output}");
}

#[test]
fn every_method_is_read_whatever_the_archive_is_called() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, package, script) in ARCHIVES {
        let tokens = [
            sandbox.token(Kind::Personal),
            sandbox.token(Kind::FineGrained),
        ];
        let [one, other] = [&tokens[0], &tokens[1]].map(|token| log(token));
        let files = [("a.log", one.as_bytes()), ("b/c.log", other.as_bytes())];
        let made = make(folder.path(), package, script, &files);
        for token in &tokens {
            assert_hidden(&made, token);
        }
        sandbox.write(name, &made);
        let output = sandbox.scan([name]).expect(1);
        assert_complete(&output, name);
        assert_eq!(output.found(), fingerprints(&tokens), "{name}");
        assert_eq!(
            members(&output),
            [json!(["a.log"]), json!(["b/c.log"])],
            "{name}"
        );
        for found in output.lines("match") {
            assert_eq!(found["line"], 3002, "{name}");
        }
        let output = sandbox
            .douse(["scan", "--format", "jsonl", "-"])
            .input(made)
            .run();
        assert_complete(&output.expect(1), name);
    }
}

#[test]
fn what_is_stored_is_told_once_at_the_member() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, package, script) in [
        ("zip", "zip", "zip -qr0 out ."),
        (
            "described",
            "zip",
            "zip -qr0 - . -x out.zip | cat > out.zip",
        ),
        (
            "python",
            "python3",
            &PYTHON_LZMA.replace("ZIP_LZMA", "ZIP_STORED"),
        ),
        ("7z", "7zip", "7zz a -bso0 -m0=Copy out.7z ."),
    ] {
        let tokens = [sandbox.token(Kind::Personal), sandbox.token(Kind::OAuth)];
        let files = [
            ("a.log", tokens[0].as_bytes()),
            ("b/c.log", tokens[1].as_bytes()),
        ];
        let made = make(folder.path(), package, script, &files);
        sandbox.write(name, &made);
        let output = sandbox.scan([name]).expect(1);
        assert_complete(&output, name);
        assert_eq!(
            members(&output),
            [json!(["a.log"]), json!(["b/c.log"])],
            "{name}"
        );
        let output = sandbox
            .douse(["scan", "--format", "jsonl", "-"])
            .input(made)
            .run();
        assert_eq!(members(&output.expect(1)).len(), 2, "{name}");
    }
}

#[test]
fn archives_nest_in_each_other_and_in_all_else() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let token = sandbox.token(Kind::Refresh);
    let text = log(&token);
    for (inner, package, script) in ARCHIVES {
        let mut made = make(
            folder.path(),
            package,
            script,
            &[("a.log", text.as_bytes()), ("b/c.log", b"nothing")],
        );
        // Stored in one and packed in the other, each of them read as a file and as a stream.
        for (outer, package, script) in [
            ("zip", "zip", "zip -q0 out inner"),
            ("7z", "7zip", "7zz a -bso0 out.7z inner"),
        ] {
            made = make(folder.path(), package, script, &[("inner", &made)]);
            let path = format!("{inner}.{outer}");
            sandbox.write(&path, &made);
            let archive = tar(&sandbox.work(), &[], &[("inner", &made)]);
            sandbox.write(format!("{path}.tgz"), Compressor::of("gz").pack(&archive));
            for path in [path.clone(), format!("{path}.tgz")] {
                let output = sandbox.scan([&path]).expect(1);
                assert_complete(&output, &path);
                assert_eq!(output.lines("match").len(), 1, "{path}: {output}");
            }
        }
    }
}

#[test]
fn an_archive_behind_a_program_or_a_picture_is_read() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let token = sandbox.token(Kind::Personal);
    let text = log(&token);
    let zip = make(
        folder.path(),
        "zip",
        "zip -qr out .",
        &[("a.log", text.as_bytes())],
    );
    let program = fs::read("/bin/sh").unwrap();
    for (name, before, behind) in [
        ("program", &program[..], &b""[..]),
        ("script", b"#!/bin/sh\nexit 0\n", b""),
        ("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b""),
        ("newline", b"GIF89a", b"\n"),
        ("document", b"%PDF-1.4\nno streams\n%%EOF\n", b""),
    ] {
        let bytes = [before, &zip, behind].concat();
        sandbox.write(name, &bytes);
        let output = sandbox.scan([name]).expect(1);
        assert_complete(&output, name);
        assert_eq!(members(&output), [json!(["a.log"])], "{name}");
        if name != "document" {
            let archive = tar(&sandbox.work(), &[], &[(name, &bytes)]);
            let output = sandbox
                .douse(["scan", "--format", "jsonl", "-"])
                .input(archive)
                .run();
            assert_eq!(members(&output.expect(1)), [json!([name, "a.log"])]);
        }
    }
    // Programs of all sorts are no archives.
    let output = sandbox.scan(["/bin", "/usr/lib/git-core"]).expect(0);
    assert_complete(&output, "programs");
}

#[test]
fn a_token_in_a_name_is_found() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, package, script) in [
        ("zip", "zip", "zip -qr out ."),
        ("7z", "7zip", "7zz a -bso0 out.7z ."),
    ] {
        let token = sandbox.token(Kind::Personal);
        let made = make(
            folder.path(),
            package,
            script,
            &[(&format!("{token}.txt"), b"")],
        );
        sandbox.write(name, made);
        let output = sandbox.scan([name]).expect(1);
        assert_eq!(output.found(), fingerprints([token]), "{name}");
    }
}

#[test]
fn what_is_encrypted_is_told() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let text = log(&sandbox.token(Kind::Personal));
    for (name, package, script, expected) in [
        ("zip", "zip", "zip -qr -P secret out .", json!(["a.log"])),
        (
            "aes",
            "7zip",
            "7zz a -bso0 -tzip -mem=AES256 -psecret out.zip .",
            json!(["a.log"]),
        ),
        (
            "7z",
            "7zip",
            "7zz a -bso0 -psecret out.7z .",
            json!(["a.log"]),
        ),
        (
            "header",
            "7zip",
            "7zz a -bso0 -psecret -mhe=on out.7z .",
            json!([]),
        ),
    ] {
        let made = make(
            folder.path(),
            package,
            script,
            &[("a.log", text.as_bytes())],
        );
        sandbox.write(name, made);
        let output = sandbox.scan([name]).expect(2);
        let skips = output.lines("skip");
        assert_eq!(skips.len(), 1, "{name}: {output}");
        assert_eq!(skips[0]["reason"], "encrypted", "{name}");
        assert_eq!(skips[0]["members"], expected, "{name}");
        assert_eq!(output.summary()["errors"], 0, "{name}");
    }
}

/// Each file whose packed bytes are wholly there is found, whatever is behind them.
#[test]
fn what_is_cut_short_is_read_up_to_there_and_told() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(9);
    let tokens: Vec<String> = (0..12).map(|_| sandbox.token(Kind::Personal)).collect();
    let files: Vec<(String, String)> = tokens
        .iter()
        .enumerate()
        .map(|(n, token)| {
            let mut text = format!("{token}\n");
            for _ in 0..40 {
                writeln!(text, "{:x}", random.next()).unwrap();
            }
            (format!("{n:02}.log"), text + token)
        })
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    for (name, package, script) in ARCHIVES {
        let is_fixed = script.contains("a.log");
        // The size of a block decides what can be had of it.
        let is_blockwise = name.contains("bzip2");
        let is_salvaged = !name.starts_with("7z-") || ["7z-best", "7z-plain-header"].contains(name);
        if is_fixed || is_blockwise || !is_salvaged {
            continue;
        }
        let made = make(folder.path(), package, script, &files);
        let mut last = 0;
        for part in [1, 4, 7, 9] {
            let path = format!("{name}-{part}");
            sandbox.write(&path, &made[..made.len() * part / 10]);
            let output = sandbox.scan([&path]).expect(2);
            let found = output.found().len();
            assert!(
                found >= last.max(part),
                "{path}: {found} of {}",
                tokens.len()
            );
            last = found;
        }
    }
}

#[test]
fn an_archive_without_its_central_directory_is_read_and_told() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, package, script) in ARCHIVES {
        let token = sandbox.token(Kind::Personal);
        let files = [("a.log", log(&token)), ("b/c.log", String::new())];
        let files = files
            .each_ref()
            .map(|(name, text)| (*name, text.as_bytes()));
        let made = make(folder.path(), package, script, &files);
        if !made.starts_with(b"PK") {
            continue;
        }
        let directory = made
            .windows(4)
            .position(|four| four == b"PK\x01\x02")
            .unwrap();
        sandbox.write(name, &made[..directory]);
        let output = sandbox.scan([name]).expect(2);
        assert_eq!(output.found(), fingerprints([token]), "{name}");
        assert_eq!(output.lines("error").len(), 1, "{name}: {output}");
    }
}

#[test]
fn what_is_damaged_is_told_and_ends_nothing_else() {
    /// What a file is told by. Without that it is something else, and read as such.
    const SIGNATURE: usize = 6;

    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let tokens = [(); 2].map(|()| sandbox.token(Kind::Personal));
    let [one, other] = [&tokens[0], &tokens[1]].map(|token| log(token));
    let files = [("a.log", one.as_bytes()), ("b/c.log", other.as_bytes())];
    for (name, package, script) in ARCHIVES {
        let made = make(folder.path(), package, script, &files);
        let mut random = Random(made.len() as u64);
        for n in 0..5 {
            let mut damaged = made.clone();
            let at = SIGNATURE + random.below(made.len() - SIGNATURE);
            damaged[at] ^= 1 << random.below(8);
            let path = format!("{name}-{n}");
            sandbox.write(&path, &damaged);
            let output = sandbox.scan([&path]);
            // Times and attributes may say anything.
            let is_whole = output.found() == fingerprints(&tokens);
            assert!(
                output.code() == 2 || is_whole && output.code() == 1,
                "{path}, byte {at}: {output}"
            );
        }
    }
}

/// A document with one page that holds `text`, as simple as can be; tools make the rest of it.
pub(crate) fn document(text: &str, title: &str) -> Vec<u8> {
    let page = format!("<</Length {}>>\nstream\n{text}\nendstream", text.len());
    let title = format!("<</Title({title})>>");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        &page,
        &title,
    ];
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (n, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", bytes.len()).unwrap();
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", n + 1).bytes());
    }
    let start = bytes.len();
    let end = format!(
        "xref\n0 6\n{table}trailer\n<</Size 6/Root 1 0 R/Info 5 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    [bytes, end.into_bytes()].concat()
}

#[test]
fn documents_are_read_however_they_are_written() {
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in [
        ("flate", "--compress-streams=y"),
        ("objects", "--object-streams=generate"),
        ("linear", "--linearize --object-streams=generate"),
        ("best", "--recompress-flate --compression-level=9"),
    ] {
        let tokens = [sandbox.token(Kind::Personal), sandbox.token(Kind::OAuth)];
        let plain = document(&log(&tokens[0]), &tokens[1]);
        let script = format!("qpdf {options} in.pdf out.pdf");
        let made = make(folder.path(), "qpdf", &script, &[("in.pdf", &plain)]);
        assert_hidden(&made, &tokens[0]);
        if options.contains("object-streams") {
            assert_hidden(&made, &tokens[1]);
        }
        sandbox.write(name, &made);
        let output = sandbox.scan([name]).expect(1);
        assert_complete(&output, name);
        assert_eq!(output.found(), fingerprints(&tokens), "{name}");
        let first = members(&output)[0][0].to_string();
        assert!(first.contains("object "), "{name}: {output}");
    }
    let plain = document(&log(&sandbox.token(Kind::Personal)), "none");
    for bits in ["--allow-weak-crypto --encrypt a b 40", "--encrypt a b 256"] {
        let script = format!("qpdf {bits} -- in.pdf out.pdf");
        let made = make(folder.path(), "qpdf", &script, &[("in.pdf", &plain)]);
        sandbox.write("encrypted", made);
        let output = sandbox.scan(["encrypted"]).expect(2);
        assert_eq!(
            output.all("skip", "reason"),
            ["encrypted"],
            "{bits}: {output}"
        );
        assert_eq!(output.summary()["errors"], 0, "{bits}");
    }
}

/// Layers have hashes for names and no endings, whether packed or not.
#[test]
fn images_of_containers_are_read_layer_by_layer() {
    const OCI: &str = "python3 -c '
import gzip, hashlib, io, json, subprocess, tarfile
def layer(name, text):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=\"w\") as tar:
        info = tarfile.TarInfo(name); info.size = len(text); tar.addfile(info, io.BytesIO(text))
    return out.getvalue()
files = {}
def put(data):
    name = \"blobs/sha256/\" + hashlib.sha256(data).hexdigest(); files[name] = data; return name
layers = [put(gzip.compress(layer(\"etc/a.env\", open(\"a\", \"rb\").read()))),
          put(layer(\"etc/b.env\", open(\"b\", \"rb\").read())),
          put(subprocess.run([\"zstd\", \"-qc\"], input=layer(\"etc/c.env\", open(\"c\", \"rb\").read()), capture_output=True).stdout)]
files[\"manifest.json\"] = json.dumps([{\"Layers\": layers}]).encode()
files[\"oci-layout\"] = b\"{}\"
with tarfile.open(\"out\", \"w\") as tar:
    for name, data in files.items():
        info = tarfile.TarInfo(name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
'";
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let tokens = [(); 3].map(|()| sandbox.token(Kind::Personal));
    let texts = tokens.each_ref().map(|token| log(token));
    let files = [("a", &texts[0]), ("b", &texts[1]), ("c", &texts[2])];
    let files = files.map(|(name, text)| (name, text.as_bytes()));
    let made = make(folder.path(), "python3", OCI, &files);
    assert_hidden(&made, &tokens[0]);
    assert_hidden(&made, &tokens[2]);
    sandbox.write("image", made);
    let output = sandbox.scan(["image"]).expect(1);
    assert_complete(&output, "image");
    assert_eq!(output.found(), fingerprints(&tokens));
    assert_eq!(output.lines("match").len(), 3, "{output}");
    for found in output.lines("match") {
        let members = found["members"].as_array().unwrap();
        assert_eq!(members.len(), 2);
        assert!(members[0].as_str().unwrap().starts_with("blobs/sha256/"));
    }
}

#[test]
fn very_many_entries_are_read_in_little_time() {
    const ENTRIES: &str = "python3 -c '
import struct, zlib
data, crc = b\"x\", zlib.crc32(b\"x\")
out, directory = open(\"out\", \"wb\"), []
at = 0
for n in range(100000):
    name = b\"%06d\" % n
    common = struct.pack(\"<HHHIIIIHH\", 20, 0, 0, 0, crc, 1, 1, 6, 0)
    out.write(b\"PK\\3\\4\" + common + name + data)
    directory.append(b\"PK\\1\\2\\24\\0\" + common + bytes(10) + struct.pack(\"<I\", at) + name)
    at += 37
directory = b\"\".join(directory)
out.write(directory + b\"PK\\5\\6\" + struct.pack(\"<HHHHIIH\", 0, 0, 100000 & 65535, 100000 & 65535, len(directory), at, 0))
'";
    let sandbox = Sandbox::new();
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), "python3", ENTRIES, &[]);
    sandbox.write("many", made);
    let output = sandbox.scan(["many"]).expect(0);
    assert_complete(&output, "many");
    assert_eq!(output.summary()["blobs"], 100_001);
}

/// The tools that these tests need are those of the packages that they name.
#[test]
fn the_tools_are_there() {
    for (program, package) in [
        ("zip", "zip"),
        ("7zz", "7zip"),
        ("advzip", "advancecomp"),
        ("python3", "python3"),
        ("qpdf", "qpdf"),
        ("zstd", "zstd"),
    ] {
        run(
            Path::new("/"),
            "sh",
            package,
            ["-c", &format!("command -v {program}")],
        );
    }
}
