//! `douse revoke`: find or read tokens, show the plan, ask, send, tell.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use douse::detect::Detector;
use douse::findings::{Retain, Unverified};
use douse::progress::{Progress, Visibility};
use douse::report::{self, Format, Palette};
use douse::revoke::{
    Candidate, Cause, Client, Closed, Ledger, Observer, Plan, RequestId, Runner, Settled,
};
use douse::scan::Scan;
use douse::vocabulary::{
    Clock, Counters, Ending, Exit, Finding, Fingerprint, Interrupt, Match, Outcome, PlanSummary,
    PlannedToken, RevokeReport, ScanReport, Stop,
};

use super::args::{Cli, RevokeArgs};
use super::credentials;
use super::scan::scan_sources;
use super::settings::{Consent, Output, Revocation, Sources, Tokens, read_input, visibility};

pub(super) fn run(
    cli: &Cli,
    args: &RevokeArgs,
    detector: &Detector,
    clock: &dyn Clock,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let settings = Revocation::new(args)?;
    let output = Output::new(&args.report, cli.color);
    output.check()?;
    let visibility = visibility(cli.quiet);
    let gathered = match &settings.tokens {
        Tokens::Listed(path) => {
            let credentials = credentials::parse(&read_input(path)?, detector);
            Gathered {
                candidates: credentials.candidates,
                strays: credentials.strays,
                places: HashMap::new(),
                exit: Exit::Clean,
            }
        }
        Tokens::Scanned(sources) => {
            let scan = scan(&settings, sources, detector, clock, interrupt, visibility);
            report::unread(&scan, Palette::Plain, &mut io::stderr().lock())?;
            if scan.ending == Ending::Interrupted {
                bail!("interrupted while looking for tokens; nothing was sent");
            }
            Gathered::from_scan(scan)
        }
    };
    let (exit, strays, places) = (gathered.exit, gathered.strays, gathered.places);
    let mut known = Known::open(&settings, &gathered.candidates)?;
    let plan = Plan::new(
        gathered.candidates,
        |fingerprint| known.settled.get(fingerprint).copied(),
        &settings.plan,
    );
    let summary = summary(&plan, &settings, &strays, &places);
    if settings.max.is_some_and(|max| plan.tokens() > max) {
        bail!(
            "the plan holds {} tokens, more than --max allows; nothing was sent",
            plan.tokens()
        );
    }
    let mut report = match settings.consent {
        Consent::DryRun => {
            if let Format::Human(palette) = output.format {
                return dry_run(&plan, &summary, &output, palette).map(|end| end.max(exit));
            }
            plan.unsent(Stop::DryRun)
        }
        Consent::Given | Consent::Ask if plan.tokens() == 0 => plan.unsent(Stop::Done),
        Consent::Given => {
            settings.carry_out(plan, &mut known, detector, clock, interrupt, visibility)?
        }
        Consent::Ask => {
            ask(&summary)?;
            settings.carry_out(plan, &mut known, detector, clock, interrupt, visibility)?
        }
    };
    report.outcomes.extend(strays);
    report.outcomes.sort_by_key(|outcome| outcome.fingerprint);
    output.write(|out| report::revocation(&report, output.format, out))?;
    Ok(report.exit().max(exit))
}

/// The tokens there are, and what is to be said of them.
struct Gathered {
    candidates: Vec<Candidate>,
    /// Lines of a list that are no tokens.
    strays: Vec<Outcome>,
    /// Where each token lies first, and in how many places.
    places: HashMap<Fingerprint, (Option<Match>, u64)>,
    /// [`Exit::Trouble`] if something could not be read; then there may be more tokens.
    exit: Exit,
}

impl Gathered {
    fn from_scan(scan: ScanReport) -> Self {
        let exit = if scan.is_complete() {
            Exit::Clean
        } else {
            Exit::Trouble
        };
        let mut places = HashMap::new();
        let candidate = |finding: Finding| {
            let total = finding.matches.total();
            let first = finding.matches.items.into_iter().next();
            places.insert(finding.fingerprint, (first, total));
            // The scan was told to keep the tokens.
            let secret = finding.secret?;
            Some(Candidate {
                fingerprint: finding.fingerprint,
                kind: finding.kind,
                secret,
                checksum: finding.checksum,
                standing: finding.standing,
            })
        };
        Self {
            candidates: scan.findings.into_iter().filter_map(candidate).collect(),
            strays: Vec::new(),
            places,
            exit,
        }
    }
}

fn scan(
    settings: &Revocation,
    sources: &Sources,
    detector: &Detector,
    clock: &dyn Clock,
    interrupt: &Interrupt,
    visibility: Visibility,
) -> ScanReport {
    let counters = Arc::new(Counters::default());
    let _progress = Progress::of_scan(visibility, &counters);
    let scan = Scan {
        detector,
        threads: &sources.threads,
        clock,
        interrupt,
        counters: &counters,
        retain: Retain::Secrets,
        unverified: match settings.plan.unverified {
            douse::revoke::Unverified::Withhold => Unverified::Count,
            douse::revoke::Unverified::Send => Unverified::List,
        },
    };
    scan_sources(&scan, sources)
}

