//! Scanning a blob that does not come in one piece.
//!
//! Whoever reads hands over one window after the other. Each window says up to where it decides:
//! tokens that start before that are reported now, and the bytes from there on come again at the
//! start of the next window, since up to [`Detector::reach`] bytes are needed to decide; and so do
//! the last [`LOOKBEHIND`] bytes before them, as context. The scanner keeps count of bytes and
//! lines across windows; counts of separate stretches of a blob can be joined, so that a large file
//! may be scanned by several threads.
//!
//! Lines cost a second pass over the window, which is then in the cache. A blob that fits one
//! window is counted only as far as its last hit.

use memchr::{memchr_iter, memrchr};

use super::{Detector, Hit};

/// How many bytes before a token may have a say in what it is called.
pub const LOOKBEHIND: usize = 64;

/// Some of a blob's bytes, and which tokens in them are to be reported.
#[derive(Debug, Clone, Copy)]
pub struct Window<'b> {
    /// The bytes. They go on for at least [`Detector::reach`]` - 1` bytes behind `before`, or to
    /// the end of the blob.
    pub bytes: &'b [u8],
    /// Where in the blob they start.
    pub offset: u64,
    /// Tokens that start before this byte were reported already. At least [`LOOKBEHIND`] bytes
    /// stand before it, or all that the blob has there.
    pub from: usize,
    /// Tokens that start from this byte on will be reported later.
    pub before: usize,
}

impl<'b> Window<'b> {
    /// All of a blob.
    pub fn whole(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            offset: 0,
            from: 0,
            before: bytes.len(),
        }
    }
}

/// The newlines of one stretch of a blob.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCount {
    /// How many there are.
    newlines: u64,
    /// The offset in the blob of the byte behind the last one.
    line_start: Option<u64>,
}

impl LineCount {
    /// The count of the stretch `earlier` and, right behind it, this one.
    pub fn behind(self, earlier: Self) -> Self {
        Self {
            newlines: earlier.newlines + self.newlines,
            line_start: self.line_start.or(earlier.line_start),
        }
    }

    /// The line of what stands at `offset`, when this counts all that precedes it; from 1.
    pub fn line(self) -> u64 {
        self.newlines + 1
    }

    /// The column in bytes of what stands at `offset`, likewise; from 1.
    pub fn column(self, offset: u64) -> u64 {
        offset - self.line_start.unwrap_or(0) + 1
    }

    /// Counts on over `bytes`, which start at `offset` in the blob.
    fn count(&mut self, bytes: &[u8], offset: u64) {
        if let Some(last) = memrchr(b'\n', bytes) {
            self.newlines += memchr_iter(b'\n', &bytes[..=last]).count() as u64;
            self.line_start = Some(offset + last as u64 + 1);
        }
    }
}

/// A hit and where it stands in the whole blob.
#[derive(Debug)]
pub struct Located<'h> {
    /// The hit; its `start` counts from the window.
    pub hit: Hit<'h>,
    /// Bytes from the start of the blob.
    pub offset: u64,
    /// The newlines between the start of the scanned stretch and the hit.
    pub lines: LineCount,
}

/// Scans consecutive windows of a blob, or of a stretch of one.
#[derive(Debug)]
pub struct WindowScanner<'d> {
    detector: &'d Detector,
    offset: u64,
    lines: LineCount,
}

impl<'d> WindowScanner<'d> {
    /// Starts `offset` bytes into a blob.
    pub fn new(detector: &'d Detector, offset: u64) -> Self {
        Self {
            detector,
            offset,
            lines: LineCount::default(),
        }
    }

    /// Scans `bytes`, which start `past` bytes before what is still undecided, for tokens that
    /// start in the `decide` bytes behind those; the next window goes on there.
    ///
    /// The caller sees to it that `past` is at least [`LOOKBEHIND`], or all that the blob has
    /// there, and that `bytes` go on for at least [`Detector::reach`]` - 1` bytes behind what is
    /// to be decided, or to the end of the blob.
    pub fn window<'h>(
        &mut self,
        bytes: &'h [u8],
        past: usize,
        decide: usize,
        on_hit: impl FnMut(Located<'h>),
    ) {
        let window = Window {
            bytes,
            offset: self.offset - past as u64,
            from: past,
            before: past + decide,
        };
        let counted = self.scan(window, on_hit);
        let rest = &bytes[counted..window.before];
        self.lines.count(rest, window.offset + counted as u64);
        self.offset += decide as u64;
    }

    /// Scans all that is left of a blob, and was never cut.
    pub fn last<'h>(mut self, bytes: &'h [u8], on_hit: impl FnMut(Located<'h>)) {
        let window = Window {
            offset: self.offset,
            ..Window::whole(bytes)
        };
        self.scan(window, on_hit);
    }

    /// The newlines of the stretch so far.
    pub fn lines(&self) -> LineCount {
        self.lines
    }

