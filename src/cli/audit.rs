//! `douse audit`.

use std::io;

use anyhow::Result;
use douse::report::{self, Format};
use douse::revoke::LedgerError;
use douse::vocabulary::Exit;

use super::args::AuditArgs;
use super::settings::{Output, destination, record};

pub(super) fn run(args: &AuditArgs) -> Result<Exit> {
    let output = Output {
        format: Format::Jsonl,
        file: destination(args.output.as_ref()),
    };
    output.check()?;
    let record = record(&args.ledger)?;
    let mut unread = None;
    output
        .write(|out| {
            let told = match &record {
                Some(record) => record.audit(|entry| Ok(report::audit(&entry, out)?)),
                None => Ok(()),
            };
            match told {
                Ok(()) => Ok(()),
                Err(Failure::Output(error)) => Err(error),
                Err(Failure::Ledger(error)) => {
                    // A file that ends early must not look whole.
                    let words = error.to_string();
                    unread = Some(error);
                    Err(io::Error::other(words))
                }
            }
        })
        .map_err(|error| unread.map_or(error, Into::into))?;
    Ok(Exit::Clean)
}

/// What may go wrong between the ledger and the output.
enum Failure {
    Ledger(LedgerError),
    Output(io::Error),
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
