//! The shapes of machine output, as scripts rely on them. Schema 1: fields may be added, none
//! changes its meaning or goes away.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use crate::vocabulary::{
    Finding, Kind, Match, Outcome, Place, Provenance, ReadError, Revocable, RevokeReport,
    ScanReport, Secret, Skip, State, Stop, rfc3339,
};

use super::Secrets;

/// The version of these shapes.
pub(super) const SCHEMA: u32 = 1;

/// Where something lies. A path that is not UTF-8 comes in both forms.
#[derive(Serialize)]
pub(super) struct PlaceWire<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
    members: &'a [String],
}

impl<'a> From<&'a Place> for PlaceWire<'a> {
    fn from(place: &'a Place) -> Self {
        let (path, path_base64) = match std::str::from_utf8(&place.path) {
            Ok(path) => (path.to_owned(), None),
            Err(_) => (
                String::from_utf8_lossy(&place.path).into_owned(),
                Some(BASE64.encode(&place.path)),
            ),
        };
        Self {
            path,
            path_base64,
            members: &place.members,
        }
    }
}

/// What is said of a token, wherever it stands.
#[derive(Serialize)]
pub(super) struct TokenWire<'a> {
    kind: &'a str,
    checksum: &'static str,
    revocable: bool,
    redacted: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl<'a> TokenWire<'a> {
    fn of(finding: &'a Finding, secrets: Secrets) -> Self {
        Self {
            kind: &finding.kind.id,
            checksum: finding.checksum.as_str(),
            revocable: revocable(&finding.kind),
            redacted: finding.kind.redacted(),
            token: match secrets {
                Secrets::Redact => None,
                Secrets::Show => finding.secret.as_ref().map(Secret::expose),
            },
        }
    }
}

fn revocable(kind: &Kind) -> bool {
    match kind.revocable {
        Revocable::ByPossession => true,
        Revocable::ReportOnly => false,
    }
}

/// Where in its blob a token stands.
#[derive(Serialize)]
pub(super) struct SpotWire<'a> {
    encoding: &'static str,
    #[serde(flatten)]
    place: PlaceWire<'a>,
    line: u64,
    column: u64,
    offset: u64,
    length: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<GitWire<'a>>,
}

/// How an object of a repository came there.
#[derive(Serialize)]
struct GitWire<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_time: Option<String>,
}

impl<'a> From<&'a Provenance> for GitWire<'a> {
    fn from(provenance: &'a Provenance) -> Self {
        let path = provenance.path.as_deref();
        let inexact = path.filter(|path| std::str::from_utf8(path).is_err());
        Self {
            state: provenance.state.as_str(),
            commit: provenance.commit.as_deref(),
            path: path.map(String::from_utf8_lossy),
            path_base64: inexact.map(|path| BASE64.encode(path)),
            author: provenance.author.as_deref(),
            author_time: provenance.author_time_ms.map(rfc3339),
        }
    }
}

impl<'a> From<&'a Match> for SpotWire<'a> {
    fn from(found: &'a Match) -> Self {
        Self {
            encoding: found.encoding.as_str(),
            place: PlaceWire::from(&*found.place),
            line: found.line,
            column: found.column,
            offset: found.offset,
            length: found.length,
            git: found.git.as_deref().map(GitWire::from),
        }
    }
}

/// One occurrence, complete in itself.
#[derive(Serialize)]
pub(super) struct MatchWire<'a> {
    r#type: &'static str,
    fingerprint: String,
    #[serde(flatten)]
    token: TokenWire<'a>,
    #[serde(flatten)]
    spot: SpotWire<'a>,
}

impl<'a> MatchWire<'a> {
    pub(super) fn of(finding: &'a Finding, found: &'a Match, secrets: Secrets) -> Self {
        Self {
            r#type: "match",
            fingerprint: finding.fingerprint.to_string(),
            token: TokenWire::of(finding, secrets),
            spot: SpotWire::from(found),
        }
    }
}

/// One token with all its occurrences.
#[derive(Serialize)]
pub(super) struct FindingWire<'a> {
    fingerprint: String,
    hashed_token: String,
    #[serde(flatten)]
    token: TokenWire<'a>,
    match_count: u64,
    matches: Vec<SpotWire<'a>>,
}

impl<'a> FindingWire<'a> {
    pub(super) fn of(finding: &'a Finding, secrets: Secrets) -> Self {
        Self {
            fingerprint: finding.fingerprint.to_string(),
            hashed_token: finding.fingerprint.hashed_token(),
            token: TokenWire::of(finding, secrets),
            match_count: finding.matches.total(),
            matches: finding.matches.items.iter().map(SpotWire::from).collect(),
        }
    }
}

