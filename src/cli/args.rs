//! The command line as clap reads it. Shapes only: what the words mean is settled in
//! [`super::settings`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

mod enterprise;
mod revocation;

pub(super) use enterprise::{EnterpriseAction, EnterpriseArgs};
pub(super) use revocation::{HostArgs, LedgerArgs, RevokeArgs};

/// Find leaked GitHub tokens and put them out.
#[derive(Debug, Parser)]
#[command(name = "douse", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 nothing found (or every token accepted); 1 tokens found (or \
    something not accepted); 2 usage error, something could not be read, or stopped early."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    /// When to use colour [default: auto]
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(super) color: Option<Color>,

    /// No progress and no remarks on standard error
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,

    /// Tell more: every place, what was passed over, what was silenced
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,

    /// Take settings from FILE [default: douse.toml in the current folder, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Take no settings from any file
    #[arg(long, global = true, conflicts_with = "config")]
    pub(super) no_config: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look for tokens in files, folders and standard input
    Scan(Box<ScanArgs>),
    /// Find tokens and have GitHub revoke them. This cannot be undone
    Revoke(Box<RevokeArgs>),
    /// End the credential authorizations of an enterprise on GitHub Enterprise Cloud
    Enterprise(EnterpriseArgs),
    /// Show the hour's budget, and how many tokens were accepted, rejected, left
    Status(StatusArgs),
    /// Print every request and every outcome ever recorded, as JSON lines without secrets
    Audit(AuditArgs),
    /// List the kinds of tokens that are looked for, or prove a pattern file
    Patterns(PatternsArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or of one of its commands
    Man {
        /// The command
        command: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to read.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Files and folders; `-` is standard input [default: .]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    /// Read the paths to scan from FILE, one a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) files_from: Option<PathBuf>,

    /// The paths of --files-from end in NUL bytes, not newlines
    #[arg(long, short = '0', requires = "files_from")]
    pub(super) null: bool,

    /// Leave out what matches GLOB (syntax of .gitignore, relative to the current folder)
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,

    /// Leave out what FILE says (syntax of .gitignore) [default: .douseignore, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(super) ignore_file: Vec<PathBuf>,

    /// Obey the .gitignore and .ignore files of what is scanned
    #[arg(long)]
    pub(super) respect_ignore: bool,

    /// Read git repositories as the files they are, not their objects
    #[arg(long)]
    pub(super) no_git: bool,

    #[command(flatten)]
    pub(super) archives: ArchiveArgs,

    /// Threads, at most 256 [default: one for each core]
    #[arg(
        long,
        short = 'j',
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(0..=256)
    )]
    pub(super) threads: Option<u16>,
}

/// What is known and need not be told.
#[derive(Debug, Args)]
pub(super) struct SilenceArgs {
    /// Do not tell of the tokens that an earlier report (json or jsonl) lists, wherever they lie
    #[arg(long, value_name = "REPORT")]
    pub(super) baseline: Vec<PathBuf>,

    /// Do not tell of the tokens whose fingerprints FILE lists, one a line; `#` starts a comment
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,

    /// Tell of tokens whose line says `douse:allow`, `gitleaks:allow`, `betterleaks:allow`,
    /// `trufflehog:ignore` or `pragma: allowlist secret`
    #[arg(long)]
    pub(super) no_allow_markers: bool,
}

/// What to unpack. Limits are for each file that is read, and shared by all that is nested in it.
#[derive(Debug, Args)]
pub(super) struct ArchiveArgs {
    /// Take archives and compressed files for plain bytes
    #[arg(long)]
    pub(super) no_archives: bool,

    /// Open containers inside each other up to N deep
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) max_depth: u32,

    /// Unpack at most SIZE (K, M, G, T) from a file [default: 8G, and 1G more for each 64K read
    /// of the file]
    #[arg(long, value_name = "SIZE")]
    pub(super) max_unpacked: Option<String>,

    /// Look at no more than N members of a file [default: 1000000, and 10000 more for each 64K]
    #[arg(long, value_name = "N")]
    pub(super) max_members: Option<u64>,

    /// Spend at most TIME (s, m, h) on unpacking a file [default: 6s, and 1s more for each 256K]
    #[arg(long, value_name = "TIME")]
    pub(super) max_unpack_time: Option<String>,

    /// Let decoders of a file have at most SIZE of memory [default: 256M]
    #[arg(long, value_name = "SIZE")]
    pub(super) max_unpack_memory: Option<String>,
}

/// What to write.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Format of the report [default: human]
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<Format>,

    /// Write the report to FILE, whole or not at all, readable by you alone; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// For a person
    #[default]
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// A table for spreadsheets
    Csv,
    /// SARIF 2.1.0, for GitHub's code scanning; of a scan only
    Sarif,
    /// One page that needs nothing but itself
    Html,
}

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,

    #[command(flatten)]
    pub(super) silence: SilenceArgs,

    #[command(flatten)]
    pub(super) report: ReportArgs,

    /// Scan what `git commit` is about to record: names and contents that HEAD does not have
    #[arg(long, conflicts_with_all = [
        "paths", "files_from", "respect_ignore", "no_git", "write_baseline", "range",
    ])]
    pub(super) staged: bool,

    /// Scan what the commits A..B bring: every object that A does not have. `-` reads from standard
    /// input what git gives to pre-push and pre-receive hooks
    #[arg(long, value_name = "A..B", allow_hyphen_values = true, conflicts_with_all = [
        "paths", "files_from", "exclude", "ignore_file", "respect_ignore", "no_git",
    ])]
    pub(super) range: Option<String>,

    /// Write a baseline to FILE: what was found now, and what the --baseline lists and is still
    /// there
    #[arg(long, value_name = "FILE")]
    pub(super) write_baseline: Option<PathBuf>,

    /// Also list what looks like a token and fails its checksum
    #[arg(long)]
    pub(super) unverified: bool,

    /// Print whole tokens
    #[arg(long)]
    pub(super) show_secrets: bool,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ShortFormat,

    /// The budget that your runs keep to
    #[arg(long, value_name = "N/TIME", default_value = "60/1h")]
    pub(super) budget: String,

    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// Write to FILE, whole or not at all, readable by you alone; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
}

/// The formats of what fits one JSON object.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum ShortFormat {
    /// For a person
    #[default]
    Human,
    /// One JSON object
    #[value(alias = "jsonl")]
    Json,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PatternsArgs {
    #[command(subcommand)]
    pub(super) action: Option<PatternsAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum PatternsAction {
    /// List the kinds of tokens that are looked for
    List,
    /// Run the examples of a pattern file through the detector
    Check {
        /// A pattern file [default: the built-in patterns]
        file: Option<PathBuf>,
    },
}
