//! Reading a token that is not written as itself.
//!
//! A candidate is decoded as far as it says the start of a prefix, then as far as the longest
//! token with that prefix, and never further. Only what is a finding counts: its checksum fits, or
//! it has a known shape that carries none and is counted as found when plain. Encoded text that
//! merely looks like a token is nothing, not even unverified: by chance, dense text is full of it.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use crate::vocabulary::Standing;

use super::cover::Probe;
use super::decode::{Style, Unit};
use super::form::Form;
use super::wide;
use super::{Detector, Hit, LOOKBEHIND, Stem, Window};

/// The longest encoded token that is found, in bytes. A classic token takes 40 plain, 54 in base64,
/// 240 as `\u0067…`; an installation token of 520 characters 694 in base64, 1560 as `%67…`. Only
/// such a one with each character escaped in more than three is beyond this.
const LONGEST: usize = 2048 - LOOKBEHIND;

/// How far an encoded hit and what stands around it go.
pub(super) const REACH: usize = LONGEST + LOOKBEHIND;

/// How far behind the first byte of a hit that may be by which it is found.
pub(super) const AHEAD: usize = 256;

/// A text decoded, and where each byte of it ends in what it was decoded from.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) text: Vec<u8>,
    pub(super) ends: Vec<usize>,
}

impl Decoded {
    fn push(&mut self, unit: Unit) {
        self.text.push(unit.byte);
        self.ends.push(unit.end);
    }
}

impl Detector {
    /// The token in whose encoded prefix a literal was found.
    pub(super) fn encoded<'h>(
        &self,
        window: Window<'h>,
        found: usize,
        probe: Probe,
    ) -> Option<Hit<'h>> {
        let Probe { offset, form } = probe;
        let start = form.start(window.bytes, found, offset)?;
        let (stem, end) = self.prefix(window.bytes, start, form)?;
        // A prefix without an escape in it is plain, and read as such.
        if end - start == stem.text.len() {
            return None;
        }
        self.in_form(window, start, form)
    }

    /// The token that is written in `form` from `start` on.
    fn in_form<'h>(&self, window: Window<'h>, start: usize, form: Form) -> Option<Hit<'h>> {
        let longest = |stem: &Stem| stem.longest;
        let (decoded, stem) = self.decode(window.bytes, start, form, longest)?;
        let readings = stem.patterns.iter();
        let readings = readings.filter_map(|&at| self.read(at, &decoded.text, 0));
        let hit = readings.max_by_key(Hit::rank)?;
        if hit.standing != Standing::Finding {
            return None;
        }
        let end = decoded.ends[hit.length - 1];
        // Text without an escape in it is plain, and found as such.
        if end - start == hit.length {
            return None;
        }
        let (extent, encoding) = match form {
            Form::Wide => wide::resolve(window, start..end)?,
            Form::Plain
            | Form::Base64(_)
            | Form::Base64Twice { .. }
            | Form::Base64Utf16(_)
            | Form::Hex
            | Form::Escaped(_) => (start..end, form.encoding()),
        };
        Some(Hit {
            start: extent.start,
            length: extent.len(),
            token: Cow::Owned(hit.token.into_owned()),
            encoding,
            ..hit
        })
    }

    /// The token whose plain prefix, `stem`'s, starts at `start`, and whose body holds escapes.
    pub(super) fn escaped_body<'h>(
        &self,
        window: Window<'h>,
        start: usize,
        stem: &Stem,
    ) -> Option<Hit<'h>> {
        let body = &window.bytes[start + stem.text.len()..];
        let body = &body[..body.len().min(stem.longest)];
        // Nearly always there is none, which is then soon known.
        let escape = memchr3(b'%', b'\\', b'=', body);
        let escape = escape.into_iter().chain(memchr(b'&', body)).min()?;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
        if !body[..escape].iter().all(plain) {
            return None;
        }
        let styles = Style::introduced_by(body[escape]).iter();
        styles
            .filter_map(|style| self.in_form(window, start, Form::Escaped(*style)))
            .max_by_key(Hit::rank)
    }

    /// Decodes from `start` on, if that is the start of a token: the text, at most the `longest`
    /// that is wanted with its stem, and the stem.
    pub(super) fn decode(
        &self,
        bytes: &[u8],
        start: usize,
        form: Form,
        longest: impl Fn(&Stem) -> usize,
    ) -> Option<(Decoded, &Stem)> {
        let bytes = &bytes[..bytes.len().min(start + LONGEST)];
        let (stem, _) = self.stem_of(form.decode(bytes, start))?;
        let mut decoded = Decoded::default();
        // What no shape can match need not be decoded.
        let text = |unit: &Unit| unit.byte.is_ascii_graphic() || unit.byte == b' ';
        for unit in form
            .decode(bytes, start)
            .take_while(text)
            .take(longest(stem))
        {
            decoded.push(unit);
        }
        Some((decoded, stem))
    }

    /// The stem that `units` start with, and where its text ends. Most candidates end here, so
    /// nothing is kept.
    pub(super) fn stem_of(&self, mut units: impl Iterator<Item = Unit>) -> Option<(&Stem, usize)> {
        let mut known: &[u8] = &[];
        loop {
            let Unit { byte, end } = units.next()?;
            let at = known.len();
            let mut stems = self.stems.iter();
            let stem = stems
                .find(|stem| stem.text.get(at) == Some(&byte) && stem.text.starts_with(known))?;
            known = &stem.text[..=at];
            if known.len() == stem.text.len() {
                return Some((stem, end));
            }
        }
    }
}
