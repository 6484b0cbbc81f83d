// SPDX-License-Identifier: GPL-2.0-only
//! What `top` shows of each function's last seconds.

use std::collections::{HashMap, VecDeque};

use scx_alps::invocation::{FunctionId, Invocation};

/// Invocations kept a function.
const KEPT: usize = 64;

/// Older ones no longer count.
const HORIZON_NS: u64 = 10_000_000_000;

/// The last invocations of every function.
#[derive(Default)]
pub struct Activity {
    functions: HashMap<FunctionId, VecDeque<Invocation>>,
}

/// One function's last seconds. Times are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recent {
    pub rate_per_s: f64,
    pub cpu_mean_ns: u64,
    pub cpu_p99_ns: u64,
    pub wait_mean_ns: u64,
    pub slowdown_mean: f64,
}

impl Activity {
    pub fn note(&mut self, invocation: &Invocation) {
        let kept = self.functions.entry(invocation.function).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(*invocation);
    }

    pub fn forget(&mut self, function: FunctionId) {
        self.functions.remove(&function);
    }

    /// How the function did in the seconds before `now_ns`; all zero without traffic.
    pub fn recent(&self, function: FunctionId, now_ns: u64) -> Recent {
        let since = now_ns.saturating_sub(HORIZON_NS);
        let kept: Vec<&Invocation> = self
            .functions
            .get(&function)
            .into_iter()
            .flatten()
            .filter(|invocation| invocation.end_ns >= since)
            .collect();
        let Some(first) = kept.first() else {
            return Recent::default();
        };
        let count = kept.len() as f64;
        // A full buffer reaches back only to its first entry.
        let span_ns = if kept.len() == KEPT {
            now_ns.saturating_sub(first.end_ns).max(1)
        } else {
            HORIZON_NS
        };
        let mut cpu_ns: Vec<u64> = kept.iter().map(|invocation| invocation.cpu_ns).collect();
        cpu_ns.sort_unstable();
        let p99 = cpu_ns[(cpu_ns.len() * 99).div_ceil(100).max(1) - 1];
        let mean = |value: &dyn Fn(&Invocation) -> f64| {
            kept.iter().map(|invocation| value(invocation)).sum::<f64>() / count
        };
        Recent {
            rate_per_s: count * 1e9 / span_ns as f64,
            cpu_mean_ns: mean(&|invocation| invocation.cpu_ns as f64) as u64,
            cpu_p99_ns: p99,
            wait_mean_ns: mean(&|invocation| invocation.wait_ns() as f64) as u64,
            slowdown_mean: mean(&Invocation::slowdown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(end_ns: u64, cpu_ns: u64) -> Invocation {
        Invocation {
            function: FunctionId::PRIOR,
            arrival_ns: end_ns - 2 * cpu_ns,
            first_run_ns: end_ns - cpu_ns,
            end_ns,
            cpu_ns,
            switches: 1,
        }
    }

    #[test]
    fn only_the_last_seconds_count() {
        let mut activity = Activity::default();
        activity.note(&invocation(1_000_000_000, 500));
        activity.note(&invocation(30_000_000_000, 1_000));
        activity.note(&invocation(31_000_000_000, 3_000));
        let recent = activity.recent(FunctionId::PRIOR, 32_000_000_000);
        assert_eq!(recent.rate_per_s, 0.2);
        assert_eq!(recent.cpu_mean_ns, 2_000);
        assert_eq!(recent.cpu_p99_ns, 3_000);
        assert_eq!(recent.slowdown_mean, 2.0);
        assert_eq!(
            activity.recent(FunctionId::PRIOR, 99_000_000_000),
            Recent::default()
        );
    }
}
