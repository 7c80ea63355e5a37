//! For those who live in spreadsheets: a row a match, then a row for each thing that was not read.
//!
//! Names are escaped as on a terminal, and a cell that a spreadsheet would take for a formula gets
//! an apostrophe before it. So this is for reading; programs that need names to the byte read JSON.

use std::io::{self, Write};

use crate::vocabulary::{RevokeReport, ScanReport, rfc3339};

use super::escape;
use super::jsonl::by_place;
use super::place::history;

const SCAN: [&str; 13] = [
    "type",
    "fingerprint",
    "kind",
    "checksum",
    "revocable",
    "encoding",
    "path",
    "members",
    "line",
    "column",
    "offset",
    "length",
    "note",
];

const REVOCATION: [&str; 6] = ["fingerprint", "kind", "state", "reason", "request", "at"];

/// What makes a spreadsheet take a cell for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) fn scan(report: &ScanReport, out: &mut dyn Write) -> io::Result<()> {
    written(out, |table| scan_rows(report, table))
}

pub(super) fn revocation(report: &RevokeReport, out: &mut dyn Write) -> io::Result<()> {
    written(out, |table| revocation_rows(report, table))
}

type Table<'a> = ::csv::Writer<&'a mut dyn Write>;

/// Has a table written to its end. What `out` says when it fails is told as it is: its reader may
/// only have seen enough.
fn written(
    out: &mut dyn Write,
    rows: impl FnOnce(&mut Table<'_>) -> ::csv::Result<()>,
) -> io::Result<()> {
    let mut table = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(out);
    rows(&mut table).map_err(|error| {
        let words = error.to_string();
        if let ::csv::ErrorKind::Io(error) = error.into_kind() {
            error
        } else {
            io::Error::other(words)
        }
    })?;
    table.flush()
}

fn scan_rows(report: &ScanReport, table: &mut Table<'_>) -> ::csv::Result<()> {
    table.write_record(SCAN)?;
    for (finding, found) in by_place(report) {
        table.write_record([
            "match",
            &finding.fingerprint.to_string(),
            &cell(finding.kind.id.as_bytes()),
            finding.checksum.as_str(),
            finding.kind.revocable.as_str(),
            &found.encoding.to_string(),
            &cell(&found.place.path),
            &members(&found.place.members),
            &found.line.to_string(),
            &found.column.to_string(),
            &found.offset.to_string(),
            &found.length.to_string(),
            &cell(history(found).unwrap_or_default().as_bytes()),
        ])?;
    }
    let skips = report.skips.items.iter();
    let skips = skips.map(|skip| ("skip", &skip.place, skip.reason.as_str()));
    let errors = report.errors.items.iter();
    let errors = errors.map(|error| ("error", &error.place, &*error.message));
    for (what, place, why) in skips.chain(errors) {
        let mut row = [const { String::new() }; SCAN.len()];
        what.clone_into(&mut row[0]);
        row[6] = cell(&place.path);
        row[7] = members(&place.members);
        row[12] = cell(why.as_bytes());
        table.write_record(row)?;
    }
    Ok(())
}

fn revocation_rows(report: &RevokeReport, table: &mut Table<'_>) -> ::csv::Result<()> {
    table.write_record(REVOCATION)?;
    for outcome in &report.outcomes {
        table.write_record([
            outcome.fingerprint.to_string(),
            cell(outcome.kind.id.as_bytes()),
            outcome.state.as_str().to_owned(),
            cell(outcome.reason.as_deref().unwrap_or_default().as_bytes()),
            outcome
                .request
                .map(|number| number.to_string())
                .unwrap_or_default(),
            outcome.at_ms.map(rfc3339).unwrap_or_default(),
        ])?;
    }
    Ok(())
}

fn members(members: &[String]) -> String {
    cell(members.join(" > ").as_bytes())
}

/// Text from outside as a cell that is text.
fn cell(text: &[u8]) -> String {
    let text = escape(text);
    if text.starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, shown) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-rf", "'-rf"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\\t=1"),
            ("a=1", "a=1"),
            ("a\r\nb", "a\\r\\nb"),
        ] {
            assert_eq!(cell(text.as_bytes()), shown);
        }
    }
}
