//! The program's outside: arguments in, exit code out. Everything that a user sees passes here.

mod args;
mod audit;
mod credentials;
mod enterprise;
mod output;
mod patterns;
mod reported;
mod revoke;
mod scan;
mod settings;
mod status;

use std::ffi::OsString;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use clap::{CommandFactory as _, Parser as _};
use douse::detect::Detector;
use douse::pattern::PatternSet;
use douse::progress::Visibility;
use douse::report::escape;
use douse::vocabulary::{Exit, Interrupt, Redact as _, SystemClock};

use args::{Cli, Command};

/// Runs the program on `arguments` and tells how it ended.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match dispatch(&cli) {
        Ok(exit) => exit,
        Err(error) => {
            complain(&format!("{error:#}"));
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
    color: args::Color,
}

impl Session {
    fn new(cli: &Cli) -> Result<Self> {
        Ok(Self {
            detector: detector()?,
            clock: SystemClock::new(),
            interrupt: interrupt()?,
            visibility: settings::visibility(cli.quiet),
            color: cli.color,
        })
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
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            print(&page)
        }
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

/// Prints finished text.
fn print(text: &[u8]) -> Result<Exit> {
    match io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(Exit::Clean),
    }
}

/// Help, version, or what is wrong with the command line.
fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Help and version; a reader that went away has seen enough.
        let _ = error.print();
        return Exit::Clean;
    }
    // Without colour, and escaped: the words that were not understood are repeated, and they may
    // be a token, or a hostile name that a hook handed over.
    tell(&error.render().to_string());
    Exit::Trouble
}

/// Tells on standard error why the run failed.
fn complain(text: &str) {
    tell(&format!("douse: error: {text}"));
}

/// Writes to standard error what may hold words from outside: redacted and escaped line by line.
fn tell(text: &str) {
    let mut err = io::stderr().lock();
    for line in redacted(text).lines() {
        // Where not even this can be written, the exit code still tells.
        let _ = writeln!(err, "{}", escape(line.as_bytes()));
    }
}

fn redacted(text: &str) -> String {
    match detector() {
        Ok(detector) => detector.text(text).into_owned(),
        // Without patterns no token can be told from other text: then nothing is repeated.
        Err(error) => error.to_string(),
    }
}
