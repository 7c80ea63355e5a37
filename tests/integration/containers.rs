//! What is packed is found: every container, made by the real tool, with or without its ending,
//! and in each other.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::douse::{Output, fingerprints};
use crate::packers::{COMPRESSORS, Compressor, run, shell, tar};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind, Random};

/// The line and the byte at which [`log`] has its token.
const LINE: u64 = 3002;

/// A log with a token in it that no compressor leaves as it is: its halves stand in it before.
pub(crate) fn log(token: &str) -> String {
    let mut random = Random(5);
    let mut text = String::new();
    let (half, rest) = (&token[..token.len() / 2], &token[token.len() / 2 - 4..]);
    for n in 0..3000 {
        let time = random.below(1000);
        writeln!(text, "2026-11-21 INFO request {n} took {time} ms").unwrap();
    }
    writeln!(text, "{half} and {rest}").unwrap();
    writeln!(text, "password={token}").unwrap();
    for n in 0..100 {
        writeln!(text, "2026-11-21 DEBUG nothing {n}").unwrap();
    }
    text
}

/// Fails if a token can be seen without unpacking.
#[track_caller]
pub(crate) fn assert_hidden(packed: &[u8], token: &str) {
    let is_plain = packed
        .windows(token.len())
        .any(|window| window == token.as_bytes());
    assert!(!is_plain, "the token stands in the container as it is");
}

/// Where a token was found: path, members, line.
fn places(output: &Output) -> Vec<(String, Value, u64)> {
    let matches = output.lines("match");
    let places = matches.iter().map(|found| {
        let path = found["path"].as_str().unwrap().to_owned();
        (
            path,
            found["members"].clone(),
            found["line"].as_u64().unwrap(),
        )
    });
    places.collect()
}

#[test]
fn every_compressor_is_read_whatever_its_file_is_called() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for compressor in COMPRESSORS {
        let token = sandbox.token(Kind::FineGrained);
        let packed = compressor.pack(log(&token).as_bytes());
        assert_hidden(&packed, &token);
        let ending = compressor.ending;
        sandbox.write(format!("{ending}/app.log.{ending}"), &packed);
        expected.push((
            format!("{ending}/app.log.{ending}"),
            json!(["app.log"]),
            LINE,
        ));
        // Brotli has no magic.
        if ending != "br" {
            sandbox.write(format!("{ending}/4f2a"), &packed);
            expected.push((format!("{ending}/4f2a"), json!(["4f2a"]), LINE));
        }
    }
    let output = sandbox.scan(["."]).expect(1);
    let mut found = places(&output);
    found.sort_by(|one, other| one.0.cmp(&other.0));
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(found, expected);
    assert_eq!(output.summary()["errors"], 0);
}

#[test]
fn a_match_in_a_compressed_archive_is_told_as_the_contract_says() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let text = log(&token);
    let archive = tar(&sandbox.work(), &[], &[("etc/app.env", text.as_bytes())]);
    sandbox.write("backups/app.tar.gz", Compressor::of("gz").pack(&archive));
    let output = sandbox.scan(["backups"]).expect(1);
    let matches = output.lines("match");
    assert_eq!(matches.len(), 1);
    let found = &matches[0];
    assert_eq!(found["path"], "backups/app.tar.gz");
    assert_eq!(found["members"], json!(["etc/app.env"]));
    assert_eq!(found["line"], LINE);
    assert_eq!(found["column"], 10);
    assert_eq!(found["offset"], text.find(&token).unwrap());
    assert_eq!(output.summary()["files"], 1);
}

/// Each compressor inside each other, around an archive.
#[test]
fn containers_nest() {
    let sandbox = Sandbox::new();
    let mut tokens = Vec::new();
    for inner in COMPRESSORS {
        let token = sandbox.token(Kind::Refresh);
        let archive = tar(&sandbox.work(), &[], &[("a.log", log(&token).as_bytes())]);
        let packed = inner.pack(&archive);
        assert_hidden(&packed, &token);
        for outer in COMPRESSORS {
            let name = format!("{0}/x.{0}.{1}", inner.ending, outer.ending);
            sandbox.write(name, outer.pack(&packed));
        }
        tokens.push(token);
    }
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.found(), fingerprints(&tokens));
    let found = places(&output);
    assert_eq!(found.len(), COMPRESSORS.len() * COMPRESSORS.len());
    for (path, members, line) in found {
        assert_eq!((members, line), (json!(["a.log"]), LINE), "{path}");
    }
}

