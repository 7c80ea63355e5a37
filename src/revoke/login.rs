//! The token of ours that a request is made with, where a call asks for one.
//!
//! Calls differ in the kinds they take, and a token of a wrong kind is told by its prefix: so it is
//! refused here, before it travels.

use crate::vocabulary::{Fingerprint, Secret};

/// A token of ours, of a kind that the call takes.
#[derive(Debug)]
pub struct Login {
    secret: Secret,
    /// How many of its first characters tell its kind and nothing of the token.
    prefix: usize,
}

/// What a login is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To have credentials revoked by a GitHub Enterprise Server.
    Revoke,
    /// The calls of an enterprise.
    Enterprise,
}

/// Why a token is not taken for a login. No text repeats the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It has characters that no token has.
    #[error("it is not one token: it holds white space or characters that no token has")]
    NoToken,
    /// The call does not take its kind.
    #[error("it begins with {prefix}, and this call takes {taken}")]
    Kind {
        /// What its kind begins with.
        prefix: &'static str,
        /// What is taken, in words.
        taken: &'static str,
    },
}

/// Longer ones first, where one begins with another.
const PREFIXES: [&str; 6] = ["github_pat_", "ghp_", "gho_", "ghu_", "ghr_", "ghs_"];

impl Purpose {
    /// What it takes none of, and what it takes instead; GitHub documents both.
    fn refuses(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Revoke => (
                &["github_pat_", "ghu_", "ghr_", "ghs_"],
                "a classic personal access token (ghp_) or an OAuth token (gho_)",
            ),
            Self::Enterprise => (
                &["ghr_"],
                "a personal access token, an OAuth token or an app's token",
            ),
        }
    }
}

impl Login {
    /// Takes the token in `text`; white space around it means nothing.
    pub fn new(text: &str, purpose: Purpose) -> Result<Self, LoginError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LoginError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(LoginError::NoToken);
        }
        let prefix = PREFIXES.into_iter().find(|prefix| text.starts_with(prefix));
        let (refused, taken) = purpose.refuses();
        if let Some(prefix) = prefix.filter(|prefix| refused.contains(prefix)) {
            return Err(LoginError::Kind { prefix, taken });
        }
        Ok(Self {
            secret: Secret::new(text),
            prefix: prefix.map_or(0, str::len),
        })
    }

    /// The name under which it may be known.
    pub fn fingerprint(&self) -> Fingerprint {
        self.secret.fingerprint()
    }

    /// The token.
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The length of its prefix.
    pub(super) fn prefix(&self) -> usize {
        self.prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_a_call_does_not_take_are_refused_by_their_prefix() {
        for (prefix, revoke, enterprise) in [
            ("ghp_", true, true),
            ("gho_", true, true),
            ("ghu_", false, true),
            ("ghs_", false, true),
            ("github_pat_", false, true),
            ("ghr_", false, false),
            // Old servers issue tokens without a prefix.
            ("", true, true),
        ] {
            let token = format!("{prefix}0123456789abcdef");
            let fits = |purpose| Login::new(&token, purpose).is_ok();
            assert_eq!(fits(Purpose::Revoke), revoke, "{prefix}");
            assert_eq!(fits(Purpose::Enterprise), enterprise, "{prefix}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_repeated() {
        let new = |text| Login::new(text, Purpose::Revoke).map(|login| login.prefix());
        assert_eq!(new(" \n"), Err(LoginError::Empty));
        assert_eq!(new("two tokens"), Err(LoginError::NoToken));
        assert_eq!(new("caf\u{e9}"), Err(LoginError::NoToken));
        assert_eq!(new(" ghx_padded\n"), Ok(0));
        let refused = new("ghr_wxyzwxyz").unwrap_err().to_string();
        assert!(!refused.contains("wxyz"), "{refused}");
    }
}
