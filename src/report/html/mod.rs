//! One page for whoever answers for the leak: what was found, where, what can be done about it and,
//! after a revocation, what came of it.
//!
//! The page is a single file that loads nothing. Its security policy allows its own style and its
//! own script, by their hashes, and nothing else; names from hostile trees reach it as text, by
//! way of [`escape()`] and of markup's or JSON's own escapes. The table is drawn by the script, a
//! hundred rows at a time, so that a hundred thousand tokens open at once; all else is plain
//! markup.

mod chart;
mod data;
mod page;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Remarks;
use super::escape;
use super::human::{bytes, count};
use super::order::worst_first;
use super::place::in_words;
use crate::vocabulary::{
    Gap, PlanSummary, Revocable, RevokeReport, ScanReport, Standing, State, Stop,
};
use chart::bars;
use data::{Row, Table};
use page::{Page, list, paragraph, tiles};

/// Tokens that GitHub takes in one request.
const BATCH: u64 = 1000;
/// Folders that are charted one by one.
const FOLDERS: usize = 12;
/// Unread things that are listed one by one.
const UNREAD: usize = 100;

/// Writes the page of a scan.
pub(super) fn scan(report: &ScanReport, out: &mut dyn Write) -> io::Result<Remarks> {
    let findings = worst_first(report);
    let found = report.found().count() as u64;
    let places: u64 = report.found().map(|finding| finding.matches.total()).sum();
    let title = match (found, report.is_complete()) {
        (0, true) => "No tokens found".to_owned(),
        (0, false) => "No tokens in what could be read".to_owned(),
        (_, true | false) => format!("{} in {}", count(found, "token"), count(places, "place")),
    };
    let page = Page::begin(out, &title, found == 0 && report.is_complete())?;
    if !report.is_complete() {
        let what = "This scan is not complete: what was not read may hold more tokens.";
        paragraph(page.out, "alarm", what)?;
    }
    let silenced: u64 = report.silenced_counts.values().sum();
    tiles(
        page.out,
        &[
            ("distinct tokens", found.to_string()),
            ("places", places.to_string()),
            ("files read", report.tally.files.to_string()),
            ("read", bytes(report.tally.bytes)),
            ("not read", unread(report).to_string()),
            ("matches silenced", silenced.to_string()),
            ("unverified shapes", report.tally.unverified.to_string()),
        ],
    )?;
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in report.found() {
        *kinds.entry(&finding.kind.title).or_default() += 1;
    }
    writeln!(page.out, "<div class=\"charts\">")?;
    bars(page.out, "By kind", kinds)?;
    bars(page.out, "By place", chart::folders(&findings, FOLDERS))?;
    writeln!(page.out, "</div>")?;
    plan_of_scan(report, page.out)?;
    unread_list(report, page.out)?;
    let table = Table {
        states: vec!["found", "unverified"],
    };
    let rows = findings.iter().map(|finding| {
        let status = match finding.standing {
            Standing::Finding => 0,
            Standing::Unverified => 1,
        };
        Row::of_finding(finding, status)
    });
    page.end(&table, rows)?;
    Ok(Remarks::default())
}

