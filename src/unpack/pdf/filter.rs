//! The filters of PDF streams (ISO 32000-1, 7.4) that hide text, and where a stream ends that does
//! not know its end.

use std::io::{self, BufRead, BufReader, Read};

use memchr::memmem;
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::super::inflate::{Inflater, Wrapper};
use super::super::peek::PeekReader;
use super::super::single::Single;

/// How data is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Flate,
    Lzw,
    /// LZW whose codes grow one code later: `/EarlyChange 0`.
    LzwLate,
    AsciiHex,
    Ascii85,
    RunLength,
    /// A picture's, mostly.
    Other,
}

impl Filter {
    /// By its name, or the short one that old files use.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"FlateDecode" | b"Fl" => Self::Flate,
            b"LZWDecode" | b"LZW" => Self::Lzw,
            b"ASCIIHexDecode" | b"AHx" => Self::AsciiHex,
            b"ASCII85Decode" | b"A85" => Self::Ascii85,
            b"RunLengthDecode" | b"RL" => Self::RunLength,
            _ => Self::Other,
        }
    }
}

/// Whether data that starts so may be that of Flate (RFC 1950, 2.2).
pub(super) fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 15 == 8 && method >> 4 <= 7 && u16::from_be_bytes([*method, *flags]) % 31 == 0
        }
        _ => false,
    }
}

/// More filters on one stream than anybody uses; each costs memory.
pub(super) const MOST: usize = 8;

/// Undoes filters, no more than [`MOST`], up to the first that nothing here undoes.
pub(super) fn decode<'a>(input: impl BufRead + 'a, filters: &[Filter]) -> Box<dyn BufRead + 'a> {
    let mut input: Box<dyn BufRead + 'a> = Box::new(input);
    for filter in filters {
        input = match filter {
            Filter::Flate => {
                let mut inflater = Inflater::new(Wrapper::Zlib);
                let decode = move |from: &[u8], to: &mut [u8]| inflater.inflate(from, to);
                buffered(Single::new(input, decode))
            }
            Filter::Lzw => buffered(Lzw::new(input, Decoder::with_tiff_size_switch)),
            Filter::LzwLate => buffered(Lzw::new(input, Decoder::new)),
            Filter::AsciiHex => buffered(Decoded::new(input, AsciiHex::default())),
            Filter::Ascii85 => buffered(Decoded::new(input, Ascii85::default())),
            Filter::RunLength => buffered(Decoded::new(input, RunLength::Length)),
            Filter::Other => break,
        };
    }
    input
}

fn buffered<'a>(decoder: impl Read + 'a) -> Box<dyn BufRead + 'a> {
    Box::new(BufReader::new(decoder))
}

/// Undoes LZW.
struct Lzw<R> {
    input: R,
    decoder: Decoder,
    has_ended: bool,
}

impl<R: BufRead> Lzw<R> {
    fn new(input: R, decoder: fn(BitOrder, u8) -> Decoder) -> Self {
        Self {
            input,
            decoder: decoder(BitOrder::Msb, 8),
            has_ended: false,
        }
    }
}

impl<R: BufRead> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !buffer.is_empty() {
            let input = self.input.fill_buf()?;
            let is_last = input.is_empty();
            let done = self.decoder.decode_bytes(input, buffer);
            self.input.consume(done.consumed_in);
            match done.status {
                Ok(LzwStatus::Done) => self.has_ended = true,
                Ok(LzwStatus::Ok) => {}
                Ok(LzwStatus::NoProgress) if !is_last => {}
                Ok(LzwStatus::NoProgress) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
            if done.consumed_out > 0 {
                return Ok(done.consumed_out);
            }
            if is_last && !self.has_ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// What becomes of one byte.
enum Step {
    /// These bytes, the first few of four.
    Bytes([u8; 4], usize),
    /// One byte, so many times.
    Run(u8, usize),
    /// The data ends here, with these bytes.
    End([u8; 4], usize),
    /// It cannot stand here.
    Wrong,
}

/// A filter that takes one byte after the other.
trait Stepper {
    fn step(&mut self, byte: u8) -> Step;
}

/// Undoes a filter that takes single bytes.
struct Decoded<R, S> {
    input: R,
    stepper: S,
    /// Decoded, and not handed out yet.
    ready: Vec<u8>,
    has_ended: bool,
}

impl<R: BufRead, S: Stepper> Decoded<R, S> {
    fn new(input: R, stepper: S) -> Self {
        Self {
            input,
            stepper,
            ready: Vec::new(),
            has_ended: false,
        }
    }

    /// Decodes some bytes, or finds the end.
    fn advance(&mut self) -> io::Result<()> {
        /// Bytes taken at once; a run of 128 comes of two.
        const PIECE: usize = 256;
        let bytes = self.input.fill_buf()?;
        let bytes = &bytes[..bytes.len().min(PIECE)];
        // Not all mark their end; the stream's end is as good.
        self.has_ended = bytes.is_empty();
        let mut taken = 0;
        for &byte in bytes {
            taken += 1;
            match self.stepper.step(byte) {
                Step::Bytes(decoded, n) => self.ready.extend(&decoded[..n]),
                Step::Run(decoded, n) => self.ready.extend(std::iter::repeat_n(decoded, n)),
                Step::End(decoded, n) => {
                    self.ready.extend(&decoded[..n]);
                    self.has_ended = true;
                    break;
                }
                Step::Wrong if self.ready.is_empty() => {
                    self.input.consume(taken);
                    let what = "a byte that the filter does not know";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
                Step::Wrong => {
                    // Met again, and told, when nothing is left before it.
                    taken -= 1;
                    break;
                }
            }
        }
        self.input.consume(taken);
        Ok(())
    }
}

impl<R: BufRead, S: Stepper> Read for Decoded<R, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !self.has_ended {
            self.advance()?;
        }
        let n = self.ready.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.ready[..n]);
        self.ready.drain(..n);
        Ok(n)
    }
}

