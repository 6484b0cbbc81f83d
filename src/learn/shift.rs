// SPDX-License-Identifier: GPL-2.0-only
//! Where a function's present behaviour begins: detection of a shift.
//!
//! A plain mean over hundreds of samples is precise while a function stays
//! as it is, and slow to follow when it changes: a new version deployed, a
//! larger input. So a series is searched for a moment after which it is
//! another one, and only what follows is learned from.
//!
//! The last `m` samples are held against the `n` before them for several `m`
//! by the two-sample Kolmogorov-Smirnov statistic, the largest distance `D`
//! between the two distribution functions. They differ when
//! `D >= min(1, 1.63 * sqrt(1/m + 1/n))`, 1.63 being the tabulated
//! coefficient for a level of 1 %. No shape is assumed, so two modes taking
//! turns are no shift, while three samples suffice where they lie clear of
//! all that came before. A shift must also move the mean by half, or there is
//! nothing to gain from forgetting.
//!
//! Nothing is forgotten for good: the search is made afresh each time, and a
//! shift that later samples belie is none any more.

use crate::policy::grid::{BUCKETS, bucket};

/// Samples that make a behaviour, on either side of a shift.
pub(super) const FEWEST: usize = 3;

/// Kolmogorov-Smirnov coefficient for a significance of 1 %.
const COEFFICIENT: f64 = 1.63;

/// Ratio of the means from which on a difference counts as a shift.
const MATERIAL: f64 = 1.5;

/// The part of `series_ns`, oldest first, that follows its clearest shift;
/// all of it where there is none.
///
/// Distributions are compared on the grid of attained service, so values
/// within one bucket are alike. `O(n)` for a series of `n`.
pub fn present(series_ns: &[u64]) -> &[u64] {
    let Some(coarse) = clearest(series_ns, lengths()) else {
        return series_ns;
    };
    // The shift lies between the neighbours of the clearest length tried.
    let from = lengths().take_while(|&length| length < coarse).last();
    let to = lengths().find(|&length| length > coarse);
    let between = from.unwrap_or(coarse)..=to.unwrap_or(coarse);
    let exact = clearest(series_ns, between).unwrap_or(coarse);
    &series_ns[series_ns.len() - exact..]
}

/// Which of the `lengths`, in ascending order, cuts off the end of
/// `series_ns` that differs most clearly from what is before it; `None` where
/// none differs.
fn clearest(series_ns: &[u64], lengths: impl Iterator<Item = usize>) -> Option<usize> {
    let mut older = Tally::default();
    series_ns.iter().for_each(|&value| older.add(value));
    let occupied = older.occupied();
    let mut newer = Tally::default();
    let mut split = series_ns.len();
    let mut clearest: Option<(f64, usize)> = None;
    for length in lengths.take_while(|length| length + FEWEST <= series_ns.len()) {
        let next = series_ns.len() - length;
        for &value in &series_ns[next..split] {
            older.remove(value);
            newer.add(value);
        }
        split = next;
        let distance = older.distance(&newer, occupied.clone());
        let noise = COEFFICIENT * (1.0 / older.count() + 1.0 / newer.count()).sqrt();
        let clear = distance - noise.min(1.0);
        let clearer = clearest.is_none_or(|(other, _)| clear >= other);
        if clear >= 0.0 && clearer && older.differs_materially(&newer) {
            clearest = Some((clear, length));
        }
    }
    clearest.map(|(_, length)| length)
}

/// Lengths tried first: 3, 4, 6, 8, 12, …, two an octave.
fn lengths() -> impl Iterator<Item = usize> {
    (1..usize::BITS as usize).map(|step| (2 + step % 2) << (step / 2))
}

/// Samples counted by bucket.
struct Tally {
    counts: [u32; BUCKETS],
    count: u32,
    total_ns: u128,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS],
            count: 0,
            total_ns: 0,
        }
    }
}

impl Tally {
    fn add(&mut self, value_ns: u64) {
        self.counts[bucket(value_ns)] += 1;
        self.count += 1;
        self.total_ns += u128::from(value_ns);
    }

