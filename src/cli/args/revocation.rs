//! `douse revoke`, and what it has in common with other commands that send.

use std::path::PathBuf;

use clap::Args;

use super::{ReportArgs, SilenceArgs, SourceArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct RevokeArgs {
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,

    #[command(flatten)]
    pub(in crate::cli) silence: SilenceArgs,

    #[command(flatten)]
    pub(in crate::cli) report: ReportArgs,

    /// Revoke the tokens that FILE lists, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "paths", "files_from", "exclude", "ignore_file", "respect_ignore", "no_git", "no_archives",
        "max_unpacked", "max_members", "max_unpack_time", "max_unpack_memory",
    ])]
    pub(in crate::cli) credentials: Option<PathBuf>,

    /// Revoke the tokens that earlier reports (json or jsonl) list, read again from where they lay;
    /// `-` is standard input
    #[arg(long, value_name = "REPORT", num_args = 1.., conflicts_with_all = [
        "credentials", "paths", "files_from", "exclude", "ignore_file", "respect_ignore",
    ])]
    pub(in crate::cli) from: Vec<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) consent: ConsentArgs,

    #[command(flatten)]
    pub(in crate::cli) host: HostArgs,

    #[command(flatten)]
    pub(in crate::cli) pace: PaceArgs,

    /// Also send what looks like a token and fails its checksum
    #[arg(long)]
    pub(in crate::cli) unverified: bool,

    /// Also send tokens that the host refused before
    #[arg(long)]
    pub(in crate::cli) resend_rejected: bool,

    /// Send what the budget allows now and leave the rest for the next run
    #[arg(long)]
    pub(in crate::cli) no_wait: bool,

    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
}

/// Where the record is.
#[derive(Debug, Args)]
pub(in crate::cli) struct LedgerArgs {
    /// What was sent and what came of it, shared by all runs [default: the value of `DOUSE_LEDGER`,
    /// or a file in your state folder]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ledger: Option<PathBuf>,
}

/// Whether to go ahead.
#[derive(Debug, Args)]
pub(in crate::cli) struct ConsentArgs {
    /// Print the plan and send nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,

    /// Do not ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,

    /// Refuse if there are more than N tokens to send
    #[arg(long, value_name = "N")]
    pub(in crate::cli) max: Option<usize>,
}

/// Where requests go, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct HostArgs {
    /// GitHub's API
    #[arg(long, value_name = "URL", default_value = "https://api.github.com")]
    pub(in crate::cli) api_url: String,

    /// Version of GitHub's API; GitHub Enterprise Server before 3.21 needs 2022-11-28 [default:
    /// 2026-03-10]
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) api_version: Option<String>,

    /// The environment variable that holds your own token, where the call needs one [default:
    /// `GH_ENTERPRISE_TOKEN`, then `GITHUB_ENTERPRISE_TOKEN`; for `enterprise` on the cloud
    /// `GH_TOKEN`, then `GITHUB_TOKEN`]
    #[arg(long, value_name = "VARIABLE")]
    pub(in crate::cli) token_env: Option<String>,

    /// Give up on a request after so long
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(in crate::cli) timeout: String,

    /// Give up on a connection after so long
    #[arg(long, value_name = "TIME", default_value = "15s")]
    pub(in crate::cli) connect_timeout: String,

    /// Trust the certificates in FILE (PEM) as well
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ca_file: Option<PathBuf>,
}

/// How fast requests go.
#[derive(Debug, Args)]
pub(in crate::cli) struct PaceArgs {
    /// Requests in any stretch of time; may be lowered, and raised for GitHub Enterprise Server
    #[arg(long, value_name = "N/TIME", default_value = "60/1h")]
    pub(in crate::cli) budget: String,

    /// Least time between two requests; may be lengthened, and shortened for GitHub Enterprise
    /// Server
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(in crate::cli) min_interval: String,

    /// First pause when the host is in trouble, doubled each time; may be lengthened, and shortened
    /// for GitHub Enterprise Server
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(in crate::cli) retry_pause: String,

    /// Tokens in a request, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(in crate::cli) batch_size: usize,
}
