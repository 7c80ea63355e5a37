//! The check of what comes out of a decoder against what was announced.

use std::io::{self, Read};

/// What an entry should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// The CRC-32.
    pub(super) crc: u32,
    /// The number of bytes.
    pub(super) size: u64,
}

/// What an entry did come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It was read to its end, and is what was claimed, if anything was.
    Whole(Claim),
    /// It could not be read to its end, or is not what was claimed; whoever read was told.
    Broken,
    /// It was not read to its end.
    Partly,
}

/// Reads contents, and ends with an error if they are not what was claimed.
pub(super) struct Checked<'a> {
    decoder: Box<dyn Read + 'a>,
    claim: Option<Claim>,
    sum: crc32fast::Hasher,
    size: u64,
    came: Came,
    /// What was read to see whether there is anything.
    first: Vec<u8>,
}

impl<'a> Checked<'a> {
    pub(super) fn new(decoder: Box<dyn Read + 'a>, claim: Option<Claim>) -> Self {
        Self {
            decoder,
            claim,
            sum: crc32fast::Hasher::new(),
            size: 0,
            came: Came::Partly,
            first: Vec::new(),
        }
    }

    /// Decodes the first bytes. An error means that nothing at all can be decoded.
    pub(super) fn try_first(&mut self) -> io::Result<()> {
        let mut first = [0; 256];
        let n = self.decode(&mut first)?;
        self.first = first[..n].to_vec();
        Ok(())
    }

    /// What it came to.
    pub(super) fn came(&self) -> Came {
        self.came
    }

    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.came != Came::Partly || buffer.is_empty() {
            return Ok(0);
        }
        match self.decoder.read(buffer) {
            Ok(0) => {
                let claim = Claim {
                    crc: self.sum.clone().finalize(),
                    size: self.size,
                };
                self.came = Came::Whole(claim);
                self.compare(claim)
                    .inspect_err(|_| self.came = Came::Broken)?;
                Ok(0)
            }
            Ok(n) => {
                self.sum.update(&buffer[..n]);
                self.size += n as u64;
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.came = Came::Broken;
                Err(error)
            }
        }
    }

    fn compare(&self, came: Claim) -> io::Result<()> {
        match self.claim {
            Some(claim) if claim.size != came.size => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} bytes where {} were announced", came.size, claim.size),
            )),
            Some(claim) if claim.crc != came.crc => Err(checksum_differs()),
            Some(_) | None => Ok(()),
        }
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.first.is_empty() {
            return self.decode(buffer);
        }
        let n = self.first.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.first[..n]);
        self.first.drain(..n);
        Ok(n)
    }
}

/// The contents are not those that were packed.
pub(super) fn checksum_differs() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its checksum does not fit")
}
