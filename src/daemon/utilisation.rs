// SPDX-License-Identifier: GPL-2.0-only
//! How busy the machine's CPUs are, from `/proc/stat`.

use std::fs;

/// Busy and total ticks of all CPUs together, since boot.
#[derive(Clone, Copy, Default)]
struct Ticks {
    busy: u64,
    total: u64,
}

/// The share of CPU time in use between two calls.
#[derive(Default)]
pub struct Utilisation {
    last: Ticks,
    percent: f64,
}

impl Utilisation {
    /// Percent in use since the last call, 0 to 100; the last answer again
    /// where no time has passed or `/proc/stat` cannot be read.
    pub fn sample(&mut self) -> f64 {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        self.update(&text)
    }

    fn update(&mut self, text: &str) -> f64 {
        if let Some(now) = parse(text) {
            let total = now.total.saturating_sub(self.last.total);
            let busy = now.busy.saturating_sub(self.last.busy);
            if total > 0 {
                self.percent = (100.0 * busy as f64 / total as f64).clamp(0.0, 100.0);
                self.last = now;
            }
        }
        self.percent
    }
}

/// The first line: `cpu user nice system idle iowait irq softirq steal …`.
/// Guest time is part of user time and not added again.
fn parse(text: &str) -> Option<Ticks> {
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        .take(8)
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let total: u64 = fields.iter().sum();
    let idle = fields.get(3)? + fields.get(4).copied().unwrap_or(0);
    Some(Ticks {
        busy: total.saturating_sub(idle),
        total,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_time_since_the_last_sample() {
        let mut utilisation = Utilisation::default();
        utilisation.update("cpu  100 0 100 800 0 0 0 0 0 0\n");
        assert_eq!(utilisation.update("cpu  150 0 120 830 0 0 0 0 0 0\n"), 70.0);
        assert_eq!(utilisation.update("cpu  150 0 120 830 0 0 0 0 0 0\n"), 70.0);
        assert_eq!(utilisation.update("rubbish"), 70.0);
    }
}
