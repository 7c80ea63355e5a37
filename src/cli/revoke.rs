//! `douse revoke`: find or read tokens, show the plan, ask, send, tell.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use douse::findings::{Retain, Unverified};
use douse::progress::Progress;
use douse::report::{self, Format, Palette};
use douse::revoke::{
    Batch, Candidate, Cause, Client, Closed, Ledger, Observer, Plan, RequestId, Runner, Settled,
};
use douse::silence::Silence;
use douse::source::read_stdin_line;
use douse::vocabulary::{
    Ending, Exit, Finding, Fingerprint, Interrupt, Kind, Match, Outcome, PlanSummary, PlannedToken,
    RevokeReport, ScanReport, SilencedBy, State, Stop,
};
use zeroize::Zeroizing;

use super::Session;
use super::args::RevokeArgs;
use super::credentials;
use super::scan::Work;
use super::settings::{Consent, Output, Revocation, Tokens, read_input};
use super::silence;

pub(super) fn run(session: &Session, args: &RevokeArgs) -> Result<Exit> {
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
        (Consent::Given | Consent::Ask, 0) => plan.unsent(Stop::Done),
        (consent @ (Consent::Given | Consent::Ask), _) => {
            report::plan(&summary, Palette::Plain, &mut io::stderr().lock())?;
            if consent == Consent::Ask {
                ask(tokens, &session.interrupt)?;
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
    /// that the user silenced.
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
            Tokens::Scanned(sources) => {
                let unverified = match settings.plan.unverified {
                    douse::revoke::Unverified::Withhold => Unverified::Count,
                    douse::revoke::Unverified::Send => Unverified::List,
                };
                let work = Work {
                    session,
                    threads: &sources.threads,
                    retain: Retain::Secrets,
                    unverified,
                    silence: &known.silence,
                };
                let scan = work.sources(sources);
                known.tell_unused(&scan, session);
                report::unread(&scan, Palette::Plain, &mut io::stderr().lock())?;
                if scan.ending == Ending::Interrupted {
                    bail!("interrupted while looking for tokens; nothing was sent");
                }
                Ok(Self::from_scan(scan))
            }
        }
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
        requests: plan.requests(),
        estimate: plan.estimate(&settings.policy),
        withheld: withheld.into_iter().collect(),
        already: plan.already.len(),
    }
}

/// Has the number of tokens typed.
fn ask(tokens: usize, interrupt: &Interrupt) -> Result<()> {
    let mut err = io::stderr().lock();
    write!(err, "\nTo go on, type the number of tokens ({tokens}): ")?;
    err.flush()?;
    let line = read_stdin_line(interrupt)?;
    if line.trim() == tokens.to_string() {
        Ok(())
    } else {
        bail!("that is not the number; nothing was sent")
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
    let client = Client::new(&settings.host, settings.client.clone())?;
    let mut observer = Bar(Progress::of_revocation(
        session.visibility,
        plan.tokens() as u64,
    ));
    let runner = Runner {
        host: &settings.host,
        transport: &client,
        ledger,
        policy: settings.policy,
        patience: settings.patience,
        clock: &session.clock,
        interrupt: &session.interrupt,
        redact: &session.detector,
        observer: &mut observer,
    };
    Ok(runner.run(plan))
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
