//! Whose budget a request draws on.

use crate::vocabulary::Fingerprint;

/// A host, and on whose behalf it is asked. Anonymous requests are counted by the address they
/// come from; authenticated ones by the user they are made for, whom the token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    host: String,
    identity: Option<Fingerprint>,
}

impl Account {
    /// The account of whoever has the token of this fingerprint; of nobody in particular without.
    pub fn new(host: &str, identity: Option<Fingerprint>) -> Self {
        Self {
            host: host.to_owned(),
            identity,
        }
    }

    /// The host's name in the ledger ([`Host::key`](super::host::Host::key)).
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The identity's name in the ledger: a fingerprint, or nothing.
    pub(super) fn identity(&self) -> String {
        self.identity
            .map_or_else(String::new, |identity| identity.to_string())
    }
}
