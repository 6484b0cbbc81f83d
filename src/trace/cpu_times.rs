// SPDX-License-Identifier: GPL-2.0-only
//! How much CPU time the requests of a function take, where a recording says
//! so only in summary.

/// A distribution of CPU times, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum CpuTimes {
    /// Quantiles by rising probability, from 0 to 1.
    Quantiles(Vec<(f64, f64)>),
    /// The mean of each of the function's minutes.
    PerMinute(Vec<f32>),
}

/// Times below this are not told apart: logarithms need something above 0.
const SHORTEST_S: f64 = 1e-6;

impl CpuTimes {
    /// The CPU time of a request in the function's minute number `cell` that
    /// comes at `probability` (0 to 1) in the order of CPU times.
    ///
    /// Between two quantiles the logarithm is interpolated, as CPU times
    /// spread over orders of magnitude.
    pub fn at(&self, cell: usize, probability: f64) -> f64 {
        match self {
            Self::PerMinute(means) => means.get(cell).copied().map_or(0.0, f64::from),
            Self::Quantiles(quantiles) => quantiles
                .windows(2)
                .find(|pair| probability <= pair[1].0)
                .map_or(0.0, |pair| {
                    let [(p, low), (q, high)] = [pair[0], pair[1]];
                    let [low, high] = [low.max(SHORTEST_S), high.max(SHORTEST_S)];
                    let part = ((probability - p) / (q - p)).clamp(0.0, 1.0);
                    low * (high / low).powf(part)
                }),
        }
    }

    /// The mean CPU time of a request in the minute number `cell`.
    pub fn mean(&self, cell: usize) -> f64 {
        match self {
            Self::PerMinute(_) => self.at(cell, 0.5),
            Self::Quantiles(quantiles) => quantiles
                .windows(2)
                .map(|pair| {
                    let [(p, low), (q, high)] = [pair[0], pair[1]];
                    (q - p) * logarithmic_mean(low.max(SHORTEST_S), high.max(SHORTEST_S))
                })
                .sum(),
        }
    }
}

/// The mean of what rises from `low` to `high` with a straight logarithm.
fn logarithmic_mean(low: f64, high: f64) -> f64 {
    let ratio = high / low;
    if (ratio - 1.0).abs() < 1e-9 {
        low
    } else {
        (high - low) / ratio.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles() -> CpuTimes {
        CpuTimes::Quantiles(vec![
            (0.0, 0.0),
            (0.01, 0.001),
            (0.5, 0.1),
            (0.99, 1.0),
            (1.0, 1.0),
        ])
    }

    #[test]
    fn quantiles_are_met() {
        let times = quantiles();
        for (probability, expected) in [(0.0, 1e-6), (0.01, 0.001), (0.5, 0.1), (1.0, 1.0)] {
            assert!((times.at(0, probability) / expected - 1.0).abs() < 1e-9);
        }
        let between = times.at(0, 0.745);
        assert!((between / 0.1f64.sqrt() - 1.0).abs() < 1e-9, "{between}");
    }

    #[test]
    fn the_mean_is_that_of_what_is_drawn() {
        let times = quantiles();
        const DRAWS: usize = 100_000;
        let draws = (0..DRAWS).map(|i| times.at(0, (i as f64 + 0.5) / DRAWS as f64));
        let mean = draws.sum::<f64>() / DRAWS as f64;
        assert!((times.mean(0) / mean - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_minute_has_its_own_mean() {
        let times = CpuTimes::PerMinute(vec![0.5, 2.0]);
        assert_eq!((times.at(1, 0.3), times.mean(0)), (2.0, 0.5));
        assert_eq!(times.mean(9), 0.0);
    }
}
