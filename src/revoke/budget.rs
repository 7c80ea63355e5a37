//! The arithmetic of the rate limit: given what was sent and what time it is, may another request
//! go now, and if not, when.
//!
//! Pure: it knows no ledger, no network, and reads no clock. All of it errs to one side. How much
//! time has passed between two [`Stamp`]s is told as a lower bound, and a request counts from its
//! *end*, because the server may have counted it at any moment between its start and its end.

use std::str::FromStr;
use std::time::Duration;

use super::host::Limits;
use crate::vocabulary::Stamp;

/// How many requests may go in any window of a given length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least one.
    requests: u32,
    /// In any stretch of time of this length; longer than zero.
    window: Duration,
}

/// The limits that one run keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    rate: Rate,
    min_interval: Duration,
}

/// Why a rate, a length of time or a policy is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not of the form `60/1h`.
    #[error("a budget is written as REQUESTS/TIME, such as 60/1h")]
    Rate,
    /// Not of the form `1s`.
    #[error("a length of time is written as a whole number and s, m, h or d, such as 90s")]
    Span,
    /// No request could ever go, or no limit would hold.
    #[error("a budget needs at least one request and a window longer than zero")]
    Empty,
    /// More than GitHub allows.
    #[error("GitHub takes 60 requests an hour: the budget can only be lowered")]
    TooMany,
    /// GitHub counts by the hour.
    #[error("the budget's window is one hour: lower the number of requests instead")]
    OtherWindow,
    /// Closer together than GitHub asks for.
    #[error("GitHub asks for at least one second between requests: it can only be raised")]
    TooClose,
    /// Sooner than a server in trouble should be asked again.
    #[error("a server in trouble is left alone for ten seconds: it can only be raised")]
    TooHasty,
}

impl Rate {
    /// GitHub's documented limit: 60 requests an hour by address.
    pub const GITHUB: Self = Self {
        requests: 60,
        window: Duration::from_secs(60 * 60),
    };
}

impl FromStr for Rate {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (requests, window) = text.split_once('/').ok_or(PolicyError::Rate)?;
        let requests = whole(requests).and_then(|n| u32::try_from(n).ok());
        let rate = Self {
            requests: requests.ok_or(PolicyError::Rate)?,
            window: parse_span(window)?,
        };
        if rate.requests == 0 || rate.window.is_zero() {
            return Err(PolicyError::Empty);
        }
        Ok(rate)
    }
}

/// Reads a length of time: a whole number and `s`, `m`, `h` or `d`.
pub fn parse_span(text: &str) -> Result<Duration, PolicyError> {
    let unit = text.chars().next_back().ok_or(PolicyError::Span)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(PolicyError::Span),
    };
    whole(&text[..text.len() - unit.len_utf8()])
        .and_then(|number| number.checked_mul(seconds))
        .map(Duration::from_secs)
        .ok_or(PolicyError::Span)
}

/// A number in plain digits; `parse` alone would also take a plus sign.
pub(super) fn whole(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl Policy {
    /// GitHub's limits: 60 requests an hour, and a second between them.
    pub const GITHUB: Self = Self {
        rate: Rate::GITHUB,
        min_interval: Duration::from_secs(1),
    };

    /// Checks limits against those of the host. They may be lowered for any host; raised, or
    /// counted over another window, only for one whose owner sets its limits.
    pub fn new(rate: Rate, min_interval: Duration, limits: Limits) -> Result<Self, PolicyError> {
        match limits {
            Limits::Owners => {}
            Limits::Github => {
                if rate.window != Rate::GITHUB.window {
                    return Err(PolicyError::OtherWindow);
                }
                if rate.requests > Rate::GITHUB.requests {
                    return Err(PolicyError::TooMany);
                }
                if min_interval < Self::GITHUB.min_interval {
                    return Err(PolicyError::TooClose);
                }
            }
        }
        Ok(Self { rate, min_interval })
    }

    /// How many requests may end in one window: how much of the past [`Policy::decide`] needs.
    pub fn requests(&self) -> u32 {
        self.rate.requests
    }

    /// The window's length.
    pub fn window(&self) -> Duration {
        self.rate.window
    }

    /// How many of `past` still count against the window.
    pub fn used<'a>(&self, past: impl IntoIterator<Item = &'a Slot>, now: &Stamp) -> usize {
        let counted = |slot: &&Slot| slot.age(now) < self.rate.window;
        past.into_iter().filter(counted).count()
    }

    /// How long `requests` requests take at least, nothing having been sent before, and each
    /// being answered at once. Saturates.
    pub fn estimate(&self, requests: u64) -> Duration {
        let gaps = requests.saturating_sub(1);
        let per_window = u64::from(self.rate.requests);
        let windows = saturating_times(self.rate.window, gaps / per_window);
        let rest = saturating_times(self.min_interval, gaps % per_window);
        let paced = saturating_times(self.min_interval, gaps);
        windows.saturating_add(rest).max(paced)
    }

    /// Whether a request may go now. `past` are the last [`Policy::requests`] requests or more,
    /// in any order; `hold` is the server's last word.
    pub fn decide(&self, past: &[Slot], hold: Option<&Hold>, now: &Stamp) -> Decision {
        let mut ages: Vec<Duration> = past.iter().map(|slot| slot.age(now)).collect();
        ages.sort_unstable();
        let window = usize::try_from(self.rate.requests - 1)
            .ok()
            .and_then(|nth| ages.get(nth))
            .map_or(Duration::ZERO, |age| self.rate.window.saturating_sub(*age));
        let interval = ages
            .first()
            .map_or(Duration::ZERO, |age| self.min_interval.saturating_sub(*age));
        let hold = hold.map_or(Duration::ZERO, |hold| hold.left(now));
        let (wait, cause) = [
            (interval, Cause::Interval),
            (window, Cause::Window),
            (hold, Cause::Hold),
        ]
        .into_iter()
        .fold((Duration::ZERO, Cause::Interval), |longest, next| {
            if next.0 > longest.0 { next } else { longest }
        });
        if wait.is_zero() {
            Decision::Go
        } else {
            Decision::Wait { wait, cause }
        }
    }
}

