//! What depends on where the reading cuts: windows, stretches, threads.

use std::fmt::Write as _;

use crate::douse::{Output, fingerprints};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind, Random};

const WINDOW: usize = 256 * 1024;
const STRETCH: usize = 4 * 1024 * 1024;

/// Matches as (fingerprint, offset, line, column), in the order of the report.
fn told(output: &Output) -> Vec<(String, u64, u64, u64)> {
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    let matches = output.lines("match");
    let told = matches.iter().map(|found| {
        (
            found["fingerprint"].as_str().unwrap().to_owned(),
            number(&found["offset"]),
            number(&found["line"]),
            number(&found["column"]),
        )
    });
    told.collect()
}

/// Twenty megabytes with tokens laid over every border, at all distances that matter.
#[test]
fn no_token_is_lost_at_a_border() {
    const LENGTH: usize = 20 * 1024 * 1024;
    const LINE: usize = 77;
    let sandbox = Sandbox::new();
    let mut text = vec![b'.'; LENGTH];
    for at in (LINE..LENGTH).step_by(LINE) {
        text[at] = b'\n';
    }
    // Around each border of a window one token, 1 to 100 bytes before it; the borders of
    // stretches get one on each side as well, and one that ends right at the border.
    let mut random = Random(1);
    let mut places: Vec<(usize, Kind)> = Vec::new();
    for border in (WINDOW..LENGTH).step_by(WINDOW) {
        let kind = Kind::ALL[random.below(6)];
        let before = 1 + random.below(100);
        places.push((border - before, kind));
        if border % STRETCH == 0 {
            places.push((border - before - 93 - kind.length(), kind));
            places.push((border - before + kind.length(), Kind::Refresh));
            places.push((border + 300, Kind::FineGrained));
        } else if border % STRETCH == WINDOW {
            let last = places.len() - 1;
            places[last].0 = border - kind.length();
            places.push((border, Kind::Personal));
        } else if border % STRETCH == 2 * WINDOW {
            let last = places.len() - 1;
            places[last].0 = border - kind.length() + 1;
        } else if border % STRETCH == 3 * WINDOW {
            let last = places.len() - 1;
            places[last].0 = border - 1;
        }
    }
    places.push((0, Kind::OAuth));
    places.push((LENGTH - 40, Kind::Personal));
    places.sort_unstable_by_key(|(at, _)| *at);
    let mut expected = Vec::new();
    let mut lines = (0, 1);
    for (at, kind) in places {
        let token = sandbox.token(kind);
        text[at..at + token.len()].copy_from_slice(token.as_bytes());
        let newlines = text[lines.0..at].split(|&byte| byte == b'\n').count() - 1;
        lines = (at, lines.1 + newlines);
        let column = 1 + text[..at]
            .iter()
            .rev()
            .take_while(|&&byte| byte != b'\n')
            .count();
        expected.push((
            tokens::fingerprint(&token),
            at as u64,
            lines.1 as u64,
            column as u64,
        ));
    }
    sandbox.write("large", &text);
    for threads in ["-j1", "-j2", "-j5"] {
        let output = sandbox.scan([threads, "large"]).expect(1);
        assert_eq!(told(&output), expected, "{threads}");
    }
    let output = sandbox
        .douse(["scan", "-f", "jsonl", "-"])
        .input(text)
        .run()
        .expect(1);
    assert_eq!(told(&output), expected, "standard input");
}

/// Files whose lengths lie around what one read takes.
#[test]
fn no_token_is_lost_at_the_end_of_a_file() {
    let sandbox = Sandbox::new();
    let mut tokens = Vec::new();
    for length in [
        40,
        41,
        WINDOW - 1,
        WINDOW,
        WINDOW + 1,
        WINDOW + 39,
        2 * WINDOW,
        2 * WINDOW + 40,
    ] {
        let token = sandbox.token(Kind::Personal);
        let filler = "-".repeat(length - token.len());
        sandbox.write(format!("{length}"), format!("{filler}{token}"));
        tokens.push(token);
    }
    assert_eq!(sandbox.scan(["."]).expect(1).found(), fingerprints(&tokens));
}

/// The same bytes come out whatever the number of threads, but for the time that it took.
#[test]
fn the_report_does_not_depend_on_the_threads() {
    let sandbox = Sandbox::new();
    let tokens: Vec<_> = (0..40).map(|n| sandbox.token(Kind::ALL[n % 6])).collect();
    let wrong = sandbox.mistyped(Kind::Personal);
    let mut random = Random(3);
    for file in 0..400 {
        let mut text = String::new();
        for _ in 0..random.below(12) {
            let token = match random.below(10) {
                0 => &wrong,
                _ => &tokens[random.below(tokens.len())],
            };
            writeln!(text, "{}{token}", ".".repeat(random.below(50))).unwrap();
        }
        sandbox.write(format!("{}/{}/{file}", file % 7, file % 31), text);
    }
    for link in 0..20 {
        let name = sandbox.work().join(format!("link{link}"));
        std::os::unix::fs::symlink("nowhere", name).unwrap();
    }
    // The worst case for the list of places that is kept: most of them come too late.
    sandbox.write("many", format!("{}\n", tokens[0]).repeat(3000));
    for format in ["jsonl", "json"] {
        let mut reports = Vec::new();
        for threads in ["-j1", "-j2", "-j8", "-j8"] {
            let run = sandbox.douse(["scan", "--unverified", "-f", format, threads, ".", "gone"]);
            reports.push(without_seconds(&run.run().expect(2).text()));
        }
        assert!(reports[0].len() > 100_000);
        for report in &reports[1..] {
            assert!(*report == reports[0], "the {format} reports differ");
        }
    }
}

/// Cuts the one number out that may differ.
fn without_seconds(report: &str) -> String {
    let seconds = regex::Regex::new(r#""seconds": ?[0-9.e-]+"#).unwrap();
    assert_eq!(seconds.find_iter(report).count(), 1);
    seconds.replace(report, "").into_owned()
}
