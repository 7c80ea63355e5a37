//! What is on record of revocations: the audit, line by line, and how things stand.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::human::Palette;
use super::{escape, wire::SCHEMA};
use crate::vocabulary::{
    AskedFor, AuditEntry, BudgetStatus, Call, HostStatus, LedgerStatus, OutcomeEntry, RequestEntry,
    State, rfc3339,
};

/// What a request asks for.
#[derive(Serialize)]
pub(super) struct CallWire<'a> {
    call: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroy_credentials: Option<bool>,
}

impl<'a> From<&'a Call> for CallWire<'a> {
    fn from(call: &'a Call) -> Self {
        let (enterprise, user, credentials) = match call {
            Call::Revoke => (None, None, None),
            Call::RevokeAll {
                enterprise,
                credentials,
            } => (Some(enterprise), None, Some(credentials)),
            Call::RevokeUser {
                enterprise,
                user,
                credentials,
            } => (Some(enterprise), Some(user), Some(credentials)),
        };
        Self {
            call: call.as_str(),
            enterprise: enterprise.map(String::as_str),
            user: user.map(String::as_str),
            destroy_credentials: credentials.map(|credentials| credentials.is_destroyed()),
        }
    }
}

#[derive(Serialize)]
struct RequestWire<'a> {
    r#type: &'static str,
    request: i64,
    host: &'a str,
    identity: Option<&'a str>,
    #[serde(flatten)]
    call: CallWire<'a>,
    tokens: i64,
    state: &'a str,
    started: String,
    ended: Option<String>,
    http_status: Option<u16>,
    github_request_id: Option<&'a str>,
    message: Option<&'a str>,
}

impl<'a> From<&'a RequestEntry> for RequestWire<'a> {
    fn from(entry: &'a RequestEntry) -> Self {
        Self {
            r#type: "request",
            request: entry.id,
            host: &entry.host,
            identity: entry.identity.as_deref(),
            call: CallWire::from(&entry.call),
            tokens: entry.tokens,
            state: &entry.state,
            started: rfc3339(entry.started_ms),
            ended: entry.ended_ms.map(rfc3339),
            http_status: entry.http_status,
            github_request_id: entry.github_request_id.as_deref(),
            message: entry.message.as_deref(),
        }
    }
}

/// The fields of an outcome as a revocation tells it, and the host and the audit log's name.
#[derive(Serialize)]
struct OutcomeWire<'a> {
    r#type: &'static str,
    host: &'a str,
    fingerprint: String,
    hashed_token: String,
    kind: &'a str,
    state: &'static str,
    reason: Option<&'a str>,
    request: Option<i64>,
    at: String,
}

impl<'a> From<&'a OutcomeEntry> for OutcomeWire<'a> {
    fn from(entry: &'a OutcomeEntry) -> Self {
        Self {
            r#type: "outcome",
            host: &entry.host,
            fingerprint: entry.fingerprint.to_string(),
            hashed_token: entry.fingerprint.hashed_token(),
            kind: &entry.kind,
            state: entry.state.as_str(),
            reason: entry.reason.as_deref(),
            request: entry.request,
            at: rfc3339(entry.at_ms),
        }
    }
}

pub(super) fn audit(entry: &AuditEntry, out: &mut dyn Write) -> io::Result<()> {
    match entry {
        AuditEntry::Request(entry) => line(&RequestWire::from(entry), out),
        AuditEntry::Outcome(entry) => line(&OutcomeWire::from(entry), out),
    }
}

fn line(object: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct StatusWire<'a> {
    r#type: &'static str,
    schema: u32,
    hosts: Vec<HostWire<'a>>,
}

#[derive(Serialize)]
struct HostWire<'a> {
    host: &'a str,
    open_requests: u64,
    tokens: BTreeMap<&'static str, u64>,
    budgets: Vec<BudgetWire<'a>>,
}

#[derive(Serialize)]
struct BudgetWire<'a> {
    identity: Option<&'a str>,
    used: usize,
    requests: u32,
    window_seconds: u64,
    next_seconds: u64,
    asked_for_by_host: bool,
}

impl<'a> From<&'a BudgetStatus> for BudgetWire<'a> {
    fn from(budget: &'a BudgetStatus) -> Self {
        Self {
            identity: budget.identity.as_deref(),
            used: budget.used,
            requests: budget.requests,
            window_seconds: budget.window.as_secs(),
            next_seconds: whole_seconds(budget.next),
            asked_for_by_host: budget.asked_for == AskedFor::ByHost,
        }
    }
}

pub(super) fn status_json(status: &LedgerStatus, out: &mut dyn Write) -> io::Result<()> {
    let host = |host: &'_ HostStatus| -> BTreeMap<&'static str, u64> {
        let known = |state: State| host.tokens.iter().find(|(known, _)| *known == state);
        let count = |state: State| {
            (
                state.as_str(),
                known(state).map_or(0, |(_, tokens)| *tokens),
            )
        };
        // Of tokens that are gone nothing is on record.
        let shown = State::ALL
            .into_iter()
            .filter(|state| *state != State::Unresolved);
        shown.map(count).collect()
    };
    let hosts = status.hosts.iter().map(|status| HostWire {
        host: &status.host,
        open_requests: status.open,
        tokens: host(status),
        budgets: status.budgets.iter().map(BudgetWire::from).collect(),
    });
    let wire = StatusWire {
        r#type: "status",
        schema: SCHEMA,
        hosts: hosts.collect(),
    };
    line(&wire, out)
}

pub(super) fn status_human(
    status: &LedgerStatus,
    palette: Palette,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim) = (palette.bold(), palette.dim());
    if status.hosts.is_empty() {
        return writeln!(out, "Nothing is on record: no token was ever sent.");
    }
    for host in &status.hosts {
        writeln!(out, "{bold}{}{bold:#}", escape(host.host.as_bytes()))?;
        let counts: Vec<String> = host
            .tokens
            .iter()
            .map(|(state, tokens)| format!("{tokens} {}", state.as_str()))
            .collect();
        if !counts.is_empty() {
            writeln!(out, "  tokens: {}", counts.join(", "))?;
        }
        if host.open > 0 {
            writeln!(
                out,
                "  {} under way, or cut off with its process",
                super::human::count(host.open, "request")
            )?;
        }
        for budget in &host.budgets {
            let whose = match &budget.identity {
                Some(identity) => format!(" {dim}as sha256 {identity}{dim:#}"),
                None => String::new(),
            };
            writeln!(
                out,
                "  budget: {} of {} requests used in the last {}; {}{whose}",
                budget.used,
                budget.requests,
                span(budget.window),
                next(budget),
            )?;
        }
    }
    Ok(())
}

fn next(budget: &BudgetStatus) -> String {
    if budget.next.is_zero() {
        return "the next may go now".to_owned();
    }
    let why = match budget.asked_for {
        AskedFor::ByUs => "",
        AskedFor::ByHost => " (the host asked for a pause)",
    };
    let wait = Duration::from_secs(whole_seconds(budget.next));
    format!("the next may go in {}{why}", span(wait))
}

/// Seconds, begun ones included: who waits so long has waited long enough.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// A length of time in its two largest units.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (1, 0, 0) => "hour".to_owned(),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
