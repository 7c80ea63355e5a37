//! For a person at a terminal of 80 columns: tokens first, each with its places, then what was not
//! read, then one line that sums up and one that says what to do.

mod aside;
mod revocation;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::vocabulary::{
    Checksum, Ending, Finding, Gap, Match, Revocable, ScanReport, SilencedBy, SkipReason,
};

use super::order::worst_first;
use super::place::{encoding, history, in_words};
use super::{Detail, Secrets, View, escape};

pub(super) use revocation::{plan, revocation};

/// Places shown of one token; machine formats list more.
const PLACES_SHOWN: usize = 10;
/// How wide a terminal is taken to be.
const COLUMNS: usize = 80;
/// Errors shown one by one.
const ERRORS_SHOWN: usize = 20;

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// Text only.
    Plain,
    /// With colour and weight.
    Colour,
}

impl Palette {
    fn style(self, style: Style) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Colour => style,
        }
    }

    pub(super) fn bold(self) -> Style {
        self.style(Style::new().bold())
    }

    pub(super) fn dim(self) -> Style {
        self.style(Style::new().dimmed())
    }

    pub(super) fn alarm(self) -> Style {
        self.style(AnsiColor::Red.on_default().bold())
    }

    fn warning(self) -> Style {
        self.style(AnsiColor::Yellow.on_default())
    }

    fn path(self) -> Style {
        self.style(AnsiColor::Cyan.on_default())
    }
}

pub(super) fn scan(
    report: &ScanReport,
    palette: Palette,
    view: View,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in worst_first(report) {
        self::finding(finding, palette, view, out)?;
    }
    match view.detail {
        Detail::Brief => {}
        Detail::Full => aside::list(report, palette, out)?,
    }
    unread(report, palette, out)?;
    summary(report, palette, out)
}

fn finding(finding: &Finding, palette: Palette, view: View, out: &mut dyn Write) -> io::Result<()> {
    let (alarm, bold, dim) = (palette.alarm(), palette.bold(), palette.dim());
    let shown = match (&finding.secret, view.secrets) {
        (Some(secret), Secrets::Show) => secret.expose().to_owned(),
        (Some(_) | None, Secrets::Redact) | (None, Secrets::Show) => finding.kind.redacted(),
    };
    let note = match (finding.checksum, finding.kind.revocable) {
        (Checksum::Invalid, _) => Some("unverified: its checksum does not fit"),
        (Checksum::Unknown, Revocable::ByPossession) => Some("unverified: of no known length"),
        (Checksum::Valid | Checksum::Unknown, Revocable::ReportOnly) => {
            Some("lives an hour, and cannot be revoked by whoever finds it")
        }
        (Checksum::Valid, Revocable::ByPossession) => None,
    };
    writeln!(
        out,
        "{alarm}{shown}{alarm:#}  {bold}{}{bold:#}",
        finding.kind.title
    )?;
    if let Some(note) = note {
        writeln!(out, "  {note}")?;
    }
    writeln!(out, "  {dim}sha256 {}{dim:#}", finding.fingerprint)?;
    let places = match view.detail {
        Detail::Brief => PLACES_SHOWN,
        Detail::Full => usize::MAX,
    };
    for found in finding.matches.items.iter().take(places) {
        writeln!(out, "  {}", spot(found, palette))?;
        if let Some(history) = history(found) {
            writeln!(out, "    {dim}{history}{dim:#}")?;
        }
    }
    let hidden = finding.matches.total() - finding.matches.items.len().min(places) as u64;
    if hidden > 0 {
        writeln!(out, "  {dim}and in {}{dim:#}", count(hidden, "more place"))?;
    }
    writeln!(out)
}

/// `path > member:line:column`.
fn spot(found: &Match, palette: Palette) -> String {
    let style = palette.path();
    let (place, encoding) = (in_words(&found.place), encoding(found));
    let (line, column) = (found.line, found.column);
    format!("{style}{place}{style:#}:{line}:{column}{encoding}")
}

pub(super) fn unread(report: &ScanReport, palette: Palette, out: &mut dyn Write) -> io::Result<()> {
    let warning = palette.warning();
    for error in report.errors.items.iter().take(ERRORS_SHOWN) {
        let (place, message) = (in_words(&error.place), escape(error.message.as_bytes()));
        writeln!(out, "{warning}not read:{warning:#} {place}: {message}")?;
    }
    let hidden = report.errors.total() - report.errors.items.len().min(ERRORS_SHOWN) as u64;
    if hidden > 0 {
        writeln!(
            out,
            "{warning}not read:{warning:#} {}",
            count(hidden, "more")
        )?;
    }
    for (reason, n) in &report.skip_counts {
        match reason.gap() {
            Gap::None => {}
            Gap::Open => writeln!(
                out,
                "{warning}not read:{warning:#} {n} × {}",
                reason.as_str()
            )?,
        }
    }
    if report.errors.is_empty() {
        Ok(())
    } else {
        writeln!(out)
    }
}

