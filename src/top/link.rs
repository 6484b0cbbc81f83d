// SPDX-License-Identifier: GPL-2.0-only
//! When to ask the daemon next, and how long it has not answered.

use std::time::{Duration, Instant};

/// The daemon is not asked more often, however short the interval.
const LEAST_INTERVAL: Duration = Duration::from_millis(50);

/// The longest interval that makes sense, and none that time overflows with.
const MOST_INTERVAL: Duration = Duration::from_secs(24 * 3_600);

/// How soon a daemon that is gone is looked for again.
const RETRY: Duration = Duration::from_secs(1);

/// An answer may take this long before it is missed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connection to the daemon, as seen from its questions and answers.
#[derive(Debug)]
pub struct Link {
    interval: Duration,
    next: Instant,
    asked: Option<Instant>,
    answered: Instant,
    /// Why the last question went without an answer.
    failure: Option<String>,
}

impl Link {
    /// A daemon that answered just `now` and is asked every `interval`.
    pub fn new(interval: Duration, now: Instant) -> Self {
        let interval = interval.clamp(LEAST_INTERVAL, MOST_INTERVAL);
        Self {
            interval,
            next: now + interval,
            asked: None,
            answered: now,
            failure: None,
        }
    }

    /// How long until the next question; `None` while one is open.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        match self.asked {
            Some(_) => None,
            None => Some(self.next.saturating_duration_since(now)),
        }
    }

    pub fn asked(&mut self, now: Instant) {
        self.asked = Some(now);
        self.next = now + self.interval;
    }

    pub fn answered(&mut self, now: Instant) {
        self.asked = None;
        self.answered = now;
        self.failure = None;
    }

    pub fn failed(&mut self, why: String, now: Instant) {
        self.asked = None;
        self.next = now + self.interval.min(RETRY);
        self.failure = Some(why);
    }

    /// Ask again as soon as can be.
    pub fn hasten(&mut self, now: Instant) {
        self.next = now;
    }

    /// What to say of a daemon that does not answer.
    pub fn trouble(&self, now: Instant) -> Option<String> {
        let silent_s = now.saturating_duration_since(self.answered).as_secs();
        if let Some(why) = &self.failure {
            return Some(format!("no answer for {silent_s} s, retrying: {why}"));
        }
        let patient = now.saturating_duration_since(self.asked?) <= PATIENCE;
        (!patient).then(|| format!("no answer for {silent_s} s, waiting"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn one_question_at_a_time_every_interval() {
        let start = Instant::now();
        let mut link = Link::new(10 * SECOND, start);
        assert_eq!(link.wait(start + 4 * SECOND), Some(6 * SECOND));
        link.asked(start + 10 * SECOND);
        assert_eq!(link.wait(start + 30 * SECOND), None);
        link.answered(start + 11 * SECOND);
        assert_eq!(link.wait(start + 11 * SECOND), Some(9 * SECOND));
        assert_eq!(link.trouble(start + 11 * SECOND), None);
    }

    #[test]
    fn a_daemon_that_is_gone_is_retried_soon() {
        let start = Instant::now();
        let mut link = Link::new(60 * SECOND, start);
        link.asked(start + SECOND);
        link.failed("no socket".to_owned(), start + 3 * SECOND);
        assert_eq!(link.wait(start + 3 * SECOND), Some(RETRY));
        assert_eq!(
            link.trouble(start + 3 * SECOND).as_deref(),
            Some("no answer for 3 s, retrying: no socket")
        );
        link.asked(start + 4 * SECOND);
        assert!(link.trouble(start + 4 * SECOND).is_some());
        link.answered(start + 4 * SECOND);
        assert_eq!(link.trouble(start + 4 * SECOND), None);
    }

    #[test]
    fn a_daemon_that_hangs_is_told_from_one_that_is_slow() {
        let start = Instant::now();
        let mut link = Link::new(SECOND, start);
        link.asked(start + SECOND);
        assert_eq!(link.trouble(start + 2 * SECOND), None);
        assert_eq!(
            link.trouble(start + 9 * SECOND).as_deref(),
            Some("no answer for 9 s, waiting")
        );
    }
}
