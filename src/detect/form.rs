//! The encodings that are looked for, and how each is read from where a token may start in it.

use crate::vocabulary::Encoding;

use super::decode::{Base64, DEEPEST_INDENT, Escaped, Hex, Raw, Style, Unit, Utf16Le, Wide};

/// Where a text begins in the base64 that holds it, told from the first character that is the same
/// whatever stands around the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// How many characters before that one the first bit of the text stands.
    pub(super) characters: u8,
    /// How many bits of the character there belong to what stands before the text.
    pub(super) skip: u8,
}

/// How a token is written, and all that must be known to read it from its first byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As itself.
    Plain,
    /// In base64.
    Base64(Entry),
    /// In base64 in base64.
    Base64Twice {
        /// Where it begins in the outer one.
        outer: Entry,
        /// How many bits of its first character in the inner one belong to what stands before.
        skip: u8,
    },
    /// UTF-16 in base64.
    Base64Utf16(Entry),
    /// In characters of two bytes, their order yet to be found out.
    Wide,
    /// In hexadecimal digits.
    Hex,
    /// With single characters escaped.
    Escaped(Style),
}

impl Form {
    /// Where the text starts of whose spelling the byte at `offset` stands at `found`; `None` if
    /// that is not in `bytes`.
    pub(super) fn start(self, bytes: &[u8], found: usize, offset: usize) -> Option<usize> {
        match self {
            Self::Base64(entry)
            | Self::Base64Twice { outer: entry, .. }
            | Self::Base64Utf16(entry) => {
                back(bytes, found, offset + usize::from(entry.characters))
            }
            // A line break that is none, before the token, is no part of it.
            Self::Escaped(style) => {
                let start = found.checked_sub(offset)?;
                let text = Escaped::new(bytes, start, style);
                text.soft_break().is_none().then_some(start)
            }
            Self::Plain | Self::Wide | Self::Hex => found.checked_sub(offset),
        }
    }

    /// Reads from `start` on.
    pub(super) fn decode(self, bytes: &[u8], start: usize) -> Decoder<'_> {
        let raw = Raw::new(bytes, start);
        match self {
            Self::Plain => Decoder::Raw(raw),
            Self::Base64(entry) => Decoder::Base64(Base64::new(raw, entry.skip.into())),
            Self::Base64Twice { outer, skip } => Decoder::Base64Twice(Base64::new(
                Base64::new(raw, outer.skip.into()),
                skip.into(),
            )),
            Self::Base64Utf16(entry) => {
                Decoder::Base64Utf16(Utf16Le(Base64::new(raw, entry.skip.into())))
            }
            Self::Wide => Decoder::Wide(Wide::new(bytes, start)),
            Self::Hex => Decoder::Hex(Hex::new(bytes, start)),
            Self::Escaped(style) => Decoder::Escaped(Escaped::new(bytes, start, style)),
        }
    }

    /// What reports call it. The order of bytes in wide characters is not known here.
    pub(super) fn encoding(self) -> Encoding {
        match self {
            Self::Plain => Encoding::Plain,
            Self::Base64(_) => Encoding::Base64,
            Self::Base64Twice { .. } => Encoding::Base64Base64,
            Self::Base64Utf16(_) => Encoding::Base64Utf16Le,
            Self::Wide => Encoding::Utf16Le,
            Self::Hex => Encoding::Hex,
            Self::Escaped(Style::Percent) => Encoding::Percent,
            Self::Escaped(Style::Json) => Encoding::JsonEscape,
            Self::Escaped(Style::Hex) => Encoding::HexEscape,
            Self::Escaped(Style::QuotedPrintable) => Encoding::QuotedPrintable,
            Self::Escaped(Style::Reference) => Encoding::CharacterReference,
            Self::Escaped(Style::Markdown) => Encoding::Markdown,
        }
    }
}

/// Goes back from `at` over some characters, and over the line breaks between them.
fn back(bytes: &[u8], mut at: usize, characters: usize) -> Option<usize> {
    for _ in 0..characters {
        at = at.checked_sub(1)?;
        let mut blanks = 0;
        while let Some(blank) = blank_before(&bytes[..=at])
            && blanks <= DEEPEST_INDENT
        {
            at = at.checked_sub(blank)?;
            blanks += 1;
        }
    }
    Some(at)
}

/// The length of the blank or line break at the end of `bytes`, if there is one.
fn blank_before(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [.., b'\r' | b'\n' | b' ' | b'\t'] => Some(1),
        [.., b'\\', b'n' | b'r'] => Some(2),
        _ => None,
    }
}

/// A decoder for any form.
#[derive(Debug)]
pub(super) enum Decoder<'b> {
    Raw(Raw<'b>),
    Base64(Base64<Raw<'b>>),
    Base64Twice(Base64<Base64<Raw<'b>>>),
    Base64Utf16(Utf16Le<Base64<Raw<'b>>>),
    Wide(Wide<'b>),
    Hex(Hex<'b>),
    Escaped(Escaped<'b>),
}

impl Iterator for Decoder<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        match self {
            Self::Raw(decoder) => decoder.next(),
            Self::Base64(decoder) => decoder.next(),
            Self::Base64Twice(decoder) => decoder.next(),
            Self::Base64Utf16(decoder) => decoder.next(),
            Self::Wide(decoder) => decoder.next(),
            Self::Hex(decoder) => decoder.next(),
            Self::Escaped(decoder) => decoder.next(),
        }
    }
}
