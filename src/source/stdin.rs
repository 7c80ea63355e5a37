//! Standard input, as a stream of any length.

use std::io::{self, Read};

use crate::vocabulary::{Interrupt, Origin};

use super::{Content, Sink};

/// Pushes all of standard input.
pub fn push(interrupt: &Interrupt, sink: &dyn Sink) {
    let mut input = Patient {
        input: io::stdin().lock(),
        interrupt,
    };
    sink.blob(&Origin::Stdin, Content::Stream(&mut input));
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
        self.input.read(buffer)
    }
}

impl Patient<'_> {
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
