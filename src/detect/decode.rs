//! Decoders: text in some encoding in, what it says out, one byte at a time.
//!
//! Each tells, with a decoded byte, where the text of that byte ends, so that a token's extent in
//! the encoded text is known to the byte. They stop at the first thing that the encoding cannot
//! hold, and never look further than they are asked to. They know no tokens.

/// A decoded byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// What it says.
    pub(super) byte: u8,
    /// The index behind the last encoded byte that carries a bit of it.
    pub(super) end: usize,
}

/// Bytes as they are.
#[derive(Debug)]
pub(super) struct Raw<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Raw<'b> {
    pub(super) fn new(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }
}

impl Iterator for Raw<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(Unit { byte, end: self.at })
    }
}

/// Base64 of either alphabet, folded anywhere; padding ends it.
#[derive(Debug)]
pub(super) struct Base64<I> {
    source: I,
    /// Bits read and not yet handed out, and how many.
    bits: u32,
    held: u32,
    /// Bits of the first character that belong to what stands before.
    skip: u32,
}

/// Blanks that may stand before each line of folded base64, as YAML has them.
pub(super) const DEEPEST_INDENT: usize = 64;

impl<I: Iterator<Item = Unit>> Base64<I> {
    /// Decodes from the first character of `source`, less its first `skip` bits.
    pub(super) fn new(source: I, skip: u32) -> Self {
        Self {
            source,
            bits: 0,
            held: 0,
            skip,
        }
    }

    /// The next six bits, and where they end; over a line break if there is one.
    fn sextet(&mut self) -> Option<(u32, usize)> {
        let mut broken = false;
        let mut indent = 0;
        loop {
            let unit = self.source.next()?;
            if let Some(value) = sextet(unit.byte) {
                return Some((value, unit.end));
            }
            // A line break may also be written as an escape: a PEM file in a JSON string.
            let byte = match unit.byte {
                b'\\' => match self.source.next()?.byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    _ => return None,
                },
                byte => byte,
            };
            match byte {
                b'\n' if !broken => broken = true,
                b'\r' if !broken => {}
                b' ' | b'\t' if broken && indent < DEEPEST_INDENT => indent += 1,
                _ => return None,
            }
        }
    }
}

impl<I: Iterator<Item = Unit>> Iterator for Base64<I> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let mut end = 0;
        // Never more than 7 bits are held over, so two characters always do; the last one read
        // always carries bits of this byte.
        while self.held < 8 {
            let (value, behind) = self.sextet()?;
            self.bits = self.bits << 6 | value;
            self.held += 6 - self.skip;
            self.skip = 0;
            end = behind;
        }
        self.held -= 8;
        let byte = (self.bits >> self.held & 0xff) as u8;
        self.bits &= (1 << self.held) - 1;
        Some(Unit { byte, end })
    }
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// ASCII as UTF-16, the lower byte first.
#[derive(Debug)]
pub(super) struct Utf16Le<I>(pub(super) I);

impl<I: Iterator<Item = Unit>> Iterator for Utf16Le<I> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let byte = self.0.next()?.byte;
        let high = self.0.next()?;
        (high.byte == 0).then_some(Unit {
            byte,
            end: high.end,
        })
    }
}

/// ASCII as UTF-16, from the first character's own byte on: of the zeros only those between
/// characters are looked at, so either order of bytes will do.
#[derive(Debug)]
pub(super) struct Wide<'b> {
    bytes: &'b [u8],
    start: usize,
    at: usize,
}

impl<'b> Wide<'b> {
    pub(super) fn new(bytes: &'b [u8], start: usize) -> Self {
        Self {
            bytes,
            start,
            at: start,
        }
    }
}

impl Iterator for Wide<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let byte = *self.bytes.get(self.at)?;
        if self.at > self.start && self.bytes[self.at - 1] != 0 {
            return None;
        }
        let end = self.at + 1;
        self.at += 2;
        Some(Unit { byte, end })
    }
}

/// Pairs of hexadecimal digits; lines may be broken between pairs.
#[derive(Debug)]
pub(super) struct Hex<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Hex<'b> {
    pub(super) fn new(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }
}