/// Something left aside.
#[derive(Serialize)]
pub(super) struct SkipWire<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    place: PlaceWire<'a>,
    reason: &'static str,
}

impl<'a> From<&'a Skip> for SkipWire<'a> {
    fn from(skip: &'a Skip) -> Self {
        Self {
            r#type: "skip",
            place: PlaceWire::from(&skip.place),
            reason: skip.reason.as_str(),
        }
    }
}

/// Something that could not be read.
#[derive(Serialize)]
pub(super) struct ErrorWire<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    place: PlaceWire<'a>,
    message: &'a str,
}

impl<'a> From<&'a ReadError> for ErrorWire<'a> {
    fn from(error: &'a ReadError) -> Self {
        Self {
            r#type: "error",
            place: PlaceWire::from(&error.place),
            message: &error.message,
        }
    }
}

/// The last line of a scan.
#[derive(Serialize)]
pub(super) struct SummaryWire {
    r#type: &'static str,
    schema: u32,
    complete: bool,
    files: u64,
    blobs: u64,
    bytes: u64,
    findings: u64,
    matches: u64,
    unverified: u64,
    silenced: u64,
    errors: u64,
    skipped: u64,
    /// Matches, skips and errors that were counted and, past their caps, not listed.
    omitted: u64,
    seconds: f64,
}

impl From<&ScanReport> for SummaryWire {
    fn from(report: &ScanReport) -> Self {
        let unlisted = |finding: &Finding| finding.matches.omitted;
        Self {
            r#type: "summary",
            schema: SCHEMA,
            complete: report.is_complete(),
            files: report.tally.files,
            blobs: report.tally.blobs,
            bytes: report.tally.bytes,
            findings: report.found().count() as u64,
            matches: report.found().map(|finding| finding.matches.total()).sum(),
            unverified: report.tally.unverified,
            silenced: report.silenced_counts.values().sum(),
            errors: report.errors.total(),
            skipped: report.skips.total(),
            omitted: report.errors.omitted
                + report.skips.omitted
                + report.findings.iter().map(unlisted).sum::<u64>(),
            seconds: milliseconds(report.elapsed),
        }
    }
}

/// Seconds to the thousandth.
#[expect(clippy::cast_precision_loss, reason = "no run lasts 285,000 years")]
fn milliseconds(elapsed: std::time::Duration) -> f64 {
    elapsed.as_millis() as f64 / 1000.0
}

/// What became of one token.
#[derive(Serialize)]
pub(super) struct OutcomeWire<'a> {
    r#type: &'static str,
    fingerprint: String,
    kind: &'a str,
    state: &'static str,
    reason: Option<&'a str>,
    request: Option<i64>,
    at: Option<String>,
}

impl<'a> From<&'a Outcome> for OutcomeWire<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        Self {
            r#type: "outcome",
            fingerprint: outcome.fingerprint.to_string(),
            kind: &outcome.kind.id,
            state: outcome.state.as_str(),
            reason: outcome.reason.as_deref(),
            request: outcome.request,
            at: outcome.at_ms.map(rfc3339),
        }
    }
}

/// The last line of a revocation.
#[derive(Serialize)]
pub(super) struct RevocationSummaryWire<'a> {
    r#type: &'static str,
    schema: u32,
    /// Whether every token was tried.
    complete: bool,
    tokens: usize,
    accepted: usize,
    rejected: usize,
    unknown: usize,
    withheld: usize,
    pending: usize,
    unresolved: usize,
    requests: u64,
    /// Why it stopped, when that was before the end.
    stopped: Option<&'a str>,
    /// How long until the next request may go, when that is what is left to wait for.
    next_seconds: Option<u64>,
}

impl<'a> From<&'a RevokeReport> for RevocationSummaryWire<'a> {
    fn from(report: &'a RevokeReport) -> Self {
        let (stopped, next_seconds) = match &report.stop {
            Stop::Done => (None, None),
            Stop::DryRun => (Some("dry run: nothing was sent"), None),
            Stop::Budget { next_ms } => {
                (Some("the budget is used up"), Some(next_ms.div_ceil(1000)))
            }
            Stop::Interrupted => (Some("interrupted"), None),
            Stop::Failed(why) => (Some(why.as_str()), None),
        };
        Self {
            r#type: "summary",
            schema: SCHEMA,
            complete: report.stop == Stop::Done,
            tokens: report.outcomes.len(),
            accepted: report.count(State::Accepted),
            rejected: report.count(State::Rejected),
            unknown: report.count(State::Unknown),
            withheld: report.count(State::Withheld),
            pending: report.count(State::Pending),
            unresolved: report.count(State::Unresolved),
            requests: report.requests,
            stopped,
            next_seconds,
        }
    }
}
