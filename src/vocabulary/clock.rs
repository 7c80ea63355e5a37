//! Time as a value.
//!
//! Whatever waits, stamps or measures takes a [`Clock`], so that tests can run days of it in
//! microseconds, step it, and crash in it.

use std::time::Duration;

use super::interrupt::Interrupt;

/// A moment, told by two clocks.
///
/// The wall clock says what to print, and may be stepped at any time in either direction. The
/// boot clock only ever goes forward, through suspends too, but means nothing after a reboot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds since 1970-01-01 UTC by the wall clock.
    pub wall_ms: i64,
    /// The boot clock, where the system has one.
    pub boot: Option<BootStamp>,
}

/// A moment counted from the machine's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootStamp {
    /// Which start: a random identifier that the kernel draws at each one.
    pub id: String,
    /// Milliseconds since then, suspends included.
    pub ms: i64,
}

impl Stamp {
    /// The moment in RFC 3339, UTC, to the second.
    pub fn rfc3339(&self) -> String {
        rfc3339(self.wall_ms)
    }
}

/// Milliseconds since 1970 in RFC 3339, UTC, to the second.
pub fn rfc3339(wall_ms: i64) -> String {
    jiff::Timestamp::from_second(wall_ms.div_euclid(1000))
        .map_or_else(|_| "out of range".to_owned(), |at| at.to_string())
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// The time has passed.
    Through,
    /// A signal came first.
    Interrupted,
}

/// Where time comes from.
pub trait Clock: Sync {
    /// The present moment.
    fn now(&self) -> Stamp;

    /// A steady reading for measuring how long something takes.
    fn steady(&self) -> Duration;

    /// Waits for `duration`, or until `interrupt` is raised.
    fn wait(&self, duration: Duration, interrupt: &Interrupt) -> Waited;
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
    boot_id: Option<String>,
}

impl SystemClock {
    /// Reads the boot identifier once.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
            boot_id: boot_id(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Stamp {
        let wall_ms = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        };
        let boot = self.boot_id.clone().zip(boot_ms());
        Stamp {
            wall_ms,
            boot: boot.map(|(id, ms)| BootStamp { id, ms }),
        }
    }

    fn steady(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wait(&self, duration: Duration, interrupt: &Interrupt) -> Waited {
        // Sliced: a suspend stops the timers behind `sleep`, and a signal must be seen soon.
        const SLICE: Duration = Duration::from_millis(100);
        let until = self.steady().saturating_add(duration);
        loop {
            if interrupt.is_raised() {
                return Waited::Interrupted;
            }
            let left = until.saturating_sub(self.steady());
            if left.is_zero() {
                return Waited::Through;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(target_os = "linux")]
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such clock")]
fn boot_ms() -> Option<i64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<String> {
    None
}

#[cfg(not(target_os = "linux"))]
fn boot_ms() -> Option<i64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_as_rfc3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_767_323_045_999), "2026-01-02T03:04:05Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_raised_interrupt_ends_a_wait_at_once() {
        let interrupt = Interrupt::new();
        interrupt.raise();
        let hour = Duration::from_secs(3600);
        assert_eq!(
            SystemClock::new().wait(hour, &interrupt),
            Waited::Interrupted
        );
    }
}
