//! Standard input, as a stream of any length.

use std::io::{self, BufRead as _, Read};

use crate::vocabulary::{Interrupt, Origin};

use super::{Content, Sink};

/// Pushes all of standard input.
pub fn push(interrupt: &Interrupt, sink: &dyn Sink) {
    sink.blob(&Origin::Stdin, Content::Stream(&mut patient(interrupt)));
}

/// Reads all of standard input into memory. An interrupt is an error.
pub fn read_all(interrupt: &Interrupt) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    patient(interrupt).read_to_end(&mut bytes)?;
    uninterrupted(interrupt).map(|()| bytes)
}

/// Reads one line of standard input. An interrupt is an error.
pub fn read_line(interrupt: &Interrupt) -> io::Result<String> {
    let mut line = String::new();
    io::BufReader::new(patient(interrupt)).read_line(&mut line)?;
    uninterrupted(interrupt).map(|()| line)
}

fn patient(interrupt: &Interrupt) -> Patient<'_> {
    Patient {
        input: io::stdin().lock(),
        interrupt,
    }
}

fn uninterrupted(interrupt: &Interrupt) -> io::Result<()> {
    if interrupt.is_raised() {
        Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted"))
    } else {
        Ok(())
    }
}

/// Standard input that ends when the run is interrupted, even while nothing comes.
struct Patient<'a> {
    input: io::StdinLock<'static>,
    interrupt: &'a Interrupt,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        if self.interrupt.is_raised() {
            return Ok(0);
        }
        self.read_now(buffer)
    }
}

impl Patient<'_> {
    /// Reads what is there, past the standard library's own buffer: what that holds, `wait` would
    /// not know of.
    #[cfg(unix)]
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.input, buffer)?)
    }

    #[cfg(not(unix))]
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }

    /// Waits until there is something to read, or an interrupt.
    #[cfg(unix)]
    fn wait(&self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        const SLICE: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        while !self.interrupt.is_raised() {
            let mut ready = [PollFd::new(&self.input, PollFlags::IN)];
            match poll(&mut ready, Some(&SLICE)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    fn wait(&self) -> io::Result<()> {
        Ok(())
    }
}
