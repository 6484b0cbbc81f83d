// SPDX-License-Identifier: GPL-2.0-only
//! What a function has needed: the CPU times of its recent invocations.

use std::collections::VecDeque;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::moments::Moments;

/// The CPU times of a function's most recent invocations, in nanoseconds,
/// oldest first.
///
/// Bounded by count and not by age: a function invoked once in a few minutes
/// is known as well as a busy one; and of a busy one's samples, no more than a
/// quarter of them come from one round.
///
/// How far the distribution of a full history can be off: by the inequality
/// of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990), the
/// distribution function of `n` independent samples is nowhere further from
/// the true one than `sqrt(ln(2 / p) / (2 n))` but with probability `p`. For
/// 256 samples that is 0.085 in 19 of 20 cases.
///
/// Serialised as a plain sequence of nanoseconds; of a damaged one, the values
/// that make sense are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct History {
    samples_ns: VecDeque<u64>,
}

impl History {
    /// Samples kept, at most.
    pub const CAPACITY: usize = 256;

    /// The largest CPU time believed: 2^53 ns, 104 days. Anything above is a
    /// damaged record.
    pub const PLAUSIBLE_NS: u64 = 1 << 53;

    /// Adds the newest sample, and says whether it did. The oldest makes room
    /// for it; an implausible one is dropped.
    pub fn add(&mut self, cpu_ns: u64) -> bool {
        if cpu_ns > Self::PLAUSIBLE_NS {
            return false;
        }
        if self.samples_ns.len() == Self::CAPACITY {
            self.samples_ns.pop_front();
        }
        self.samples_ns.push_back(cpu_ns);
        true
    }

    /// Puts a sample in the place of one that is `back` before the newest,
    /// and says whether it did: an implausible one is dropped, and so is one
    /// for a place there is not.
    pub fn replace(&mut self, back: usize, cpu_ns: u64) -> bool {
        let place = self.samples_ns.len().checked_sub(back + 1);
        let place = place.and_then(|place| self.samples_ns.get_mut(place));
        match place {
            Some(sample_ns) if cpu_ns <= Self::PLAUSIBLE_NS => {
                *sample_ns = cpu_ns;
                true
            }
            _ => false,
        }
    }

    pub fn len(&self) -> usize {
        self.samples_ns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.samples_ns.is_empty()
    }

    /// All samples, oldest first.
    pub fn samples_ns(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.samples_ns.iter().copied()
    }

    /// The `count` most recent samples, or all there are, oldest first.
    pub fn recent_ns(&self, count: usize) -> impl ExactSizeIterator<Item = u64> + '_ {
        let older = self.len().saturating_sub(count);
        self.samples_ns.range(older..).copied()
    }

    /// All samples as one slice, oldest first.
    pub fn series_ns(&mut self) -> &[u64] {
        self.samples_ns.make_contiguous()
    }

    /// Mean CPU time in nanoseconds; `None` without samples.
    pub fn mean_ns(&self) -> Option<f64> {
        self.moments().map(|moments| moments.mean_ns)
    }

    /// Standard deviation of the CPU times in nanoseconds; `None` without samples.
    pub fn stdev_ns(&self) -> Option<f64> {
        self.moments().map(|moments| moments.stdev_ns)
    }

    fn moments(&self) -> Option<Moments> {
        let series: Vec<u64> = self.samples_ns().collect();
        Moments::of(&series)
    }
}

impl FromIterator<u64> for History {
    fn from_iter<I: IntoIterator<Item = u64>>(samples_ns: I) -> Self {
        let mut history = Self::default();
        for cpu_ns in samples_ns {
            history.add(cpu_ns);
        }
        history
    }
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Samples)
    }
}

/// One element of a stored history, whatever it turns out to be.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Sample(u64),
    Damaged(IgnoredAny),
}

struct Samples;

impl<'de> Visitor<'de> for Samples {
    type Value = History;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a sequence of CPU times in nanoseconds")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut stored: A) -> Result<History, A::Error> {
        let mut history = History::default();
        while let Some(element) = stored.next_element()? {
            match element {
                Stored::Sample(cpu_ns) => _ = history.add(cpu_ns),
                Stored::Damaged(IgnoredAny) => {}
            }
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_samples_make_room() {
        let history: History = (0..300).collect();
        assert_eq!(history.len(), History::CAPACITY);
        assert_eq!(history.samples_ns().next(), Some(44));
        assert_eq!(history.recent_ns(2).collect::<Vec<_>>(), [298, 299]);
        assert_eq!(history.recent_ns(999).len(), History::CAPACITY);
    }

    #[test]
    fn the_series_is_in_order_after_the_oldest_made_room() {
        let mut history: History = (0..300).collect();
        let expected: Vec<_> = (44..300).collect();
        assert_eq!(history.series_ns(), expected);
    }

    #[test]
    fn mean_and_stdev_are_of_all_samples() {
        let history: History = [10, 30].into_iter().collect();
        assert_eq!(history.mean_ns(), Some(20.0));
        assert_eq!(history.stdev_ns(), Some(10.0));
        assert_eq!(History::default().mean_ns(), None);
    }

    #[test]
    fn an_implausible_sample_is_dropped() {
        let history: History = [u64::MAX, 5].into_iter().collect();
        assert_eq!(history.len(), 1);
    }

    #[test]
    fn a_sample_takes_the_place_of_another() {
        let mut history: History = [1, 2, 3].into_iter().collect();
        assert!(history.replace(0, 9) && history.replace(2, 7));
        assert!(!history.replace(3, 5) && !history.replace(1, u64::MAX));
        assert_eq!(history.samples_ns().collect::<Vec<_>>(), [7, 2, 9]);
    }

    #[test]
    fn a_full_history_is_as_close_to_the_truth_as_stated() {
        use rand::rngs::Xoshiro256PlusPlus;
        use rand::{RngExt, SeedableRng};

        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let mut further = 0;
        for _ in 0..1000 {
            let history: History = (0..2000).map(|_| random.random_range(0..1 << 30)).collect();
            let mut samples: Vec<u64> = history.samples_ns().collect();
            samples.sort_unstable();
            let off = samples.iter().enumerate().map(|(below, &sample)| {
                let truth = sample as f64 / f64::from(1 << 30);
                let seen = [below, below + 1].map(|count| count as f64 / 256.0);
                (seen[0] - truth).abs().max((seen[1] - truth).abs())
            });
            further += u32::from(off.fold(0.0, f64::max) > 0.085);
        }
        assert!(further < 60, "{further} of 1000");
    }

    #[test]
    fn damaged_values_are_dropped_on_load() {
        let text = r#"[1, -2, null, "x", 3.5, [4], {"a": 5}, 1e300, 18446744073709551615, 6]"#;
        let history: History = serde_json::from_str(text).unwrap();
        assert_eq!(history.samples_ns().collect::<Vec<_>>(), [1, 6]);
    }

    #[test]
    fn what_is_no_sequence_is_an_error() {
        for text in ["{}", "7", "null", "[1,", ""] {
            assert!(serde_json::from_str::<History>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_survives_being_stored(samples in prop::collection::vec(any::<u64>(), 0..400)) {
            let history: History = samples.into_iter().collect();
            let text = serde_json::to_string(&history).unwrap();
            prop_assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
        }
    }
}
