//! What is found in plain text, and the tokens that other tests are made with.

use std::sync::LazyLock;

use super::*;
use crate::pattern::Scheme;
use crate::vocabulary::Redact as _;

/// One for all tests: it takes a while to build without optimization.
pub(crate) fn detector() -> &'static Detector {
    static DETECTOR: LazyLock<Detector> =
        LazyLock::new(|| Detector::new(PatternSet::embedded().unwrap()).unwrap());
    &DETECTOR
}

/// A token of `prefix` with a body made from `seed`, its checksum valid.
pub(crate) fn token(prefix: &str, seed: u64) -> String {
    let entropy = |n: usize| -> String {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(letters[(state % 62) as usize])
        };
        (0..n).map(|_| next()).collect()
    };
    let (scheme, payload, tail) = match prefix {
        "github_pat_" => (
            Scheme::Sha256Base32,
            format!("{}_{}", entropy(22), entropy(43)),
            entropy(8),
        ),
        "ghr_" => (Scheme::Crc32Base62, entropy(70), String::new()),
        _ => (Scheme::Crc32Base62, entropy(30), String::new()),
    };
    let check = scheme.compute(prefix, &payload).unwrap();
    [prefix, &payload, &check, &tail].concat()
}

/// `token` written in one of the ways that are looked for, between other text, and the way's name.
/// `fold` is the width of base64's lines.
pub(crate) fn written(way: usize, token: &str, before: &str, fold: usize) -> (Vec<u8>, Encoding) {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    let text = format!("{before}{token}; ");
    let folded = |line_break: &str| {
        let encoded = STANDARD.encode(&text).into_bytes();
        let lines: Vec<_> = encoded.chunks(fold).collect();
        lines.join(line_break.as_bytes())
    };
    let escaped = |escape: &dyn Fn(u8) -> String, all: bool| -> Vec<u8> {
        let letters = token.bytes().map(|byte| {
            if all || byte == b'_' {
                escape(byte)
            } else {
                char::from(byte).to_string()
            }
        });
        letters.collect::<String>().into_bytes()
    };
    let wide = |pair: fn(u8) -> [u8; 2]| -> Vec<u8> { text.bytes().flat_map(pair).collect() };
    match way {
        0 => (STANDARD.encode(&text).into_bytes(), Encoding::Base64),
        1 => (URL_SAFE_NO_PAD.encode(&text).into_bytes(), Encoding::Base64),
        2 => (folded("\n"), Encoding::Base64),
        3 => (folded("\r\n"), Encoding::Base64),
        4 => (wide(|byte| [byte, 0]), Encoding::Utf16Le),
        5 => (wide(|byte| [0, byte]), Encoding::Utf16Be),
        6 => (
            STANDARD.encode(wide(|byte| [byte, 0])).into_bytes(),
            Encoding::Base64Utf16Le,
        ),
        7 => (escaped(&|byte| format!("{byte:02x}"), true), Encoding::Hex),
        8 => (escaped(&|byte| format!("{byte:02X}"), true), Encoding::Hex),
        9 => (
            escaped(&|byte| format!("%{byte:02X}"), true),
            Encoding::Percent,
        ),
        10 => (
            escaped(&|byte| format!("%{byte:02x}"), false),
            Encoding::Percent,
        ),
        11 => (
            escaped(&|byte| format!("\\u{byte:04x}"), true),
            Encoding::JsonEscape,
        ),
        12 => (
            escaped(&|byte| format!("\\u{byte:04X}"), false),
            Encoding::JsonEscape,
        ),
        13 => (
            escaped(&|byte| format!("\\x{byte:02x}"), false),
            Encoding::HexEscape,
        ),
        14 => (
            escaped(&|byte| format!("={byte:02X}"), false),
            Encoding::QuotedPrintable,
        ),
        15 => (
            escaped(&|byte| format!("&#{byte};"), false),
            Encoding::CharacterReference,
        ),
        16 => (
            escaped(&|byte| format!("\\{}", char::from(byte)), false),
            Encoding::Markdown,
        ),
        17 => {
            let inner = STANDARD.encode(&text);
            let outer = STANDARD.encode(format!("{}{inner}", &"..."[..fold % 3]));
            (outer.into_bytes(), Encoding::Base64Base64)
        }
        _ => {
            let at = 1 + fold % (token.len() - 1);
            let broken = [&token[..at], "=\r\n", &token[at..]].concat();
            (broken.into_bytes(), Encoding::QuotedPrintable)
        }
    }
}

pub(crate) const WAYS: usize = 19;

pub(crate) const PREFIXES: [&str; 6] = ["ghp_", "github_pat_", "gho_", "ghu_", "ghr_", "ghs_"];