#[test]
fn archives_of_every_dialect_are_read() {
    let sandbox = Sandbox::new();
    let long = format!("{}/{}/end", "d".repeat(90), "e".repeat(200));
    let longest = format!(
        "{}/{}",
        ["f".repeat(200), "g".repeat(200)].join("/"),
        "h".repeat(120)
    );
    let mut expected = Vec::new();
    for (dialect, names) in [
        ("v7", &["a", "b/c"][..]),
        ("ustar", &["a", "b/c", &long[..94]]),
        ("oldgnu", &["a", &long, &longest]),
        ("gnu", &["a", &long, &longest, "ä ö\nü"]),
        ("pax", &["a", &long, &longest, "ä ö\nü"]),
    ] {
        let tokens: Vec<_> = names.iter().map(|_| sandbox.token(Kind::OAuth)).collect();
        let files: Vec<_> = names
            .iter()
            .zip(&tokens)
            .map(|(name, token)| (*name, token.as_bytes()))
            .collect();
        let archive = tar(&sandbox.work(), &["--format", dialect], &files);
        sandbox.write(format!("archives/{dialect}"), &archive);
        for (name, token) in names.iter().zip(tokens) {
            expected.push((format!("archives/{dialect}"), (*name).to_owned(), token));
        }
    }
    assert_places(&sandbox.scan(["archives"]).expect(1), &mut expected);
}

/// Compares matches, by path, innermost member and fingerprint.
#[track_caller]
fn assert_places(output: &Output, expected: &mut [(String, String, String)]) {
    let mut found: Vec<_> = output
        .lines("match")
        .iter()
        .map(|found| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let members = found["members"].as_array().unwrap();
            let member = members.last().map(text).unwrap_or_default();
            (text(&found["path"]), member, text(&found["fingerprint"]))
        })
        .collect();
    found.sort();
    for place in expected.iter_mut() {
        place.2 = tokens::fingerprint(&place.2);
    }
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_no_header_tells_of_is_found_in_the_archive_itself() {
    let sandbox = Sandbox::new();
    let (inside, comment, behind, padding) = (
        sandbox.token(Kind::Personal),
        sandbox.token(Kind::Personal),
        sandbox.token(Kind::Personal),
        sandbox.token(Kind::Personal),
    );
    let option = format!("--pax-option=comment={comment}");
    let mut archive = tar(
        &sandbox.work(),
        &["--format=pax", &option],
        &[("a", inside.as_bytes()), ("b", b"")],
    );
    let at = archive
        .windows(inside.len())
        .position(|window| window == inside.as_bytes())
        .unwrap();
    archive[at + 100..at + 100 + padding.len()].copy_from_slice(padding.as_bytes());
    archive.extend_from_slice(behind.as_bytes());
    sandbox.write("archive", &archive);
    let mut expected = vec![
        ("archive".to_owned(), "a".to_owned(), inside),
        ("archive".to_owned(), String::new(), padding),
        ("archive".to_owned(), String::new(), behind),
    ];
    // It may stand before each entry.
    let comments = archive.windows(comment.len());
    for _ in comments.filter(|window| *window == comment.as_bytes()) {
        expected.push(("archive".to_owned(), String::new(), comment.clone()));
    }
    assert_places(&sandbox.scan(["archive"]).expect(1), &mut expected);
}

#[test]
fn sparse_files_are_read() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for (name, arguments) in [
        ("gnu", "--format=gnu"),
        ("pax-0.0", "--format=pax --sparse-version=0.0"),
        ("pax-0.1", "--format=pax --sparse-version=0.1"),
        ("pax-1.0", "--format=pax --sparse-version=1.0"),
    ] {
        let token = sandbox.token(Kind::AppUser);
        let folder = sandbox.work().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        // Thirty stretches of data, more than a header has room for.
        let script = format!(
            "for n in $(seq 30); do echo $n | dd of=disk bs=64k seek=$n conv=notrunc status=none; done
            printf '{token}' | dd of=disk bs=64k seek=40 conv=notrunc status=none
            tar {arguments} --sparse -cf ../{name}.tar disk; rm disk"
        );
        shell(&folder, "tar", &script);
        let packed = std::fs::metadata(sandbox.work().join(format!("{name}.tar"))).unwrap();
        assert!(packed.len() < 1 << 20, "{name} is not sparse");
        expected.push((format!("{name}.tar"), "disk".to_owned(), token));
    }
    assert_places(&sandbox.scan(["."]).expect(1), &mut expected);
}

