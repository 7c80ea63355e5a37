//! lz4 frames, skippable frames, and the legacy frames of old kernels' images.
//!
//! The decoder takes a frame that is cut off between two blocks for a finished one, and an empty
//! block for the end of a frame. So this watches whether it met the end of its input, and asks
//! again until there is none.

use std::io::{self, BufRead, Read};

use lz4_flex::frame::FrameDecoder;

use crate::vocabulary::SkipReason;

use super::frames::pour_from;
use super::lookahead::Lookahead;
use super::{Halt, Members, Unread};

const MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];
const LEGACY_MAGIC: &[u8] = &[0x02, 0x21, 0x4c, 0x18];

/// The largest blocks, of legacy frames, have 8 MiB; there is one before and one behind decoding.
const MEMORY: u64 = 17 << 20;

/// Whether a frame starts with `head`.
pub(super) fn starts(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || head.starts_with(LEGACY_MAGIC)
}

/// Reads all frames as one stream.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut memory = members.memory();
    if !memory.grow_to(MEMORY) {
        return Err(Unread::Skipped(SkipReason::MemoryLimit));
    }
    let mut input = Watched {
        input: Lookahead::new(input),
        frame: Frame::Current,
        end: End::Ahead,
    };
    input.go_on()?;
    let mut frames = Lz4 {
        decoder: Some(FrameDecoder::new(input)),
        trouble: None,
    };
    pour_from(&mut frames, members)
}

/// All frames of a file as one stream.
struct Lz4<'a> {
    /// Nothing when all is read.
    decoder: Option<FrameDecoder<Watched<'a>>>,
    /// To be told at the end.
    trouble: Option<io::Error>,
}

/// The input of the decoder.
struct Watched<'a> {
    input: Lookahead<'a>,
    frame: Frame,
    end: End,
}

/// Whether the decoder has met the end of its input.
#[derive(PartialEq, Eq)]
enum End {
    Ahead,
    Met,
}

/// What frame the decoder is in, as far as can be seen.
#[derive(PartialEq, Eq)]
enum Frame {
    Current,
    /// It has no end mark.
    Legacy,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.end = End::Met;
        }
        Ok(n)
    }
}

impl Watched<'_> {
    /// Leaves padding and skippable frames behind; tells whether there is anything else.
    fn go_on(&mut self) -> io::Result<bool> {
        loop {
            let head = self.input.head()?;
            let zeros = head.iter().take_while(|&&byte| byte == 0).count();
            let skipped = match *head {
                [] => return Ok(false),
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                    8 + u64::from(u32::from_le_bytes([a, b, c, d]))
                }
                [..] if zeros > 0 => zeros as u64,
                [..] => {
                    if head.starts_with(LEGACY_MAGIC) {
                        self.frame = Frame::Legacy;
                    } else if head.starts_with(MAGIC) {
                        self.frame = Frame::Current;
                    }
                    return Ok(true);
                }
            };
            io::copy(&mut self.by_ref().take(skipped), &mut io::sink())?;
        }
    }
}

impl Lz4<'_> {
    /// Reads on behind what may be the end of a frame; nothing is left when this was the last.
    fn go_on(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let input = decoder.get_mut();
        if input.end == End::Met && input.frame == Frame::Current {
            self.trouble.get_or_insert_with(|| {
                io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")
            });
        }
        let is_end = input.end == End::Met || !input.go_on()?;
        if is_end {
            self.decoder = None;
        } else if starts(input.input.head()?) {
            // The decoder's buffers are made for the frame before.
            let input = self.decoder.take().map(FrameDecoder::into_inner);
            self.decoder = input.map(FrameDecoder::new);
        }
        Ok(())
    }

    /// Looks for the next frame behind damage.
    fn recover(&mut self, error: io::Error) -> io::Result<()> {
        // What stands above us failed, not the frame.
        if Halt::of(&error).is_some() {
            return Err(error);
        }
        self.trouble.get_or_insert(error);
        if let Some(decoder) = self.decoder.take() {
            let mut input = decoder.into_inner();
            if input.end == End::Ahead && input.input.find(MAGIC)? {
                self.decoder = Some(FrameDecoder::new(input));
            }
        }
        Ok(())
    }
}

impl Read for Lz4<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(decoder) = &mut self.decoder else {
                return self.trouble.take().map_or(Ok(0), Err);
            };
            match decoder.read(buffer) {
                Ok(0) => self.go_on()?,
                Ok(n) => return Ok(n),
                Err(error) => self.recover(error)?,
            }
        }
    }
}
