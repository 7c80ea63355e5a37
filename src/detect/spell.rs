//! How the start of a token is spelled in each encoding.
//!
//! A spelling is the longest text that is the same whatever stands before the token and whatever
//! its body is. All of them are worked out from the plain prefix, so a new pattern gets its
//! encodings for free.

use super::decode::Style;
use super::form::{Entry, Form};

/// One way in which the start of a token may stand in some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) text: Vec<u8>,
    pub(super) form: Form,
    /// Where lines may be broken within the text, which is then no longer in one piece.
    pub(super) seams: Seams,
    /// Spellings of prefixes of one length that were made in the same way have the same one.
    pub(super) family: (usize, usize),
}

impl Spelling {
    /// Where the piece that starts with the byte at `offset`, or holds it, ends.
    pub(super) fn piece_end(&self, offset: usize) -> usize {
        let end = match self.seams {
            Seams::None => self.text.len(),
            Seams::EveryFour { first } if offset < first => first,
            Seams::EveryFour { first } => offset + 4 - (offset - first) % 4,
        };
        end.min(self.text.len())
    }
}

/// Where lines may be broken within a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seams {
    /// Nowhere.
    None,
    /// Before the character at `first`, and before every fourth one from there on: encoders of
    /// base64 fold between groups of four.
    EveryFour { first: usize },
}

const LINE_BREAKS: [&str; 2] = ["\n", "\r\n"];

/// All spellings of the prefix `stem`, the plain one first.
pub(super) fn spellings(stem: &[u8]) -> Vec<Spelling> {
    let mut all = Spellings {
        length: stem.len(),
        families: 0,
        all: Vec::new(),
    };
    all.family([(stem.to_vec(), Seams::None)], Form::Plain);
    let wide_behind = wide(stem, Zeros::Behind);
    for phase in 0..3 {
        let (texts, entry) = base64(stem, phase, 0, Partial::Told);
        all.family(texts, Form::Base64(entry));
        let (texts, entry) = base64(&wide_behind, phase, 0, Partial::Told);
        all.family(texts, Form::Base64Utf16(entry));
        all.base64_twice(stem, phase);
    }
    all.family([(wide(stem, Zeros::Between), Seams::None)], Form::Wide);
    for digits in [Digits::Lower, Digits::Upper] {
        let text = stem.iter().flat_map(|&byte| digits.of(byte)).collect();
        all.family([(text, Seams::None)], Form::Hex);
    }
    escaped(stem, &mut all);
    all.all
}

/// Spellings of one stem, as they are made.
struct Spellings {
    length: usize,
    families: usize,
    all: Vec<Spelling>,
}

impl Spellings {
    /// Adds the base64 of the base64 in which `stem` stands `phase` bytes behind a multiple of
    /// three, in each phase of its own.
    ///
    /// A few characters of each are known and every literal has its price, so lines are not taken
    /// to be broken among them; behind them they may be.
    fn base64_twice(&mut self, stem: &[u8], phase: usize) {
        let (texts, inner) = base64(stem, phase, 0, Partial::Untold);
        for (inside, _) in texts {
            for phase in 0..3 {
                let lead = 8 * usize::from(inner.characters);
                let (texts, outer) = base64(&inside, phase, lead, Partial::Untold);
                let texts = texts.into_iter().map(|(text, _)| (text, Seams::None));
                let skip = inner.skip;
                self.family(texts, Form::Base64Twice { outer, skip });
            }
        }
    }

    /// Adds a family; where nothing needed an escape, nothing was encoded.
    fn family(&mut self, texts: impl IntoIterator<Item = (Vec<u8>, Seams)>, form: Form) {
        let family = (self.length, self.families);
        self.families += 1;
        for (text, seams) in texts {
            let plain = self.all.first();
            if plain.is_none_or(|plain| plain.text != text) {
                self.all.push(Spelling {
                    text,
                    form,
                    seams,
                    family,
                });
            }
        }
    }
}

/// Whether the first character of base64 that holds some of a text is told, and not only the first
/// that holds nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partial {
    /// If all but two of its bits are the text's, in all the four ways that it can be: what is
    /// behind it may be too short to be searched for.
    Told,
    /// No.
    Untold,
}

