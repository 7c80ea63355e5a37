use std::borrow::Cow;

use super::*;
use crate::vocabulary::RedactNothing;

/// 2026-01-02T03:04:05Z.
const NOW: i64 = 1_767_323_045;

fn reading(status: u16, body: &str, headers: &[(&str, &str)]) -> Reading {
    let mut answer = Answer {
        status,
        body: body.as_bytes().to_vec(),
        ..Answer::default()
    };
    for (name, value) in headers {
        let value = Some((*value).to_owned());
        match *name {
            "retry-after" => answer.headers.retry_after = value,
            "remaining" => answer.headers.remaining = value,
            "reset" => answer.headers.reset = value,
            "date" => answer.headers.date = value,
            "id" => answer.headers.request_id = value,
            other => panic!("{other}"),
        }
    }
    let now = Stamp {
        wall_ms: NOW * 1000,
        boot: None,
    };
    read(&answer, &now, &RedactNothing)
}

fn verdict(status: u16, message: &str) -> Verdict {
    reading(status, &format!(r#"{{"message":"{message}"}}"#), &[]).verdict
}

fn pause(headers: &[(&str, &str)]) -> Pause {
    reading(429, "", headers).pause
}

fn secs(seconds: u64) -> Pause {
    Pause::For(Duration::from_secs(seconds))
}

#[test]
fn a_202_is_accepted_whatever_its_body() {
    for body in [
        "",
        "null",
        "{}",
        r#"{"message":"ok"}"#,
        "[1]",
        "<html>",
        "{\"mess",
    ] {
        let reading = reading(202, body, &[]);
        assert_eq!(
            (reading.verdict, reading.pause),
            (Verdict::Accepted, Pause::No),
            "{body}"
        );
    }
}

#[test]
fn every_status_has_its_verdict() {
    use Refusal::{ApiVersion, Forbidden, Other, Proxy, Redirect, WrongUrl};
    for (status, verdict) in [
        (422, Verdict::Invalid),
        (429, Verdict::Throttled),
        (401, Verdict::Refused(Forbidden)),
        (403, Verdict::Refused(Forbidden)),
        (400, Verdict::Refused(Other)),
        (413, Verdict::Refused(Other)),
        (404, Verdict::Refused(WrongUrl)),
        (405, Verdict::Refused(WrongUrl)),
        (407, Verdict::Refused(Proxy)),
        (410, Verdict::Refused(ApiVersion)),
        (301, Verdict::Refused(Redirect)),
        (307, Verdict::Refused(Redirect)),
        (200, Verdict::Broken),
        (201, Verdict::Broken),
        (204, Verdict::Broken),
        (500, Verdict::Broken),
        (503, Verdict::Broken),
        (999, Verdict::Broken),
    ] {
        assert_eq!(reading(status, "", &[]).verdict, verdict, "{status}");
    }
}

#[test]
fn a_body_that_broke_off_leaves_open_what_its_words_would_have_told() {
    let broken = |status, retry_after: Option<&str>| {
        let headers = Headers {
            retry_after: retry_after.map(str::to_owned),
            ..Headers::default()
        };
        let body_end = BodyEnd::BrokenOff;
        let answer = Answer {
            status,
            headers,
            body: Vec::new(),
            body_end,
        };
        read(
            &answer,
            &Stamp {
                wall_ms: 0,
                boot: None,
            },
            &RedactNothing,
        )
        .verdict
    };
    assert_eq!(broken(202, None), Verdict::Accepted);
    assert_eq!(broken(422, None), Verdict::Broken);
    assert_eq!(broken(403, None), Verdict::Broken);
    assert_eq!(broken(403, Some("1")), Verdict::Throttled);
    assert_eq!(broken(404, None), Verdict::Refused(Refusal::WrongUrl));
}

#[test]
fn words_tell_throttling_from_refusal() {
    assert_eq!(
        verdict(422, "The endpoint has been Spammed."),
        Verdict::Throttled
    );
    assert_eq!(verdict(422, "Flagged for ABUSE"), Verdict::Throttled);
    assert_eq!(verdict(422, "Validation Failed"), Verdict::Invalid);
    let both = "Validation failed, or the endpoint has been spammed.";
    assert_eq!(verdict(422, both), Verdict::Invalid);
    assert_eq!(
        verdict(403, "API rate limit exceeded for 1.2.3.4"),
        Verdict::Throttled
    );
    assert_eq!(
        verdict(403, "You have exceeded a secondary limit"),
        Verdict::Throttled
    );
    assert_eq!(
        verdict(403, "Forbidden"),
        Verdict::Refused(Refusal::Forbidden)
    );
    for header in [
        ("retry-after", "5"),
        ("retry-after", "soon"),
        ("remaining", "0"),
    ] {
        assert_eq!(
            reading(403, "", &[header]).verdict,
            Verdict::Throttled,
            "{header:?}"
        );
    }
    let left = reading(403, "", &[("remaining", "3")]);
    assert_eq!(left.verdict, Verdict::Refused(Refusal::Forbidden));
}

#[test]
fn the_server_s_wait_is_taken_in_github_s_order() {
    let reset = (NOW + 90).to_string();
    assert_eq!(
        pause(&[("retry-after", "7"), ("remaining", "0"), ("reset", &reset)]),
        secs(7)
    );
    assert_eq!(pause(&[("remaining", "0"), ("reset", &reset)]), secs(91));
    // The server's own clock, three seconds ahead of ours.
    let date = ("date", "Fri, 02 Jan 2026 03:04:08 GMT");
    assert_eq!(
        pause(&[("remaining", "0"), ("reset", &reset), date]),
        secs(88)
    );
    assert_eq!(
        pause(&[("retry-after", "Fri, 02 Jan 2026 03:05:08 GMT"), date]),
        secs(60)
    );
    assert_eq!(
        pause(&[("remaining", "5"), ("reset", &reset)]),
        Pause::Unsaid
    );
    assert_eq!(pause(&[]), Pause::Unsaid);
}

#[test]
fn garbage_is_no_wait_and_a_huge_one_is_kept() {
    for value in [
        "-1",
        "",
        "1.5",
        "soon",
        "18446744073709551616",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ] {
        assert_eq!(pause(&[("retry-after", value)]), Pause::Unsaid, "{value}");
    }
    for value in ["-1", "never", "1767323044", "18446744073709551616"] {
        assert_eq!(
            pause(&[("remaining", "0"), ("reset", value)]),
            Pause::Unsaid,
            "{value}"
        );
    }
    assert_eq!(
        pause(&[("retry-after", "18446744073709551615")]),
        secs(u64::MAX)
    );
    let reset = [("remaining", "0"), ("reset", "18446744073709551615")];
    assert_eq!(pause(&reset), secs(i64::MAX as u64 - NOW as u64 + 1));
    let ancient = [
        ("remaining", "0"),
        ("reset", "9223372036854775807"),
        ("date", "x"),
    ];
    assert!(matches!(pause(&ancient), Pause::For(_)));
}

#[test]
fn any_answer_may_ask_for_a_pause() {
    let reset = (NOW + 9).to_string();
    for status in [202, 422, 500, 404] {
        let reading = reading(status, "", &[("remaining", "0"), ("reset", &reset)]);
        assert_eq!(reading.pause, secs(10), "{status}");
    }
    assert_eq!(reading(503, "", &[("retry-after", "30")]).pause, secs(30));
}

#[test]
fn messages_are_read_as_far_as_they_are_there() {
    let message = |body: &str| reading(422, body, &[]).message;
    assert_eq!(message(""), None);
    assert_eq!(message("null"), None);
    assert_eq!(message("<html>hi</html>"), None);
    assert_eq!(message(r#"{"message": 5}"#), None);
    assert_eq!(
        message("Access\x1b[31m denied\n").as_deref(),
        Some("Access [31m denied")
    );
    assert_eq!(
        message(r#"{"message":"No","errors":["a",{"message":"b"},{"code":1},7]}"#).as_deref(),
        Some(r#"No; a; b; {"code":1}; 7"#)
    );
    assert_eq!(message(r#"{"errors":"x"}"#).as_deref(), Some("x"));
    let long = message(&"é".repeat(5000)).unwrap();
    assert_eq!(long.chars().count(), MESSAGE_CHARS);
    let kept = reading(422, "", &[("id", "ABC:1")]).request_id;
    assert_eq!(kept.as_deref(), Some("ABC:1"));
}

#[test]
fn words_are_redacted_before_they_are_cut() {
    struct Starve;
    impl Redact for Starve {
        fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
            Cow::Owned(
                String::from_utf8_lossy(text)
                    .replace("secret", "…")
                    .into_bytes(),
            )
        }
    }
    let text = format!("{}secret", "x".repeat(MESSAGE_CHARS - 3));
    let shown = presentable(&text, &Starve).unwrap();
    assert!(shown.ends_with("x…"), "{shown}");
}