fn summary(report: &ScanReport, palette: Palette, out: &mut dyn Write) -> io::Result<()> {
    let (bold, dim, alarm) = (palette.bold(), palette.dim(), palette.alarm());
    let found = report.found().count() as u64;
    let tally = &report.tally;
    let read = format!(
        "{} and {} in {:.2} s",
        count(tally.files, "file"),
        bytes(tally.bytes),
        report.elapsed.as_secs_f64()
    );
    if found == 0 {
        let found = if report.is_complete() {
            "no tokens"
        } else {
            "no tokens in what could be read"
        };
        writeln!(out, "{bold}{found}{bold:#}: read {read}")?;
    } else {
        let places = report.found().map(|finding| finding.matches.total()).sum();
        writeln!(
            out,
            "{alarm}{}{alarm:#} in {}: read {read}",
            count(found, "token"),
            count(places, "place"),
        )?;
    }
    let mut asides = Vec::new();
    if tally.unverified > 0 {
        asides.push(format!(
            "{} (--unverified lists them)",
            count(tally.unverified, "unverified shape")
        ));
    }
    let silenced = report.silenced_counts.iter();
    asides.extend(
        silenced.map(|(by, n)| format!("{} silenced by {}", count(*n, "match"), silencer(*by))),
    );
    let passed = report
        .skip_counts
        .iter()
        .filter(|(reason, _)| reason.gap() == Gap::None);
    asides.extend(passed.map(|(reason, n)| format!("{} passed over", count(*n, noun(*reason)))));
    for line in filled(&asides) {
        writeln!(out, "{dim}{line}{dim:#}")?;
    }
    match report.ending {
        Ending::Interrupted => writeln!(
            out,
            "{alarm}this scan is not complete{alarm:#}: it was interrupted, and this is what was found so far"
        )?,
        Ending::Finished if !report.is_complete() => writeln!(
            out,
            "{alarm}this scan is not complete{alarm:#}: see above, or use --format json"
        )?,
        Ending::Finished => {}
    }
    let revocable = report
        .found()
        .any(|finding| finding.kind.revocable == Revocable::ByPossession);
    if revocable {
        writeln!(
            out,
            "To see what revoking them would do: {bold}douse revoke --dry-run{bold:#} with the same paths"
        )?;
    }
    Ok(())
}

/// Phrases with commas between them, on lines that fit a terminal.
fn filled(phrases: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for phrase in phrases {
        match lines.last_mut() {
            Some(line) if line.len() + phrase.len() + 3 <= COLUMNS => {
                line.push_str(", ");
                line.push_str(phrase);
            }
            Some(line) => {
                line.push(',');
                lines.push(phrase.clone());
            }
            None => lines.push(phrase.clone()),
        }
    }
    lines
}

/// What silenced a match.
fn silencer(by: SilencedBy) -> &'static str {
    match by {
        SilencedBy::Baseline => "the baseline",
        SilencedBy::AllowList => "the allow list",
        SilencedBy::Marker => "a marker",
    }
}

/// One of what was left aside.
fn noun(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Symlink => "symlink",
        SkipReason::Fifo => "named pipe",
        SkipReason::Socket => "socket",
        SkipReason::Device => "device",
        SkipReason::Ignored => "ignored path",
        SkipReason::Excluded => "excluded path",
        SkipReason::TooLarge => "object made from one too large for memory",
        SkipReason::TooManyFindings => "token beyond the limit",
        SkipReason::Encrypted => "encrypted member",
        SkipReason::Unsupported => "member of an unknown method",
        SkipReason::DepthLimit => "container too deep",
        SkipReason::BytesLimit => "container with too many bytes",
        SkipReason::EntriesLimit => "container with too many members",
        SkipReason::TimeLimit => "container that takes too long",
        SkipReason::MemoryLimit => "container that takes too much memory",
        SkipReason::Overlapping => "member that overlaps others",
        SkipReason::Unseekable => "member that a stream has passed",
        SkipReason::Shallow => "older part of a shallow clone",
        SkipReason::Promised => "unsent part of a partial clone",
    }
}

/// `1 file`, `2 files`; words that end in "more" stay as they are.
pub(super) fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 || noun.ends_with("more") {
        ""
    } else if noun.ends_with("ch") {
        "es"
    } else {
        "s"
    };
    format!("{n} {noun}{plural}")
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return count(n, "byte");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = [9.995, 99.95]
        .iter()
        .filter(|&&limit| value < limit)
        .count();
    format!("{value:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_fill_lines_and_no_more() {
        let phrases: Vec<_> = [30, 40, 50, 90, 5].map(|n| "x".repeat(n)).to_vec();
        let lines = filled(&phrases);
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [30 + 2 + 40 + 1, 50 + 1, 90 + 1, 5]
        );
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
        for (n, shown) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_600, "1.00 MB"),
            (7_600_000_000, "7.60 GB"),
        ] {
            assert_eq!(bytes(n), shown);
        }
    }
}
