//! Where the record of what was sent is kept, and what is on it.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use douse::revoke::Record;
use etcetera::BaseStrategy as _;

use super::args::LedgerArgs;
use super::environment;

/// The ledger: what was asked for, else `DOUSE_LEDGER`, else in the user's state folder.
pub(in crate::cli) fn ledger(args: &LedgerArgs) -> Result<PathBuf> {
    if let Some(path) = &args.ledger {
        return Ok(path.clone());
    }
    if let Some(path) = environment("DOUSE_LEDGER").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let folders = etcetera::choose_base_strategy()
        .context("there is no home folder to keep the ledger in; name a file with --ledger")?;
    let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Ok(state.join("douse").join("ledger.sqlite3"))
}

/// What is on record, if anything is. A file that is named and is not there is an error: nobody is
/// to read that nothing was ever sent where only a name was mistyped.
pub(in crate::cli) fn record(args: &LedgerArgs) -> Result<Option<Record>> {
    let record = Record::open(&ledger(args)?)?;
    match &args.ledger {
        Some(path) if record.is_none() && !path.exists() => {
            bail!("there is no ledger at {}", path.display())
        }
        Some(_) | None => Ok(record),
    }
}
