// SPDX-License-Identifier: GPL-2.0-only
//! How the bias factor `K` follows the load.

use super::bias::BiasFactor;
use super::config::LearnerConfig;
use super::param::ParamError;

/// By how much `K` is multiplied on a machine that is busy all the time.
///
/// With `l` the utilisation in percent, and `theta` and `gamma` those of the
/// tuning for overload, of which this is the counterpart for `K`:
///
/// ```text
/// x    = 0 if l < theta, else min((l - theta) / ((100 - theta) * gamma), 1)
/// K(l) = K * factor^x
/// ```
///
/// So up to `theta` `K` is as set, and from there it rises (or falls, with a
/// factor below 1) along a straight line on the scale of logarithms; `gamma`
/// says how gently. A factor of 1 leaves `K` as set whatever the load.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct LoadFactor(f64);

impl LoadFactor {
    /// The largest factor; its inverse is the smallest.
    pub const MAX: f64 = 1_000.0;

    /// A factor from a thousandth to a thousand.
    ///
    /// # Errors
    /// Says what the range is where the factor lies outside it.
    pub fn new(factor: f64) -> Result<Self, ParamError> {
        if (1.0 / Self::MAX..=Self::MAX).contains(&factor) {
            Ok(Self(factor))
        } else {
            let range = "a number of at least 0.001 and at most 1000";
            Err(ParamError::new("load factor", factor, range))
        }
    }

    /// The factor itself.
    pub fn get(self) -> f64 {
        self.0
    }

    /// `K(l)`. A utilisation that is no number counts as below `theta`;
    /// `theta` is below 100 and `gamma` above 0.
    pub fn bias_factor(
        self,
        set: BiasFactor,
        utilisation_percent: f64,
        theta: f64,
        gamma: f64,
    ) -> BiasFactor {
        let over = (utilisation_percent - theta) / ((100.0 - theta) * gamma);
        // Also false where it is NaN.
        let over = if over > 0.0 { over.min(1.0) } else { 0.0 };
        set.times(self.0.powf(over))
    }
}

impl Default for LoadFactor {
    /// 1: `K` does not follow the load.
    fn default() -> Self {
        Self(1.0)
    }
}

/// A `K` that follows the load, as it is in force.
///
/// Utilisation jumps from round to round, and every new `K` makes every bias
/// new. So `K` follows a moving mean of it, and stays as it is until what it
/// should be is off by more than an eighth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Following {
    in_force: BiasFactor,
    percent: Option<f64>,
}

/// The newest round's part in the moving mean of the utilisation.
const NEWEST: f64 = 0.25;

/// Ratio by which `K` may be off.
const SLACK: f64 = 1.125;

impl Following {
    pub(super) fn new(set: BiasFactor) -> Self {
        Self {
            in_force: set,
            percent: None,
        }
    }

    /// `K` in force.
    pub(super) fn in_force(&self) -> BiasFactor {
        self.in_force
    }

    /// Takes note of a round's utilisation, which counts as low where it is
    /// no number; whether that changes `K`.
    pub(super) fn heed(&mut self, config: &LearnerConfig, utilisation_percent: f64) -> bool {
        let newest = if utilisation_percent.is_nan() {
            0.0
        } else {
            utilisation_percent.clamp(0.0, 100.0)
        };
        let before = self.percent.unwrap_or(newest);
        let percent = before + NEWEST * (newest - before);
        self.percent = Some(percent);
        let (theta, gamma) = (config.tuning.theta(), config.tuning.gamma());
        let set = config.bias_factor;
        let wanted = config.load_factor.bias_factor(set, percent, theta, gamma);
        let (one, two) = (self.in_force.get(), wanted.get());
        let changes = one.max(two) > SLACK * one.min(two);
        if changes {
            self.in_force = wanted;
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn factor(k: f64, load_factor: f64, percent: f64) -> f64 {
        LoadFactor::new(load_factor)
            .unwrap()
            .bias_factor(BiasFactor::new(k).unwrap(), percent, 50.0, 1.0)
            .get()
    }

    #[test]
    fn it_is_the_rule_worked_by_hand() {
        for (percent, expected) in [
            (0.0, 4.0),
            (49.9, 4.0),
            (50.0, 4.0),
            (75.0, 8.0),
            (100.0, 16.0),
            (400.0, 16.0),
            (f64::NAN, 4.0),
            (f64::INFINITY, 16.0),
        ] {
            assert_eq!(factor(4.0, 4.0, percent), expected, "{percent}");
        }
        assert_eq!(factor(16.0, 0.25, 75.0), 8.0);
        assert_eq!(factor(16.0, 1.0, 100.0), 16.0);
    }

    #[test]
    fn gamma_says_how_gently() {
        let rule = LoadFactor::new(16.0).unwrap();
        let k = BiasFactor::new(1.0).unwrap();
        assert_eq!(rule.bias_factor(k, 100.0, 50.0, 2.0).get(), 4.0);
        assert_eq!(rule.bias_factor(k, 75.0, 50.0, 0.5).get(), 16.0);
    }

    #[test]
    fn factors_outside_the_range_are_refused() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e4, 1e-4] {
            let error = LoadFactor::new(factor).unwrap_err().to_string();
            assert!(error.starts_with("load factor is"), "{error}");
        }
    }

    #[test]
    fn it_follows_what_lasts_and_not_what_jumps() {
        let config = LearnerConfig {
            bias_factor: BiasFactor::new(4.0).unwrap(),
            load_factor: LoadFactor::new(4.0).unwrap(),
            ..LearnerConfig::default()
        };
        let mut following = Following::new(config.bias_factor);
        assert!(!following.heed(&config, 20.0));
        assert!(
            !following.heed(&config, 100.0),
            "one busy round is not a busy machine"
        );
        let changes = (0..60).filter(|_| following.heed(&config, 100.0)).count();
        assert!((1..12).contains(&changes), "{changes}");
        assert!(following.in_force().get() > 14.0);
        let changes = (0..60).filter(|step| following.heed(&config, 97.0 + f64::from(step % 4)));
        assert_eq!(changes.count(), 0);
        let changes = (0..60)
            .filter(|_| following.heed(&config, f64::NAN))
            .count();
        assert!(changes > 0 && following.in_force().get() < 4.6);
    }

    proptest! {
        #[test]
        fn it_lies_between_the_factor_set_and_its_multiple(
            k in 0.01..100.0f64,
            load_factor in 0.01..100.0f64,
            percent in prop::num::f64::ANY,
        ) {
            let (one, two) = (k, k * load_factor);
            let k = factor(k, load_factor, percent);
            prop_assert!(k >= one.min(two) * 0.999 && k <= one.max(two) * 1.001);
        }
    }
}
