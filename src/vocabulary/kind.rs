//! What sort of token something is.

use std::sync::Arc;

/// A sort of token, as a pattern file describes it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The stable identifier that reports carry, such as `github_personal_access_token`.
    pub id: Arc<str>,
    /// What people call it.
    pub title: Arc<str>,
    /// What each token of this kind starts with. The one part of a token that may be shown.
    pub prefix: Arc<str>,
    /// Whether its issuer lets anybody who holds it revoke it.
    pub revocable: Revocable,
}

impl Kind {
    /// How a token of this kind is shown: its prefix and an ellipsis.
    pub fn redacted(&self) -> String {
        format!("{}…", self.prefix)
    }
}

/// Whether possession of a token suffices to have it revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revocable {
    /// Its issuer revokes it for whoever shows it.
    ByPossession,
    /// It can only be reported.
    ReportOnly,
}

impl Revocable {
    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByPossession => "yes",
            Self::ReportOnly => "no",
        }
    }
}
