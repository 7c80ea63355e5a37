//! One compressed stream inside of something that goes on in its own way behind it.

use std::io::{self, BufRead, Read};

use super::Halt;
use super::frames::{Progress, State};

/// Decodes up to the end of a stream, and takes no byte behind it. Every byte that can be decoded is
/// handed out, also when the next one cannot.
pub(super) struct Single<I, D> {
    input: I,
    decode: D,
    phase: Phase,
}

enum Phase {
    Within,
    Finished,
    /// To be told when all that came before it was handed out.
    Trouble(io::Error),
}

impl<I: BufRead, D: FnMut(&[u8], &mut [u8]) -> Progress> Single<I, D> {
    /// `decode` decodes some of its input into its output; nothing comes behind an empty input.
    pub(super) fn new(input: I, decode: D) -> Self {
        Self {
            input,
            decode,
            phase: Phase::Within,
        }
    }

    fn advance(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.fill_buf()?;
        let is_end = bytes.is_empty();
        let progress = (self.decode)(bytes, buffer);
        self.input.consume(progress.consumed);
        let trouble = |kind, what| Phase::Trouble(io::Error::new(kind, what));
        self.phase = match progress.state {
            State::Within if progress.produced == 0 && is_end => {
                trouble(io::ErrorKind::UnexpectedEof, "it ends too early")
            }
            State::Within if progress.produced == 0 && progress.consumed == 0 => {
                trouble(io::ErrorKind::InvalidData, "it is damaged")
            }
            State::Within => Phase::Within,
            State::End => Phase::Finished,
            State::Broken => trouble(io::ErrorKind::InvalidData, "it is damaged"),
            State::Refused(reason) => Phase::Trouble(Halt::Aside(reason).into()),
        };
        Ok(progress.produced)
    }
}

impl<I: BufRead, D: FnMut(&[u8], &mut [u8]) -> Progress> Read for Single<I, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while matches!(self.phase, Phase::Within) {
            let n = self.advance(buffer)?;
            if n > 0 {
                return Ok(n);
            }
        }
        match std::mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Within | Phase::Finished => Ok(0),
            Phase::Trouble(error) => Err(error),
        }
    }
}

/// Reads in small steps from a decoder that forgets what it has decoded in a read that fails.
pub(super) struct Steps<R> {
    decoder: R,
    /// Bytes of a step, and so the most that can be lost.
    length: usize,
    trouble: Option<io::Error>,
}

impl<R: Read> Steps<R> {
    pub(super) fn new(decoder: R, length: usize) -> Self {
        Self {
            decoder,
            length,
            trouble: None,
        }
    }
}

impl<R: Read> Read for Steps<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.trouble.is_none() {
            let end = buffer.len().min(filled + self.length);
            match self.decoder.read(&mut buffer[filled..end]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) => self.trouble = Some(error),
            }
        }
        match self.trouble.take() {
            Some(error) if filled == 0 => Err(error),
            trouble => {
                self.trouble = trouble;
                Ok(filled)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_trouble_is_handed_out_first() {
        struct Fails(usize);
        impl Read for Fails {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if buffer.len() > self.0 {
                    return Err(io::Error::other("broken"));
                }
                self.0 -= buffer.len();
                buffer.fill(b'a');
                Ok(buffer.len())
            }
        }
        let mut buffer = [0; 100];
        let mut steps = Steps::new(Fails(17), 4);
        assert_eq!(steps.read(&mut buffer).unwrap(), 16);
        assert_eq!(steps.read(&mut buffer).unwrap_err().to_string(), "broken");

        let mut single = Single::new(&b"abc!"[..], |input: &[u8], output: &mut [u8]| {
            output[..3].copy_from_slice(&input[..3]);
            Progress {
                consumed: 3,
                produced: 3,
                state: State::Broken,
            }
        });
        assert_eq!(single.read(&mut buffer).unwrap(), 3);
        assert!(single.read(&mut buffer).is_err());
        assert_eq!(single.read(&mut buffer).unwrap(), 0);
    }
}