fn hits(text: &str) -> Vec<(usize, String, Checksum, Standing)> {
    let mut hits = Vec::new();
    detector().scan(Window::whole(text.as_bytes()), |hit| {
        hits.push((
            hit.start,
            hit.token.into_owned(),
            hit.checksum,
            hit.standing,
        ));
    });
    hits
}

fn found(text: &str) -> Vec<String> {
    let hits = hits(text).into_iter();
    let findings = hits.filter(|hit| hit.3 == Standing::Finding);
    findings.map(|hit| hit.1).collect()
}

#[test]
fn every_kind_is_found_whatever_stands_around_it() {
    for (seed, prefix) in PREFIXES.into_iter().enumerate() {
        let token = token(prefix, seed as u64);
        for (before, behind) in [
            ("", ""),
            (r"\n", "\\n"),
            ("%20", "_v2"),
            ("\u{1b}[31m", "\u{1b}[0m"),
            ("my_", "abc"),
            ("0123456789", "0123456789"),
            ("ghp_", ""),
            ("github_pat_", "_"),
            ("ghs_", "ghs_"),
        ] {
            let text = format!("{before}{token}{behind}");
            assert_eq!(found(&text), [token.as_str()], "{before:?} {behind:?}");
        }
    }
}

#[test]
fn glued_tokens_are_all_found() {
    let tokens: Vec<_> = PREFIXES.iter().map(|prefix| token(prefix, 7)).collect();
    assert_eq!(found(&tokens.concat()), tokens);
}

#[test]
fn a_typing_error_anywhere_makes_it_unverified() {
    let token = token("ghp_", 1);
    for at in 4..token.len() {
        let mut wrong = token.clone().into_bytes();
        wrong[at] = if wrong[at] == b'q' { b'r' } else { b'q' };
        let wrong = String::from_utf8(wrong).unwrap();
        let hits = hits(&wrong);
        assert_eq!(hits.len(), 1);
        assert_eq!(hits[0].2, Checksum::Invalid);
        assert_eq!(hits[0].3, Standing::Unverified);
    }
}

#[test]
fn longer_shapes_are_unknown_and_unverified() {
    let text = format!("{}{}", "ghp_", "1234567890abcdef".repeat(3));
    let hits = hits(&text);
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].1.len(), 52);
    assert_eq!(
        (hits[0].2, hits[0].3),
        (Checksum::Unknown, Standing::Unverified)
    );
}

#[test]
fn a_guess_ends_where_another_token_starts() {
    let token = token("ghp_", 4);
    let text = format!("ghp_{token}");
    assert_eq!(hits(&text).len(), 1);
    assert_eq!(found(&text), [token]);
}

#[test]
fn an_installation_token_with_a_jwt_is_a_finding_without_a_checksum() {
    let jwt = format!(
        "eyJ{}.eyJ{}.{}",
        "a".repeat(60),
        "b".repeat(200),
        "c_-9".repeat(60)
    );
    let token = format!("{}123456_{jwt}", "ghs_");
    let hits = hits(&format!("token={token}. And so on"));
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].1, token);
    assert_eq!(
        (hits[0].2, hits[0].3),
        (Checksum::Unknown, Standing::Finding)
    );
}

#[test]
fn truncated_refresh_tokens_are_nothing() {
    let token = token("ghr_", 3);
    assert_eq!(hits(&token[..79]), []);
    assert_eq!(hits(&token[..40]), []);
}

#[test]
fn redaction_leaves_no_character_of_a_body() {
    let detector = detector();
    for (seed, prefix) in PREFIXES.into_iter().enumerate() {
        let token = token(prefix, seed as u64);
        let text = format!("a/{token}{token}.txt");
        let shown = detector.text(&text);
        assert_eq!(shown, format!("a/{prefix}…{prefix}….txt"));
    }
    assert!(matches!(detector.text("plain"), Cow::Borrowed("plain")));
}

#[test]
fn typing_errors_and_parts_of_tokens_are_redacted_too() {
    let detector = detector();
    let wrong = token("ghp_", 1).replace(|c: char| c.is_ascii_digit(), "x") + "x";
    for text in [
        format!("{wrong}_gho_backup.txt"),
        format!("{wrong}gho_.txt"),
        format!("bad credential {}", &token("ghr_", 2)[..40]),
        format!("{}...", &token("github_pat_", 3)[..30]),
    ] {
        let shown = detector.text(&text);
        let body = &text[text.find('_').unwrap() + 5..][..8];
        assert!(!shown.contains(body), "{shown}");
    }
    assert_eq!(detector.text("ghs_board.c"), "ghs_board.c");
}