#[test]
fn cpio_archives_are_read() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for dialect in ["newc", "crc", "odc", "bin", "hpbin", "hpodc"] {
        for name in ["etc/env", "odd", "x/even1"] {
            let token = sandbox.token(Kind::Personal);
            sandbox.write(format!("tree/{name}"), format!("{token}\n"));
            expected.push((format!("cpio/{dialect}"), name.to_owned(), token));
        }
        let script = format!("find . -type f | LC_ALL=C sort | cpio --quiet -o -H {dialect}");
        let archive = shell(&sandbox.work().join("tree"), "cpio", &script);
        sandbox.write(format!("cpio/{dialect}"), archive);
    }
    assert_places(&sandbox.scan(["cpio"]).expect(1), &mut expected);
}

/// As kernels load them: one archive as it is, zeros, and another one compressed.
#[test]
fn what_follows_an_archive_is_read_too() {
    let sandbox = Sandbox::new();
    let (first, second) = (sandbox.token(Kind::Personal), sandbox.token(Kind::OAuth));
    let archive = |token: &str| {
        sandbox.write("tree/init", log(token));
        let script = "echo init | cpio --quiet -o -H newc";
        shell(&sandbox.work().join("tree"), "cpio", script)
    };
    let mut image = archive(&first);
    image.extend_from_slice(&[0; 700]);
    image.extend_from_slice(&Compressor::of("zst").pack(&archive(&second)));
    assert_hidden(&image, &second);
    sandbox.write("initrd.img", &image);
    let output = sandbox.scan(["initrd.img"]).expect(1);
    assert_eq!(output.found(), fingerprints([first, second]));
}

#[test]
fn packages_are_read() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for compression in ["gzip", "xz", "zstd", "none"] {
        let token = sandbox.token(Kind::FineGrained);
        let tree = format!("{compression}.tree");
        sandbox.write(format!("{tree}/etc/app.conf"), log(&token));
        sandbox.write(
            format!("{tree}/DEBIAN/control"),
            "Package: app\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.c>\nDescription: x\n",
        );
        let name = format!("{compression}.deb");
        let option = format!("-Z{compression}");
        run(
            &sandbox.work(),
            "dpkg-deb",
            "dpkg",
            ["--root-owner-group", &option, "-b", &tree, &name],
        );
        std::fs::remove_dir_all(sandbox.work().join(&tree)).unwrap();
        if compression != "none" {
            let packed = std::fs::read(sandbox.work().join(&name)).unwrap();
            assert_hidden(&packed, &token);
        }
        expected.push((name, "./etc/app.conf".to_owned(), token));
    }
    assert_places(&sandbox.scan(["."]).expect(1), &mut expected);
}

#[test]
fn archives_of_object_files_are_read() {
    let sandbox = Sandbox::new();
    let long = format!("{}.o", "a-name-longer-than-sixteen-bytes".repeat(3));
    let mut expected = Vec::new();
    let names = ["short.o", "odd", long.as_str()];
    for name in names {
        let token = sandbox.token(Kind::Personal);
        sandbox.write(format!("tree/{name}"), format!("{token}{}", name.len() % 2));
        expected.push(("lib.a".to_owned(), name.to_owned(), token));
    }
    let arguments = ["rcS", "../lib.a"].into_iter().chain(names);
    run(&sandbox.work().join("tree"), "ar", "binutils", arguments);
    assert_places(&sandbox.scan(["lib.a"]).expect(1), &mut expected);
}

#[test]
fn rpm_packages_are_read() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for payload in ["w9.gzdio", "w9.bzdio", "w6.xzdio", "w3.zstdio", "w6.lzdio"] {
        let token = sandbox.token(Kind::Personal);
        let tree = sandbox.work().join("tree");
        sandbox.write("tree/app.conf", log(&token));
        sandbox.write(
            "tree/app.spec",
            format!(
                "%define _binary_payload {payload}\n%define __os_install_post %{{nil}}\n\
                 Name: app\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n\
                 %description\nx\n%install\nmkdir -p %{{buildroot}}/etc\n\
                 cp {0}/app.conf %{{buildroot}}/etc/app.conf\n%files\n/etc/app.conf\n",
                tree.display()
            ),
        );
        let script = format!(
            "rpmbuild --quiet -bb --define '_topdir {0}/top' --define '_dbpath {0}/db' app.spec
            mv top/RPMS/noarch/app-1-1.noarch.rpm ../{payload}.rpm",
            tree.display()
        );
        shell(&tree, "rpm", &script);
        std::fs::remove_dir_all(&tree).unwrap();
        let name = format!("{payload}.rpm");
        assert_hidden(&std::fs::read(sandbox.work().join(&name)).unwrap(), &token);
        expected.push((name, "./etc/app.conf".to_owned(), token));
    }
    assert_places(&sandbox.scan(["."]).expect(1), &mut expected);
}

