//! What became of a call that concerns an enterprise.

use std::io::{self, Write};

use serde::Serialize;

use super::human::Palette;
use super::ledger::CallWire;
use super::{escape, wire::SCHEMA};
use crate::vocabulary::{EnterpriseReport, rfc3339};

#[derive(Serialize)]
struct EnterpriseWire<'a> {
    r#type: &'static str,
    schema: u32,
    host: &'a str,
    #[serde(flatten)]
    call: CallWire<'a>,
    state: &'static str,
    http_status: Option<u16>,
    message: Option<&'a str>,
    warning: Option<&'a str>,
    advice: Option<&'a str>,
    request: i64,
    at: String,
}

pub(super) fn json(report: &EnterpriseReport, out: &mut dyn Write) -> io::Result<()> {
    let wire = EnterpriseWire {
        r#type: "enterprise",
        schema: SCHEMA,
        host: &report.host,
        call: CallWire::from(&report.call),
        state: report.state.as_str(),
        http_status: report.http_status,
        message: report.message.as_deref(),
        warning: report.warning.as_deref(),
        advice: report.advice.as_deref(),
        request: report.request,
        at: rfc3339(report.at_ms),
    };
    serde_json::to_writer(&mut *out, &wire)?;
    out.write_all(b"\n")
}

pub(super) fn human(
    report: &EnterpriseReport,
    palette: Palette,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, alarm) = (palette.bold(), palette.alarm());
    let status = report
        .http_status
        .map(|status| format!(" (status {status})"))
        .unwrap_or_default();
    let state = report.state.as_str();
    writeln!(
        out,
        "{bold}{state}{bold:#}{status}, request {}",
        report.request
    )?;
    if let Some(message) = &report.message {
        writeln!(out, "The host says: {}", escape(message.as_bytes()))?;
    }
    if let Some(warning) = &report.warning {
        let warning = escape(warning.as_bytes());
        writeln!(out, "{alarm}The host warns:{alarm:#} {warning}")?;
    }
    if let Some(advice) = &report.advice {
        writeln!(out, "What to do: {}", escape(advice.as_bytes()))?;
    }
    Ok(())
}