/// What of `text` is seen in the base64 of any bytes in which it stands `phase` bytes behind a
/// multiple of three; and where the token begins there, `lead` bits before the text.
fn base64(
    text: &[u8],
    phase: usize,
    lead: usize,
    partial: Partial,
) -> (Vec<(Vec<u8>, Seams)>, Entry) {
    // All in bits from the start of the group of three bytes before.
    let known = 24 + 8 * phase;
    let start = known - lead;
    let foreign = known % 6;
    let (ways, first) = match (foreign, partial) {
        (0, _) => (1, known),
        (2, Partial::Told) => (4, known - foreign),
        (_, Partial::Told | Partial::Untold) => (1, known - foreign + 6),
    };
    let entry = Entry {
        characters: small(first / 6 - start / 6),
        skip: small(start % 6),
    };
    let seams = Seams::EveryFour {
        first: (4 - first / 6 % 4) % 4,
    };
    let texts = (0..ways).map(|way| {
        let mut bits = u32::try_from(way).unwrap_or(0);
        let mut held = known.saturating_sub(first);
        let mut skip = first.saturating_sub(known);
        let mut seen = Vec::new();
        for &byte in text {
            bits = bits << 8 | u32::from(byte);
            held += 8;
            let skipped = skip.min(held);
            held -= skipped;
            skip -= skipped;
            while held >= 6 {
                held -= 6;
                seen.push(ALPHABET[(bits >> held & 63) as usize]);
            }
        }
        (seen, seams)
    });
    (texts.collect(), entry)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Of a handful of bits and characters.
fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// `text` with a line break in each place where one may be; `mark` stands before it.
fn broken(text: &[u8], mark: &str) -> impl Iterator<Item = Vec<u8>> {
    (1..text.len()).flat_map(move |at| {
        let (left, right) = text.split_at(at);
        LINE_BREAKS.map(|line_break| [left, mark.as_bytes(), line_break.as_bytes(), right].concat())
    })
}

/// Which zeros of a wide text belong to its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zeros {
    /// Those between its characters: they are there in either order of bytes.
    Between,
    /// Those behind the last character too.
    Behind,
}

fn wide(stem: &[u8], zeros: Zeros) -> Vec<u8> {
    let mut text = Vec::new();
    for &byte in stem {
        text.extend([byte, 0]);
    }
    match zeros {
        Zeros::Behind => {}
        Zeros::Between => text.truncate(text.len().saturating_sub(1)),
    }
    text
}

#[derive(Debug, Clone, Copy)]
enum Digits {
    Lower,
    Upper,
}

impl Digits {
    fn of(self, byte: u8) -> [u8; 2] {
        let digits: &[u8; 16] = match self {
            Self::Lower => b"0123456789abcdef",
            Self::Upper => b"0123456789ABCDEF",
        };
        [byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)])
    }
}

/// An escape for a character.
type Escape = fn(u8) -> Vec<u8>;

/// Which characters an encoder escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Those that are no letters or digits.
    Punctuation,
    /// Those, or all.
    AllOrPunctuation,
}

const ESCAPES: &[(Style, Habit, Escape)] = &[
    (Style::Percent, Habit::AllOrPunctuation, |c| {
        coded("%", Digits::Upper, c, "")
    }),
    (Style::Percent, Habit::AllOrPunctuation, |c| {
        coded("%", Digits::Lower, c, "")
    }),
    (Style::Json, Habit::AllOrPunctuation, |c| {
        coded("\\u00", Digits::Lower, c, "")
    }),
    (Style::Json, Habit::AllOrPunctuation, |c| {
        coded("\\u00", Digits::Upper, c, "")
    }),
    (Style::Hex, Habit::AllOrPunctuation, |c| {
        coded("\\x", Digits::Lower, c, "")
    }),
    (Style::Hex, Habit::AllOrPunctuation, |c| {
        coded("\\x", Digits::Upper, c, "")
    }),
    (Style::QuotedPrintable, Habit::Punctuation, |c| {
        coded("=", Digits::Upper, c, "")
    }),
    (Style::Reference, Habit::AllOrPunctuation, |c| {
        coded("&#x", Digits::Lower, c, ";")
    }),
    (Style::Reference, Habit::AllOrPunctuation, |c| {
        coded("&#x", Digits::Upper, c, ";")
    }),
    (Style::Reference, Habit::AllOrPunctuation, |c| {
        format!("&#{c};").into_bytes()
    }),
    (Style::Markdown, Habit::Punctuation, |c| vec![b'\\', c]),
];

