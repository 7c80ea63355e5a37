//! The progress shown on a terminal, behind one type that is always there and may be hidden.
//!
//! Bars are drawn on standard error and read counters that the work keeps anyway; work never
//! waits for a bar.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressState, ProgressStyle};

use crate::vocabulary::{Counters, Place};

/// How often a bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// Characters of a place that are shown: its end, on one line of a small terminal.
const PLACE: usize = 72;

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
    /// Shows what a scan counts (files and what is in them, bytes, rate, findings) and, as
    /// `in_words` puts it, what it reads: a container, a repository.
    pub fn of_scan(
        visibility: Visibility,
        counters: &Arc<Counters>,
        in_words: fn(&Place) -> String,
    ) -> Self {
        let bar = match visibility {
            Visibility::Hidden => return Self(ProgressBar::hidden()),
            Visibility::Shown => ProgressBar::no_length(),
        };
        let watched = Arc::clone(counters);
        let reading = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            if let Some(place) = watched.ask() {
                let _ = write!(out, "  {}", tail(&in_words(&place), PLACE));
            }
        };
        let counters = Arc::clone(counters);
        let counts = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let tally = counters.tally();
            let seconds = state.elapsed().as_secs_f64().max(0.001);
            let members = match tally.blobs.saturating_sub(tally.files) {
                0 => String::new(),
                n => format!(" and {}", count(n, "member")),
            };
            // A bar that cannot be written is no reason to stop.
            let _ = write!(
                out,
                "{}{members}, {}, {}/s, {} found",
                count(tally.files, "file"),
                DecimalBytes(tally.bytes),
                DecimalBytes(rate(tally.bytes, seconds)),
                HumanCount(counters.findings()),
            );
        };
        let style = style("{spinner} {counts}\n{reading}");
        bar.set_style(
            style
                .with_key("counts", counts)
                .with_key("reading", reading),
        );
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Shows how many of `tokens` were sent, in how many requests, and what is waited for.
    pub fn of_revocation(visibility: Visibility, tokens: u64) -> Self {
        let bar = match visibility {
            Visibility::Hidden => return Self(ProgressBar::hidden()),
            Visibility::Shown => ProgressBar::new(tokens),
        };
        // What is too long for a line is cut: one that wraps would stay behind.
        bar.set_style(style(
            "{bar:20} {human_pos}/{human_len} tokens, {prefix} requests\n  {wide_msg}",
        ));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// So many more tokens were dealt with.
    pub fn advance(&self, tokens: u64) {
        self.0.inc(tokens);
    }

    /// Says how many requests were made and of how many, and what is going on.
    pub fn say(&self, requests: (usize, usize), what: String) {
        let (made, planned) = requests;
        self.0.set_prefix(format!("{made}/{planned}"));
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

fn count(n: u64, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", HumanCount(n))
}

/// The last `most` characters of a text, with a sign that there are more.
fn tail(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().rev().nth(most.saturating_sub(1)) {
        Some((at, _)) if at > 0 => Cow::Owned(format!("…{}", &text[at..])),
        Some(_) | None => Cow::Borrowed(text),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_place_is_shown() {
        assert_eq!(tail("héllo", 5), "héllo");
        assert_eq!(tail("héllo", 4), "…éllo");
        assert_eq!(tail("", 4), "");
    }
}