fn saturating_times(duration: Duration, times: u64) -> Duration {
    let seconds = duration.as_secs().saturating_mul(times);
    let nanos = u128::from(duration.subsec_nanos()) * u128::from(times);
    let carried = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::from_secs(seconds.saturating_add(carried))
}

/// What a request that was sent takes from the budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// It is under way: it counts as ending only now.
    Open,
    /// It ended then.
    Ended(Stamp),
}

impl Slot {
    fn age(&self, now: &Stamp) -> Duration {
        match self {
            Self::Open => Duration::ZERO,
            Self::Ended(at) => elapsed(at, now).at_least(),
        }
    }
}

/// The server's word, or our own prudence, that nothing is to be sent for a time. Never cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// When it was said.
    pub set_at: Stamp,
    /// For how long from then.
    pub wait: Duration,
}

impl Hold {
    /// How much of it is left.
    pub fn left(&self, now: &Stamp) -> Duration {
        self.wait
            .saturating_sub(elapsed(&self.set_at, now).at_least())
    }
}

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may go now.
    Go,
    /// Not before this time has passed.
    Wait {
        /// How long.
        wait: Duration,
        /// What holds it up the longest.
        cause: Cause,
    },
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The pause between one request and the next.
    Interval,
    /// The window's budget is used up.
    Window,
    /// The server asked for it, or it is in trouble.
    Hold,
}

/// The time between two stamps, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elapsed {
    /// At least so much.
    AtLeast(Duration),
    /// The wall clock went back and no boot clock bridges it: nothing is known. Whoever stored
    /// the earlier stamp should put the later one in its place, so that the waiting starts anew
    /// from now; else it would last until the wall clock has caught up, which may be years.
    Unknown,
}

impl Elapsed {
    /// The lower bound: zero where nothing is known.
    pub(super) fn at_least(self) -> Duration {
        match self {
            Self::AtLeast(duration) => duration,
            Self::Unknown => Duration::ZERO,
        }
    }
}

/// How much time has passed from one stamp to another.
///
/// Within one boot, the boot clock tells exactly, however the wall clock was stepped. After a
/// reboot it is at least the time since that reboot; and where the wall clock claims less than
/// that, less is believed, for then the stamp may come from another machine that shares the
/// folder. Without a boot clock there is only the wall clock: that it was stepped *forward* can't
/// be noticed, and then only the server's own limit holds.
pub(super) fn elapsed(from: &Stamp, to: &Stamp) -> Elapsed {
    let wall = positive(to.wall_ms.saturating_sub(from.wall_ms));
    match (&from.boot, &to.boot) {
        (Some(then), Some(now)) if then.id == now.id => {
            let boot = positive(now.ms.saturating_sub(then.ms));
            Elapsed::AtLeast(boot.unwrap_or(Duration::ZERO))
        }
        (Some(_), Some(now)) => {
            let uptime = positive(now.ms).unwrap_or(Duration::ZERO);
            Elapsed::AtLeast(wall.map_or(uptime, |wall| wall.min(uptime)))
        }
        (None, _) | (_, None) => wall.map_or(Elapsed::Unknown, Elapsed::AtLeast),
    }
}

/// Milliseconds as a duration, unless they are negative.
fn positive(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests;