    /// The offset in the blob up to which it is decided.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reports the hits, and tells up to where lines are counted.
    fn scan<'h>(&mut self, window: Window<'h>, mut on_hit: impl FnMut(Located<'h>)) -> usize {
        let mut counted = window.from;
        self.detector.scan(window, |hit| {
            let skipped = &window.bytes[counted..hit.start];
            self.lines.count(skipped, window.offset + counted as u64);
            counted = hit.start;
            on_hit(Located {
                offset: window.offset + hit.start as u64,
                lines: self.lines,
                hit,
            });
        });
        counted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{PREFIXES, WAYS, detector, token, written};
    use super::*;

    /// Offset, line, column and text of every hit, the blob cut into windows of `size` bytes,
    /// and into stretches of `stretch` bytes that are scanned by themselves.
    fn cut(blob: &[u8], size: usize, stretch: usize) -> Vec<(u64, u64, u64, String)> {
        let detector = detector();
        let mut found = Vec::new();
        let mut before = LineCount::default();
        let mut start = 0;
        while start < blob.len() {
            let end = blob.len().min(start + stretch);
            let mut scanner = WindowScanner::new(detector, start as u64);
            while scanner.offset() < end as u64 {
                let at = usize::try_from(scanner.offset()).unwrap();
                let past = at.min(LOOKBEHIND);
                let decide = size.min(end - at);
                let sight = blob.len().min(at + decide + detector.reach() - 1);
                let bytes = &blob[at - past..sight];
                scanner.window(bytes, past, decide, |located| {
                    let lines = located.lines.behind(before);
                    found.push((
                        located.offset,
                        lines.line(),
                        lines.column(located.offset),
                        located.hit.token.into_owned(),
                    ));
                });
            }
            before = scanner.lines().behind(before);
            start = end;
        }
        found
    }

    fn naive(blob: &[u8], token: &str) -> Vec<(u64, u64, u64, String)> {
        let starts = (0..blob.len()).filter(|&at| blob[at..].starts_with(token.as_bytes()));
        let places = starts.map(|at| {
            let line = blob[..at].split(|&byte| byte == b'\n').count();
            let line_start = blob[..at].iter().rposition(|&byte| byte == b'\n');
            let column = at - line_start.map_or(0, |newline| newline + 1) + 1;
            (at as u64, line as u64, column as u64, token.to_owned())
        });
        places.collect()
    }

    /// Text that is hard on the search: newlines, halves of prefixes, alphabets of bodies.
    fn noise() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[ -~\n]{0,20}".prop_map(String::into_bytes),
            1 => proptest::sample::select(PREFIXES.to_vec()).prop_map(|p| p.as_bytes().to_vec()),
            1 => "[A-Za-z0-9_]{1,300}".prop_map(String::into_bytes),
            1 => proptest::collection::vec(any::<u8>(), 0..20),
            1 => Just(b"g".to_vec()),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_planted_token_is_found_exactly_once_in_windows_of_any_size(
            before in noise(),
            behind in noise(),
            prefix in proptest::sample::select(PREFIXES.to_vec()),
            seed in any::<u64>(),
            size in 1usize..600,
            stretch in 1usize..900,
        ) {
            let token = token(prefix, seed);
            let blob = [&before, token.as_bytes(), &behind].concat();
            let found: Vec<_> = cut(&blob, size, stretch)
                .into_iter()
                .filter(|place| place.3 == token)
                .collect();
            prop_assert_eq!(found, naive(&blob, &token));
        }

        #[test]
        fn windowed_equals_whole(
            pieces in proptest::collection::vec((noise(), 0usize..6, any::<u64>()), 1..5),
            size in 1usize..600,
            stretch in 1usize..900,
        ) {
            let mut blob = Vec::new();
            for (noise, prefix, seed) in pieces {
                blob.extend(noise);
                let token = token(PREFIXES[prefix], seed);
                let way = usize::try_from(seed % 36).unwrap();
                if way < WAYS {
                    let fold = 48 + way * 4;
                    blob.extend(written(way, &token, &"user:"[way % 5..], fold).0);
                } else {
                    blob.extend(token.into_bytes());
                }
            }
            prop_assert_eq!(cut(&blob, size, stretch), cut(&blob, usize::MAX / 2, usize::MAX / 2));
        }
    }

    #[test]
    fn the_last_window_tells_the_same_places() {
        let detector = detector();
        let token = token("gho_", 5);
        let blob = format!("one\ntwo\n   {token}\n{token}");
        let mut found = Vec::new();
        WindowScanner::new(detector, 0).last(blob.as_bytes(), |located| {
            let (offset, lines) = (located.offset, located.lines);
            found.push((offset, lines.line(), lines.column(offset), token.clone()));
        });
        assert_eq!(found, naive(blob.as_bytes(), &token));
    }
}
