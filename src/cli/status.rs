//! `douse status`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use douse::report;
use douse::revoke::{Limits, Policy};
use douse::vocabulary::{Clock as _, Exit, LedgerStatus};

use super::Session;
use super::args::StatusArgs;
use super::output::print;
use super::settings::{reader, record};

/// Told by the pause that all hosts but our own keep.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn run(session: &Session, args: &StatusArgs) -> Result<Exit> {
    let rate = args.budget.parse().context("--budget")?;
    // Whatever budget was allowed for a host may be looked at.
    let policy = Policy::new(rate, MIN_INTERVAL, Limits::Owners)?;
    let status = match record(&args.ledger)? {
        Some(record) => record.status(&policy, &session.clock.now())?,
        None => LedgerStatus { hosts: Vec::new() },
    };
    let reader = reader(args.format, session.color);
    print(|out| report::status(&status, reader, out))?;
    Ok(Exit::Clean)
}
