//! Containers that are cut short, damaged, or lie. What the real tool still gets out of them is
//! the measure: every token in that is found, and what is not read is told.

use std::fmt::Write as _;

use crate::containers::{assert_hidden, log};
use crate::douse::{Output, fingerprints};
use crate::packers::{COMPRESSORS, Compressor, tar};
use crate::sandbox::Sandbox;
use crate::tokens::{Kind, Random};

/// A text of some size that does not shrink to nothing, with tokens all over it.
fn text(sandbox: &Sandbox, seed: u64) -> (String, Vec<String>) {
    let mut random = Random(seed);
    let mut text = String::new();
    let mut tokens = Vec::new();
    for n in 0..60 {
        let token = sandbox.token(Kind::ALL[n % 5]);
        // Some token twice, so that there are matches of the compressor's to break.
        writeln!(text, "{n} {token} {token}").unwrap();
        for _ in 0..60 {
            writeln!(text, "{:x} {:x} INFO", random.next(), random.below(1000)).unwrap();
        }
        tokens.push(token);
    }
    (text, tokens)
}

/// Those tokens that stand whole in `bytes`.
fn within<'t>(bytes: &[u8], tokens: &'t [String]) -> Vec<&'t String> {
    let text = String::from_utf8_lossy(bytes);
    let whole = tokens.iter().filter(|token| text.contains(token.as_str()));
    whole.collect()
}

/// Fails unless all of `tokens` were found.
#[track_caller]
fn assert_all_found(output: &Output, tokens: &[&String], what: &str) {
    let found = output.found();
    for fingerprint in fingerprints(tokens.iter().copied()) {
        assert!(found.contains(&fingerprint), "{what}: {output}");
    }
}

#[test]
fn what_is_cut_short_is_read_up_to_there() {
    let sandbox = Sandbox::new();
    let (text, tokens) = text(&sandbox, 1);
    for compressor in COMPRESSORS {
        let packed = compressor.pack(text.as_bytes());
        let ending = compressor.ending;
        for part in 1..20 {
            let cut = packed.len() * part / 20;
            let name = format!("{ending}/{part}.{ending}");
            sandbox.write(&name, &packed[..cut]);
            let (unpacked, success) = compressor.unpack(&packed[..cut]);
            assert!(!success, "{name}");
            let expected = within(&unpacked, &tokens);
            let output = sandbox.scan([&name]);
            assert_all_found(&output, &expected, &name);
            if !expected.is_empty() {
                let output = output.expect(2);
                assert_eq!(output.lines("error").len(), 1, "{output}");
                assert_eq!(output.all("error", "path"), [name]);
            }
        }
    }
}

#[test]
fn what_is_damaged_is_read_up_to_there() {
    let sandbox = Sandbox::new();
    let (text, tokens) = text(&sandbox, 2);
    let mut random = Random(9);
    for compressor in COMPRESSORS {
        let packed = compressor.pack(text.as_bytes());
        let ending = compressor.ending;
        let mut told = 0;
        for n in 0..20 {
            let mut broken = packed.clone();
            let at = random.below(broken.len());
            broken[at] ^= 1 << random.below(8);
            let name = format!("{ending}/{n}.{ending}");
            sandbox.write(&name, &broken);
            let (unpacked, success) = compressor.unpack(&broken);
            let output = sandbox.scan([&name]);
            assert_all_found(&output, &within(&unpacked, &tokens), &name);
            let is_told = output.code() == 2;
            assert!(
                is_told || success || unpacked.is_empty(),
                "{name} at {at}: {output}"
            );
            told += usize::from(is_told);
        }
        assert!(told > 0 || ending == "br", "{ending}: nothing was told");
    }
}

/// Behind damage the next frame is found.
#[test]
fn damage_costs_one_frame() {
    let sandbox = Sandbox::new();
    for ending in ["gz", "bz2", "xz", "lz", "zst", "lz4"] {
        let compressor = Compressor::of(ending);
        let (first, last) = (sandbox.token(Kind::Personal), sandbox.token(Kind::Personal));
        let broken_token = sandbox.token(Kind::Personal);
        let mut broken = compressor.pack(log(&broken_token).as_bytes());
        let middle = broken.len() / 2;
        for byte in &mut broken[middle..middle + 20] {
            *byte = !*byte;
        }
        let packed = [
            compressor.pack(log(&first).as_bytes()),
            broken,
            compressor.pack(log(&last).as_bytes()),
        ];
        sandbox.write(ending, packed.concat());
        let output = sandbox.scan([ending]).expect(2);
        assert_all_found(&output, &[&first, &last], ending);
        assert_eq!(output.lines("error").len(), 1, "{output}");
    }
}

