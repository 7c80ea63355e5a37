//! What compressors have in common: a file is one frame behind the other, and all make one stream.
//!
//! Every byte that can be decoded is handed out, also when the next one cannot. Behind damage the
//! next frame is looked for; the trouble is told when the stream ends, once. Zeros behind the last
//! frame are padding, from tapes and block devices; anything else there is trouble too, for it may
//! be a frame that lost its start.

use std::io::{self, BufRead, Read};

use crate::vocabulary::SkipReason;

use super::hold::Peeked;
use super::lookahead::Lookahead;
use super::{Halt, Members, Unread};

/// Decodes the frames of one format.
pub(super) trait Codec {
    /// What every frame starts with; nothing where nothing tells a frame from other bytes.
    fn magic(&self) -> &'static [u8];

    /// Whether a frame starts with `head`, of which there may be little.
    fn starts(&self, head: &[u8]) -> bool;

    /// Prepares for the frame that starts with `head`.
    fn begin(&mut self, head: &[u8]) -> Result<(), SkipReason>;

    /// Decodes some of `input` into `output`. Nothing comes behind an empty input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress;
}

/// What came of decoding.
#[derive(Debug)]
pub(super) struct Progress {
    /// Bytes of the input that are done with.
    pub(super) consumed: usize,
    /// Bytes of the output that were written.
    pub(super) produced: usize,
    pub(super) state: State,
}

impl Progress {
    /// What came of it, from a decoder's totals (in, out) before and after.
    pub(super) fn between(before: (u64, u64), after: (u64, u64), state: State) -> Self {
        // Never more than the lengths of two slices.
        let since = |before: u64, after: u64| usize::try_from(after - before).unwrap_or(usize::MAX);
        Self {
            consumed: since(before.0, after.0),
            produced: since(before.1, after.1),
            state,
        }
    }
}

/// How far a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// There is more to come.
    Within,
    /// This was its end.
    End,
    /// It is damaged.
    Broken,
    /// It is not decoded, for this reason.
    Refused(SkipReason),
}

/// Hands what a compressor's file holds to `members`, if it is one at all.
pub(super) fn pour<C: Codec>(
    codec: C,
    input: &mut dyn BufRead,
    members: &mut dyn Members,
) -> Result<(), Unread> {
    pour_from(&mut Frames::new(codec, input), members)
}

/// The same for whatever decodes.
pub(super) fn pour_from(decoded: &mut dyn Read, members: &mut dyn Members) -> Result<(), Unread> {
    let mut decoded = Peeked::new(decoded);
    if decoded.head().is_empty()
        && let Some(error) = decoded.take_error()
    {
        return Err(match Halt::of(&error) {
            Some(Halt::Aside(reason)) => Unread::Skipped(reason),
            Some(Halt::Above | Halt::Limit(_) | Halt::Done) => Unread::Damaged(error),
            None => Unread::Foreign,
        });
    }
    let _ = members.stream(&mut decoded);
    Ok(())
}

/// All frames of a file as one stream.
struct Frames<'a, C> {
    codec: C,
    input: Lookahead<'a>,
    phase: Phase,
    /// To be told at the end.
    trouble: Option<io::Error>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// A frame may start here.
    Between,
    Within,
    /// A frame is looked for.
    Lost,
    Finished,
}

impl<'a, C: Codec> Frames<'a, C> {
    fn new(codec: C, input: &'a mut dyn BufRead) -> Self {
        Self {
            codec,
            input: Lookahead::new(input),
            phase: Phase::Between,
            trouble: None,
        }
    }

    /// What comes behind a frame, or before the first.
    fn between(&mut self) -> io::Result<Phase> {
        let head = self.input.head()?;
        if head.is_empty() {
            return Ok(Phase::Finished);
        }
        if self.codec.starts(head) {
            return match self.codec.begin(head) {
                Ok(()) => Ok(Phase::Within),
                Err(reason) => Err(Halt::Aside(reason).into()),
            };
        }
        let zeros = head.iter().take_while(|&&byte| byte == 0).count();
        if zeros > 0 {
            self.input.consume(zeros);
            return Ok(Phase::Between);
        }
        self.note(
            io::ErrorKind::InvalidData,
            "what follows is not of its format",
        );
        Ok(Phase::Lost)
    }

    /// Looks for the next frame.
    fn lost(&mut self) -> io::Result<Phase> {
        let magic = self.codec.magic();
        if magic.is_empty() || !self.input.find(magic)? {
            return Ok(Phase::Finished);
        }
        if self.codec.starts(self.input.head()?) {
            return Ok(Phase::Between);
        }
        self.input.consume(1);
        Ok(Phase::Lost)
    }

