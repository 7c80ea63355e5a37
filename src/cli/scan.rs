//! `douse scan`.

use std::sync::Arc;

use anyhow::Result;
use douse::detect::Detector;
use douse::findings::{Retain, Unverified};
use douse::progress::Progress;
use douse::report::{self, Secrets};
use douse::scan::Scan;
use douse::source::{Walk, push_stdin};
use douse::vocabulary::{Clock, Counters, Exit, Interrupt, ScanReport};

use super::args::{Cli, ScanArgs};
use super::settings::{Output, Sources, Stdin, visibility};

pub(super) fn run(
    cli: &Cli,
    args: &ScanArgs,
    detector: &Detector,
    clock: &dyn Clock,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let sources = Sources::new(&args.source)?;
    let output = Output::new(&args.report, cli.color);
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
    let counters = Arc::new(Counters::default());
    let progress = Progress::of_scan(visibility(cli.quiet), &counters);
    let scan = Scan {
        detector,
        threads: &sources.threads,
        clock,
        interrupt,
        counters: &counters,
        retain,
        unverified,
    };
    let report = scan_sources(&scan, &sources);
    drop(progress);
    output.write(|out| report::scan(&report, output.format, secrets, out))?;
    Ok(report.exit())
}

/// Scans standard input, if asked to, and then the paths.
pub(super) fn scan_sources(scan: &Scan<'_>, sources: &Sources) -> ScanReport {
    scan.run(|sink| {
        if sources.stdin == Stdin::Scanned {
            push_stdin(scan.interrupt, sink);
        }
        let walk = Walk {
            paths: &sources.paths,
            rules: &sources.rules,
            tree_rules: sources.tree_rules,
            threads: &sources.threads,
        };
        walk.push(sink);
    })
}