#[test]
fn what_only_looks_like_a_container_is_plain() {
    let sandbox = Sandbox::new();
    let token = sandbox.token(Kind::Personal);
    let magics: [&[u8]; 12] = [
        b"\x1f\x8b\x08\0",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0",
        b"LZIP\x01",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"\x02\x21\x4c\x18",
        b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x78\x9c",
        b"x^",
        b"\xc7\x71",
        b"\x71\xc7",
    ];
    for (n, magic) in magics.iter().enumerate() {
        let text = format!(" is a magic, and {token}\n");
        let text = [magic, text.as_bytes(), &[b'.'; 1000]].concat();
        sandbox.write(format!("{n}"), &text);
        sandbox.write(format!("short/{n}"), magic);
    }
    sandbox.write("text.br", format!("no brotli, but {token}"));
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(output.lines("match").len(), magics.len() + 1);
    assert!(
        output
            .all("match", "members")
            .iter()
            .all(|members| members == "[]")
    );
}

#[test]
fn what_follows_a_container_is_searched_and_told() {
    let sandbox = Sandbox::new();
    for ending in ["gz", "bz2", "xz", "zst", "lz4", "lz"] {
        let (inside, behind) = (sandbox.token(Kind::Personal), sandbox.token(Kind::Personal));
        let packed = Compressor::of(ending).pack(log(&inside).as_bytes());
        sandbox.write(ending, [&packed, behind.as_bytes()].concat());
        let output = sandbox.scan([ending]).expect(2);
        assert_eq!(output.found(), fingerprints([inside, behind]), "{ending}");
        assert_eq!(output.lines("error").len(), 1);
    }
}

/// Headers of a tar archive that are gone, or lie about the size of their entry.
#[test]
fn lying_headers_cost_a_name_and_no_token() {
    let sandbox = Sandbox::new();
    let tokens: Vec<_> = (0..6).map(|_| sandbox.token(Kind::FineGrained)).collect();
    let hidden = sandbox.token(Kind::Personal);
    let packed = Compressor::of("gz").pack(log(&hidden).as_bytes());
    assert_hidden(&packed, &hidden);
    let names: Vec<_> = (0..6).map(|n| format!("file{n}")).collect();
    let mut files: Vec<_> = names
        .iter()
        .zip(&tokens)
        .map(|(name, token)| (name.as_str(), token.as_bytes()))
        .collect();
    files.push(("packed.gz", &packed));
    let archive = tar(&sandbox.work(), &["--format=ustar"], &files);
    // Of each file the header stands at a multiple of 1024.
    for n in 0..6 {
        for size in [
            "00000000000",
            "00000000001",
            "00000002000",
            "77777777777",
            "garbage!",
        ] {
            let mut broken = archive.clone();
            let header = &mut broken[n * 1024..n * 1024 + 512];
            header[124..124 + size.len()].copy_from_slice(size.as_bytes());
            for fix in [false, true] {
                if fix {
                    sum(&mut broken[n * 1024..n * 1024 + 512]);
                }
                let name = format!("{n}-{size}-{fix}.tar");
                sandbox.write(&name, &broken);
                let output = sandbox.scan([&name]);
                let expected: Vec<_> = tokens.iter().collect();
                assert_all_found(&output, &expected, &name);
                // A size that is believed may swallow the header of what follows.
                let is_swallowed =
                    fix && (size == "77777777777" || (n, size) == (5, "00000002000"));
                if !is_swallowed {
                    assert_all_found(&output, &[&hidden], &name);
                }
                assert!([1, 2].contains(&output.code()), "{output}");
                assert!(fix || output.code() == 2, "{output}");
            }
        }
    }
}

/// Puts the right sum into a header.
fn sum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn archives_cut_short_are_read_up_to_there() {
    let sandbox = Sandbox::new();
    let tokens: Vec<_> = (0..8).map(|_| sandbox.token(Kind::OAuth)).collect();
    let names: Vec<_> = (0..8).map(|n| format!("file{n}")).collect();
    let texts: Vec<_> = tokens
        .iter()
        .map(|token| format!("{}{token}", ".".repeat(700)))
        .collect();
    let files: Vec<_> = names
        .iter()
        .zip(&texts)
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let archive = tar(&sandbox.work(), &[], &files);
    for cut in (0..8 * 1536).step_by(300).skip(1) {
        sandbox.write("cut", &archive[..cut]);
        let output = sandbox.scan(["cut"]);
        assert_all_found(&output, &within(&archive[..cut], &tokens), &cut.to_string());
        let is_whole = cut % 1536 == 0 || cut < 512 || (cut % 1536 > 512 + 740);
        assert!(is_whole || output.code() == 2, "{cut}: {output}");
    }
}
