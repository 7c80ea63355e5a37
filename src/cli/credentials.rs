//! A list of tokens, one a line, as `--credentials` takes it.

use std::sync::Arc;

use douse::detect::Detector;
use douse::revoke::Candidate;
use douse::vocabulary::{Fingerprint, Kind, Outcome, Revocable, Secret, State};

/// What a list holds.
pub(super) struct Credentials {
    /// Its tokens.
    pub(super) candidates: Vec<Candidate>,
    /// What became of the lines that are none: they are withheld.
    pub(super) strays: Vec<Outcome>,
}

/// Reads a list. Blank lines and lines that start with `#` are left out, and white space around a
/// token means nothing.
pub(super) fn parse(list: &[u8], detector: &Detector) -> Credentials {
    let mut credentials = Credentials {
        candidates: Vec::new(),
        strays: Vec::new(),
    };
    let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
    for (at, line) in list.split(|&byte| byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match detector.identify(line) {
            Some(hit) => credentials.candidates.push(Candidate {
                fingerprint: Fingerprint::of(&hit.token),
                secret: Secret::new(&hit.token),
                kind: hit.kind,
                checksum: hit.checksum,
                standing: hit.standing,
            }),
            None => credentials.strays.push(stray(line, at + 1)),
        }
    }
    credentials
}

fn stray(line: &str, number: usize) -> Outcome {
    let kind = Kind {
        id: "unrecognized".into(),
        title: "not a token of a known kind".into(),
        prefix: "".into(),
        revocable: Revocable::ReportOnly,
    };
    Outcome {
        fingerprint: Fingerprint::of(line),
        kind: Arc::new(kind),
        state: State::Withheld,
        reason: Some(format!(
            "line {number} of the list is not a whole token of a known kind; \
             put one token on a line, with nothing around it"
        )),
        request: None,
        at_ms: None,
    }
}