#[test]
fn standard_input_is_unpacked() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let archive = tar(&sandbox.work(), &[], &[("a.log", log(&token).as_bytes())]);
    for packed in [archive.clone(), Compressor::of("xz").pack(&archive)] {
        let run = sandbox.douse(["scan", "-f", "jsonl", "-"]).input(packed);
        let output = run.run().expect(1);
        assert_eq!(output.all("match", "path"), ["-"]);
        assert_eq!(output.all("match", "members"), [r#"["a.log"]"#]);
        assert_eq!(output.all("match", "line"), [LINE.to_string()]);
    }
}

/// Many frames, and what may stand between them.
#[test]
fn frames_are_read_to_the_last() {
    let sandbox = Sandbox::new();
    let skippable = b"\x5a\x2a\x4d\x18\x05\0\0\0junk!";
    let mut tokens = Vec::new();
    let mut lines = Vec::new();
    for ending in ["gz", "bz2", "xz", "lz", "zst", "lz4"] {
        let compressor = Compressor::of(ending);
        let mut packed = Vec::new();
        let mut line = LINE;
        for n in 0..3 {
            let token = sandbox.token(Kind::OAuth);
            if ["zst", "lz4"].contains(&ending) && n > 0 {
                packed.extend_from_slice(skippable);
            }
            let text = log(&token);
            packed.extend(compressor.pack(text.as_bytes()));
            packed.extend(compressor.pack(b""));
            lines.push(line);
            line += text.lines().count() as u64;
            tokens.push(token);
        }
        // As tapes and block devices leave it.
        packed.extend_from_slice(&[0; 1024]);
        sandbox.write(ending, &packed);
    }
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.found(), fingerprints(&tokens));
    let mut found: Vec<_> = places(&output).into_iter().map(|place| place.2).collect();
    found.sort_unstable();
    lines.sort_unstable();
    assert_eq!(found, lines);
    // A skippable frame may come first.
    let token = sandbox.token(Kind::Personal);
    let packed = [
        &skippable[..],
        &Compressor::of("zst").pack(log(&token).as_bytes()),
    ]
    .concat();
    sandbox.write("first/x", packed);
    assert_eq!(
        sandbox.scan(["first"]).expect(1).found(),
        fingerprints([token])
    );
}

#[test]
fn long_windows_are_read() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let mut text = log(&token);
    text.push_str(&".\n".repeat(9 << 20));
    text.push_str(&log(&token));
    let packed = Compressor::of("zst").pack_with(&["--long=27"], text.as_bytes());
    sandbox.write("long.zst", &packed);
    let packed = Compressor::of("xz").pack_with(&["--lzma2=dict=100MiB"], text.as_bytes());
    sandbox.write("long.xz", &packed);
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.lines("match").len(), 4);
}

#[test]
fn a_name_in_an_archive_may_be_a_token() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let archive = tar(&sandbox.work(), &[], &[(&format!("d/{token}.txt"), b"x")]);
    sandbox.write("a.tar.gz", Compressor::of("gz").pack(&archive));
    let output = sandbox.scan(["a.tar.gz"]).expect(1);
    assert_eq!(output.found(), fingerprints([&token]));
    let members = output.all("match", "members");
    assert!(
        members.contains(&r#"["d/ghp_….txt","(name)"]"#.to_owned()),
        "{members:?}"
    );
}

#[test]
fn containers_stay_closed_when_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    sandbox.write("a.gz", Compressor::of("gz").pack(log(&token).as_bytes()));
    let output = sandbox.scan(["--no-archives", "a.gz"]).expect(0);
    assert_eq!(output.summary()["blobs"], 1);
    assert_eq!(output.summary()["complete"], true);
}
