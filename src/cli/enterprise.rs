//! `douse enterprise`: say what it does, have the name typed, ask the host, tell.

use std::io::{self, Write as _};

use anyhow::{Result, bail};
use douse::report;
use douse::revoke::{Client, EnterpriseRequest, Ledger};
use douse::vocabulary::{Call, Credentials, Exit};

use super::Session;
use super::args::{EnterpriseAction, EnterpriseArgs};
use super::ask::ask;
use super::output::print;
use super::settings::{Consent, Enterprise, reader};

pub(super) fn run(session: &Session, args: &EnterpriseArgs) -> Result<Exit> {
    let settings = Enterprise::new(&args.action, &session.interrupt)?;
    let (EnterpriseAction::RevokeAll { how, .. } | EnterpriseAction::RevokeUser { how, .. }) =
        &args.action;
    writeln!(io::stderr().lock(), "{}", announcement(&settings))?;
    match settings.consent {
        Consent::DryRun => {
            writeln!(io::stderr().lock(), "Dry run: nothing was sent.")?;
            return Ok(Exit::Found);
        }
        Consent::Given => {}
        Consent::Ask => ask("the name", &settings.subject, &session.interrupt)?,
    }
    let Some(login) = &settings.login else {
        bail!("there is no token of yours to make the call with; nothing was sent");
    };
    let client = Client::new(&settings.host, Some(login), settings.client.clone())?;
    let mut ledger = Ledger::open(&settings.ledger)?;
    let request = EnterpriseRequest {
        host: &settings.host,
        login,
        client: &client,
        ledger: &mut ledger,
        clock: &session.clock,
        redact: &session.detector,
    };
    let report = request.make(settings.call)?;
    let reader = reader(how.format, session.color);
    print(|out| report::enterprise(&report, reader, out))?;
    Ok(report.exit())
}

/// What is about to be done. The names in it were checked: there is nothing to escape.
fn announcement(settings: &Enterprise) -> String {
    let (whose, credentials) = match &settings.call {
        // No such call is made here.
        Call::Revoke => (String::new(), Credentials::Kept),
        Call::RevokeAll {
            enterprise,
            credentials,
        } => (
            format!("of all members of the enterprise {enterprise}"),
            *credentials,
        ),
        Call::RevokeUser {
            enterprise,
            user,
            credentials,
        } => (
            format!("of the user {user} in the enterprise {enterprise}"),
            *credentials,
        ),
    };
    let further = match credentials {
        Credentials::Kept => "The credentials themselves remain.",
        Credentials::Destroyed => {
            "Their personal access tokens and SSH keys are destroyed as well."
        }
    };
    format!(
        "This ends the credential authorizations {whose}, at {}.\n{further} This cannot be undone.\n\
         The token that makes this call may be among what it ends: then no further call\n\
         can be made with it.",
        settings.host.key()
    )
}