/// Writes the page of a revocation: the plan, and what came of it.
pub(super) fn revocation(
    report: &RevokeReport,
    plan: &PlanSummary,
    out: &mut dyn Write,
) -> io::Result<()> {
    let accepted = report.count(State::Accepted);
    let tokens = report.outcomes.len();
    let title = match report.stop {
        Stop::DryRun => format!(
            "Plan to revoke {}",
            count(plan.tokens.len() as u64, "token")
        ),
        Stop::Done | Stop::Budget { .. } | Stop::Interrupted | Stop::Failed(_) => {
            format!("{accepted} of {} accepted", count(tokens as u64, "token"))
        }
    };
    let page = Page::begin(out, &title, accepted == tokens)?;
    let told = "GitHub accepts tokens for processing, and does not confirm their end.";
    paragraph(page.out, "faint", told)?;
    if let Some(end) = ending(&report.stop) {
        paragraph(page.out, "alarm", &end)?;
    }
    let states = State::ALL.map(|state| (state.as_str(), report.count(state).to_string()));
    tiles(page.out, &states)?;
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in &report.outcomes {
        *kinds.entry(&outcome.kind.title).or_default() += 1;
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in &report.outcomes {
        if let Some(reason) = &outcome.reason {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    writeln!(page.out, "<div class=\"charts\">")?;
    bars(page.out, "By kind", kinds)?;
    bars(page.out, "By reason", reasons)?;
    writeln!(page.out, "</div>")?;
    let mut lines = vec![format!(
        "{} to {} in {}",
        count(plan.tokens.len() as u64, "token"),
        plan.host,
        count(plan.requests as u64, "request")
    )];
    let withheld = plan.withheld.iter();
    lines.extend(withheld.map(|(reason, n)| format!("{n} withheld: {reason}")));
    if plan.already > 0 {
        lines.push(format!("{} accepted before, not sent again", plan.already));
    }
    lines.push(format!(
        "{} sent in this run",
        count(report.requests, "request")
    ));
    list(page.out, "The plan", &lines)?;
    let places: BTreeMap<_, _> = plan
        .tokens
        .iter()
        .map(|token| (token.fingerprint, token))
        .collect();
    let table = Table {
        states: State::ALL.map(State::as_str).to_vec(),
    };
    let rows = report.outcomes.iter().map(|outcome| {
        let at = State::ALL.iter().position(|state| *state == outcome.state);
        let planned = places.get(&outcome.fingerprint).copied();
        Row::of_outcome(outcome, at.unwrap_or_default(), planned)
    });
    page.end(&table, rows)
}

fn ending(stop: &Stop) -> Option<String> {
    match stop {
        Stop::Done => None,
        Stop::DryRun => Some("Dry run: nothing was sent.".to_owned()),
        Stop::Budget { next_ms } => Some(format!(
            "The budget was used up; the next request could go {} s after this report.",
            next_ms.div_ceil(1000)
        )),
        Stop::Interrupted => Some("Interrupted: what was sent is on record.".to_owned()),
        Stop::Failed(why) => Some(format!("Stopped: {}", escape(why.as_bytes()))),
    }
}

/// What revoking would come to, before anybody asks for it.
fn plan_of_scan(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    let by = |revocable: Revocable| {
        let found = report.found();
        found
            .filter(|finding| finding.kind.revocable == revocable)
            .count() as u64
    };
    let (revocable, other) = (by(Revocable::ByPossession), by(Revocable::ReportOnly));
    if revocable + other == 0 {
        return Ok(());
    }
    let mut lines = vec![format!(
        "{} to revoke, in {}: run douse revoke with the same paths",
        count(revocable, "token"),
        count(revocable.div_ceil(BATCH), "request")
    )];
    if other > 0 {
        lines.push(format!(
            "{} of a kind that cannot be revoked this way and ends by itself within an hour",
            count(other, "token")
        ));
    }
    lines.push("GitHub mails the owners. Revoking cannot be undone.".to_owned());
    list(out, "What revoking would do", &lines)
}

fn unread(report: &ScanReport) -> u64 {
    let open = report.skip_counts.iter();
    let open = open.filter(|(reason, _)| reason.gap() == Gap::Open);
    report.errors.total() + open.map(|(_, n)| n).sum::<u64>()
}

fn unread_list(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    let errors = report.errors.items.iter();
    let errors = errors.map(|error| {
        format!(
            "{}: {}",
            in_words(&error.place),
            escape(error.message.as_bytes())
        )
    });
    let skips = report.skips.items.iter();
    let skips = skips
        .filter(|skip| skip.reason.gap() == Gap::Open)
        .map(|skip| format!("{}: {}", in_words(&skip.place), skip.reason.as_str()));
    let mut lines: Vec<_> = errors.chain(skips).take(UNREAD).collect();
    let more = unread(report).saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {}", count(more, "more")));
    }
    if lines.is_empty() {
        return Ok(());
    }
    list(out, "Not read", &lines)
}
