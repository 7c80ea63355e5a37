//! What was seen and not told as a finding, one by one, for those who ask for everything.

use std::io::{self, Write};

use super::super::place::in_words;
use super::{Palette, silencer, spot};
use crate::vocabulary::ScanReport;

/// Lists silenced tokens with their places, and what was passed over.
pub(super) fn list(report: &ScanReport, palette: Palette, out: &mut dyn Write) -> io::Result<()> {
    let (bold, dim) = (palette.bold(), palette.dim());
    for silenced in &report.silenced {
        let finding = &silenced.finding;
        writeln!(
            out,
            "silenced by {}: {bold}{}{bold:#}",
            silencer(silenced.by),
            finding.kind.redacted()
        )?;
        writeln!(out, "  {dim}sha256 {}{dim:#}", finding.fingerprint)?;
        for found in &finding.matches.items {
            writeln!(out, "  {}", spot(found, palette))?;
        }
        writeln!(out)?;
    }
    for skip in &report.skips.items {
        let place = in_words(&skip.place);
        writeln!(
            out,
            "{dim}passed over ({}):{dim:#} {place}",
            skip.reason.as_str()
        )?;
    }
    if report.skips.omitted > 0 {
        writeln!(
            out,
            "{dim}and {} more passed over{dim:#}",
            report.skips.omitted
        )?;
    }
    if !report.skips.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}
