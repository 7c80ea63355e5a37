//! Keeps what a format hands out, for the tests of formats; and hands out bytes as sources might.

use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::vocabulary::SkipReason;

use super::Members;
use super::budget::Memory;

/// Bytes kept of one member; more are read and not kept.
const KEPT: usize = 1 << 20;

/// What was handed out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    /// Names and contents, in order.
    pub(super) members: Vec<(String, Vec<u8>)>,
    /// What was left aside.
    pub(super) skips: Vec<(String, SkipReason)>,
    /// What could not be decoded, or not to its end.
    pub(super) errors: Vec<(String, String)>,
    /// Bytes of all members.
    pub(super) bytes: u64,
    /// Where stored members start.
    pub(super) offsets: Vec<u64>,
    /// Memory that may be taken.
    pub(super) memory: u64,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self {
            memory: 64 << 20,
            ..Self::default()
        }
    }

    /// Whether some member is this.
    pub(super) fn has(&self, contents: &[u8]) -> bool {
        self.members.iter().any(|(_, member)| member == contents)
    }

    /// Whether anything was told that is no member.
    pub(super) fn told(&self) -> bool {
        !self.skips.is_empty() || !self.errors.is_empty()
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.members.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

impl Members for Collected {
    fn stream(&mut self, contents: &mut dyn Read) -> ControlFlow<()> {
        self.member(b"", contents)
    }

    fn member(&mut self, name: &[u8], contents: &mut dyn Read) -> ControlFlow<()> {
        let mut kept = Vec::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match contents.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    self.bytes += n as u64;
                    let more = n.min(KEPT - kept.len());
                    kept.extend(&buffer[..more]);
                }
                Err(error) => {
                    self.errors.push((text(name), error.to_string()));
                    break;
                }
            }
        }
        self.members.push((text(name), kept));
        ControlFlow::Continue(())
    }

    fn stored(&mut self, name: &[u8], offset: u64, contents: &mut dyn Read) -> ControlFlow<()> {
        self.offsets.push(offset);
        self.member(name, contents)
    }

    fn skip(&mut self, name: &[u8], reason: SkipReason) {
        self.skips.push((text(name), reason));
    }

    fn error(&mut self, name: &[u8], error: &io::Error) {
        self.errors.push((text(name), error.to_string()));
    }

    fn memory(&self) -> Memory {
        Memory::of(self.memory)
    }
}

/// Hands out bytes in pieces of changing size.
pub(crate) struct Drip<'a>(pub(crate) &'a [u8], pub(crate) usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 * 31 % 65_537;
        let n = self.1.max(1).min(buffer.len()).min(self.0.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}
