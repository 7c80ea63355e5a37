//! `douse revoke`: find or read tokens, show the plan, ask, send, tell.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use anyhow::{Result, bail};
use douse::findings::{Retain, Unverified};
use douse::report::{self, Format, Palette};
use douse::revoke::{Batch, Candidate, Client, Ledger, Plan, Runner, Settled};
use douse::silence::Silence;
use douse::vocabulary::{
    Clock, Ending, Exit, Finding, Fingerprint, Kind, Match, Outcome, PlanSummary, PlannedToken,
    RevokeReport, ScanReport, SilencedBy, State, Stop,
};
use zeroize::Zeroizing;

use super::Session;
use super::args::RevokeArgs;
use super::ask::ask;
use super::bar::Bar;
use super::credentials;
use super::reported::{self, Reported};
use super::scan::{History, Work};
use super::settings::{Consent, Output, Revocation, Tokens, read_input};
use super::silence;

pub(super) fn run(session: &Session, args: &RevokeArgs) -> Result<Exit> {
    session.refuse_tokens(args.source.paths.iter().chain(&args.credentials))?;
    let silence = silence::Known::new(&args.silence, session)?;
    let settings = Revocation::new(args, session)?;
    let output = Output::new(&args.report, session);
    output.check()?;
    if output.format == Format::Sarif {
        bail!("--format sarif describes what was found: give it to `douse scan`");
    }
    let gathered = Gathered::new(session, &settings, &silence)?;
    let mut known = Known::open(&settings, &gathered.candidates)?;
    let plan = Plan::new(
        gathered.candidates,
        |fingerprint| known.settled.get(fingerprint).copied(),
        &settings.plan,
    );
    let tokens = plan.tokens();
    if settings.max.is_some_and(|max| tokens > max) {
        bail!("the plan holds {tokens} tokens, more than --max allows; nothing was sent");
    }
    let summary = summary(&plan, &settings, &gathered.aside, &gathered.places);
    let mut report = match (settings.consent, tokens) {
        (Consent::DryRun, _) => plan.unsent(Stop::DryRun),
        (Consent::Given | Consent::Ask, 0) => {
            known.intend(&plan, settings.host.key(), &session.clock)?;
            plan.unsent(Stop::Done)
        }
        (consent @ (Consent::Given | Consent::Ask), _) => {
            report::plan(&summary, Palette::Plain, &mut io::stderr().lock())?;
            if consent == Consent::Ask {
                let number = tokens.to_string();
                ask("the number of tokens", &number, &session.interrupt)?;
            }
            carry_out(session, &settings, plan, &mut known)?
        }
    };
    report.outcomes.extend(gathered.aside);
    report.outcomes.sort_by_key(|outcome| outcome.fingerprint);
    output.write(|out| match (&report.stop, output.format) {
        (Stop::DryRun, Format::Human(palette)) => {
            report::plan(&summary, palette, out)?;
            writeln!(out, "Dry run: nothing was sent.")
        }
        (_, format) => report::revocation(&report, &summary, format, out),
    })?;
    Ok(report.exit().max(gathered.exit))
}

/// The tokens there are, and what is to be said of them.
struct Gathered {
    candidates: Vec<Candidate>,
    /// What is withheld before any plan is made: lines of a list that are no tokens, and tokens
    /// that the user silenced; and what a report told of and is gone.
    aside: Vec<Outcome>,
    /// Where each token lies first, and in how many places.
    places: HashMap<Fingerprint, (Option<Match>, u64)>,
    /// [`Exit::Trouble`] if something could not be read; then there may be more tokens.
    exit: Exit,
}

impl Gathered {
    fn new(session: &Session, settings: &Revocation, known: &silence::Known) -> Result<Self> {
        match &settings.tokens {
            Tokens::Listed(path) => {
                let list = Zeroizing::new(read_input(path, &session.interrupt)?);
                let credentials = credentials::parse(&list, &session.detector);
                if credentials.candidates.is_empty() && credentials.strays.is_empty() {
                    bail!("{} lists no tokens", path.display());
                }
                let (candidates, silenced) = without_known(credentials.candidates, &known.silence);
                let mut aside = credentials.strays;
                aside.extend(silenced);
                Ok(Self {
                    candidates,
                    aside,
                    places: HashMap::new(),
                    exit: Exit::Clean,
                })
            }
            Tokens::Reported { reports, threads } => {
                let Reported { scan, gone } =
                    reported::gather(session, reports, *threads, &known.silence)?;
                let mut gathered = Self::of(scan)?;
                gathered.aside.extend(gone);
                Ok(gathered)
            }
            Tokens::Scanned(sources) => {
                let unverified = match settings.plan.unverified {
                    douse::revoke::Unverified::Withhold => Unverified::Count,
                    douse::revoke::Unverified::Send => Unverified::List,
                };
                let work = Work {
                    session,
                    threads: &sources.threads,
                    archives: sources.archives,
                    retain: Retain::Secrets,
                    unverified,
                    silence: &known.silence,
                };
                let scan = work.sources(sources, History::Untold);
                known.tell_unused(&scan, session);
                Self::of(scan)
            }
        }
    }