impl Iterator for Hex<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let rest = self.bytes.get(self.at..)?;
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let byte = hex(rest.get(..2)?)?;
        self.at = self.bytes.len() - rest.len() + 2;
        Some(Unit { byte, end: self.at })
    }
}

/// The value of all of `digits`, if it fits a byte.
fn hex(digits: &[u8]) -> Option<u8> {
    number(digits, 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u8> {
    let mut value = 0;
    for &digit in digits {
        value = value * radix + char::from(digit).to_digit(radix)?;
        if value > 0xff {
            return None;
        }
    }
    u8::try_from(value).ok()
}

/// How single characters are escaped in a text that is otherwise plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Style {
    /// `%5F`
    Percent,
    /// `\u005f`
    Json,
    /// `\x5f`
    Hex,
    /// `=5F`, and `=` before a line break that is none.
    QuotedPrintable,
    /// `&#95;` or `&#x5f;`
    Reference,
    /// `\_`
    Markdown,
}

impl Style {
    /// The styles whose escapes start with `byte`.
    pub(super) fn introduced_by(byte: u8) -> &'static [Self] {
        match byte {
            b'%' => &[Self::Percent],
            b'\\' => &[Self::Json, Self::Hex, Self::Markdown],
            b'=' => &[Self::QuotedPrintable],
            b'&' => &[Self::Reference],
            _ => &[],
        }
    }
}

/// Digits of a character reference that are looked at, leading zeros and all.
const LONGEST_REFERENCE: usize = 8;

/// Text in which any character may be escaped.
#[derive(Debug)]
pub(super) struct Escaped<'b> {
    bytes: &'b [u8],
    at: usize,
    style: Style,
}

impl<'b> Escaped<'b> {
    pub(super) fn new(bytes: &'b [u8], at: usize, style: Style) -> Self {
        Self { bytes, at, style }
    }

    /// The escape that stands here: what it says, and its length.
    fn escape(&self) -> Option<(u8, usize)> {
        let here = &self.bytes[self.at..];
        let coded = |introducer: &[u8], digits: usize| {
            let digits = here.strip_prefix(introducer)?.get(..digits)?;
            Some((hex(digits)?, introducer.len() + digits.len()))
        };
        match self.style {
            Style::Percent => coded(b"%", 2),
            Style::Json => coded(b"\\u00", 2),
            Style::Hex => coded(b"\\x", 2),
            Style::QuotedPrintable => coded(b"=", 2),
            Style::Reference => {
                let behind = here.strip_prefix(b"&#")?;
                let length = behind.iter().take(LONGEST_REFERENCE);
                let length = length.take_while(|byte| **byte != b';').count();
                let value = match behind[..length].split_first()? {
                    (b'x' | b'X', digits @ [_, ..]) => hex(digits),
                    _ => number(&behind[..length], 10),
                };
                (behind.get(length) == Some(&b';')).then_some((value?, length + 3))
            }
            Style::Markdown => match here {
                [b'\\', byte, ..] if byte.is_ascii_punctuation() => Some((*byte, 2)),
                _ => None,
            },
        }
    }

    /// The length of the soft line break that stands here, if one does.
    pub(super) fn soft_break(&self) -> Option<usize> {
        if self.style != Style::QuotedPrintable {
            return None;
        }
        let behind = self.bytes.get(self.at..)?.strip_prefix(b"=")?;
        // Mail servers may have put blanks at the end of the line.
        let blanks = behind.iter().take_while(|byte| b" \t".contains(byte));
        let blanks = blanks.count();
        match behind.get(blanks..)? {
            [b'\n', ..] => Some(blanks + 2),
            [b'\r', b'\n', ..] => Some(blanks + 3),
            _ => None,
        }
    }
}

impl Iterator for Escaped<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        while let Some(length) = self.soft_break() {
            self.at += length;
        }
        let raw = *self.bytes.get(self.at)?;
        let (byte, length) = if Style::introduced_by(raw).contains(&self.style) {
            self.escape()?
        } else {
            (raw, 1)
        };
        self.at += length;
        Some(Unit { byte, end: self.at })
    }
}
