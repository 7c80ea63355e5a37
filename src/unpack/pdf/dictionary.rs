//! What the dictionary before a stream says about it.
//!
//! Only a few keys matter. Whatever else stands there is stepped over, well-formed or not.

use super::filter::Filter;

/// What matters of a dictionary.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dictionary {
    /// How the data was encoded, the last step first, as it is to be undone.
    pub(super) filters: Vec<Filter>,
    /// Bytes of the data, if that is said here and not in another object.
    pub(super) length: Option<u64>,
    /// It is that of a stream which is a cross-reference table, and so a trailer too.
    pub(super) is_cross_reference: bool,
    /// It says how the file is encrypted.
    pub(super) has_encryption: bool,
}

impl Dictionary {
    /// Reads the dictionary at the start of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut dictionary = Self::default();
        let mut tokens = Tokens(bytes);
        let mut depth = 0_u32;
        let mut early_change = true;
        while let Some(token) = tokens.next() {
            match token {
                Token::Open => depth += 1,
                Token::Close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                Token::Name(name) if depth <= 1 => match &name[..] {
                    b"Filter" | b"F" if dictionary.filters.is_empty() => {
                        dictionary.filters = filters(&mut tokens);
                    }
                    b"Length" => dictionary.length = length(&mut tokens),
                    b"Encrypt" => dictionary.has_encryption = true,
                    b"XRef" => dictionary.is_cross_reference = true,
                    _ => {}
                },
                Token::Name(name) if name == b"EarlyChange" => {
                    early_change = !matches!(tokens.next(), Some(Token::Other(b"0")));
                }
                Token::Name(_) | Token::Array | Token::ArrayEnd | Token::Other(_) => {}
            }
        }
        if !early_change {
            for filter in &mut dictionary.filters {
                if *filter == Filter::Lzw {
                    *filter = Filter::LzwLate;
                }
            }
        }
        dictionary
    }
}

/// One name or an array of names.
fn filters(tokens: &mut Tokens<'_>) -> Vec<Filter> {
    let ahead = Tokens(tokens.0);
    match tokens.next() {
        Some(Token::Name(name)) => vec![Filter::of(&name)],
        Some(Token::Array) => {
            let mut filters = Vec::new();
            while let Some(Token::Name(name)) = tokens.next() {
                filters.push(Filter::of(&name));
            }
            filters
        }
        Some(Token::Open | Token::Close | Token::ArrayEnd | Token::Other(_)) | None => {
            *tokens = ahead;
            Vec::new()
        }
    }
}

/// A number that is not the number of an object.
fn length(tokens: &mut Tokens<'_>) -> Option<u64> {
    let Some(Token::Other(word)) = tokens.next() else {
        return None;
    };
    let length = std::str::from_utf8(word).ok()?.parse().ok()?;
    let mut ahead = Tokens(tokens.0);
    let reference = matches!(
        (ahead.next(), ahead.next()),
        (Some(Token::Other(_)), Some(Token::Other(b"R")))
    );
    (!reference).then_some(length)
}

/// A piece of a dictionary.
enum Token<'a> {
    Open,
    Close,
    Array,
    ArrayEnd,
    /// Without its slash.
    Name(Vec<u8>),
    /// A number, a keyword, a string.
    Other(&'a [u8]),
}

/// Takes bytes apart as PDF does (ISO 32000-1, 7.2 and 7.3).
struct Tokens<'a>(&'a [u8]);

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        self.0 = self.0.trim_ascii_start();
        let (token, length) = match self.0 {
            [] => return None,
            [b'<', b'<', ..] => (Token::Open, 2),
            [b'>', b'>', ..] => (Token::Close, 2),
            [b'[', ..] => (Token::Array, 1),
            [b']', ..] => (Token::ArrayEnd, 1),
            [b'(', ..] => return Some(Token::Other(self.take(string_length(self.0)))),
            [b'/', rest @ ..] => {
                let length = word_length(rest);
                (Token::Name(unescaped(&rest[..length])), 1 + length)
            }
            [b'%', ..] => {
                let line = self.0.iter().position(|byte| b"\r\n".contains(byte));
                self.take(line.unwrap_or(self.0.len()));
                return self.next_after_comment();
            }
            word => {
                let length = word_length(word).max(1);
                return Some(Token::Other(self.take(length)));
            }
        };
        self.take(length);
        Some(token)
    }

    fn next_after_comment(&mut self) -> Option<Token<'a>> {
        // Many comments in a row must not be as many calls in each other.
        while let [b'%', ..] = self.0.trim_ascii_start() {
            self.0 = self.0.trim_ascii_start();
            let line = self.0.iter().position(|byte| b"\r\n".contains(byte));
            self.take(line.unwrap_or(self.0.len()));
        }
        self.next()
    }

    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Bytes up to what cannot be a part of a word.
fn word_length(bytes: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\0()<>[]{}/%".contains(byte);
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// Bytes of the string that starts here, its parentheses included.
fn string_length(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// A name with its `#61` resolved.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((byte, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        rest = behind;
        match (byte, digit(0), digit(1)) {
            (b'#', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high << 4 | low).unwrap_or_default());
                rest = &behind[2..];
            }
            _ => bytes.push(*byte),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_lengths_are_read_however_they_are_written() {
        for (text, filters, length) in [
            (
                "<</Filter/FlateDecode/Length 12>>",
                &[Filter::Flate][..],
                Some(12),
            ),
            (
                "<< /Length 5 0 R /Filter [ /A85 /Fl ] >>",
                &[Filter::Ascii85, Filter::Flate],
                None,
            ),
            (
                "<</A(\\)>>(x))/B<3e3e>/F#69lter/Fl#61teDecode>>",
                &[Filter::Flate],
                None,
            ),
            ("<</DecodeParms<</Filter/LZW>>/Length 7/X 0>>", &[], Some(7)),
            (
                "<</Filter/LZWDecode/DecodeParms<</EarlyChange 0>>>>",
                &[Filter::LzwLate],
                None,
            ),
            ("%a\n%b\n<</Filter 9 0 R/Length 1", &[], Some(1)),
            ("<</Filter/DCTDecode>>", &[Filter::Other], None),
            ("<</Filter[", &[], None),
            ("((((/", &[], None),
        ] {
            let read = Dictionary::of(text.as_bytes());
            assert_eq!(read.filters, filters, "{text}");
            assert_eq!(read.length, length, "{text}");
        }
    }

    #[test]
    fn only_a_trailer_that_has_the_key_itself_says_that_a_file_is_encrypted() {
        let trailer = |text: &str| Dictionary::of(text.as_bytes()).has_encryption;
        assert!(trailer("\n<</Root 1 0 R/Encrypt 9 0 R>>\nstartxref"));
        assert!(!trailer("\n<</Root 1 0 R/Info(/Encrypt)>> /Encrypt"));
    }
}
