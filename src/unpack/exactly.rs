//! A stretch of a container whose length its header told.

use std::io::{self, BufRead, Read};

/// The next so many bytes of a container. That the container ends before is an error.
pub(super) struct Exactly<'a> {
    input: &'a mut dyn BufRead,
    left: u64,
}

impl<'a> Exactly<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead, length: u64) -> Self {
        Self {
            input,
            left: length,
        }
    }

    /// Reads what nobody wanted.
    pub(super) fn skip_rest(mut self) -> io::Result<()> {
        while self.left > 0 {
            let there = self.input.fill_buf()?.len();
            if there == 0 {
                return Err(self.cut_short());
            }
            let n = usize::try_from(self.left).map_or(there, |left| left.min(there));
            self.input.consume(n);
            self.left -= n as u64;
        }
        Ok(())
    }

    fn cut_short(&self) -> io::Error {
        let message = format!("the container ends {} bytes too early", self.left);
        io::Error::new(io::ErrorKind::UnexpectedEof, message)
    }
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let n = self.input.read(&mut buffer[..wanted])?;
        if n == 0 {
            return Err(self.cut_short());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// Texts are read up to here; what is longer is scanned and not understood.
const LONGEST_TEXT: u64 = 1 << 20;

/// Reads a text of so many bytes: a name, or a table of names.
pub(super) fn read_text(input: &mut dyn BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut contents = Exactly::new(input, length);
    contents
        .by_ref()
        .take(length.min(LONGEST_TEXT))
        .read_to_end(&mut text)?;
    contents.skip_rest()?;
    Ok(text)
}

/// Reads a whole block; nothing at the end of the container, or when less than a block is left.
pub(super) fn block<const N: usize>(input: &mut dyn BufRead) -> io::Result<Option<[u8; N]>> {
    let mut block = [0; N];
    match input.read_exact(&mut block) {
        Ok(()) => Ok(Some(block)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
