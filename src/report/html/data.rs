//! The rows of the table, as JSON that a page can hold.

use std::io::{self, Write};
use std::sync::Arc;

use super::super::escape;
use super::super::place::{encoding, in_words};
use crate::vocabulary::{Finding, Kind, Match, Outcome, PlannedToken, rfc3339};

/// Places of one token that the page holds; all are counted.
const PLACES: usize = 20;

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
    /// Writes `rows`, one after the other.
    pub(super) fn write<'r>(
        &self,
        rows: impl Iterator<Item = Row<'r>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut out = InPage(out);
        out.write_all(b"{\"states\":")?;
        serde_json::to_writer(&mut out, &self.states)?;
        out.write_all(b",\"rows\":[")?;
        let mut kinds: Vec<&'r Kind> = Vec::new();
        for (at, row) in rows.enumerate() {
            let kind = kinds.iter().position(|kind| **kind == **row.kind);
            let kind = kind.unwrap_or_else(|| {
                kinds.push(row.kind);
                kinds.len() - 1
            });
            out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
            let cells = (
                row.fingerprint,
                kind,
                row.status,
                row.count,
                row.places,
                row.note,
            );
            serde_json::to_writer(&mut out, &cells)?;
        }
        let titles: Vec<_> = kinds.iter().map(|kind| &*kind.title).collect();
        out.write_all(b"],\"kinds\":")?;
        serde_json::to_writer(&mut out, &titles)?;
        out.write_all(b"}\n")
    }
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
    format!("{place}:{line}:{column}{encoding}")
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
