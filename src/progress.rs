//! The progress shown on a terminal, behind one type that is always there and may be hidden.
//!
//! Bars are drawn on standard error and read counters that the work keeps anyway; work never
//! waits for a bar.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressState, ProgressStyle};

use crate::vocabulary::Counters;

/// How often a bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// Whether anybody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Standard error is a terminal, and the user did not ask for quiet.
    Shown,
    /// Nothing is drawn.
    Hidden,
}

/// Progress of whatever is going on; cleared when dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows what a scan counts: files, bytes, rate, findings.
    pub fn of_scan(visibility: Visibility, counters: &Arc<Counters>) -> Self {
        let bar = match visibility {
            Visibility::Hidden => return Self(ProgressBar::hidden()),
            Visibility::Shown => ProgressBar::no_length(),
        };
        let counters = Arc::clone(counters);
        let counts = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let tally = counters.tally();
            let seconds = state.elapsed().as_secs_f64().max(0.001);
            // A bar that cannot be written is no reason to stop.
            let _ = write!(
                out,
                "{} files, {}, {}/s, {} found",
                HumanCount(tally.files),
                BinaryBytes(tally.bytes),
                BinaryBytes(rate(tally.bytes, seconds)),
                HumanCount(counters.findings()),
            );
        };
        bar.set_style(style("{spinner} {counts}").with_key("counts", counts));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Shows how many of `tokens` were sent, and what is waited for.
    pub fn of_revocation(visibility: Visibility, tokens: u64) -> Self {
        let bar = match visibility {
            Visibility::Hidden => return Self(ProgressBar::hidden()),
            Visibility::Shown => ProgressBar::new(tokens),
        };
        bar.set_style(style("{bar:30} {human_pos}/{human_len} tokens {msg}"));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// So many more tokens were dealt with.
    pub fn advance(&self, tokens: u64) {
        self.0.inc(tokens);
    }

    /// Says what is going on.
    pub fn say(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is told to three digits"
)]
fn rate(bytes: u64, seconds: f64) -> u64 {
    (bytes as f64 / seconds) as u64
}