    /// Decodes on; tells how much there was.
    fn within(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.fill()?;
        let is_end = bytes.is_empty();
        let Progress {
            consumed,
            produced,
            state,
        } = self.codec.decode(bytes, buffer);
        self.input.consume(consumed);
        match state {
            State::Within if produced == 0 && is_end => {
                self.note(io::ErrorKind::UnexpectedEof, "it ends too early");
                self.phase = Phase::Finished;
            }
            State::Within if produced == 0 && consumed == 0 => self.damage(),
            State::Within => {}
            State::End => self.phase = Phase::Between,
            State::Broken => self.damage(),
            State::Refused(reason) => return Err(Halt::Aside(reason).into()),
        }
        Ok(produced)
    }

    fn damage(&mut self) {
        self.note(io::ErrorKind::InvalidData, "it is damaged");
        self.phase = Phase::Lost;
    }

    fn note(&mut self, kind: io::ErrorKind, message: &str) {
        self.trouble
            .get_or_insert_with(|| io::Error::new(kind, message));
    }
}

impl<C: Codec> Read for Frames<'_, C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.phase {
                Phase::Between => self.phase = self.between()?,
                Phase::Lost => self.phase = self.lost()?,
                Phase::Within => {
                    let n = self.within(buffer)?;
                    if n > 0 {
                        return Ok(n);
                    }
                }
                Phase::Finished => return self.trouble.take().map_or(Ok(0), Err),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Frames of `F`, a length, and so many bytes; a `!` among them is damage.
    #[derive(Default)]
    struct Toy {
        left: usize,
    }

    impl Codec for Toy {
        fn magic(&self) -> &'static [u8] {
            b"F<"
        }

        fn starts(&self, head: &[u8]) -> bool {
            head.starts_with(self.magic()) && head.len() > 2
        }

        fn begin(&mut self, head: &[u8]) -> Result<(), SkipReason> {
            self.left = usize::from(head[2] - b'0') + 3;
            Ok(())
        }

        fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
            let n = input.len().min(output.len()).min(self.left);
            let good = input[..n].iter().take_while(|&&byte| byte != b'!').count();
            output[..good].copy_from_slice(&input[..good]);
            self.left -= good;
            Progress {
                consumed: good,
                produced: good,
                state: match self.left {
                    _ if good < n => State::Broken,
                    0 => State::End,
                    _ => State::Within,
                },
            }
        }
    }

    /// What is decoded, and the trouble, read in pieces of any size.
    fn decoded(file: &str) -> (String, Option<String>) {
        let mut results = Vec::new();
        for (piece, size) in [(1, 1), (2, 100), (3, 7), (1000, 1000)] {
            let mut input = BufReader::with_capacity(piece, file.as_bytes());
            let mut frames = Frames::new(Toy::default(), &mut input);
            let mut text = Vec::new();
            let mut buffer = vec![0; size];
            let trouble = loop {
                match frames.read(&mut buffer) {
                    Ok(0) => break None,
                    Ok(n) => text.extend_from_slice(&buffer[..n]),
                    Err(error) => break Some(error.to_string()),
                }
            };
            results.push((String::from_utf8(text).unwrap(), trouble));
        }
        results.dedup();
        assert_eq!(results.len(), 1, "{results:?}");
        results.remove(0)
    }

    #[test]
    fn frames_make_one_stream_and_trouble_comes_last() {
        let foreign = Some("what follows is not of its format".to_owned());
        let damage = Some("it is damaged".to_owned());
        let short = Some("it ends too early".to_owned());
        for (file, text, trouble) in [
            ("", "", None),
            ("F<2ab", "F<2ab", None),
            ("F<2abF<0F<1c", "F<2abF<0F<1c", None),
            ("F<1a\0\0\0", "F<1a", None),
            ("F<1a\0\0F<1b\0", "F<1aF<1b", None),
            ("F<1atrash", "F<1a", foreign.clone()),
            ("F<1atraF<sh F<1b", "F<1aF<1b", foreign),
            ("F<4ab!dF<1b", "F<4abF<1b", damage.clone()),
            ("F<4ab!dF", "F<4ab", damage),
            ("F<4ab", "F<4ab", short),
        ] {
            // The toy takes any digit, and none else.
            let file = file.replace("F<s", "F(s");
            assert_eq!(decoded(&file), (text.to_owned(), trouble), "{file:?}");
        }
    }
}
