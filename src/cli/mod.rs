//! The program's outside: arguments in, exit code out. Everything that a user sees passes here.

mod advice;
mod args;
mod ask;
mod audit;
mod bar;
mod config;
mod credentials;
mod enterprise;
mod limits;
mod output;
mod patterns;
mod reported;
mod revoke;
mod scan;
mod settings;
mod silence;
mod status;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::error::{ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};
use douse::detect::Detector;
use douse::pattern::PatternSet;
use douse::progress::Visibility;
use douse::report::{Detail, escape};
use douse::vocabulary::{Exit, Interrupt, Redact as _, SystemClock};

use args::{Cli, Command};
use config::{Config, Wanted};

/// Runs the program on `arguments` and tells how it ended.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(with_advice(error, arguments)),
    };
    match dispatch(&cli) {
        Ok(exit) => exit,
        Err(error) => {
            complain(&in_words(&error));
            Exit::Trouble
        }
    }
}

/// What every command works with.
struct Session {
    detector: Detector,
    clock: SystemClock,
    interrupt: Interrupt,
    visibility: Visibility,
    remarks: Remarks,
    detail: Detail,
    color: args::Color,
    config: Config,
}

/// Whether what is worth knowing and is no error is told on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remarks {
    Told,
    Withheld,
}

impl Session {
    fn new(cli: &Cli) -> Result<Self> {
        let config = Config::load(match &cli.config {
            Some(path) => Wanted::Named(path),
            None if cli.no_config => Wanted::Nothing,
            None => Wanted::Default,
        })?;
        let quiet = cli.quiet || (config.quiet && !cli.verbose);
        let session = Self {
            detector: detector()?,
            clock: SystemClock::new(),
            interrupt: interrupt()?,
            visibility: settings::visibility(quiet),
            remarks: if quiet {
                Remarks::Withheld
            } else {
                Remarks::Told
            },
            detail: if cli.verbose {
                Detail::Full
            } else {
                Detail::Brief
            },
            color: cli.color.or(config.color).unwrap_or_default(),
            config,
        };
        if let (Detail::Full, Some(file)) = (session.detail, &session.config.file) {
            session.remark(&format!("settings from {}", file.display()));
        }
        Ok(session)
    }

    /// Refuses words of the command line that are tokens, before anything is done with them.
    fn refuse_tokens<'a>(&self, words: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
        let token = |word: &&PathBuf| {
            let text = word.to_str().filter(|_| !word.exists());
            text.is_some_and(|text| self.detector.identify(text).is_some())
        };
        anyhow::ensure!(
            !words.into_iter().any(|word| token(&word)),
            "a token has no place on the command line, where other processes and the shell's \
             history can read it; put it into a file, or into `douse revoke --credentials -`"
        );
        Ok(())
    }

    /// Tells something that is worth knowing and is no error.
    fn remark(&self, text: &str) {
        match self.remarks {
            Remarks::Told => tell_line(&format!("douse: {text}")),
            Remarks::Withheld => {}
        }
    }
}

fn dispatch(cli: &Cli) -> Result<Exit> {
    match &cli.command {
        Command::Scan(args) => scan::run(&Session::new(cli)?, args),
        Command::Revoke(args) => revoke::run(&Session::new(cli)?, args),
        Command::Enterprise(args) => enterprise::run(&Session::new(cli)?, args),
        Command::Status(args) => status::run(&Session::new(cli)?, args),
        Command::Audit(args) => audit::run(args),
        Command::Patterns(args) => patterns::run(args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "douse", &mut script);
            print(&script)
        }
        Command::Man { command } => print(&manual(command.as_deref())?),
    }
}

fn detector() -> Result<Detector> {
    Ok(Detector::new(PatternSet::embedded()?)?)
}

/// A flag that the first SIGINT or SIGTERM raises; the second ends the process at once.
fn interrupt() -> Result<Interrupt> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    let interrupt = Interrupt::new();
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, interrupt.flag())
            .and_then(|_| flag::register(signal, interrupt.flag()))
            .context("cannot handle signals")?;
    }
    Ok(interrupt)
}

