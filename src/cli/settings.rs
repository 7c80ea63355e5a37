//! What the command line, the environment, the current folder and the terminal come to. Read once,
//! here and nowhere else; never changed afterwards.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::ColorChoice;
use anyhow::{Context as _, Result, bail};
use douse::progress::Visibility;
use douse::report::{Format, Palette};
use douse::revoke::{
    BatchSize, ClientOptions, Host, Patience, PlanOptions, Policy, Rejected, Unverified, parse_span,
};
use douse::source::{
    Repositories, Repository, Rules, Separator, Threads, Told, TreeRules, parse_list, read_stdin,
};
use douse::vocabulary::{Fingerprint, Interrupt};
use etcetera::BaseStrategy as _;

use super::config::Config;
use super::{Session, args};

/// The ignore file that is read from the current folder without being named.
const IGNORE_FILE: &str = ".douseignore";

/// Where people keep the credentials they work with; none of those is ever revoked.
const OWN_CREDENTIALS: [&str; 4] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
];

/// What to read, and how.
pub(super) struct Sources {
    pub(super) paths: Vec<PathBuf>,
    pub(super) stdin: Stdin,
    pub(super) rules: Rules,
    pub(super) tree_rules: TreeRules,
    pub(super) repositories: Repositories,
    pub(super) threads: Threads,
}

/// Whether standard input is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stdin {
    Scanned,
    Untouched,
}

/// Where the report goes, and in which format.
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) file: Option<PathBuf>,
}

impl Sources {
    pub(super) fn new(
        args: &args::SourceArgs,
        config: &Config,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let current_dir = current_dir()?;
        let (dashes, mut paths): (Vec<_>, Vec<_>) = args
            .paths
            .iter()
            .cloned()
            .partition(|path| path.as_os_str() == "-");
        if let Some(list) = &args.files_from {
            if !dashes.is_empty() && list.as_os_str() == "-" {
                bail!("standard input cannot be both what is scanned and the list of --files-from");
            }
            let separator = if args.null {
                Separator::Nul
            } else {
                Separator::Newline
            };
            let bytes = read_input(list, interrupt)?;
            paths.extend(parse_list(&bytes, separator)?);
        } else if args.paths.is_empty() {
            paths.push(PathBuf::from("."));
        }
        let mut seen = HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        let mut ignore_files = args.ignore_file.clone();
        ignore_files.extend(config.ignore_file.iter().cloned());
        if ignore_files.is_empty() {
            let default = current_dir.join(IGNORE_FILE);
            ignore_files.extend(default.is_file().then_some(default));
        }
        Ok(Self {
            paths,
            stdin: if dashes.is_empty() {
                Stdin::Untouched
            } else {
                Stdin::Scanned
            },
            rules: Rules::new(
                &current_dir,
                &ignore_files,
                &[&args.exclude[..], &config.exclude].concat(),
            )?,
            tree_rules: if args.respect_ignore || config.respect_ignore {
                TreeRules::Obey
            } else {
                TreeRules::Disregard
            },
            repositories: if args.no_git {
                Repositories::Plain
            } else {
                Repositories::Open
            },
            threads: Threads::new(threads(args.threads.or(config.threads).unwrap_or(0))?),
        })
    }
}

impl Output {
    pub(super) fn new(args: &args::ReportArgs, session: &Session) -> Self {
        let palette = match (session.color, &args.output) {
            (args::Color::Always, _) => Palette::Colour,
            (args::Color::Never, _) | (args::Color::Auto, Some(_)) => Palette::Plain,
            (args::Color::Auto, None) => match anstream::AutoStream::choice(&io::stdout()) {
                ColorChoice::Never => Palette::Plain,
                ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => {
                    Palette::Colour
                }
            },
        };
        Self {
            format: match args.format.or(session.config.format).unwrap_or_default() {
                args::Format::Human => Format::Human(palette),
                args::Format::Json => Format::Json,
                args::Format::Jsonl => Format::Jsonl,
                args::Format::Csv => Format::Csv,
                args::Format::Sarif => Format::Sarif,
                args::Format::Html => Format::Html,
            },
            file: args.output.clone(),
        }
    }
}

/// Which tokens to revoke, where, and how.
pub(super) struct Revocation {
    pub(super) tokens: Tokens,
    pub(super) consent: Consent,
    pub(super) max: Option<usize>,
    pub(super) host: Host,
    pub(super) policy: Policy,
    pub(super) plan: PlanOptions,
    pub(super) patience: Patience,
    pub(super) client: ClientOptions,
    pub(super) ledger: PathBuf,
}

/// Where the tokens come from.
pub(super) enum Tokens {
    Scanned(Box<Sources>),
    Listed(PathBuf),
}

/// Whether the user wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    DryRun,
    Given,
    Ask,
}

