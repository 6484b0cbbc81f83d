// SPDX-License-Identifier: GPL-2.0-only
//! Two clocks: ours, and the one the kernel side stamps tasks with.

/// The monotonic clock, without a system call.
pub fn now_ns() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a place for the answer; the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// How far our clock is ahead of the kernel side's, as far as the stamps show.
///
/// A task that has just been stopped is the freshest stamp there is, so the
/// least difference seen is nearly the true one. The two clocks may drift: what
/// was seen counts a thousandth of the time since less.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead {
    least_ns: Option<i64>,
    at_ns: u64,
}

impl Ahead {
    /// Takes in a stamp that is not in the future.
    pub fn note(&mut self, now_ns: u64, stamp_ns: u64) {
        if stamp_ns == 0 {
            return;
        }
        let seen_ns = now_ns.wrapping_sub(stamp_ns) as i64;
        let slack_ns = (now_ns.saturating_sub(self.at_ns) / 1000) as i64;
        let kept_ns = self.least_ns.map(|least| least.saturating_add(slack_ns));
        self.least_ns = Some(kept_ns.map_or(seen_ns, |kept| kept.min(seen_ns)));
        self.at_ns = now_ns;
    }

    /// How long ago a stamp was made.
    pub fn since_ns(&self, now_ns: u64, stamp_ns: u64) -> u64 {
        let ahead_ns = self.least_ns.unwrap_or(0);
        let age_ns = (now_ns.wrapping_sub(stamp_ns) as i64).saturating_sub(ahead_ns);
        age_ns.max(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_least_difference_is_believed() {
        let mut ahead = Ahead::default();
        ahead.note(1_000 * MS, 400 * MS);
        ahead.note(1_001 * MS, 501 * MS);
        ahead.note(1_002 * MS, 402 * MS);
        assert_eq!(ahead.since_ns(1_010 * MS, 500 * MS), 10 * MS - 1000);
        assert_eq!(ahead.since_ns(1_010 * MS, 900 * MS), 0);
    }

    #[test]
    fn drift_is_followed() {
        let mut ahead = Ahead::default();
        // Our clock gains 100 us a second.
        for second in 1..600 {
            ahead.note(second * 1_000 * MS + second * MS / 10, second * 1_000 * MS);
        }
        let (now, stamp) = (599_000 * MS + 599 * MS / 10, 599_000 * MS);
        assert!(ahead.since_ns(now, stamp) < MS);
    }

    #[test]
    fn any_stamps_are_survived() {
        let mut ahead = Ahead::default();
        for stamp in [0, 1, u64::MAX, u64::MAX / 2] {
            ahead.note(5, stamp);
            ahead.since_ns(7, stamp);
        }
    }
}