/// The ledger and what it knows of the tokens at hand.
struct Known {
    ledger: Option<Ledger>,
    settled: HashMap<Fingerprint, Settled>,
}

impl Known {
    fn open(settings: &Revocation, candidates: &[Candidate]) -> Result<Self> {
        // A dry run makes no files.
        if settings.consent == Consent::DryRun && !settings.ledger.exists() {
            return Ok(Self {
                ledger: None,
                settled: HashMap::new(),
            });
        }
        let ledger = Ledger::open(&settings.ledger)?;
        let names = candidates.iter().map(|candidate| candidate.fingerprint);
        Ok(Self {
            settled: ledger.settled(settings.host.key(), names)?,
            ledger: Some(ledger),
        })
    }
}

fn summary(
    plan: &Plan,
    settings: &Revocation,
    strays: &[Outcome],
    places: &HashMap<Fingerprint, (Option<Match>, u64)>,
) -> PlanSummary {
    let mut withheld: BTreeMap<String, usize> = BTreeMap::new();
    for token in &plan.withheld {
        *withheld.entry(token.reason.to_string()).or_default() += 1;
    }
    for stray in strays {
        let reason = stray.reason.clone().unwrap_or_default();
        *withheld.entry(reason).or_default() += 1;
    }
    let tokens = plan.batches.iter().flat_map(|batch| batch.tokens());
    PlanSummary {
        host: settings.host.key().to_owned(),
        tokens: tokens
            .map(|token| {
                let (first, places) = places.get(&token.fingerprint).cloned().unwrap_or_default();
                PlannedToken {
                    fingerprint: token.fingerprint,
                    kind: Arc::clone(&token.kind),
                    first,
                    places,
                }
            })
            .collect(),
        requests: plan.requests(),
        estimate: plan.estimate(&settings.policy),
        withheld: withheld.into_iter().collect(),
        already: plan.already.len(),
    }
}

fn dry_run(plan: &Plan, summary: &PlanSummary, output: &Output, palette: Palette) -> Result<Exit> {
    output.write(|out| {
        report::plan(summary, palette, out)?;
        writeln!(out, "Dry run: nothing was sent.")
    })?;
    let open = plan.tokens() > 0 || !summary.withheld.is_empty();
    Ok(if open { Exit::Found } else { Exit::Clean })
}

/// Shows the plan and has the number of tokens typed.
fn ask(summary: &PlanSummary) -> Result<()> {
    let mut err = io::stderr().lock();
    report::plan(summary, Palette::Plain, &mut err)?;
    let tokens = summary.tokens.len();
    write!(err, "\nTo go on, type the number of tokens ({tokens}): ")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    if line.trim() == tokens.to_string() {
        Ok(())
    } else {
        bail!("that is not the number; nothing was sent")
    }
}

impl Revocation {
    fn carry_out(
        &self,
        plan: Plan,
        known: &mut Known,
        detector: &Detector,
        clock: &dyn Clock,
        interrupt: &Interrupt,
        visibility: Visibility,
    ) -> Result<RevokeReport> {
        let Some(ledger) = &mut known.ledger else {
            bail!("there is no ledger; nothing was sent");
        };
        let client = Client::new(&self.host, self.client.clone())?;
        let mut observer = Bar(Progress::of_revocation(visibility, plan.tokens() as u64));
        let runner = Runner {
            host: &self.host,
            transport: &client,
            ledger,
            policy: self.policy,
            patience: self.patience,
            clock,
            interrupt,
            redact: detector,
            observer: &mut observer,
        };
        Ok(runner.run(plan))
    }
}

/// Shows a run as a bar.
struct Bar(Progress);

impl Observer for Bar {
    fn queued(&mut self) {
        self.0
            .say("waiting for another douse to finish its request".to_owned());
    }

    fn waiting(&mut self, wait: Duration, cause: Cause) {
        let why = match cause {
            Cause::Interval => return,
            Cause::Window => "the hour's budget is used up",
            Cause::Hold => "the host asked for a pause",
        };
        let seconds = wait.as_secs() + 1;
        self.0.say(format!("{why}; next request in {seconds} s"));
    }

    fn unreachable(&mut self, wait: Duration, _error: &str) {
        let seconds = wait.as_secs();
        self.0
            .say(format!("no connection; trying again in {seconds} s"));
    }

    fn sending(&mut self, _request: RequestId, tokens: usize) {
        self.0.say(format!("sending {tokens}"));
    }

    fn closed(&mut self, _request: RequestId, closed: Closed, tokens: usize) {
        match closed {
            Closed::Accepted | Closed::TokenRejected => self.0.advance(tokens as u64),
            Closed::BatchRejected
            | Closed::Throttled
            | Closed::Refused
            | Closed::Unknown
            | Closed::NotSent => {}
        }
    }

    fn accepted_elsewhere(&mut self, tokens: usize) {
        self.0.advance(tokens as u64);
    }
}
