//! What stands between the runner and the network.

use super::answer::Answer;
use crate::vocabulary::Secret;

/// Sends tokens to the host that it was made for.
pub trait Transport {
    /// Sends one request that carries `secrets`, one to as many as the host takes. Sends it once:
    /// whoever retries must have counted it first.
    fn send(&self, secrets: &[&Secret]) -> Sent;
}

/// How far a request came. The texts are not redacted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The host answered.
    Answer(Answer),
    /// No connection came to be, so nothing left this machine; and why.
    NotSent(String),
    /// Some of it may have arrived, and no answer came back; and why.
    Lost(String),
}
