//! `douse scan`.

use std::sync::Arc;

use anyhow::Result;
use douse::findings::{Retain, Unverified};
use douse::progress::Progress;
use douse::report::{self, Secrets};
use douse::scan::Scan;
use douse::source::{Walk, push_name, push_stdin};
use douse::vocabulary::{Counters, Exit, ScanReport};

use super::Session;
use super::args::ScanArgs;
use super::settings::{Output, Sources, Stdin};

pub(super) fn run(session: &Session, args: &ScanArgs) -> Result<Exit> {
    let sources = Sources::new(&args.source, &session.interrupt)?;
    let output = Output::new(&args.report, session.color);
    output.check()?;
    let (retain, secrets) = if args.show_secrets {
        (Retain::Secrets, Secrets::Show)
    } else {
        (Retain::Fingerprints, Secrets::Redact)
    };
    let unverified = if args.unverified {
        Unverified::List
    } else {
        Unverified::Count
    };
    let report = scan_sources(session, &sources, retain, unverified);
    output.write(|out| report::scan(&report, output.format, secrets, out))?;
    Ok(report.exit())
}

/// Scans standard input, if asked to, and then the paths.
pub(super) fn scan_sources(
    session: &Session,
    sources: &Sources,
    retain: Retain,
    unverified: Unverified,
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
    };
    scan.run(|sink| {
        if sources.stdin == Stdin::Scanned {
            push_stdin(&session.interrupt, sink);
        }
        let walk = Walk {
            paths: &sources.paths,
            rules: &sources.rules,
            tree_rules: sources.tree_rules,
            threads: &sources.threads,
        };
        walk.push(sink);
        for path in &sources.names {
            push_name(path, sink);
        }
    })
}
