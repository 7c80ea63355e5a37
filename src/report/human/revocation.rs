//! What is going to be revoked, and what became of it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use super::super::escape;
use super::{Palette, count, spot};
use crate::vocabulary::{Outcome, PlanSummary, RevokeReport, State, Stop, Warning};

/// Tokens shown one by one before they are sent.
const TOKENS_SHOWN: usize = 20;
/// Outcomes shown one by one, of those that need attention.
const OUTCOMES_SHOWN: usize = 20;

pub(in super::super) fn plan(
    plan: &PlanSummary,
    palette: Palette,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim, alarm) = (palette.bold(), palette.dim(), palette.alarm());
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for token in &plan.tokens {
        *kinds.entry(&token.kind.title).or_default() += 1;
    }
    for token in plan.tokens.iter().take(TOKENS_SHOWN) {
        let redacted = token.kind.redacted();
        writeln!(out, "{redacted} {dim}sha256 {}{dim:#}", token.fingerprint)?;
        if let Some(first) = &token.first {
            let more = match token.places.saturating_sub(1) {
                0 => String::new(),
                n => format!(" {dim}and in {}{dim:#}", count(n, "more place")),
            };
            writeln!(out, "  {}{more}", spot(first, palette))?;
        }
    }
    if plan.tokens.len() > TOKENS_SHOWN {
        let more = (plan.tokens.len() - TOKENS_SHOWN) as u64;
        writeln!(out, "{dim}and {}{dim:#}", count(more, "more token"))?;
    }
    if !plan.tokens.is_empty() {
        writeln!(out)?;
    }
    writeln!(
        out,
        "{bold}Plan:{bold:#} send {alarm}{}{alarm:#} to {} in {}{}",
        count(plan.tokens.len() as u64, "token"),
        escape(plan.host.as_bytes()),
        count(plan.requests as u64, "request"),
        at_least(plan.estimate),
    )?;
    for (kind, n) in kinds {
        writeln!(out, "  {n} × {kind}")?;
    }
    if plan.already > 0 {
        writeln!(out, "  {} accepted before, not sent again", plan.already)?;
    }
    for (reason, n) in &plan.withheld {
        writeln!(out, "  {n} withheld: {}", escape(reason.as_bytes()))?;
    }
    if plan.gone > 0 {
        writeln!(out, "  {} no longer where the report says", plan.gone)?;
    }
    if !plan.tokens.is_empty() {
        for warning in &plan.warnings {
            writeln!(out, "{}", caution(*warning))?;
        }
    }
    Ok(())
}

/// A warning in words, broken into lines.
fn caution(warning: Warning) -> &'static str {
    match warning {
        Warning::OwnersAreMailed => "This cannot be undone. GitHub mails the owners.",
        Warning::AppAuthorizationsMayEnd => {
            "Revoking an OAuth, app user or refresh token may end its app's whole authorization."
        }
        Warning::ServersTokensDisclosed => {
            "A token issued by a GitHub Enterprise Server looks the same as one of\n\
             github.com, and would be disclosed to this host."
        }
        Warning::CloudTokensDisclosed => {
            "A token issued by github.com looks the same as one of this server, and would\n\
             be disclosed to this server."
        }
    }
}

/// `, at least 2 h 5 min`; nothing for what takes seconds.
fn at_least(estimate: Duration) -> String {
    let minutes = estimate.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => String::new(),
        (0, minutes) => format!(", at least {minutes} min"),
        (hours, 0) => format!(", at least {hours} h"),
        (hours, minutes) => format!(", at least {hours} h {minutes} min"),
    }
}

pub(in super::super) fn revocation(
    report: &RevokeReport,
    palette: Palette,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim) = (palette.bold(), palette.dim());
    let attention = |outcome: &&Outcome| match outcome.state {
        // The count says all there is to say of these.
        State::Accepted | State::Pending => false,
        State::Rejected | State::Unknown | State::Withheld | State::Unresolved => true,
    };
    let shown: Vec<_> = report.outcomes.iter().filter(attention).collect();
    for outcome in shown.iter().take(OUTCOMES_SHOWN) {
        let reason = outcome.reason.as_deref().unwrap_or_default();
        writeln!(
            out,
            "{bold}{}{bold:#} {} {dim}sha256 {}{dim:#}\n  {}",
            outcome.state.as_str(),
            outcome.kind.redacted(),
            outcome.fingerprint,
            escape(reason.as_bytes())
        )?;
    }
    if shown.len() > OUTCOMES_SHOWN {
        let more = (shown.len() - OUTCOMES_SHOWN) as u64;
        writeln!(out, "{dim}and {} like these{dim:#}", count(more, "more"))?;
    }
    let counts = State::ALL
        .into_iter()
        .map(|state| (report.count(state), state))
        .filter(|(n, _)| *n > 0)
        .map(|(n, state)| format!("{n} {}", state.as_str()))
        .collect::<Vec<_>>();
    let counts = if counts.is_empty() {
        "no tokens to revoke".to_owned()
    } else {
        counts.join(", ")
    };
    let requests = count(report.requests, "request");
    writeln!(out, "{bold}{counts}{bold:#} ({requests} sent)")?;
    ending(&report.stop, palette, out)
}

fn ending(stop: &Stop, palette: Palette, out: &mut dyn Write) -> io::Result<()> {
    let alarm = palette.alarm();
    match stop {
        Stop::Done => Ok(()),
        Stop::DryRun => writeln!(out, "Dry run: nothing was sent."),
        Stop::Budget { next_ms } => writeln!(
            out,
            "The budget is used up; the next request may go in {} s.\n\
             Run the same command again then.",
            next_ms.div_ceil(1000)
        ),
        Stop::Interrupted => writeln!(
            out,
            "{alarm}interrupted{alarm:#}: what was sent is on record; run the same command to go on"
        ),
        Stop::Failed(why) => writeln!(out, "{alarm}stopped:{alarm:#} {}", escape(why.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_plans_say_how_long() {
        for (seconds, shown) in [
            (0, ""),
            (59, ""),
            (60, ", at least 1 min"),
            (3600, ", at least 1 h"),
            (7500, ", at least 2 h 5 min"),
        ] {
            assert_eq!(at_least(Duration::from_secs(seconds)), shown);
        }
    }
}
