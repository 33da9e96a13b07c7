//! Detects hung runners by their silence. A training runner sends events about twice per second. Evaluating,
//! downloading and loading take longer, and how much longer is known only from earlier silences of the attempt.

use std::time::Duration;

use tokio::time::Instant;

/// A silence of this many times the longest earlier one causes a warning.
const WARNED: u32 = 5;
/// A silence of this many times the longest earlier one is a hang.
const HUNG: u32 = 20;

/// The time since the last event. It does not count while the machine is suspended.
pub(super) struct Silence {
    /// Minimum length of a silence that counts as a hang.
    floor: Duration,
    /// The longest silence that has ended since the runner began with the job.
    longest: Duration,
    since: Instant,
    warned: Option<Instant>,
}

/// The action at a deadline.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Warn(String),
    Kill(String),
}

impl Silence {
    pub(super) fn new(floor: Duration, now: Instant) -> Self {
        Self { floor, longest: Duration::ZERO, since: now, warned: None }
    }

    /// Ends the silence at an event; returns whether there was a warning about it. Only a silence that `is_usual` for
    /// the job raises the threshold; loading libtorch, for example, is not.
    pub(super) fn ends(&mut self, now: Instant, is_usual: bool) -> bool {
        if is_usual {
            self.longest = self.longest.max(now - self.since);
        }
        self.warned.take().is_some()
    }

    /// Starts the next silence, once the event has been processed.
    pub(super) fn begins(&mut self, now: Instant) {
        self.since = now;
    }

    /// When the next action is due. The time to kill is counted from the warning: after a suspension of the machine
    /// that lasts beyond both deadlines, the runner still gets time to respond.
    pub(super) fn deadline(&self) -> Instant {
        match self.warned {
            None => self.since + self.warn_after(),
            Some(warned) => warned + (self.hung_after() - self.warn_after()),
        }
    }

    /// At the deadline.
    pub(super) fn verdict(&mut self, now: Instant) -> Verdict {
        let silent = (now - self.since).as_secs();
        let before = format!("its longest silence before was {} s", self.longest.as_secs());
        match self.warned {
            None => {
                self.warned = Some(now);
                let more = (self.hung_after() - self.warn_after()).as_secs();
                Verdict::Warn(format!(
                    "the runner has sent nothing for {silent} s ({before}); after another {more} s of silence it is \
                     killed, and the job resumes from its last checkpoint"
                ))
            }
            Some(_) => Verdict::Kill(format!(
                "the runner hung and was killed: it sent nothing for {silent} s ({before})"
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
    fn a_silent_runner_causes_a_warning_and_is_killed_later() {
        let mut now = Instant::now();
        let mut silence = Silence::new(FLOOR, now);
        assert_eq!(silence.deadline() - now, seconds(150), "a quarter of the floor");
        // The second one is an evaluation.
        for (time, deadline) in [(1, 150), (100, 500)] {
            now += seconds(time);
            assert!(!silence.ends(now, true), "there was no warning");
            silence.begins(now);
            assert_eq!(silence.deadline() - now, seconds(deadline));
        }
        now = silence.deadline();
        let Verdict::Warn(warning) = silence.verdict(now) else { panic!("killed without a warning") };
        assert!(warning.contains("nothing for 500 s") && warning.contains("before was 100 s"), "{warning}");
        assert_eq!(silence.deadline() - now, seconds(1500));
        let Verdict::Kill(error) = silence.verdict(silence.deadline()) else { panic!("warned twice") };
        assert!(error.contains("nothing for 2000 s"), "{error}");
    }

    #[test]
    fn a_worker_that_slept_through_both_deadlines_warns_first() {
        let mut now = Instant::now();
        let mut silence = Silence::new(FLOOR, now);
        now += FLOOR * 10;
        assert!(matches!(silence.verdict(now), Verdict::Warn(_)));
        assert_eq!(silence.deadline() - now, seconds(450));
        assert!(silence.ends(now, true), "it has sent an event again");
        silence.begins(now);
        assert!(matches!(silence.verdict(silence.deadline()), Verdict::Warn(_)), "another silence");
    }
}