/// Pairs of digits.
#[derive(Default)]
struct AsciiHex {
    high: Option<u8>,
}

impl Stepper for AsciiHex {
    fn step(&mut self, byte: u8) -> Step {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'>' => {
                let last = self.high.take();
                return Step::End([last.unwrap_or(0) << 4, 0, 0, 0], last.map_or(0, |_| 1));
            }
            _ if byte.is_ascii_whitespace() || byte == 0 => return Step::Bytes([0; 4], 0),
            _ => return Step::Wrong,
        };
        if let Some(high) = self.high.take() {
            return Step::Bytes([high << 4 | digit, 0, 0, 0], 1);
        }
        self.high = Some(digit);
        Step::Bytes([0; 4], 0)
    }
}

/// Groups of five digits to the base 85, four bytes each.
#[derive(Default)]
struct Ascii85 {
    group: u32,
    digits: usize,
}

impl Stepper for Ascii85 {
    fn step(&mut self, byte: u8) -> Step {
        match byte {
            b'z' if self.digits == 0 => Step::Bytes([0; 4], 4),
            b'!'..=b'u' => {
                self.put(byte - b'!');
                if self.digits < 5 {
                    return Step::Bytes([0; 4], 0);
                }
                self.digits = 0;
                Step::Bytes(std::mem::take(&mut self.group).to_be_bytes(), 4)
            }
            b'~' => {
                // The last group may be short: it is filled up with the highest digit.
                let bytes = self.digits.saturating_sub(1);
                while (1..5).contains(&self.digits) {
                    self.put(84);
                }
                Step::End(self.group.to_be_bytes(), bytes)
            }
            _ if byte.is_ascii_whitespace() || byte == 0 => Step::Bytes([0; 4], 0),
            _ => Step::Wrong,
        }
    }
}

impl Ascii85 {
    fn put(&mut self, digit: u8) {
        self.group = self.group.wrapping_mul(85).wrapping_add(digit.into());
        self.digits += 1;
    }
}

/// Runs: a length, and then so many bytes, or one byte so many times.
enum RunLength {
    /// A length comes next.
    Length,
    /// So many bytes come next.
    Bytes(u8),
    /// A byte comes next that stands for so many.
    Repeat(usize),
}

impl Stepper for RunLength {
    fn step(&mut self, byte: u8) -> Step {
        match *self {
            Self::Length => {
                match byte {
                    0..=127 => *self = Self::Bytes(byte + 1),
                    128 => return Step::End([0; 4], 0),
                    129..=255 => *self = Self::Repeat(257 - usize::from(byte)),
                }
                Step::Bytes([0; 4], 0)
            }
            Self::Bytes(left) => {
                *self = if left > 1 {
                    Self::Bytes(left - 1)
                } else {
                    Self::Length
                };
                Step::Bytes([byte, 0, 0, 0], 1)
            }
            Self::Repeat(times) => {
                *self = Self::Length;
                Step::Run(byte, times)
            }
        }
    }
}

/// Reads up to the keyword that ends a stream, or that starts the next one if this one has no end,
/// or to the end of the file. The keyword is left.
pub(super) struct UntilEnd<'a, 'i> {
    input: &'a mut PeekReader<'i>,
    /// Bytes that come before any keyword.
    free: usize,
    has_ended: bool,
}

impl<'a, 'i> UntilEnd<'a, 'i> {
    pub(super) fn new(input: &'a mut PeekReader<'i>) -> Self {
        Self {
            input,
            free: 0,
            has_ended: false,
        }
    }
}

impl Read for UntilEnd<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for UntilEnd<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        const KEYWORD: &[u8] = b"stream";
        const END: &[u8] = b"end";
        const PIECE: usize = 16 * 1024;
        if self.free == 0 && !self.has_ended {
            let bytes = self.input.look(PIECE)?;
            let is_last = bytes.len() < PIECE;
            match memmem::find(bytes, KEYWORD) {
                Some(at) => {
                    let end = bytes[..at].strip_suffix(END);
                    self.free = end.map_or(at, <[u8]>::len);
                    self.has_ended = true;
                }
                None if is_last => {
                    self.free = bytes.len();
                    self.has_ended = true;
                }
                // The last bytes may be the first ones of the keyword.
                None => self.free = bytes.len() - (END.len() + KEYWORD.len() - 1),
            }
        }
        Ok(&self.input.look(self.free)?[..self.free])
    }

    fn consume(&mut self, n: usize) {
        let n = n.min(self.free);
        self.input.consume(n);
        self.free -= n;
    }
}