impl Revocation {
    pub(super) fn new(args: &args::RevokeArgs, session: &Session) -> Result<Self> {
        let (config, interrupt) = (&session.config, &session.interrupt);
        let wanted = &args.host;
        let mut host = Host::parse(&wanted.api_url).context("--api-url")?;
        if let Some(version) = &wanted.api_version {
            host = host.with_api_version(version).context("--api-version")?;
        }
        let rate = wanted.budget.parse().context("--budget")?;
        let interval = parse_span(&wanted.min_interval).context("--min-interval")?;
        Ok(Self {
            consent: consent(&args.consent)?,
            max: args.consent.max.or(config.max),
            policy: Policy::new(rate, interval, host.reach())?,
            plan: PlanOptions {
                batch_size: BatchSize::new(wanted.batch_size, host.reach())
                    .context("--batch-size")?,
                unverified: if args.unverified {
                    Unverified::Send
                } else {
                    Unverified::Withhold
                },
                rejected: if args.resend_rejected {
                    Rejected::Resend
                } else {
                    Rejected::Withhold
                },
                own: own_credentials(),
                ..PlanOptions::new(&host)
            },
            host,
            patience: if args.no_wait {
                Patience::NoWait
            } else {
                Patience::Wait
            },
            client: ClientOptions {
                timeout: timeout(&wanted.timeout).context("--timeout")?,
                ca_cert: match &wanted.ca_cert {
                    Some(path) => Some(read_input(path, interrupt)?),
                    None => None,
                },
                ..ClientOptions::default()
            },
            ledger: ledger(args.ledger.as_deref())?,
            tokens: match &args.credentials {
                Some(list) => Tokens::Listed(list.clone()),
                None => Tokens::Scanned(Box::new(Sources::new(&args.source, config, interrupt)?)),
            },
        })
    }
}

fn timeout(text: &str) -> Result<Duration> {
    let timeout = parse_span(text)?;
    anyhow::ensure!(!timeout.is_zero(), "a request needs some time");
    Ok(timeout)
}

/// Settled before anything is read, so that nobody waits for a scan to be told.
fn consent(args: &args::ConsentArgs) -> Result<Consent> {
    if args.dry_run {
        return Ok(Consent::DryRun);
    }
    if args.yes {
        return Ok(Consent::Given);
    }
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(Consent::Ask);
    }
    bail!(
        "there is no terminal to ask on; nothing was sent. See what would be sent with --dry-run, \
         then add --yes"
    )
}

fn own_credentials() -> HashSet<Fingerprint> {
    let values = OWN_CREDENTIALS.iter().filter_map(|name| environment(name));
    values
        .filter_map(|value| Some(Fingerprint::of(value.to_str()?.trim())))
        .collect()
}

/// The ledger: what was asked for, else `DOUSE_LEDGER`, else in the user's state folder.
fn ledger(asked: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = asked {
        return Ok(path.to_owned());
    }
    if let Some(path) = environment("DOUSE_LEDGER").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let folders = etcetera::choose_base_strategy()
        .context("there is no home folder to keep the ledger in; name a file with --ledger")?;
    let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Ok(state.join("douse").join("ledger.sqlite3"))
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks")]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The repository that the user stands in, or that git has started us in.
pub(super) fn repository() -> Result<Repository> {
    let current_dir = current_dir()?;
    let paths = |name: &str| {
        let value = environment(name).filter(|value| !value.is_empty());
        let value = value.unwrap_or_default();
        let paths = std::env::split_paths(&value).map(|path| current_dir.join(path));
        paths.collect::<Vec<_>>()
    };
    // Git gives these relative to where it starts its hooks, which is where we are.
    let path = |name: &str| {
        let value = environment(name).filter(|value| !value.is_empty());
        value.map(|value| current_dir.join(value))
    };
    let told = Told {
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        common_dir: path("GIT_COMMON_DIR"),
        index: path("GIT_INDEX_FILE"),
        objects: path("GIT_OBJECT_DIRECTORY"),
        alternates: paths("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    };
    Ok(Repository::open(&current_dir, told)?)
}

/// Whether the pre-commit framework has started us; it says so in `PRE_COMMIT`.
pub(super) fn started_by_pre_commit() -> bool {
    environment("PRE_COMMIT").is_some_and(|value| !value.is_empty())
}

/// Whether progress is shown.
pub(super) fn visibility(quiet: bool) -> Visibility {
    if !quiet && io::stderr().is_terminal() {
        Visibility::Shown
    } else {
        Visibility::Hidden
    }
}

/// Reads a whole file, or standard input for `-`.
pub(super) fn read_input(path: &Path, interrupt: &Interrupt) -> Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        read_stdin(interrupt).context("cannot read standard input")
    } else {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// Where relative paths start.
#[expect(clippy::disallowed_methods, reason = "the one place that asks")]
pub(super) fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().context("the current folder is gone")
}

fn threads(asked: u16) -> Result<NonZeroUsize> {
    // The command line checks its own; a configuration file comes unchecked.
    anyhow::ensure!(asked <= 256, "threads = {asked}: at most 256 are of use");
    Ok(NonZeroUsize::new(asked.into())
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN))
}
