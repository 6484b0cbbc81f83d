// SPDX-License-Identifier: GPL-2.0-only
//! How far a comparison is and how long it will take yet, for whoever watches:
//! a bar in a terminal, elsewhere a line a round.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::say::say;

/// The rounds of a comparison, one after the other.
pub struct Progress {
    bar: ProgressBar,
    pace: Pace,
    begin: Instant,
    /// How many rounds have begun, and when the last did.
    begun: Cell<usize>,
    round_begin: Cell<Instant>,
}

impl Progress {
    /// Of rounds that will take about so long each.
    pub fn of(rounds: Vec<Duration>) -> Self {
        let bar = ProgressBar::new(rounds.len() as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} round {msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            pace: Pace { rounds },
            begin: Instant::now(),
            begun: Cell::new(0),
            round_begin: Cell::new(Instant::now()),
        }
    }

    /// The next round begins, which is `what`.
    pub fn begin_round(&self, what: &str) {
        self.round_begin.set(Instant::now());
        self.begun.set(self.begun.get() + 1);
        self.bar.set_position(self.begun.get() as u64 - 1);
        if self.bar.is_hidden() {
            say(what);
        }
        self.look(what);
    }

    /// Brings what is shown up to date within a round.
    pub fn look(&self, what: &str) {
        if self.bar.is_hidden() {
            return;
        }
        let before = self.round_begin.get() - self.begin;
        let done = self.begun.get().saturating_sub(1);
        let left = self
            .pace
            .left(done, before, self.round_begin.get().elapsed());
        self.bar.set_message(format!(
            "{} of {}, {} left: {what}",
            self.begun.get(),
            self.pace.rounds.len(),
            humantime::format_duration(Duration::from_secs(left.as_secs())),
        ));
    }
}

impl Drop for Progress {
    /// What is printed afterwards begins on a line of its own.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What rounds were expected to take.
struct Pace {
    rounds: Vec<Duration>,
}

impl Pace {
    /// The rounds to come are slower or faster than expected as those were
    /// that are done: `done` of them, in `before` altogether. The round under
    /// way has taken `within`.
    fn left(&self, done: usize, before: Duration, within: Duration) -> Duration {
        let (past, coming) = self.rounds.split_at(done.min(self.rounds.len()));
        let expected: Duration = past.iter().sum();
        let scale = if expected.is_zero() {
            1.0
        } else {
            before.as_secs_f64() / expected.as_secs_f64()
        };
        let coming: Duration = coming.iter().sum();
        Duration::try_from_secs_f64(scale * coming.as_secs_f64())
            .unwrap_or(coming)
            .saturating_sub(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn pace() -> Pace {
        Pace {
            rounds: vec![10 * S, 10 * S, 20 * S],
        }
    }

    #[test]
    fn at_first_what_is_expected_is_left() {
        assert_eq!(pace().left(0, Duration::ZERO, 3 * S), 37 * S);
    }

    #[test]
    fn rounds_to_come_are_as_slow_as_those_before() {
        assert_eq!(pace().left(1, 15 * S, 5 * S), 40 * S);
        assert_eq!(pace().left(2, 10 * S, Duration::ZERO), 10 * S);
    }

    #[test]
    fn a_round_that_takes_too_long_leaves_nothing() {
        assert_eq!(pace().left(2, 20 * S, 99 * S), Duration::ZERO);
        assert_eq!(pace().left(9, 20 * S, S), Duration::ZERO);
    }
}