    /// Takes what a scan found, unless it was interrupted, and tells what it could not read.
    fn of(scan: ScanReport) -> Result<Self> {
        report::unread(&scan, Palette::Plain, &mut io::stderr().lock())?;
        if scan.ending == Ending::Interrupted {
            bail!("interrupted while looking for tokens; nothing was sent");
        }
        Ok(Self::from_scan(scan))
    }

    fn from_scan(scan: ScanReport) -> Self {
        let exit = if scan.is_complete() {
            Exit::Clean
        } else {
            Exit::Trouble
        };
        let silenced = scan.silenced.into_iter();
        let aside = silenced
            .map(|silenced| {
                let finding = silenced.finding;
                silenced_outcome(finding.fingerprint, finding.kind, silenced.by)
            })
            .collect();
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
            aside,
            places,
            exit,
        }
    }
}

/// Tokens of a list, parted from those that the user knows.
fn without_known(candidates: Vec<Candidate>, silence: &Silence) -> (Vec<Candidate>, Vec<Outcome>) {
    let mut silenced = Vec::new();
    let wanted = candidates.into_iter().filter(|candidate| {
        let by = silence.knows(&candidate.fingerprint);
        silenced.extend(
            by.map(|by| silenced_outcome(candidate.fingerprint, Arc::clone(&candidate.kind), by)),
        );
        by.is_none()
    });
    (wanted.collect(), silenced)
}

/// What becomes of a token that the user silenced.
fn silenced_outcome(fingerprint: Fingerprint, kind: Arc<Kind>, by: SilencedBy) -> Outcome {
    Outcome {
        fingerprint,
        kind,
        state: State::Withheld,
        reason: Some(format!("silenced: {by}")),
        request: None,
        at_ms: None,
    }
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

impl Known {
    /// Has a plan that sends nothing on record as well, for what it holds back.
    fn intend(&mut self, plan: &Plan, host: &str, clock: &dyn Clock) -> Result<()> {
        match &mut self.ledger {
            Some(ledger) => Ok(ledger.intend(host, plan, &clock.now())?),
            None => Ok(()),
        }
    }
}

fn summary(
    plan: &Plan,
    settings: &Revocation,
    aside: &[Outcome],
    places: &HashMap<Fingerprint, (Option<Match>, u64)>,
) -> PlanSummary {
    let mut withheld: BTreeMap<String, usize> = BTreeMap::new();
    for token in &plan.withheld {
        *withheld.entry(token.reason.to_string()).or_default() += 1;
    }
    let (gone, aside): (Vec<_>, Vec<_>) = aside
        .iter()
        .partition(|outcome| outcome.state == State::Unresolved);
    for outcome in aside {
        let reason = outcome.reason.clone().unwrap_or_default();
        *withheld.entry(reason).or_default() += 1;
    }
    let tokens = plan.batches.iter().flat_map(Batch::tokens);
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
        gone: gone.len(),
        warnings: plan.warnings(&settings.host),
        requests: plan.requests(),
        estimate: plan.estimate(&settings.policy),
        withheld: withheld.into_iter().collect(),
        already: plan.already.len(),
    }
}

/// Sends what the plan says.
fn carry_out(
    session: &Session,
    settings: &Revocation,
    plan: Plan,
    known: &mut Known,
) -> Result<RevokeReport> {
    let Some(ledger) = &mut known.ledger else {
        bail!("there is no ledger; nothing was sent");
    };
    let client = Client::new(
        &settings.host,
        settings.login.as_ref(),
        settings.client.clone(),
    )?;
    let mut observer = Bar::new(session, &plan);
    let runner = Runner {
        host: &settings.host,
        login: settings.login.as_ref(),
        transport: &client,
        ledger,
        policy: settings.policy,
        backoff: settings.backoff,
        patience: settings.patience,
        clock: &session.clock,
        interrupt: &session.interrupt,
        redact: &session.detector,
        observer: &mut observer,
    };
    Ok(runner.run(plan))
}
