//! One JSON document, written as it goes: a million findings need no second copy in memory.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::vocabulary::{RevokeReport, ScanReport};

use super::Secrets;
use super::plain_json::PlainJson;
use super::wire::{
    ErrorWire, FindingWire, OutcomeWire, RevocationSummaryWire, SCHEMA, SkipWire, SummaryWire,
};

pub(super) fn scan(report: &ScanReport, secrets: Secrets, out: &mut dyn Write) -> io::Result<()> {
    let mut json = serde_json::Serializer::pretty(PlainJson(out));
    let mut document = json.serialize_struct("report", 5)?;
    document.serialize_field("schema", &SCHEMA)?;
    document.serialize_field("summary", &SummaryWire::from(report))?;
    let findings = Each(&report.findings, |finding| {
        FindingWire::of(finding, secrets)
    });
    document.serialize_field("findings", &findings)?;
    document.serialize_field("skips", &Each(&report.skips.items, SkipWire::from))?;
    document.serialize_field("errors", &Each(&report.errors.items, ErrorWire::from))?;
    document.end()?;
    out.write_all(b"\n")
}

pub(super) fn revocation(report: &RevokeReport, out: &mut dyn Write) -> io::Result<()> {
    let mut json = serde_json::Serializer::pretty(PlainJson(out));
    let mut document = json.serialize_struct("report", 3)?;
    document.serialize_field("schema", &SCHEMA)?;
    document.serialize_field("summary", &RevocationSummaryWire::from(report))?;
    document.serialize_field("outcomes", &Each(&report.outcomes, OutcomeWire::from))?;
    document.end()?;
    out.write_all(b"\n")
}

/// A list whose items get their wire shape one at a time.
struct Each<'a, T, F>(&'a [T], F);

impl<'a, T, W, F> Serialize for Each<'a, T, F>
where
    W: Serialize,
    F: Fn(&'a T) -> W,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}