    /// Takes back a value that was added.
    fn remove(&mut self, value_ns: u64) {
        self.counts[bucket(value_ns)] -= 1;
        self.count -= 1;
        self.total_ns -= u128::from(value_ns);
    }

    fn count(&self) -> f64 {
        f64::from(self.count)
    }

    fn mean_ns(&self) -> f64 {
        self.total_ns as f64 / self.count()
    }

    /// The buckets from the first to the last that hold a sample.
    fn occupied(&self) -> std::ops::Range<usize> {
        let holds = |&count: &u32| count > 0;
        let first = self.counts.iter().position(holds).unwrap_or(0);
        let end = self
            .counts
            .iter()
            .rposition(holds)
            .map_or(0, |last| last + 1);
        first..end
    }

    /// The largest distance of the two distribution functions.
    fn distance(&self, other: &Self, occupied: std::ops::Range<usize>) -> f64 {
        let (per, other_per) = (1.0 / self.count(), 1.0 / other.count());
        let (mut below, mut other_below) = (0, 0);
        let mut distance: f64 = 0.0;
        for index in occupied {
            below += self.counts[index];
            other_below += other.counts[index];
            let apart = f64::from(below) * per - f64::from(other_below) * other_per;
            distance = distance.max(apart.abs());
        }
        distance
    }

    fn differs_materially(&self, other: &Self) -> bool {
        let (one, two) = (self.mean_ns(), other.mean_ns());
        one.max(two) >= MATERIAL * one.min(two)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// `count` values around `middle_ns`, some a fifth off, in a fixed disorder.
    fn around(middle_ns: u64, count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(move |index| middle_ns / 1000 * (800 + (index * 271) % 400))
    }

    #[test]
    fn three_samples_of_ten_times_the_time_are_a_shift() {
        let series: Vec<_> = around(10 * MS, 253).chain(around(100 * MS, 3)).collect();
        assert_eq!(present(&series), &series[253..]);
    }

    #[test]
    fn three_samples_of_a_tenth_of_the_time_are_a_shift() {
        let series: Vec<_> = around(100 * MS, 5).chain(around(10 * MS, 3)).collect();
        assert_eq!(present(&series), &series[5..]);
    }

    #[test]
    fn all_of_the_new_behaviour_and_nothing_of_the_old_is_used() {
        for count in 3..220 {
            let old = 253 - count;
            let series: Vec<_> = around(10 * MS, old)
                .chain(around(100 * MS, count))
                .collect();
            assert_eq!(present(&series).len() as u64, count);
        }
    }

    #[test]
    fn two_modes_taking_turns_are_no_shift() {
        let series: Vec<_> = (0..256u64)
            .map(|index| {
                if (index * 7) % 10 < 3 {
                    400 * MS
                } else {
                    4 * MS
                }
            })
            .collect();
        for length in 0..=256 {
            assert_eq!(present(&series[..length]).len(), length);
        }
    }

    #[test]
    fn an_outlier_or_two_are_no_shift() {
        let series: Vec<_> = around(10 * MS, 100).chain([900 * MS, 800 * MS]).collect();
        assert_eq!(present(&series).len(), series.len());
    }

    #[test]
    fn a_drift_of_a_few_percent_is_no_shift() {
        let series: Vec<_> = around(10 * MS, 100).chain(around(11 * MS, 100)).collect();
        assert_eq!(present(&series).len(), series.len());
    }

    #[test]
    fn the_last_of_two_shifts_counts() {
        let series: Vec<_> = around(10 * MS, 60)
            .chain(around(100 * MS, 60))
            .chain(around(MS, 12))
            .collect();
        assert_eq!(present(&series), &series[120..]);
    }

    proptest! {
        #[test]
        fn it_is_the_end_of_the_series_and_never_nothing(
            series in prop::collection::vec(any::<u64>(), 0..300),
        ) {
            let part = present(&series);
            prop_assert!(series.ends_with(part));
            prop_assert_eq!(part.is_empty(), series.is_empty());
        }

        #[test]
        fn a_series_of_one_value_has_no_shift(value: u64, count in 0usize..300) {
            let series = vec![value; count];
            prop_assert_eq!(present(&series).len(), count);
        }
    }
}
