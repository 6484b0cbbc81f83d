// SPDX-License-Identifier: GPL-2.0-only
//! A distribution of CPU times, summarised by bucket of the grid.

use super::moments::Moments;
use crate::policy::grid::{BUCKETS, bucket, start};

/// A weighted sample of CPU times, kept as what the grid needs of it: for
/// every bucket the weight of the values in it, and the first two moments of
/// how far they reach into it.
///
/// That is a constant size and takes no sorting, and the mean residual life
/// over each bucket is exact all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    buckets: [Bucket; BUCKETS],
    most_ns: u64,
}

/// The values that fall into one bucket. With no values, all is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Total weight of the values.
    pub weight: f64,
    /// Weighted sum of the values' distances from the bucket's start, in ns.
    pub reach: f64,
    /// Weighted sum of the squares of those distances, in ns².
    pub reach_squared: f64,
}

impl Distribution {
    /// The distribution of nothing.
    pub fn empty() -> Self {
        Self {
            buckets: [Bucket::default(); BUCKETS],
            most_ns: 0,
        }
    }

    /// Every value of `series_ns` with weight 1.
    pub fn of(series_ns: &[u64]) -> Self {
        let mut distribution = Self::empty();
        for &value_ns in series_ns {
            distribution.add(value_ns, 1.0);
        }
        distribution
    }

    /// Every value of `series_ns` with weight 1, all multiplied so that their
    /// mean is `mean_ns`; as they are where that is no mean they can have.
    pub fn scaled(series_ns: &[u64], mean_ns: Option<f64>) -> Self {
        let own_ns = Moments::of(series_ns).map(|moments| moments.mean_ns);
        let scale = match (mean_ns, own_ns) {
            (Some(mean_ns), Some(own_ns)) if mean_ns > 0.0 && own_ns > 0.0 => mean_ns / own_ns,
            _ => 1.0,
        };
        let mut distribution = Self::empty();
        for &value_ns in series_ns {
            distribution.add((value_ns as f64 * scale) as u64, 1.0);
        }
        distribution
    }

    /// Adds a value. A weight that is no positive finite number counts as 0.
    pub fn add(&mut self, value_ns: u64, weight: f64) {
        if !(weight > 0.0 && weight.is_finite()) {
            return;
        }
        let index = bucket(value_ns);
        let reach = (value_ns - start(index)) as f64;
        let bucket = &mut self.buckets[index];
        bucket.weight += weight;
        bucket.reach += weight * reach;
        bucket.reach_squared += weight * reach * reach;
        self.most_ns = self.most_ns.max(value_ns);
    }

    /// The largest value, in nanoseconds; 0 where there is none.
    pub fn most_ns(&self) -> u64 {
        self.most_ns
    }

    /// The weight of all values together.
    pub fn weight(&self) -> f64 {
        self.buckets.iter().map(|bucket| bucket.weight).sum()
    }

    /// The buckets, in the order of the grid.
    pub fn buckets(&self) -> &[Bucket; BUCKETS] {
        &self.buckets
    }

    /// How many buckets, from the first on, any value reaches.
    pub fn reached(&self) -> usize {
        let last = self.buckets.iter().rposition(|bucket| bucket.weight > 0.0);
        last.map_or(0, |last| last + 1)
    }

    /// For every bucket, how many full passes through it the sample amounts
    /// to: its time spent in the bucket over the bucket's width. The open
    /// bucket has no width; there it is the weight of the values in it.
    pub fn passes(&self) -> [f64; BUCKETS] {
        let mut passes = [0.0; BUCKETS];
        let mut above = 0.0;
        let reached = &self.buckets[..self.reached()];
        for (index, bucket) in reached.iter().enumerate().rev() {
            passes[index] = match width_ns(index) {
                Some(width) => above + bucket.reach / width,
                None => bucket.weight,
            };
            above += bucket.weight;
        }
        passes
    }
}

/// How wide bucket `index` is in nanoseconds; `None` for the open one.
pub fn width_ns(index: usize) -> Option<f64> {
    (index + 1 < BUCKETS).then(|| (start(index + 1) - start(index)) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_passes_through_all_buckets_before_its_own() {
        let half = start(20) + (start(21) - start(20)) / 2;
        let passes = Distribution::of(&[half]).passes();
        assert!(passes[..20].iter().all(|&times| times == 1.0));
        assert_eq!(passes[20], 0.5);
        assert!(passes[21..].iter().all(|&times| times == 0.0));
    }

    #[test]
    fn the_open_bucket_counts_the_values_in_it() {
        let passes = Distribution::of(&[u64::MAX, start(BUCKETS - 1)]).passes();
        assert_eq!(passes[BUCKETS - 1], 2.0);
    }

    #[test]
    fn scaled_values_have_the_mean_asked_for() {
        assert_eq!(
            Distribution::scaled(&[1 << 20, 3 << 20], Some((4 << 20) as f64)),
            Distribution::of(&[2 << 20, 6 << 20])
        );
        for impossible in [None, Some(0.0), Some(-1.0), Some(f64::NAN)] {
            assert_eq!(
                Distribution::scaled(&[5, 9], impossible),
                Distribution::of(&[5, 9])
            );
        }
        assert_eq!(
            Distribution::scaled(&[0, 0], Some(7.0)),
            Distribution::of(&[0, 0])
        );
    }

    #[test]
    fn weights_that_are_no_weights_are_ignored() {
        let mut distribution = Distribution::empty();
        for weight in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
            distribution.add(5, weight);
        }
        assert_eq!(distribution, Distribution::empty());
    }

    proptest! {
        #[test]
        fn weight_is_conserved(series in prop::collection::vec(any::<u64>(), 0..300)) {
            let distribution = Distribution::of(&series);
            prop_assert_eq!(distribution.weight(), series.len() as f64);
        }
    }
}
