//! What is to be revoked, where, on whose behalf and how.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use douse::revoke::{
    Authentication, Backoff, BatchSize, ClientOptions, Host, HostKind, Login, Patience,
    PlanOptions, Policy, Purpose, Rejected, Unverified, name, parse_span,
};
use douse::vocabulary::{Call, Credentials, Fingerprint, Interrupt};
use zeroize::Zeroizing;

use super::{Session, args};
use super::{Sources, environment, ledger, read_input, threads};

/// Where people keep the credentials they work with; none of those is ever revoked.
const OWN_CREDENTIALS: [&str; 4] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
];

/// Where the token for a GitHub Enterprise Server is, unless another variable is named.
const SERVER_LOGINS: &[&str] = &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];

/// Where the token for an enterprise on the cloud is, unless another variable is named.
const CLOUD_LOGINS: &[&str] = &["GH_TOKEN", "GITHUB_TOKEN"];

/// Which tokens to revoke, where, and how.
pub(in crate::cli) struct Revocation {
    pub(in crate::cli) tokens: Tokens,
    pub(in crate::cli) consent: Consent,
    pub(in crate::cli) max: Option<usize>,
    pub(in crate::cli) host: Host,
    pub(in crate::cli) login: Option<Login>,
    pub(in crate::cli) policy: Policy,
    pub(in crate::cli) backoff: Backoff,
    pub(in crate::cli) plan: PlanOptions,
    pub(in crate::cli) patience: Patience,
    pub(in crate::cli) client: ClientOptions,
    pub(in crate::cli) ledger: PathBuf,
}

/// Where the tokens come from.
pub(in crate::cli) enum Tokens {
    Scanned(Box<Sources>),
    Listed(PathBuf),
    Reported {
        reports: Vec<PathBuf>,
        threads: NonZeroUsize,
    },
}

/// Whether the user wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Consent {
    DryRun,
    Given,
    Ask,
}

impl Revocation {
    pub(in crate::cli) fn new(args: &args::RevokeArgs, session: &Session) -> Result<Self> {
        let host = host(&args.host)?;
        let pace = &args.pace;
        let rate = pace.budget.parse().context("--budget")?;
        let interval = parse_span(&pace.min_interval).context("--min-interval")?;
        let retry = parse_span(&pace.retry_pause).context("--retry-pause")?;
        let consent = consent(args.consent.dry_run, args.consent.yes)?;
        let login = match (host.authentication(), consent) {
            (Authentication::Never, _) => {
                // Asking for it shows a misunderstanding that is better cleared up now.
                if args.host.token_env.is_some() {
                    bail!("this host refuses requests with a login; leave out --token-env");
                }
                None
            }
            (Authentication::Always, Consent::DryRun) => None,
            (Authentication::Always, Consent::Given | Consent::Ask) => {
                Some(login(&args.host, SERVER_LOGINS, Purpose::Revoke)?)
            }
        };
        Ok(Self {
            consent,
            max: args.consent.max.or(session.config.max),
            policy: Policy::new(rate, interval, host.limits())?,
            backoff: Backoff::new(retry, host.limits()).context("--retry-pause")?,
            plan: PlanOptions {
                batch_size: BatchSize::new(pace.batch_size, host.reach())
                    .context("--batch-size")?,
                unverified: if args.unverified {
                    Unverified::Send
                } else {
                    Unverified::Withhold
                },
                rejected: if args.resend_rejected {
                    Rejected::Resend
                } else {
                    Rejected::Withhold
                },
                own: own_credentials(args.host.token_env.as_deref()),
                ..PlanOptions::new(&host)
            },
            host,
            login,
            patience: if args.no_wait {
                Patience::NoWait
            } else {
                Patience::Wait
            },
            client: client(&args.host, &session.interrupt)?,
            ledger: ledger(&args.ledger)?,
            tokens: tokens(args, session)?,
        })
    }
}

fn tokens(args: &args::RevokeArgs, session: &Session) -> Result<Tokens> {
    Ok(match &args.credentials {
        Some(list) => Tokens::Listed(list.clone()),
        None if !args.from.is_empty() => Tokens::Reported {
            reports: args.from.clone(),
            threads: threads(&args.source, &session.config)?,
        },
        None => {
            let (config, interrupt) = (&session.config, &session.interrupt);
            Tokens::Scanned(Box::new(Sources::new(&args.source, config, interrupt)?))
        }
    })
}

