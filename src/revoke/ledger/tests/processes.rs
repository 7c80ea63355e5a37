//! Five processes on one file under a simulated clock: steps of up to a day both ways, suspends,
//! reboots, kills; judged in true time by a checker that knows nothing of the ledger.

use super::super::super::dice::Dice;
use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The true time and what the machine's clocks make of it.
struct Machine {
    truth: i64,
    wall_offset: i64,
    boot: i64,
    booted: i64,
}

impl Machine {
    fn stamp(&self) -> Stamp {
        Stamp {
            wall_ms: DAY + self.truth + self.wall_offset,
            boot: Some(BootStamp {
                id: self.boot.to_string(),
                ms: self.truth - self.booted,
            }),
        }
    }

    fn befall(&mut self, dice: &mut Dice) {
        match dice.roll(12) {
            0 => self.wall_offset += dice.roll(2 * DAY) - DAY,
            // A suspend: time passes while nobody looks.
            1 => self.truth += dice.roll(HOUR),
            2 => {
                self.truth += dice.roll(300_000);
                self.boot += 1;
                self.booted = self.truth;
            }
            _ => {}
        }
    }
}

/// True start and end of each request.
fn run(policy: &Policy, dice: &mut Dice) -> Vec<(i64, i64)> {
    let folder = Folder::new();
    let mut processes: Vec<Ledger> = (0..5).map(|_| folder.open()).collect();
    let mut machine = Machine {
        truth: 0,
        wall_offset: 0,
        boot: 0,
        booted: -dice.roll(DAY),
    };
    let mut sent = Vec::new();
    for step in 0..30 {
        machine.befall(dice);
        let who = usize::try_from(dice.roll(5)).unwrap();
        let mut sender = ours(&mut processes[who], &machine.stamp());
        let token = format!("{step}");
        let granted = sender
            .grant(policy, &[entry(&token)], &machine.stamp())
            .unwrap();
        match granted {
            Grant::Wait { wait, .. } => {
                let wait = i64::try_from(wait.as_millis()).unwrap();
                // Sometimes another asks before the time has come.
                machine.truth += if dice.roll(3) == 0 {
                    dice.roll(wait + 1)
                } else {
                    wait
                };
            }
            Grant::Go(request) => {
                let start = machine.truth;
                machine.truth += dice.roll(20_000);
                sent.push((start, machine.truth));
                machine.befall(dice);
                if dice.roll(4) > 0 {
                    let end = closing(Closed::Accepted);
                    sender.settle(request, &end, &machine.stamp()).unwrap();
                }
                // Else it is killed before it could record the end.
            }
        }
    }
    sent
}

#[test]
fn the_limit_holds_over_processes_crashes_and_clock_steps() {
    let mut requests = 0;
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let limit = dice.roll(4) + 1;
        let rate = format!("{limit}/1h").parse().unwrap();
        let policy = Policy::new(rate, Duration::from_secs(1), Limits::Github).unwrap();
        let sent = run(&policy, &mut dice);
        requests += sent.len();
        for pair in sent.windows(2) {
            assert!(pair[1].0 - pair[0].1 >= 1000, "interval, seed {seed}");
        }
        let limit = usize::try_from(limit).unwrap();
        for group in sent.windows(limit + 1) {
            assert!(group[limit].0 - group[0].1 >= HOUR, "window, seed {seed}");
        }
    }
    assert!(requests > 500, "{requests}");
}
