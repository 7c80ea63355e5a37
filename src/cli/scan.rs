//! `douse scan`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use douse::findings::{Retain, Unverified};
use douse::progress::Progress;
use douse::report::{self, Detail, Format, Secrets, View};
use douse::scan::{Archives, Scan};
use douse::silence::Silence;
use douse::source::{
    Pushed, Range, Rules, Side, Sink, Staged, Threads, Walk, push_name, push_stdin,
};
use douse::vocabulary::{Counters, Ending, Exit, ScanReport};

use super::Session;
use super::advice::{self, Occasion};
use super::args::ScanArgs;
use super::settings::{self, Output, Sources, Stdin};
use super::silence::Known;

pub(super) fn run(session: &Session, args: &ScanArgs) -> Result<Exit> {
    session.refuse_tokens(&args.source.paths)?;
    let known = Known::new(&args.silence, session)?;
    let sources = Sources::new(&args.source, &session.config, &session.interrupt)?;
    let output = Output::new(&args.report, session);
    output.check()?;
    let baseline = args.write_baseline.clone().map(|file| Output {
        format: Format::Json,
        file: Some(file),
    });
    if let Some(baseline) = &baseline {
        baseline.check()?;
    }
    let (retain, secrets) = if args.show_secrets {
        (Retain::Secrets, Secrets::Show)
    } else {
        (Retain::Fingerprints, Secrets::Redact)
    };
    let unverified = if args.unverified || session.config.unverified {
        Unverified::List
    } else {
        Unverified::Count
    };
    let work = Work {
        session,
        threads: &sources.threads,
        archives: sources.archives,
        retain,
        unverified,
        silence: &known.silence,
    };
    let report = match &args.range {
        Some(range) => work.range(range)?,
        None if args.staged => work.staged(&sources.rules)?,
        None => work.sources(&sources, History::Told),
    };
    let view = View {
        secrets,
        detail: session.detail,
    };
    let remarks = output.write(|out| report::scan(&report, output.format, view, out))?;
    for remark in remarks.iter() {
        session.remark(remark);
    }
    known.tell_unused(&report, session);
    if let Some(occasion) = occasion(args)
        && report.found().next().is_some()
        && matches!(output.format, Format::Human(_))
        && output.file.is_none()
    {
        advice::tell(occasion);
    }
    let exit = report.exit();
    if let Some(baseline) = baseline {
        write_baseline(report, &baseline)?;
    }
    Ok(exit)
}

/// What this scan stands in the way of, if it does.
fn occasion(args: &ScanArgs) -> Option<Occasion> {
    if args.range.is_some() {
        Some(Occasion::Push)
    } else if args.staged || settings::started_by_pre_commit() {
        Some(Occasion::Commit)
    } else {
        None
    }
}

/// Writes what the next run is to know.
fn write_baseline(report: ScanReport, to: &Output) -> Result<()> {
    if report.ending == Ending::Interrupted {
        bail!("the baseline was not written: the scan was interrupted, and knows only a part");
    }
    let report = report.into_baseline();
    let view = View {
        secrets: Secrets::Redact,
        detail: Detail::Full,
    };
    let remarks = to.write(|out| report::scan(&report, to.format, view, out));
    // There is nothing to say about a format that has no limits.
    remarks.map(drop)
}

/// Whether it is to be told how objects came into their repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    Told,
    /// It takes another look at the repositories.
    Untold,
}

/// What all scans of a run have in common.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session,
    pub(super) threads: &'a Threads,
    pub(super) retain: Retain,
    pub(super) unverified: Unverified,
    pub(super) archives: Archives,
    pub(super) silence: &'a Silence,
}

impl Work<'_> {
    /// Scans standard input, if asked to, and then the paths.
    pub(super) fn sources(&self, sources: &Sources, history: History) -> ScanReport {
        self.scan(history, |sink| {
            if sources.stdin == Stdin::Scanned {
                push_stdin(&self.session.interrupt, sink);
            }
            let walk = Walk {
                paths: &sources.paths,
                rules: &sources.rules,
                tree_rules: sources.tree_rules,
                repositories: sources.repositories,
                threads: &sources.threads,
            };
            let repositories = walk.push(sink);
            for path in &sources.names {
                push_name(path, sink);
            }
            repositories
        })
    }

    /// Scans what is staged. What HEAD has in the same place already is no addition; it is read
    /// only when something was found.
    fn staged(&self, rules: &Rules) -> Result<ScanReport> {
        let repository = settings::repository()?;
        let staged = Staged::new(&repository)?;
        let side = |side| {
            self.scan(History::Untold, |sink| {
                staged.push(side, rules, sink);
                Vec::new()
            })
        };
        let report = side(Side::After);
        if report.findings.is_empty() {
            return Ok(report);
        }
        Ok(report.additions_to(&side(Side::Before)))
    }

    /// Scans what a range of commits brings.
    fn range(&self, range: &str) -> Result<ScanReport> {
        let repository = settings::repository()?;
        let range = if range == "-" {
            let lines = settings::read_input(Path::new("-"), &self.session.interrupt)?;
            Range::from_hook(&String::from_utf8_lossy(&lines), &repository)?
        } else {
            Range::parse(range, &repository)?
        };
        Ok(self.scan(History::Told, |sink| vec![range.push(&repository, sink)]))
    }

    /// Scans what `push` pushes; it says which repositories were among it.
    fn scan(&self, history: History, push: impl FnOnce(&dyn Sink) -> Vec<Pushed>) -> ScanReport {
        let counters = Arc::new(Counters::default());
        let _progress = Progress::of_scan(self.session.visibility, &counters, report::in_words);
        let scan = Scan {
            detector: &self.session.detector,
            threads: self.threads,
            clock: &self.session.clock,
            interrupt: &self.session.interrupt,
            counters: &counters,
            retain: self.retain,
            unverified: self.unverified,
            archives: self.archives,
            silence: self.silence,
        };
        let mut repositories = Vec::new();
        let mut report = scan.run(|sink| repositories = push(sink));
        match history {
            History::Told => scan.trace(&mut report, &repositories),
            History::Untold => {}
        }
        report
    }
}
