//! The rows of the table, as JSON that a page can hold.

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use super::super::escape;
use super::super::place::{encoding, history, in_words};
use crate::vocabulary::{Finding, Kind, Match, Outcome, PlannedToken, rfc3339};

/// Places of one token that the page holds; all are counted.
const PLACES: usize = 20;

/// Rows of the table's first page.
const FIRST: usize = 100;

/// What all rows share.
pub(super) struct Table {
    /// The names of the states that rows are in.
    pub(super) states: Vec<&'static str>,
}

/// One token.
pub(super) struct Row<'a> {
    fingerprint: String,
    kind: &'a Arc<Kind>,
    status: usize,
    count: u64,
    places: Vec<String>,
    note: String,
}

impl<'a> Row<'a> {
    pub(super) fn of_finding(finding: &'a Finding, status: usize) -> Self {
        let places = finding.matches.items.iter().take(PLACES);
        Self {
            fingerprint: finding.fingerprint.to_string(),
            kind: &finding.kind,
            status,
            count: finding.matches.total(),
            places: places.map(spot).collect(),
            note: String::new(),
        }
    }

    pub(super) fn of_outcome(
        outcome: &'a Outcome,
        status: usize,
        planned: Option<&PlannedToken>,
    ) -> Self {
        let mut note = outcome.reason.clone().unwrap_or_default();
        if let Some(at) = outcome.at_ms {
            let apart = if note.is_empty() { "" } else { "; " };
            note = format!("{note}{apart}{}", rfc3339(at));
        }
        Self {
            fingerprint: outcome.fingerprint.to_string(),
            kind: &outcome.kind,
            status,
            count: planned.map_or(0, |token| token.places),
            places: planned
                .and_then(|token| token.first.as_ref())
                .map(spot)
                .into_iter()
                .collect(),
            note: escape(note.as_bytes()).into_owned(),
        }
    }
}

impl Table {
    /// Writes `rows`, one after the other, and then, in an element of its own, what the table
    /// begins with: reading that is enough to draw the first page.
    pub(super) fn write<'r>(
        &self,
        rows: impl Iterator<Item = Row<'r>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        out.write_all(b"<script type=\"application/json\" id=\"data\">[")?;
        let mut kinds: Vec<&'r Kind> = Vec::new();
        let mut first = Vec::new();
        let mut total = 0;
        for row in rows {
            let kind = kinds.iter().position(|kind| **kind == **row.kind);
            let kind = kind.unwrap_or_else(|| {
                kinds.push(row.kind);
                kinds.len() - 1
            });
            let cells = (
                row.fingerprint,
                kind,
                row.status,
                row.count,
                row.places,
                row.note,
            );
            out.write_all(if total == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(InPage(out), &cells)?;
            if total < FIRST {
                first.push(cells);
            }
            total += 1;
        }
        let titles: Vec<_> = kinds.iter().map(|kind| &*kind.title).collect();
        let begin = Begin {
            states: &self.states,
            kinds: &titles,
            total,
            first: &first,
        };
        out.write_all(b"]</script>\n<script type=\"application/json\" id=\"begin\">")?;
        serde_json::to_writer(InPage(out), &begin)?;
        out.write_all(b"</script>\n")
    }
}

/// A row as the page's script reads it: fingerprint, number of the kind, number of the state, how
/// many places there are, those listed, a note.
type Cells = (String, usize, usize, u64, Vec<String>, String);

/// What the table begins with.
#[derive(Serialize)]
struct Begin<'a> {
    states: &'a [&'static str],
    kinds: &'a [&'a str],
    total: usize,
    first: &'a [Cells],
}

/// JSON on its way into a page: what could end the element that holds it is escaped.
struct InPage<'a>(&'a mut dyn Write);

impl Write for InPage<'_> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        for part in json.split_inclusive(|byte| matches!(byte, b'<' | b'>' | b'&')) {
            match part.split_last() {
                Some((end @ (b'<' | b'>' | b'&'), text)) => {
                    self.0.write_all(text)?;
                    write!(self.0, "\\u{end:04x}")?;
                }
                Some(_) | None => self.0.write_all(part)?,
            }
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A match as one line of text.
fn spot(found: &Match) -> String {
    let (line, column) = (found.line, found.column);
    let (place, encoding) = (in_words(&found.place), encoding(found));
    let history = history(found).map(|history| format!("; {history}"));
    let history = history.unwrap_or_default();
    format!("{place}:{line}:{column}{encoding}{history}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_ends_its_element() {
        let hostile = "</script><!-- & <script>";
        let mut out = Vec::new();
        serde_json::to_writer(InPage(&mut out), &[hostile]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(
            serde_json::from_str::<[String; 1]>(&text).unwrap(),
            [hostile]
        );
    }
}
