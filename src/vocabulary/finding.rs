//! A token that was found, and every place it was found in.

use std::fmt;
use std::sync::Arc;

use super::capped::Listed;
use super::encoding::Encoding;
use super::kind::Kind;
use super::origin::Place;
use super::provenance::Provenance;
use super::secret::{Fingerprint, Secret};

/// One distinct token with its matches, as a finished scan tells it.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The token's name.
    pub fingerprint: Fingerprint,
    /// What sort of token it is.
    pub kind: Arc<Kind>,
    /// What its checksum says.
    pub checksum: Checksum,
    /// Whether it counts as found.
    pub standing: Standing,
    /// The token, when the scan was told to keep it.
    pub secret: Option<Secret>,
    /// Where it stands, in order; at most [`MATCHES_KEPT`] places are listed.
    pub matches: Listed<Match>,
}

/// How many places of one token are listed; all are counted. SARIF readers stop at the same number.
pub const MATCHES_KEPT: usize = 1_000;

/// One occurrence of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The blob it stands in.
    pub place: Arc<Place>,
    /// Bytes from the start of the innermost blob to the (encoded) token.
    pub offset: u64,
    /// The line there, from 1.
    pub line: u64,
    /// The column there in bytes, from 1.
    pub column: u64,
    /// The column there in characters (Unicode code points), from 1; where it can be told.
    pub character: Option<u32>,
    /// Bytes that the token takes up there, encoded.
    pub length: u32,
    /// How it is written there.
    pub encoding: Encoding,
    /// How the object of a repository came there that it stands in, if it does and that is known.
    pub git: Option<Arc<Provenance>>,
}

/// What a token's own checksum says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checksum {
    /// It fits: the token was issued by its issuer, or made by somebody who knows the scheme.
    Valid,
    /// It does not fit: a placeholder, an example, a typing error.
    Invalid,
    /// This shape has no known checksum.
    Unknown,
}

impl Checksum {
    /// Its name in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether a token shape counts as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A finding: its checksum fits, or it has a known shape that carries none.
    Finding,
    /// It looks like a token and nothing proves it one. Counted; listed only when asked for.
    Unverified,
}

/// Why a match is not told as one: the user knows the token, or somebody marked its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SilencedBy {
    /// The report that serves as the baseline lists the token.
    Baseline,
    /// The user's allow list names the token.
    AllowList,
    /// A marker on the match's own line.
    Marker,
}

impl SilencedBy {
    /// Its name in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::AllowList => "allow_list",
            Self::Marker => "marker",
        }
    }
}

impl fmt::Display for SilencedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "the baseline lists it",
            Self::AllowList => "the allow list names it",
            Self::Marker => "a marker stands beside it wherever it was found; --no-allow-markers disregards those",
        })
    }
}

/// A token that would be a finding, had each of its matches not been silenced.
#[derive(Debug, Clone)]
pub struct Silenced {
    /// The token and its silenced matches.
    pub finding: Finding,
    /// Why.
    pub by: SilencedBy,
}
