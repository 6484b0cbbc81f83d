// SPDX-License-Identifier: GPL-2.0-only
//! Time for disciplines that share: fractions of nanoseconds, since the
//! machine was last idle.

/// A clock that counts in fractions from the beginning of a busy period, so
/// that they stay fine however long a trace is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    busy_since_ns: u64,
    /// Since then.
    elapsed_ns: f64,
}

impl Clock {
    /// Of a busy period that begins now.
    pub(super) fn starting(now_ns: u64) -> Self {
        Self {
            busy_since_ns: now_ns,
            elapsed_ns: 0.0,
        }
    }

    /// How long it is until `at_ns`; 0 where that is past.
    pub(super) fn until(&self, at_ns: u64) -> f64 {
        let since_ns = at_ns.saturating_sub(self.busy_since_ns) as f64;
        (since_ns - self.elapsed_ns).max(0.0)
    }

    /// Since the beginning of the busy period.
    pub(super) fn elapsed_ns(&self) -> f64 {
        self.elapsed_ns
    }

    pub(super) fn advance(&mut self, by_ns: f64) {
        self.elapsed_ns += by_ns;
    }

    /// The time now, to the nearest nanosecond.
    pub(super) fn now_ns(&self) -> u64 {
        self.busy_since_ns
            .saturating_add(self.elapsed_ns.round() as u64)
    }
}

/// A time or an amount of service, which is never NaN, in its natural order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Amount(pub(super) f64);

impl Eq for Amount {}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
