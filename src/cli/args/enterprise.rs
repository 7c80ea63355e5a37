//! The command line of `douse enterprise`.

use clap::{Args, Subcommand};

use super::{HostArgs, LedgerArgs, ShortFormat};

#[derive(Debug, Args)]
pub(in crate::cli) struct EnterpriseArgs {
    #[command(subcommand)]
    pub(in crate::cli) action: EnterpriseAction,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EnterpriseAction {
    /// End the authorizations of all members' credentials. This cannot be undone
    RevokeAll {
        /// The enterprise's short name, as in its URL
        enterprise: String,

        #[command(flatten)]
        how: EnterpriseHow,
    },
    /// End the authorizations of one user's credentials. This cannot be undone
    RevokeUser {
        /// The enterprise's short name, as in its URL
        enterprise: String,

        /// The user's name
        user: String,

        #[command(flatten)]
        how: EnterpriseHow,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EnterpriseHow {
    /// Also destroy the personal access tokens and SSH keys themselves (managed users only)
    #[arg(long)]
    pub(in crate::cli) destroy_credentials: bool,

    /// Say what would be asked for and send nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,

    /// Do not ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,

    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub(in crate::cli) format: ShortFormat,

    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,

    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
}
