//! The words that every room speaks: tokens and what may be shown of them, where things lie, what
//! was found, what was not read, what time it is, how a run ends.
//!
//! Nothing here does any work of the project's own, and nothing here imports another room.

mod audit;
mod capped;
mod clock;
mod counters;
mod encoding;
mod event;
mod exit;
mod finding;
mod interrupt;
mod kind;
mod origin;
mod outcome;
mod provenance;
mod redact;
mod secret;

pub use audit::{
    AskedFor, AuditEntry, BudgetStatus, Call, Credentials, HostStatus, LedgerStatus, OutcomeEntry,
    RequestEntry,
};
pub use capped::{Capped, Listed};
pub use clock::{BootStamp, Clock, Stamp, SystemClock, Waited, rfc3339};
pub use counters::Counters;
pub use encoding::Encoding;
pub use event::{EVENTS_KEPT, Ending, Gap, ReadError, ScanReport, Skip, SkipReason, Tally};
pub use exit::Exit;
pub use finding::{Checksum, Finding, MATCHES_KEPT, Match, Silenced, SilencedBy, Standing};
pub use interrupt::Interrupt;
pub use kind::{Kind, Revocable};
pub use origin::{Label, Origin, Place};
pub use outcome::{
    EnterpriseReport, Outcome, PlanSummary, PlannedToken, RevokeReport, State, Stop, Warning,
};
pub use provenance::{Held, Provenance};
pub use redact::{Redact, RedactNothing};
pub use secret::{Fingerprint, FingerprintError, STRETCH, Secret};
