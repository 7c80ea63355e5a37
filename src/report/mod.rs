//! What people and programs read: one file a format, all over the same finished report.
//!
//! The shapes of machine output live in [`wire`] and are promised to scripts; the domain's own
//! types are not. Nothing here knows how anything was found or revoked.

mod csv;
mod enterprise;
mod escape;
mod html;
mod human;
mod json;
mod jsonl;
mod ledger;
mod listing;
mod order;
mod place;
mod plain_json;
mod remarks;
mod sarif;
mod wire;

use std::io::{self, Write};

pub use escape::escape;
pub use human::Palette;
pub use listing::{Extent, Listed, Listing, ListingError};
pub use place::in_words;
pub use remarks::Remarks;

use crate::vocabulary::{
    AuditEntry, EnterpriseReport, LedgerStatus, PlanSummary, RevokeReport, ScanReport,
};

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Human(Palette),
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A page that needs nothing but itself.
    Html,
}

/// Whether whole tokens are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Prefix and ellipsis.
    Redact,
    /// The user asked to see them.
    Show,
}

/// How much a person is told; machine formats tell everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The first places of each token, counts of all else.
    Brief,
    /// Every place that is listed, what was passed over, what was silenced.
    Full,
}

/// What of a scan is shown.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Whether whole tokens are.
    pub secrets: Secrets,
    /// How much is.
    pub detail: Detail,
}

/// Writes what a scan found.
pub fn scan(
    report: &ScanReport,
    format: Format,
    view: View,
    out: &mut dyn Write,
) -> io::Result<Remarks> {
    match format {
        Format::Human(palette) => human::scan(report, palette, view, out)?,
        Format::Json => json::scan(report, view.secrets, out)?,
        Format::Jsonl => jsonl::scan(report, view.secrets, out)?,
        Format::Csv => csv::scan(report, out)?,
        Format::Sarif => return sarif::scan(report, out),
        Format::Html => return html::scan(report, out),
    }
    Ok(Remarks::default())
}

/// Writes what a revocation did, and, where there is room for it, what it was to do.
pub fn revocation(
    report: &RevokeReport,
    plan: &PlanSummary,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Csv => csv::revocation(report, out),
        Format::Html => html::revocation(report, plan, out),
        // It describes what was found, and has no words for what became of it.
        Format::Sarif => Err(io::Error::other("SARIF is a format of scans")),
        Format::Human(palette) => human::revocation(report, palette, out),
        Format::Json => json::revocation(report, out),
        Format::Jsonl => jsonl::revocation(report, out),
    }
}

/// Writes what a revocation is going to do, for a person to agree to.
pub fn plan(plan: &PlanSummary, palette: Palette, out: &mut dyn Write) -> io::Result<()> {
    human::plan(plan, palette, out)
}

/// Writes what could not be read, for a person.
pub fn unread(report: &ScanReport, palette: Palette, out: &mut dyn Write) -> io::Result<()> {
    human::unread(report, palette, out)
}

/// Who reads what has one shape for people and one for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A person at a terminal.
    Person(Palette),
    /// A program: one JSON object on one line.
    Program,
}

/// Writes what became of a call that concerns an enterprise.
pub fn enterprise(
    report: &EnterpriseReport,
    reader: Reader,
    out: &mut dyn Write,
) -> io::Result<()> {
    match reader {
        Reader::Person(palette) => enterprise::human(report, palette, out),
        Reader::Program => enterprise::json(report, out),
    }
}

/// Writes how things stand.
pub fn status(status: &LedgerStatus, reader: Reader, out: &mut dyn Write) -> io::Result<()> {
    match reader {
        Reader::Person(palette) => ledger::status_human(status, palette, out),
        Reader::Program => ledger::status_json(status, out),
    }
}

/// Writes one line of what is on record.
pub fn audit(entry: &AuditEntry, out: &mut dyn Write) -> io::Result<()> {
    ledger::audit(entry, out)
}
