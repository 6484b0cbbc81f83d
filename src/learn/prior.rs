// SPDX-License-Identifier: GPL-2.0-only
//! The platform's prior: what is expected of a function never seen.

use super::distribution::Distribution;
use super::forecast::Forecast;
use super::history::History;
use super::predictor::Predictor;

/// The forecast over all functions of the platform.
///
/// Every function has one share, whatever its traffic: its most recent
/// samples, up to 8, count as one value together. The question is what the
/// next unknown function will be like, not the next invocation, and no tenant
/// can make the platform's prior its own by calling often.
///
/// Nor by claiming much: what a single function has shown (of 40 functions and
/// more, one in twenty of them) counts for no more than what some other has
/// shown too. Lies about the future of others take accomplices, and their
/// number bounds what they achieve.
///
/// On top of that comes one share of a default, the log-normal distribution
/// fitted to the average durations of Azure's functions (Shahrad et al.,
/// "Serverless in the Wild", USENIX ATC 2020): with the logarithm
/// of seconds, mean -0.38 and standard deviation 2.36. It is all there is
/// before the first invocation and soon of little weight.
#[derive(Clone, Debug)]
pub struct Prior {
    default: Forecast,
    forecast: Forecast,
    samples: u32,
    settled: Forecast,
    generation: u64,
}

/// Mean of the logarithm of the default duration in seconds.
const LOG_MEAN: f64 = -0.38;

/// Standard deviation of the logarithm of the default duration in seconds.
const LOG_STDEV: f64 = 2.36;

/// Most recent samples of a function that make up its share.
const SHARE: usize = 8;

/// The longest functions, one in so many, count for no more than the next.
const TRIMMED: usize = 20;

/// With a single function nobody confirms anything, and it counts for no more
/// than the longest of a hundred by the default, 165 s.
const UNCONFIRMED_NS: u64 = 165_000_000_000;

/// Shares of the default.
const DEFAULT_SHARES: f64 = 1.0;

/// A forecast that departs by more than this ratio is worth learning few
/// samples anew for.
const SUBSTANTIAL: f64 = 2.0;

impl Prior {
    /// The prior of a platform nothing is known of.
    pub fn new(predictor: &dyn Predictor) -> Self {
        let sample = default_distribution();
        let own = predictor.remaining_ns(&sample);
        let default = Forecast::shrunk(&own, &sample, &Forecast::unknown(), 0.0);
        Self {
            forecast: default.clone(),
            samples: 0,
            settled: default.clone(),
            generation: 0,
            default,
        }
    }

    /// Learns the prior from the functions there are.
    pub fn learn<'a>(
        &mut self,
        predictor: &dyn Predictor,
        histories: impl Iterator<Item = &'a History>,
    ) {
        let histories: Vec<&History> = histories.collect();
        let most_ns = confirmed_ns(&histories);
        let mut sample = Distribution::empty();
        self.samples = 0;
        for history in histories {
            let recent = history.recent_ns(SHARE);
            let weight = 1.0 / recent.len() as f64;
            self.samples = self.samples.saturating_add(recent.len() as u32);
            recent.for_each(|cpu_ns| sample.add(cpu_ns.min(most_ns), weight));
        }
        let own = predictor.remaining_ns(&sample);
        self.forecast = Forecast::shrunk(&own, &sample, &self.default, DEFAULT_SHARES);
        if self.settled.departs(&self.forecast, SUBSTANTIAL) {
            self.settled = self.forecast.clone();
            self.generation += 1;
        }
    }

    /// What is expected of a function never seen.
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Invocations the prior was learned from.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// Changes whenever the forecast has changed substantially.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// The longest CPU time that more functions have shown than one, or than one
/// in [`TRIMMED`].
fn confirmed_ns(histories: &[&History]) -> u64 {
    let mut longest_ns: Vec<u64> = histories
        .iter()
        .filter_map(|history| history.recent_ns(SHARE).max())
        .collect();
    let trimmed = (longest_ns.len() / TRIMMED).max(1);
    match longest_ns.len().checked_sub(trimmed + 1) {
        Some(place) => *longest_ns.select_nth_unstable(place).1,
        None => UNCONFIRMED_NS,
    }
}