fn coded(introducer: &str, digits: Digits, character: u8, end: &str) -> Vec<u8> {
    [introducer.as_bytes(), &digits.of(character), end.as_bytes()].concat()
}

fn escaped(stem: &[u8], all: &mut Spellings) {
    let bits = 0..u32::try_from(stem.len()).unwrap_or(u32::MAX);
    let every = bits
        .clone()
        .fold(0_u64, |mask, bit| mask | 1_u64.unbounded_shl(bit));
    let punctuation = bits.zip(stem).fold(0, |mask, (bit, byte)| {
        let escaped = u64::from(!byte.is_ascii_alphanumeric());
        mask | escaped.unbounded_shl(bit)
    });
    for (style, habit, escape) in ESCAPES {
        let masks = match habit {
            Habit::Punctuation => vec![punctuation],
            Habit::AllOrPunctuation => vec![punctuation, every],
        };
        let form = Form::Escaped(*style);
        for mask in masks {
            let pieces = stem.iter().zip(0..).map(|(&byte, bit)| {
                if mask.unbounded_shr(bit) & 1 == 1 {
                    escape(byte)
                } else {
                    vec![byte]
                }
            });
            let text = pieces.flatten().collect();
            all.family([(text, Seams::None)], form);
        }
    }
    let form = Form::Escaped(Style::QuotedPrintable);
    for text in broken(stem, "=") {
        all.family([(text, Seams::None)], form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(stem: &str, wanted: fn(&Form) -> bool) -> Vec<String> {
        let all = spellings(stem.as_bytes()).into_iter();
        let wanted = all.filter(|spelling| wanted(&spelling.form));
        let text = |spelling: Spelling| String::from_utf8(spelling.text).unwrap();
        wanted.map(text).collect()
    }

    #[test]
    fn base64_shows_the_same_characters_whatever_stands_around() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;

        let texts = texts("ghp_", |form| matches!(form, Form::Base64(_)));
        assert_eq!(
            texts,
            ["Z2hwX", "GdocF", "WdocF", "mdocF", "2docF", "naHBf"]
        );
        for (before, seen) in ["", "a", "b", "c", "d", "..", "..."]
            .iter()
            .zip([0, 2, 3, 4, 1, 5, 0])
        {
            let inner = STANDARD.encode(format!("{before}ghp_body...."));
            assert!(inner.contains(&texts[seen]), "{before} {inner}");
        }
    }

    #[test]
    fn escapes_come_in_both_cases() {
        let percent = |form: &Form| *form == Form::Escaped(Style::Percent);
        let percent = texts("ghp_", percent);
        for text in ["ghp%5F", "ghp%5f", "%67%68%70%5F"] {
            assert!(percent.contains(&text.to_owned()), "{text}");
        }
        let quoted = |form: &Form| *form == Form::Escaped(Style::QuotedPrintable);
        let quoted = texts("github_pat_", quoted);
        for text in ["github=5Fpat=5F", "github=\n_pat_", "g=\r\nithub_pat_"] {
            assert!(quoted.contains(&text.to_owned()), "{text}");
        }
        let markdown = |form: &Form| *form == Form::Escaped(Style::Markdown);
        assert_eq!(texts("github_pat_", markdown), ["github\\_pat\\_"]);
        assert_eq!(texts("plain", markdown), [""; 0]);
    }

    #[test]
    fn wide_spellings_hold_in_either_order_of_bytes() {
        let wide = |form: &Form| *form == Form::Wide;
        assert_eq!(texts("ab_", wide), ["a\0b\0_"]);
    }
}
