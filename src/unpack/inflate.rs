//! The one inflater behind gzip, zlib, zip and PDF.

use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

use super::frames::{Progress, State};

/// The greatest window, of 32 KiB; all streams can be read with it.
pub(super) const WINDOW_BITS: u8 = 15;

/// Inflaters that a thread keeps for the next streams: as many as one member stands in, mostly.
const SPARE: usize = 4;

thread_local! {
    static SPARES: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// What stands around deflated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// Nothing (RFC 1951).
    Raw,
    /// A head and a checksum (RFC 1950).
    Zlib,
}

/// An inflater for one stream, which goes back to its thread in the end.
///
/// An archive may hold hundreds of thousands of streams. To make an inflater for each takes longer
/// than to inflate a small one. It also fills the memory: an inflater is aligned to cache lines,
/// and glibc before 2.38 seldom finds room for that where one was before, so that whatever is kept
/// of each stream, if only an error's text, costs as much as its inflater.
pub(super) struct Inflater {
    wrapper: Wrapper,
    zlib: Option<Decompress>,
}

impl Inflater {
    pub(super) fn new(wrapper: Wrapper) -> Self {
        Self {
            wrapper,
            zlib: None,
        }
    }

    /// Whether nothing was inflated yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.zlib.is_none()
    }

    /// Inflates some of `input`. What was written before damage was met is told.
    pub(super) fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        let has_header = self.wrapper == Wrapper::Zlib;
        let zlib = self.zlib.get_or_insert_with(|| {
            let spare = SPARES.with_borrow_mut(Vec::pop);
            spare.map_or_else(
                || Decompress::new(has_header),
                |mut zlib| {
                    zlib.reset(has_header);
                    zlib
                },
            )
        });
        inflate(zlib, input, output)
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        let Some(zlib) = self.zlib.take() else {
            return;
        };
        // A thread that ends has nowhere to keep it.
        let _ = SPARES.try_with(|spares| {
            let mut spares = spares.borrow_mut();
            if spares.len() < SPARE {
                spares.push(zlib);
            }
        });
    }
}

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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};

    use super::*;

    /// One after the other on one thread, so that each gets what the one before left behind.
    #[test]
    fn a_stream_is_inflated_alike_whatever_came_before_it() {
        let text = b"so it goes, and so it goes on. ".repeat(50);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).unwrap();
        let raw = raw.finish().unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        let garbage = [0xff; 40];

        let whole = |wrapper, input: &[u8]| {
            let mut output = vec![0; text.len() + 1];
            let progress = Inflater::new(wrapper).inflate(input, &mut output);
            output.truncate(progress.produced);
            (progress.state, output)
        };
        for _ in 0..2 {
            for before in [&raw[..raw.len() / 2], &zlib[..zlib.len() / 2], &garbage] {
                whole(Wrapper::Raw, before);
                assert_eq!(whole(Wrapper::Zlib, &zlib), (State::End, text.clone()));
                whole(Wrapper::Zlib, before);
                assert_eq!(whole(Wrapper::Raw, &raw), (State::End, text.clone()));
            }
        }
        assert_eq!(whole(Wrapper::Zlib, &garbage).0, State::Broken);
    }
}
