//! Where the record of what was sent is kept.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
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
