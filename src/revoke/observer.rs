//! What a run tells while it is under way. A progress bar listens here; the run does not know it.

use std::time::Duration;

use super::budget::Cause;
use super::ledger::{Closed, RequestId};

/// Listens to a run. Every method does nothing unless it is written anew.
pub trait Observer {
    /// Another process is sending to the host. Told again and again while it does.
    fn queued(&mut self) {}

    /// The next request may go in `wait`. Told again at least each minute, for the wait may grow
    /// or shrink meanwhile; it is as long as the server says, be that days.
    fn waiting(&mut self, _wait: Duration, _cause: Cause) {}

    /// There is no connection; the same request is tried again in `wait`.
    fn unreachable(&mut self, _wait: Duration, _error: &str) {}

    /// A request with so many tokens is on record and about to be sent.
    fn sending(&mut self, _request: RequestId, _tokens: usize) {}

    /// It ended so.
    fn closed(&mut self, _request: RequestId, _closed: Closed, _tokens: usize) {}

    /// So many tokens need not be sent any more: another process had them accepted meanwhile.
    fn accepted_elsewhere(&mut self, _tokens: usize) {}
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