#[test]
fn a_typing_error_before_another_prefix_is_still_counted() {
    let mut wrong = token("ghp_", 6);
    wrong.pop();
    wrong.push('-');
    let wrong = wrong.replace('-', "q");
    let hits = hits(&format!("{wrong}gho_"));
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].2, Checksum::Invalid);
}

#[test]
fn only_a_whole_token_is_identified() {
    let detector = detector();
    let token = token("ghu_", 9);
    assert!(detector.identify(&token).is_some());
    assert!(detector.identify(&format!(" {token}")).is_none());
    assert!(detector.identify(&format!("{token} ")).is_none());
    assert!(detector.identify("").is_none());
}

#[test]
fn prefixes_that_start_with_each_other_are_all_tried() {
    let file = |prefix: &str, id: &str, body: &str| {
        format!(
            "[[token]]\nid = \"{id}\"\ntitle = \"x\"\nprefix = \"{prefix}\"\nrevocable = false\n\
             [[token.shape]]\nbody = \"{body}\"\nchecksum = \"none\"\n"
        )
    };
    let text = format!(
        "schema = 1\nprovider = \"Acme\"\n{}{}",
        file("acme_", "short", "[0-9]{4}"),
        file("acme_live_", "long", "[a-z]{4}")
    );
    let detector = Detector::new(PatternSet::parse(&text).unwrap()).unwrap();
    let mut ids = Vec::new();
    let text = b"acme_1234 acme_live_abcd";
    detector.scan(Window::whole(text), |hit| ids.push(hit.kind.id.to_string()));
    assert_eq!(ids, ["short", "long"]);
}

/// Each way, each kind, each phase and each place of a fold: found once, as what it is.
#[test]
fn encoded_tokens_are_found_once() {
    for way in 0..WAYS {
        for (seed, prefix) in PREFIXES.into_iter().enumerate() {
            let token = token(prefix, seed as u64);
            for n in 0..130 {
                let before = "user: 12345678".repeat(10);
                let (text, encoding) = written(way, &token, &before[..n], 60 + n % 5 * 4);
                let mut found = Vec::new();
                detector().scan(Window::whole(&text), |hit| {
                    assert!(hit.end() <= text.len());
                    found.push((hit.token.into_owned(), hit.encoding));
                });
                assert_eq!(found, [(token.clone(), encoding)], "{way} {n}");
            }
        }
    }
}

#[test]
fn the_extent_of_an_encoded_token_is_that_of_its_bits() {
    let token = token("ghp_", 11);
    for (way, before, start, length) in [
        (0, "", 0, 54),
        (0, "a", 1, 54),
        (0, "ab", 2, 54),
        (4, "ab", 4, 80),
        (5, "ab", 4, 80),
        (7, "", 0, 80),
        (9, "", 0, 120),
        (10, "", 0, 42),
        (12, "", 0, 45),
    ] {
        let (text, _) = written(way, &token, before, 64);
        let mut extents = Vec::new();
        detector().scan(Window::whole(&text), |hit| {
            extents.push((hit.start, hit.length));
        });
        assert_eq!(extents, [(start, length)], "{way}");
    }
}

#[test]
fn encoded_typing_errors_are_nothing_and_plain_tokens_are_plain() {
    let mut wrong = token("ghp_", 12);
    wrong.pop();
    wrong.push('!');
    let wrong = wrong.replace('!', "A");
    for way in (0..WAYS).filter(|way| *way != 18) {
        let (text, _) = written(way, &wrong, "", 64);
        let mut hits = 0;
        detector().scan(Window::whole(&text), |_| hits += 1);
        assert_eq!(hits, 0, "{way}");
    }
    let token = token("github_pat_", 12);
    for around in ["=", "\\", "%", "&", "\0", "=\n"] {
        let text = format!("{around}{token}{around}");
        let mut encodings = Vec::new();
        detector().scan(Window::whole(text.as_bytes()), |hit| {
            encodings.push(hit.encoding);
        });
        assert_eq!(encodings, [Encoding::Plain], "{around:?}");
    }
}

#[test]
fn encoded_tokens_are_redacted_whole_and_in_part() {
    let token = token("ghp_", 13);
    for way in 0..WAYS {
        let (text, _) = written(way, &token, "", 500);
        for end in [text.len(), text.len() * 3 / 4] {
            let shown = detector().bytes(&text[..end]).into_owned();
            let kept = text[..end]
                .windows(12)
                .filter(|part| shown.windows(12).any(|other| other == *part));
            assert_eq!(
                kept.count(),
                0,
                "{way}: {}",
                String::from_utf8_lossy(&shown)
            );
        }
    }
}
