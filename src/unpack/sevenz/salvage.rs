//! What can be had of an archive whose header is lost, as it is when the end is cut off.
//!
//! What is packed stands right behind the start header. In what order and how, only the header
//! tells; but LZMA2, which is what 7-Zip packs with unless told otherwise, can be read without.

use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::ops::ControlFlow;

use liblzma::bufread::XzDecoder;
use liblzma::stream::{Filters, LzmaOptions, Stream};

use super::super::Members;
use super::paged::Paged;

/// Bytes before what is packed.
const START: u64 = 32;

/// The largest dictionary that is provided for. 7-Zip takes 32 MiB and less by default.
const DICTIONARY: u64 = 64 << 20;

/// Hands out the streams of LZMA2 that stand at the start, as far as they go.
pub(super) fn read(
    input: &mut Paged<'_>,
    members: &mut dyn Members,
) -> io::Result<ControlFlow<()>> {
    let mut memory = members.memory();
    let dictionary = DICTIONARY.min(memory.left() / 2);
    if !memory.grow_to(dictionary) {
        return Ok(ControlFlow::Continue(()));
    }
    let dictionary = u32::try_from(dictionary).unwrap_or(u32::MAX);
    let mut options = LzmaOptions::new_preset(6)?;
    options.dict_size(dictionary);
    let mut filters = Filters::new();
    filters.lzma2(&options);
    input.seek(SeekFrom::Start(START))?;
    let mut input = BufReader::new(input);
    for n in 1_u32.. {
        // How a stream starts: with a chunk that needs nothing from before.
        let starts = matches!(input.fill_buf()?.first(), Some(1 | 0xe0..));
        if !starts {
            break;
        }
        let decoder = XzDecoder::new_stream(&mut input, Stream::new_raw_decoder(&filters)?);
        let mut decoder = BufReader::new(decoder);
        if decoder.fill_buf().map_or(true, <[u8]>::is_empty) {
            break;
        }
        let name = format!("(packed stream {n})");
        let mut told = Told {
            inner: &mut decoder,
            is_broken: false,
        };
        if members.member(name.as_bytes(), &mut told).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if told.is_broken {
            break;
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Notes whether reading failed.
struct Told<'a> {
    inner: &'a mut dyn Read,
    is_broken: bool,
}

impl Read for Told<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner
            .read(buffer)
            .inspect_err(|_| self.is_broken = true)
    }
}
