//! The question before what cannot be undone. A bare yes is too quickly typed: what is asked for
//! has to be read first.

use std::io::{self, ErrorKind, Write as _};

use anyhow::{Result, bail};
use douse::source::read_stdin_line;
use douse::vocabulary::Interrupt;

/// Has `expected`, which is `what` of it, typed. Any other answer is an error.
pub(super) fn ask(what: &str, expected: &str, interrupt: &Interrupt) -> Result<()> {
    let mut err = io::stderr().lock();
    write!(err, "\nTo go on, type {what} ({expected}): ")?;
    err.flush()?;
    match read_stdin_line(interrupt) {
        Ok(typed) if typed.trim() == expected => Ok(()),
        Ok(_) => bail!("that is not {what}; nothing was sent"),
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            // The cursor stands behind the question.
            writeln!(err)?;
            bail!("interrupted; nothing was sent")
        }
        Err(error) => Err(error.into()),
    }
}