/// A call that concerns an enterprise, and how it is made.
pub(in crate::cli) struct Enterprise {
    pub(in crate::cli) call: Call,
    /// What has to be typed: the name of whom it concerns.
    pub(in crate::cli) subject: String,
    pub(in crate::cli) consent: Consent,
    pub(in crate::cli) host: Host,
    /// There is one unless nothing is sent.
    pub(in crate::cli) login: Option<Login>,
    pub(in crate::cli) client: ClientOptions,
    pub(in crate::cli) ledger: PathBuf,
}

impl Enterprise {
    pub(in crate::cli) fn new(
        action: &args::EnterpriseAction,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        use args::EnterpriseAction::{RevokeAll, RevokeUser};

        let (RevokeAll { how, .. } | RevokeUser { how, .. }) = action;
        let credentials = if how.destroy_credentials {
            Credentials::Destroyed
        } else {
            Credentials::Kept
        };
        let (call, subject) = match action {
            RevokeAll { enterprise, .. } => {
                let enterprise = name(enterprise).context("the enterprise's name")?;
                let call = Call::RevokeAll {
                    enterprise: enterprise.clone(),
                    credentials,
                };
                (call, enterprise)
            }
            RevokeUser {
                enterprise, user, ..
            } => {
                let user = name(user).context("the user's name")?;
                let call = Call::RevokeUser {
                    enterprise: name(enterprise).context("the enterprise's name")?,
                    user: user.clone(),
                    credentials,
                };
                (call, user)
            }
        };
        let host = host(&how.host)?;
        let variables = match host.kind() {
            HostKind::Cloud => CLOUD_LOGINS,
            HostKind::EnterpriseServer => SERVER_LOGINS,
        };
        let consent = consent(how.dry_run, how.yes)?;
        let login = match consent {
            Consent::DryRun => None,
            Consent::Given | Consent::Ask => {
                Some(login(&how.host, variables, Purpose::Enterprise)?)
            }
        };
        Ok(Self {
            call,
            subject,
            consent,
            host,
            login,
            client: client(&how.host, interrupt)?,
            ledger: ledger(&how.ledger)?,
        })
    }
}

fn host(args: &args::HostArgs) -> Result<Host> {
    let host = Host::parse(&args.api_url).context("--api-url")?;
    match &args.api_version {
        Some(version) => host.with_api_version(version).context("--api-version"),
        None => Ok(host),
    }
}

fn client(args: &args::HostArgs, interrupt: &Interrupt) -> Result<ClientOptions> {
    Ok(ClientOptions {
        timeout: timeout(&args.timeout).context("--timeout")?,
        connect_timeout: timeout(&args.connect_timeout).context("--connect-timeout")?,
        ca_cert: match &args.ca_file {
            Some(path) => Some(read_input(path, interrupt)?),
            None => None,
        },
        ..ClientOptions::default()
    })
}

fn timeout(text: &str) -> Result<Duration> {
    let timeout = parse_span(text)?;
    anyhow::ensure!(!timeout.is_zero(), "a request needs some time");
    Ok(timeout)
}

/// Our own token: from the variable that was named, else from the first of `usual` that is set.
fn login(args: &args::HostArgs, usual: &[&str], purpose: Purpose) -> Result<Login> {
    let named: Vec<&str> = match &args.token_env {
        Some(named) => vec![named],
        None => usual.to_vec(),
    };
    for variable in &named {
        let Some(value) = environment(variable).filter(|value| !value.is_empty()) else {
            continue;
        };
        let value = value.into_string().map(Zeroizing::new);
        let value = value.map_err(|_| anyhow::anyhow!("{variable} holds no token"))?;
        return Login::new(&value, purpose)
            .with_context(|| format!("the token in {variable} cannot be used for this call"));
    }
    bail!(
        "this call needs a token of yours, and {} is not set; nothing was sent",
        named.join(" or ")
    )
}

/// Settled before anything is read, so that nobody waits for a scan to be told.
fn consent(dry_run: bool, yes: bool) -> Result<Consent> {
    if dry_run {
        return Ok(Consent::DryRun);
    }
    if yes {
        return Ok(Consent::Given);
    }
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(Consent::Ask);
    }
    bail!(
        "there is no terminal to ask on; nothing was sent. See what would be sent with --dry-run, \
         then add --yes"
    )
}

fn own_credentials(token_env: Option<&str>) -> HashSet<Fingerprint> {
    let variables = OWN_CREDENTIALS.into_iter().chain(token_env);
    let values = variables.filter_map(environment);
    values
        .filter_map(|value| Some(Fingerprint::of(value.to_str()?.trim())))
        .collect()
}
