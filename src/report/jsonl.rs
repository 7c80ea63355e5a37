//! One JSON object a line: matches in the order of their places, skips, errors, a summary.

use std::io::{self, Write};

use serde::Serialize;

use crate::vocabulary::{Finding, Match, RevokeReport, ScanReport};

use super::Secrets;
use super::plain_json::PlainJson;
use super::wire::{
    ErrorWire, MatchWire, OutcomeWire, RevocationSummaryWire, SkipWire, SummaryWire,
};

pub(super) fn scan(report: &ScanReport, secrets: Secrets, out: &mut dyn Write) -> io::Result<()> {
    for (finding, found) in by_place(report) {
        line(out, &MatchWire::of(finding, found, secrets))?;
    }
    for skip in &report.skips.items {
        line(out, &SkipWire::from(skip))?;
    }
    for error in &report.errors.items {
        line(out, &ErrorWire::from(error))?;
    }
    line(out, &SummaryWire::from(report))
}

pub(super) fn revocation(report: &RevokeReport, out: &mut dyn Write) -> io::Result<()> {
    for outcome in &report.outcomes {
        line(out, &OutcomeWire::from(outcome))?;
    }
    line(out, &RevocationSummaryWire::from(report))
}

/// Every listed match with its finding, as one would meet them reading the files in order.
pub(super) fn by_place(report: &ScanReport) -> Vec<(&Finding, &Match)> {
    let findings = report.findings.iter();
    let mut matches: Vec<_> = findings
        .flat_map(|finding| {
            finding
                .matches
                .items
                .iter()
                .map(move |found| (finding, found))
        })
        .collect();
    matches.sort_unstable_by_key(|(finding, found)| (*found, finding.fingerprint));
    matches
}

fn line(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(PlainJson(out), object)?;
    out.write_all(b"\n")
}
