//! The one inflater behind gzip and zlib.

use flate2::{Decompress, FlushDecompress, Status};

use super::frames::{Progress, State};

/// The greatest window, of 32 KiB; all streams can be read with it.
pub(super) const WINDOW_BITS: u8 = 15;

/// Inflates some of `input`. What was written before damage was met is told.
pub(super) fn inflate(inflater: &mut Decompress, input: &[u8], output: &mut [u8]) -> Progress {
    let before = (inflater.total_in(), inflater.total_out());
    let state = match inflater.decompress(input, output, FlushDecompress::None) {
        Ok(Status::StreamEnd) => State::End,
        Ok(Status::Ok | Status::BufError) => State::Within,
        Err(_) => State::Broken,
    };
    let after = (inflater.total_in(), inflater.total_out());
    Progress::between(before, after, state)
}
