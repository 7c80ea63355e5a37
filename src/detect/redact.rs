//! Taking tokens, and parts of tokens, plain and encoded, out of text that is to be shown.

use std::borrow::Cow;
use std::ops::Range;

use crate::vocabulary::Redact;

use super::Detector;
use super::cover::Probe;
use super::decode::Style;
use super::form::Form;

/// From this many characters on, what stands behind a prefix is redacted even if it is no whole
/// token: names of files seldom go on for so long, and parts of tokens do.
const REDACTED_PART: usize = 16;

impl Redact for Detector {
    fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut blots = self.blots(text);
        if blots.is_empty() {
            return Cow::Borrowed(text);
        }
        blots.sort_unstable_by_key(|blot| blot.start);
        let mut shown = Vec::with_capacity(text.len());
        let mut at = 0;
        let mut last_end = None;
        for blot in blots {
            // What touches the last one is one with it.
            if last_end.is_none_or(|end| blot.start > end) {
                shown.extend_from_slice(&text[at..blot.start]);
                shown.extend_from_slice("…".as_bytes());
            }
            at = at.max(blot.end);
            last_end = Some(at);
        }
        shown.extend_from_slice(&text[at..]);
        Cow::Owned(shown)
    }
}

impl Detector {
    /// What must not be shown of `text`: whole tokens, and what may be a part of one, for an error
    /// text may cut a token short.
    fn blots(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut blots = Vec::new();
        let mut from = 0;
        while let Some(candidate) = self.finder.find(text, from, text.len()) {
            from = candidate.start + 1;
            for probe in &self.literals[candidate.literal].probes {
                match probe.form {
                    Form::Plain => {
                        let start = candidate.start.checked_sub(probe.offset);
                        if let Some(start) = start {
                            self.blot_plain(text, start, &mut blots);
                        }
                    }
                    Form::Base64(_)
                    | Form::Base64Twice { .. }
                    | Form::Base64Utf16(_)
                    | Form::Wide
                    | Form::Hex
                    | Form::Escaped(_) => blots.extend(self.blot(text, candidate.start, *probe)),
                }
            }
        }
        blots
    }

    fn blot_plain(&self, text: &[u8], start: usize, blots: &mut Vec<Range<usize>>) {
        let Some(stem) = self.stem(&text[start..]) else {
            return;
        };
        for &at in &stem.patterns {
            let prefix = self.patterns.patterns()[at].kind.prefix.as_bytes();
            if let Some(hit) = self.read(at, text, start) {
                blots.push(start + prefix.len()..hit.end());
            }
            if text[start..].starts_with(prefix) {
                let body = start + prefix.len();
                let end = self.body_end(text, body);
                if end - body >= REDACTED_PART {
                    blots.push(body..end);
                }
            }
        }
        let body = start + stem.text.len();
        let end = self.body_end(text, body);
        for style in text.get(end).map_or(&[][..], |&b| Style::introduced_by(b)) {
            let form = Form::Escaped(*style);
            let escaped = self.blot(text, start, Probe { offset: 0, form });
            blots.extend(escaped.map(|blot| body..blot.end));
        }
    }

    /// All that is encoded from where the literal found at `found` tells on, if it is long enough.
    fn blot(&self, text: &[u8], found: usize, probe: Probe) -> Option<Range<usize>> {
        let Probe { offset, form } = probe;
        let start = form.start(text, found, offset)?;
        let (decoded, stem) = self.decode(text, start, form, |_| usize::MAX)?;
        let body = &decoded.text[stem.text.len()..];
        let body = body.iter().take_while(|byte| is_body(**byte)).count();
        let end = *decoded.ends.get(stem.text.len() + body - 1)?;
        // Text without an escape in it is plain, and redacted as such.
        let encoded = end - start > stem.text.len() + body;
        (encoded && body >= REDACTED_PART).then_some(start..end)
    }

    /// Where a run of body characters that starts at `body` ends, or another token starts.
    fn body_end(&self, text: &[u8], body: usize) -> usize {
        let run = text[body..].iter().take_while(|byte| is_body(**byte));
        let end = body + run.count();
        let next = self.plain.find(text, body, end);
        next.map_or(end, |candidate| candidate.start)
    }
}

fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
