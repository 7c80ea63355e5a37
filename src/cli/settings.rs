//! What the command line, the environment, the current folder and the terminal come to. Read once,
//! here and nowhere else; never changed afterwards.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anstream::ColorChoice;
use anyhow::{Context as _, Result, bail};
use douse::progress::Visibility;
use douse::report::{Format, Palette, Reader};
use douse::scan::Archives;
use douse::source::{
    Repositories, Repository, Rules, Separator, Threads, Told, TreeRules, parse_list, read_stdin,
};
use douse::unpack::Limits;
use douse::vocabulary::Interrupt;

use super::config::Config;
use super::{Session, args, limits};

mod ledger;
mod revocation;

pub(super) use ledger::{ledger, record};
pub(super) use revocation::{Consent, Enterprise, Revocation, Tokens};

/// The ignore file that is read from the current folder without being named.
const IGNORE_FILE: &str = ".douseignore";

/// What to read, and how.
pub(super) struct Sources {
    pub(super) paths: Vec<PathBuf>,
    /// What only the name of is read.
    pub(super) names: Vec<PathBuf>,
    pub(super) stdin: Stdin,
    pub(super) rules: Rules,
    pub(super) tree_rules: TreeRules,
    pub(super) repositories: Repositories,
    pub(super) threads: Threads,
    pub(super) archives: Archives,
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
        let repositories = if args.no_git {
            Repositories::Plain
        } else {
            Repositories::Open
        };
        Ok(Self {
            paths,
            names: Vec::new(),
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
            repositories,
            threads: Threads::new(threads(args, config)?),
            archives: limits::archives(&args.archives, repositories)?,
        })
    }

    /// What was named by a report: nothing is left out of it.
    pub(super) fn named(
        paths: Vec<PathBuf>,
        names: Vec<PathBuf>,
        threads: NonZeroUsize,
    ) -> Result<Self> {
        Ok(Self {
            paths,
            names,
            stdin: Stdin::Untouched,
            rules: Rules::new(&current_dir()?, &[], &[])?,
            tree_rules: TreeRules::Disregard,
            repositories: Repositories::Open,
            threads: Threads::new(threads),
            archives: Archives::Open(Limits::default()),
        })
    }
}

impl Output {
    pub(super) fn new(args: &args::ReportArgs, session: &Session) -> Self {
        let file = destination(args.output.as_ref());
        let palette = palette(session.color, file.as_deref());
        Self {
            format: match args.format.or(session.config.format).unwrap_or_default() {
                args::Format::Human => Format::Human(palette),
                args::Format::Json => Format::Json,
                args::Format::Jsonl => Format::Jsonl,
                args::Format::Csv => Format::Csv,
                args::Format::Sarif => Format::Sarif,
                args::Format::Html => Format::Html,
            },
            file,
        }
    }
}

/// The file that `-o` names; for `-`, which stands for standard output everywhere, none.
pub(super) fn destination(output: Option<&PathBuf>) -> Option<PathBuf> {
    output.filter(|path| path.as_os_str() != "-").cloned()
}

/// Whether text that goes to `file`, or to standard output, is coloured.
fn palette(color: args::Color, file: Option<&Path>) -> Palette {
    match (color, file) {
        (args::Color::Always, _) => Palette::Colour,
        (args::Color::Never, _) | (args::Color::Auto, Some(_)) => Palette::Plain,
        (args::Color::Auto, None) => match anstream::AutoStream::choice(&io::stdout()) {
            ColorChoice::Never => Palette::Plain,
            ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => Palette::Colour,
        },
    }
}

/// Who reads what goes to standard output.
pub(super) fn reader(format: args::ShortFormat, color: args::Color) -> Reader {
    match format {
        args::ShortFormat::Human => Reader::Person(palette(color, None)),
        args::ShortFormat::Json => Reader::Program,
    }
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

/// How many threads do the reading.
fn threads(args: &args::SourceArgs, config: &Config) -> Result<NonZeroUsize> {
    let asked = args.threads.or(config.threads).unwrap_or(0);
    // The command line checks its own; a configuration file comes unchecked.
    anyhow::ensure!(asked <= 256, "threads = {asked}: at most 256 are of use");
    Ok(NonZeroUsize::new(asked.into())
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN))
}
