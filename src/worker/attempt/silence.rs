//! How long a runner may say nothing before it counts as hung. A runner that trains speaks about twice a second; one that
//! evaluates, fetches or loads takes longer, and how long is known only once it has.

use std::time::Duration;

use tokio::time::Instant;

/// A silence of so many times the longest one before it is worth a warning,
const WARNED: u32 = 5;
/// and one of so many is a hang.
const HUNG: u32 = 20;

/// The time since the last event. It does not count while the machine is suspended.
pub(super) struct Silence {
    /// No shorter silence is a hang.
    floor: Duration,
    /// The longest that ended by itself, since the runner began with the job.
    longest: Duration,
    since: Instant,
    warned: Option<Instant>,
}

/// What to do about a silence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Warn(String),
    Kill(String),
}

impl Silence {
    pub(super) fn new(floor: Duration, now: Instant) -> Self {
        Self { floor, longest: Duration::ZERO, since: now, warned: None }
    }

    /// The runner has spoken; whether that had been doubted. Loading libtorch `is_usual` for no step.
    pub(super) fn ends(&mut self, now: Instant, is_usual: bool) -> bool {
        if is_usual {
            self.longest = self.longest.max(now - self.since);
        }
        self.warned.take().is_some()
    }

    /// What the runner said is dealt with, and the next word can be heard.
    pub(super) fn begins(&mut self, now: Instant) {
        self.since = now;
    }

    /// When something is to be done about it. The second time is counted from the first: whoever slept through both with
    /// the runner gives it the time to speak.
    pub(super) fn deadline(&self) -> Instant {
        match self.warned {
            None => self.since + self.warn_after(),
            Some(warned) => warned + (self.hung_after() - self.warn_after()),
        }
    }

    /// At the deadline.
    pub(super) fn verdict(&mut self, now: Instant) -> Verdict {
        let silent = (now - self.since).as_secs();
        let before = format!("before, it never did for more than {} s", self.longest.as_secs());
        match self.warned {
            None => {
                self.warned = Some(now);
                let more = (self.hung_after() - self.warn_after()).as_secs();
                Verdict::Warn(format!(
                    "the runner has said nothing for {silent} s ({before}); if it is silent for {more} s more, it is \
                     killed, and the job goes on at its last checkpoint"
                ))
            }
            Some(_) => Verdict::Kill(format!(
                "the runner hung: it said nothing for {silent} s ({before}), and was killed"
            )),
        }
    }

    fn warn_after(&self) -> Duration {
        (self.floor / 4).max(self.longest * WARNED)
    }

    fn hung_after(&self) -> Duration {
        self.floor.max(self.longest * HUNG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Duration = Duration::from_secs(600);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_runner_is_warned_of_and_killed_after_many_times_its_longest_silence() {
        let mut now = Instant::now();
        let mut silence = Silence::new(FLOOR, now);
        assert_eq!(silence.deadline() - now, seconds(150), "a quarter of the floor");
        // The second one is an evaluation.
        for (time, deadline) in [(1, 150), (100, 500)] {
            now += seconds(time);
            assert!(!silence.ends(now, true), "nobody doubted it");
            silence.begins(now);
            assert_eq!(silence.deadline() - now, seconds(deadline));
        }
        now = silence.deadline();
        let Verdict::Warn(warning) = silence.verdict(now) else { panic!("killed without a warning") };
        assert!(warning.contains("nothing for 500 s") && warning.contains("more than 100 s"), "{warning}");
        assert_eq!(silence.deadline() - now, seconds(1500));
        let Verdict::Kill(error) = silence.verdict(silence.deadline()) else { panic!("warned twice") };
        assert!(error.contains("nothing for 2000 s"), "{error}");
    }

    #[test]
    fn a_worker_that_slept_through_both_times_warns_first() {
        let mut now = Instant::now();
        let mut silence = Silence::new(FLOOR, now);
        now += FLOOR * 10;
        assert!(matches!(silence.verdict(now), Verdict::Warn(_)));
        assert_eq!(silence.deadline() - now, seconds(450));
        assert!(silence.ends(now, true), "it speaks after all");
        silence.begins(now);
        assert!(matches!(silence.verdict(silence.deadline()), Verdict::Warn(_)), "another silence");
    }
}