/// The log-normal default as a weighted sample: its density at steps of a
/// fiftieth of a standard deviation, five to either side of the mean.
fn default_distribution() -> Distribution {
    let mut distribution = Distribution::empty();
    for step in -250..=250 {
        let deviation = f64::from(step) / 50.0;
        let seconds = (LOG_MEAN + LOG_STDEV * deviation).exp();
        let density = (-deviation * deviation / 2.0).exp();
        distribution.add((seconds * 1e9) as u64, density);
    }
    distribution
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Avg;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn learned(histories: &[History]) -> Prior {
        let mut prior = Prior::new(&Avg);
        prior.learn(&Avg, histories.iter());
        prior
    }

    fn history(cpu_ns: u64, count: usize) -> History {
        std::iter::repeat_n(cpu_ns, count).collect()
    }

    #[test]
    fn with_no_data_it_has_the_mean_of_the_published_fit() {
        let mean_s = (LOG_MEAN + LOG_STDEV * LOG_STDEV / 2.0).exp();
        let prior = Prior::new(&Avg);
        let ratio = prior.forecast().at(0) as f64 / (mean_s * 1e9);
        assert!((0.97..1.03).contains(&ratio), "{ratio}");
    }

    #[test]
    fn with_no_data_more_is_expected_of_what_has_lasted_longer() {
        let prior = Prior::new(&Avg);
        let remaining = prior.forecast().remaining_ns();
        assert!(remaining.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn learning_from_nothing_leaves_the_default() {
        assert_eq!(learned(&[]).forecast(), Prior::new(&Avg).forecast());
        let empty = learned(&[History::default()]);
        assert_eq!(empty.forecast(), Prior::new(&Avg).forecast());
    }

    #[test]
    fn many_functions_outweigh_the_default() {
        let prior = learned(&vec![history(20 * MS, 5); 200]);
        let expected = prior.forecast().at(0);
        assert!((20 * MS..22 * MS).contains(&expected), "{expected}");
        assert_eq!(prior.samples(), 1000);
    }

    #[test]
    fn chatty_tenants_have_one_share_each_like_everyone() {
        let mut histories = vec![history(10 * MS, 1); 50];
        histories.extend(vec![history(1_000 * MS, 256); 50]);
        let expected = learned(&histories).forecast().at(0);
        assert!((480 * MS..530 * MS).contains(&expected), "{expected}");
    }

    #[test]
    fn a_single_function_counts_for_no_more_than_others_have_shown() {
        for honest in [1, 3, 10, 100] {
            let with = |claimed_ns| {
                let mut histories = vec![history(10 * MS, 8); honest];
                histories.push(history(20 * MS, 8));
                histories.push(history(claimed_ns, 256));
                learned(&histories).forecast().clone()
            };
            assert_eq!(with(History::PLAUSIBLE_NS), with(20 * MS), "{honest}");
        }
        let alone = learned(&[history(History::PLAUSIBLE_NS, 256)]);
        assert!(alone.forecast().at(0) <= UNCONFIRMED_NS);
    }

    #[test]
    fn accomplices_weigh_as_much_as_there_are_of_them() {
        let mut histories = vec![history(10 * MS, 8); 90];
        histories.extend(vec![history(1_000 * MS, 8); 10]);
        let expected = learned(&histories).forecast().at(0);
        assert!((100 * MS..140 * MS).contains(&expected), "{expected}");
    }

    #[test]
    fn its_generation_changes_with_substantial_changes_only() {
        let mut prior = learned(&vec![history(20 * MS, 5); 200]);
        let before = prior.generation();
        prior.learn(&Avg, vec![history(21 * MS, 5); 200].iter());
        assert_eq!(prior.generation(), before);
        prior.learn(&Avg, vec![history(200 * MS, 5); 200].iter());
        assert_ne!(prior.generation(), before);
    }

    proptest! {
        #[test]
        fn it_is_defined_everywhere(
            all in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..30), 0..10),
        ) {
            let histories: Vec<History> =
                all.into_iter().map(|series| series.into_iter().collect()).collect();
            let prior = learned(&histories);
            prop_assert!(prior.forecast().remaining_ns().iter().all(|&left| left > 0));
        }
    }
}
