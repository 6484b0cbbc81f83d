// SPDX-License-Identifier: GPL-2.0-only
//! How one scheduler's figure compares with another's on the same traces.

use serde::Serialize;

use super::student;

/// A ratio with what is known of its accuracy.
///
/// Each pair of figures is of the same trace, which takes out how much the
/// traces themselves differ. The logarithms of the pairs' ratios are taken to
/// be normally distributed: the ratio is their mean and its interval Student's
/// t interval, both taken back from logarithms. So the ratio is the geometric
/// mean of the pairs', and swapping the sides gives the reciprocal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    pub value: f64,
    /// 95 % confidence interval; `None` for fewer than two pairs.
    pub interval: Option<[f64; 2]>,
    pub pairs: usize,
}

impl Ratio {
    /// New over old figures, given as `(old, new)`. Pairs with a figure that
    /// is not positive and finite do not count; `None` if none counts.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let logs: Vec<f64> = pairs
            .into_iter()
            .filter(|&(old, new)| positive(old) && positive(new))
            .map(|(old, new)| new.ln() - old.ln())
            .collect();
        let count = logs.len();
        if count == 0 {
            return None;
        }
        let mean = logs.iter().sum::<f64>() / count as f64;
        let interval = student::quantile_975(count - 1).map(|t| {
            let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
            let deviation = (squares / (count - 1) as f64).sqrt();
            let half = t * deviation / (count as f64).sqrt();
            [(mean - half).exp(), (mean + half).exp()]
        });
        Some(Self {
            value: mean.exp(),
            interval,
            pairs: count,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};
    use rand_distr::StandardNormal;

    use super::*;

    #[test]
    fn computed_by_hand() {
        // Logs 0, ln 2, ln 4: mean ln 2, deviation ln 2, t(2) = 4.303.
        let ratio = Ratio::of_pairs([(1.0, 1.0), (3.0, 6.0), (0.5, 2.0)]).unwrap();
        let half = 4.302_653 * 2f64.ln() / 3f64.sqrt();
        let [low, high] = ratio.interval.unwrap();
        assert!((ratio.value - 2.0).abs() < 1e-12);
        assert!((low - 2.0 * (-half).exp()).abs() < 1e-6);
        assert!((high - 2.0 * half.exp()).abs() < 1e-4);
        assert_eq!(ratio.pairs, 3);
    }

    #[test]
    fn one_pair_has_no_interval_and_none_no_ratio() {
        let one = Ratio::of_pairs([(4.0, 1.0), (0.0, 1.0), (1.0, f64::NAN)]).unwrap();
        assert_eq!((one.value, one.interval, one.pairs), (0.25, None, 1));
        assert_eq!(Ratio::of_pairs([]), None);
        assert_eq!(Ratio::of_pairs([(0.0, 1.0)]), None);
    }

    #[test]
    fn interval_holds_the_truth_in_95_of_100_samples() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let samples = 4000;
        let hits = (0..samples)
            .filter(|_| {
                let pairs = (0..5).map(|_| {
                    let noise: f64 = rng.sample(StandardNormal);
                    let trace: f64 = rng.random_range(1.0..100.0);
                    (trace, trace * 0.7 * (0.1 * noise).exp())
                });
                let [low, high] = Ratio::of_pairs(pairs).unwrap().interval.unwrap();
                low <= 0.7 && 0.7 <= high
            })
            .count();
        let share = hits as f64 / f64::from(samples);
        assert!((share - 0.95).abs() < 0.011, "{share}");
    }

    proptest! {
        #[test]
        fn any_pairs_give_an_interval_around_the_ratio(
            pairs in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY), 0..9)
        ) {
            if let Some(Ratio { value, interval: Some([low, high]), .. }) = Ratio::of_pairs(pairs) {
                prop_assert!(low <= value * 1.000_001 && value <= high * 1.000_001);
            }
        }
    }
}