/// The manual page of the program or of a command.
fn manual(command: Option<&str>) -> Result<Vec<u8>> {
    let mut program = Cli::command();
    // Options that every command takes are on the page of each.
    program.build();
    let subject = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(found) => found.clone(),
            None => anyhow::bail!("there is no command {name:?}; `douse help` lists them"),
        },
    };
    let mut page = Vec::new();
    let title = subject.get_display_name().unwrap_or("douse").to_owned();
    clap_mangen::Man::new(subject)
        .title(title)
        .render(&mut page)?;
    Ok(page)
}

/// Prints finished text.
fn print(text: &[u8]) -> Result<Exit> {
    printed(io::stdout().lock().write_all(text))
}

/// How the printing of finished text ended; a reader that went away has seen enough.
fn printed(ended: io::Result<()>) -> Result<Exit> {
    match ended {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        Ok(()) | Err(_) => Ok(Exit::Clean),
    }
}

/// For a command that is misspelt behind `help`, what clap says without that word: only there does
/// it tell what was meant.
fn with_advice(error: clap::Error, mut arguments: Vec<OsString>) -> clap::Error {
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(help) = arguments.iter().position(|word| word == "help")
    {
        arguments.remove(help);
        match Cli::try_parse_from(arguments) {
            Err(other) if other.kind() == ErrorKind::InvalidSubcommand => return other,
            Ok(_) | Err(_) => {}
        }
    }
    error
}

/// Help, version, or what is wrong with the command line.
fn usage(mut error: clap::Error) -> Exit {
    if !error.use_stderr() {
        // Help and version.
        return printed(error.print()).unwrap_or_else(|error| {
            complain(&in_words(&error));
            Exit::Trouble
        });
    }
    // Without colour, and escaped: the words that were not understood are repeated, and they may
    // be a token, or a hostile name that a hook handed over.
    let foreign: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(word) => {
                let word = escape(word.as_bytes()).into_owned();
                Some((kind, ContextValue::String(word)))
            }
            // Advice repeats the word too. It is given for words of one line.
            ContextValue::StyledStrs(advice)
                if advice.iter().any(|one| one.to_string().contains('\n')) =>
            {
                Some((kind, ContextValue::None))
            }
            ContextValue::None
            | ContextValue::Bool(_)
            | ContextValue::Strings(_)
            | ContextValue::StyledStr(_)
            | ContextValue::StyledStrs(_)
            | ContextValue::Number(_)
            | _ => None,
        })
        .collect();
    for (kind, value) in foreign {
        error.insert(kind, value);
    }
    for line in error.render().to_string().lines() {
        tell_line(line);
    }
    Exit::Trouble
}

/// Tells on standard error why the run failed.
fn complain(text: &str) {
    tell_line(&format!("douse: error: {text}"));
}

/// Writes one line to standard error, which may hold words from outside: redacted and escaped, so
/// that a name with a newline in it cannot pass for a line of ours.
fn tell_line(text: &str) {
    // Where not even this can be written, the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{}", escape(redacted(text).as_bytes()));
}

fn redacted(text: &str) -> String {
    match detector() {
        Ok(detector) => detector.text(text).into_owned(),
        // Without patterns no token can be told from other text: then nothing is repeated.
        Err(error) => error.to_string(),
    }
}

/// An error and its causes. Some tell their cause themselves, and it is not told again.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.ends_with(&cause) {
            continue;
        }
        if !words.is_empty() {
            words.push_str(": ");
        }
        words.push_str(&cause);
    }
    words
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow!("denied")
            .context("cannot open x: denied")
            .context("ledger");
        assert_eq!(in_words(&error), "ledger: cannot open x: denied");
        assert_eq!(in_words(&anyhow!("b").context("a")), "a: b");
    }
}
