//! Takes what a server repeats of the tokens it was sent out of its answers.
//!
//! A whole token is recognised by its shape, whoever sent it; a few characters of one are not. But
//! what was just sent is known, so five of its characters in a row are enough to tell an echo.
//! Fewer are not told from ordinary words, except right behind a prefix.

use std::borrow::Cow;
use std::collections::HashSet;

use super::login::Login;
use super::plan::Planned;
use crate::vocabulary::{Redact, STRETCH, Secret};

/// What stands for the characters that are taken out.
const ELLIPSIS: &[u8] = "…".as_bytes();

/// Redacts what was sent in one request, and then all that has a token's shape.
pub(super) struct Echo<'a> {
    /// Each with the length of its prefix.
    secrets: Vec<(&'a Secret, usize)>,
    prefixes: Vec<&'a str>,
    shapes: &'a dyn Redact,
}

impl<'a> Echo<'a> {
    /// Redacts `tokens` and the login.
    pub(super) fn new(
        tokens: &'a [Planned],
        login: Option<&'a Login>,
        shapes: &'a dyn Redact,
    ) -> Self {
        let sent = tokens
            .iter()
            .map(|token| (&token.secret, token.kind.prefix.len()));
        let ours = login.map(|login| (login.secret(), login.prefix()));
        let mut prefixes: Vec<&str> = tokens.iter().map(|token| &*token.kind.prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes.retain(|prefix| !prefix.is_empty());
        Self {
            secrets: sent.chain(ours).collect(),
            prefixes,
            shapes,
        }
    }

    /// Which bytes of `text` repeat something that was sent.
    fn echoed(&self, text: &[u8]) -> Vec<bool> {
        let mut echoed = vec![false; text.len()];
        let stretches = || text.windows(STRETCH).map(<[u8; STRETCH]>::try_from);
        let said: HashSet<[u8; STRETCH]> = stretches().flatten().collect();
        let mut sent = HashSet::new();
        for (secret, prefix) in &self.secrets {
            secret.stretches_among(&said, *prefix, &mut sent);
        }
        for (at, stretch) in stretches().enumerate() {
            if stretch.is_ok_and(|stretch| sent.contains(&stretch)) {
                echoed[at..at + STRETCH].fill(true);
            }
        }
        for prefix in &self.prefixes {
            for start in 0..text.len() {
                if text[start..].starts_with(prefix.as_bytes()) {
                    let body = start + prefix.len();
                    let length = text[body..]
                        .iter()
                        .take_while(|byte| is_body(**byte))
                        .count();
                    echoed[body..body + length].fill(true);
                }
            }
        }
        echoed
    }
}

fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Redact for Echo<'_> {
    fn bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let echoed = self.echoed(text);
        if !echoed.contains(&true) {
            return self.shapes.bytes(text);
        }
        let mut kept = Vec::with_capacity(text.len());
        for (at, byte) in text.iter().enumerate() {
            if !echoed[at] {
                kept.push(*byte);
            } else if at == 0 || !echoed[at - 1] {
                kept.extend_from_slice(ELLIPSIS);
            }
        }
        Cow::Owned(self.shapes.bytes(&kept).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::vocabulary::{Kind, RedactNothing, Revocable, State};

    fn planned(prefix: &str, body: &str) -> Planned {
        let secret = Secret::new(&format!("{prefix}{body}"));
        Planned {
            fingerprint: secret.fingerprint(),
            kind: Arc::new(Kind {
                id: "".into(),
                title: "".into(),
                prefix: prefix.into(),
                revocable: Revocable::ByPossession,
            }),
            secret,
            resting: State::Pending,
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated_however_little_of_it() {
        let tokens = [
            planned("ghx_", "Ab3dEf6hIj9k"),
            planned("gh_long_", "Zz1Yy2Xx3"),
        ];
        let login = Login::new("0123456789abcdef", super::super::login::Purpose::Revoke).unwrap();
        let echo = Echo::new(&tokens, Some(&login), &RedactNothing);
        for (said, shown) in [
            ("nothing of it", "nothing of it"),
            ("bad: dEf6h.", "bad: …."),
            ("bad: Ef6hIj9k and 3dEf6", "bad: … and …"),
            // Behind a prefix, even a single character.
            ("bad: ghx_A*** gh_long_Z", "bad: ghx_…*** gh_long_…"),
            ("Bearer 0123456789abcdef?", "Bearer …?"),
            // Four alone are not told from a word; nor is a prefix anything.
            ("dEf6 gh_long_", "dEf6 gh_long_"),
            ("é1Yy2Xé", "é…é"),
        ] {
            assert_eq!(echo.text(said), shown);
        }
    }
}
