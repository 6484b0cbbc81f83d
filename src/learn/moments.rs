// SPDX-License-Identifier: GPL-2.0-only
//! Mean and standard deviation of a series of durations.

/// The first two moments of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    pub mean_ns: f64,
    /// Of the series as a whole population, so 0 for a single value.
    pub stdev_ns: f64,
}

impl Moments {
    /// The moments of `series_ns`; `None` where it is empty. Two passes, so
    /// that large values with a small spread keep their precision.
    pub fn of(series_ns: &[u64]) -> Option<Self> {
        if series_ns.is_empty() {
            return None;
        }
        let count = series_ns.len() as f64;
        let mean_ns = series_ns.iter().map(|&value| value as f64).sum::<f64>() / count;
        let squares: f64 = series_ns
            .iter()
            .map(|&value| (value as f64 - mean_ns).powi(2))
            .sum();
        Some(Self {
            mean_ns,
            stdev_ns: (squares / count).sqrt(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_series_worked_by_hand() {
        let moments = Moments::of(&[2, 4, 4, 4, 5, 5, 7, 9]).unwrap();
        assert_eq!((moments.mean_ns, moments.stdev_ns), (5.0, 2.0));
    }

    #[test]
    fn a_single_value_has_no_spread_and_an_empty_series_no_moments() {
        assert_eq!(Moments::of(&[7]).unwrap().stdev_ns, 0.0);
        assert_eq!(Moments::of(&[]), None);
    }

    #[test]
    fn the_largest_values_stay_finite() {
        let moments = Moments::of(&[u64::MAX, 0]).unwrap();
        assert!(moments.mean_ns.is_finite() && moments.stdev_ns.is_finite());
    }
}
