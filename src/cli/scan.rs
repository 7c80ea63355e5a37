//! `douse scan`.

use std::sync::Arc;

use anyhow::{Result, bail};
use douse::findings::{Retain, Unverified};
use douse::progress::Progress;
use douse::report::{self, Detail, Format, Secrets, View};
use douse::scan::Scan;
use douse::silence::Silence;
use douse::source::{Walk, push_name, push_stdin};
use douse::vocabulary::{Counters, Ending, Exit, ScanReport};

use super::Session;
use super::args::ScanArgs;
use super::settings::{Output, Sources, Stdin};
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
    let report = scan_sources(session, &sources, retain, unverified, &known.silence);
    let view = View {
        secrets,
        detail: session.detail,
    };
    let remarks = output.write(|out| report::scan(&report, output.format, view, out))?;
    for remark in remarks.iter() {
        session.remark(remark);
    }
    known.tell_unused(&report, session);
    let exit = report.exit();
    if let Some(baseline) = baseline {
        write_baseline(report, &baseline)?;
    }
    Ok(exit)
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

/// Scans standard input, if asked to, and then the paths.
pub(super) fn scan_sources(
    session: &Session,
    sources: &Sources,
    retain: Retain,
    unverified: Unverified,
    silence: &Silence,
) -> ScanReport {
    let counters = Arc::new(Counters::default());
    let _progress = Progress::of_scan(session.visibility, &counters);
    let scan = Scan {
        detector: &session.detector,
        threads: &sources.threads,
        clock: &session.clock,
        interrupt: &session.interrupt,
        counters: &counters,
        retain,
        unverified,
        silence,
    };
    scan.run(|sink| {
        if sources.stdin == Stdin::Scanned {
            push_stdin(&session.interrupt, sink);
        }
        let walk = Walk {
            paths: &sources.paths,
            rules: &sources.rules,
            tree_rules: sources.tree_rules,
            repositories: sources.repositories,
            threads: &sources.threads,
        };
        walk.push(sink);
        for path in &sources.names {
            push_name(path, sink);
        }
    })
}
