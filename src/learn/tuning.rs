// SPDX-License-Identifier: GPL-2.0-only
//! The two fine-tunings of a predicted slice: unpredictability and overload
//! (ALPS, USENIX ATC 2024, the frontend's policy tuning).

use serde::{Deserialize, Serialize};

use super::param::ParamError;
use crate::policy::table::LEAST_SLICE_NS;

/// No slice is longer than this: 200 ms.
pub const SLICE_CAP_NS: u64 = 200_000_000;

/// A slice as it was tuned, by steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// `alpha * ts`, or `ts` where unpredictability is not tuned for.
    pub weighted_ns: f64,
    /// `ts_u`: what is left of that for a function as predictable as this.
    pub predictable_ns: f64,
    /// `p`: how much of that the utilisation leaves, from 0 to 1.
    pub load_share: f64,
    /// The slice; 0 where there is none of its own.
    pub slice_ns: u64,
}

/// The parameters of the fine-tuning, within their ranges.
///
/// With `ts` the predicted slice, `sd` the standard deviation of the slices
/// it was predicted from and `l` the CPU utilisation in percent:
///
/// ```text
/// ts_u = max(alpha * ts - beta * sd, 0)
/// p    = 1 if l < theta, else (100 + theta - l) / (100 * gamma), within 0..1
/// ts_s = min(p * ts_u, ts_u)
/// ```
///
/// A function too unpredictable for a slice of its own (`ts_u = 0`, or a `ts_s`
/// below [`LEAST_SLICE_NS`]) gets the scheduler's default, and slices shrink as
/// the machine fills up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TuningParams {
    alpha: f64,
    beta: f64,
    theta: f64,
    gamma: f64,
    unpredictability: bool,
    overload: bool,
}

impl TuningParams {
    /// Both tunings, with the given parameters.
    ///
    /// - `alpha`, finite and at least 0: the weight of the prediction
    /// - `beta`, finite and at least 0: the weight of its deviation
    /// - `theta`, at least 0 and below 100: percent of CPU utilisation from
    ///   which on slices shrink
    /// - `gamma`, finite and above 0: how strongly they do
    ///
    /// # Errors
    /// Names the first parameter outside its range.
    pub fn new(alpha: f64, beta: f64, theta: f64, gamma: f64) -> Result<Self, ParamError> {
        let weight = |value: f64| value.is_finite() && value >= 0.0;
        if !weight(alpha) {
            return Err(ParamError::new("alpha", alpha, WEIGHT_RANGE));
        }
        if !weight(beta) {
            return Err(ParamError::new("beta", beta, WEIGHT_RANGE));
        }
        if !(0.0..100.0).contains(&theta) {
            return Err(ParamError::new("theta", theta, THETA_RANGE));
        }
        if !(gamma.is_finite() && gamma > 0.0) {
            return Err(ParamError::new("gamma", gamma, GAMMA_RANGE));
        }
        Ok(Self {
            alpha,
            beta,
            theta,
            gamma,
            ..Self::default()
        })
    }

    /// With the tuning for unpredictability on or off. Off means `ts_u = ts`,
    /// and is what the published flag `--unpred` asks for.
    pub fn with_unpredictability(self, tuned: bool) -> Self {
        Self {
            unpredictability: tuned,
            ..self
        }
    }

    /// With the tuning for overload on or off. Off means `p = 1`, and is what
    /// the published flag `--overload` asks for.
    pub fn with_overload(self, tuned: bool) -> Self {
        Self {
            overload: tuned,
            ..self
        }
    }

    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    pub fn beta(&self) -> f64 {
        self.beta
    }

    pub fn theta(&self) -> f64 {
        self.theta
    }

    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    /// Whether the tuning for unpredictability is on.
    pub fn tunes_unpredictability(&self) -> bool {
        self.unpredictability
    }

    /// Whether the tuning for overload is on.
    pub fn tunes_overload(&self) -> bool {
        self.overload
    }

    /// The slice of a function in nanoseconds, from [`LEAST_SLICE_NS`] to
    /// [`SLICE_CAP_NS`]; 0 where it has none of its own.
    ///
    /// A utilisation that is no number counts as below `theta`, a prediction
    /// that is none as 0.
    pub fn slice_ns(&self, predicted_ns: f64, stdev_ns: f64, utilisation_percent: f64) -> u64 {
        self.tuned(predicted_ns, stdev_ns, utilisation_percent)
            .slice_ns
    }

    /// The same, with what each step has made of it.
    pub fn tuned(&self, predicted_ns: f64, stdev_ns: f64, utilisation_percent: f64) -> Tuned {
        let (weighted_ns, predictable_ns) = if self.unpredictability {
            let weighted_ns = self.alpha * predicted_ns;
            (weighted_ns, weighted_ns - self.beta * stdev_ns)
        } else {
            (predicted_ns, predicted_ns)
        };
        let predictable_ns = time(predictable_ns);
        let load_share = self.overload_factor(utilisation_percent);
        let slice_ns = (load_share * predictable_ns).min(SLICE_CAP_NS as f64) as u64;
        Tuned {
            weighted_ns: time(weighted_ns),
            predictable_ns,
            load_share,
            slice_ns: if slice_ns < LEAST_SLICE_NS {
                0
            } else {
                slice_ns
            },
        }
    }

    /// `p`: what is left of a slice at this utilisation, from 0 to 1.
    fn overload_factor(&self, utilisation_percent: f64) -> f64 {
        if !self.overload || utilisation_percent.is_nan() || utilisation_percent < self.theta {
            return 1.0;
        }
        let factor = (100.0 + self.theta - utilisation_percent) / (100.0 * self.gamma);
        factor.clamp(0.0, 1.0)
    }
}

/// What is no number is no time; and infinity times a factor of 0 would be none.
fn time(ns: f64) -> f64 {
    if ns.is_nan() {
        0.0
    } else {
        ns.clamp(0.0, f64::MAX)
    }
}

const WEIGHT_RANGE: &str = "a finite number of at least 0";
const THETA_RANGE: &str = "a percentage of at least 0 and below 100";
const GAMMA_RANGE: &str = "a finite number above 0";

impl Default for TuningParams {
    /// The published defaults: `alpha` 1, `beta` 1, `theta` 50, `gamma` 1.
    fn default() -> Self {
        Self {
            alpha: 1.0,
            beta: 1.0,
            theta: 50.0,
            gamma: 1.0,
            unpredictability: true,
            overload: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::num::f64::ANY;
    use proptest::prelude::*;

    const MS: f64 = 1e6;

    fn params(alpha: f64, beta: f64, theta: f64, gamma: f64) -> TuningParams {
        TuningParams::new(alpha, beta, theta, gamma).unwrap()
    }

    fn refusal(alpha: f64, beta: f64, theta: f64, gamma: f64) -> String {
        TuningParams::new(alpha, beta, theta, gamma)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn slices_shrink_with_utilisation_as_published() {
        let tuning = TuningParams::default();
        for (percent, factor) in [
            (0.0, 1.0),
            (49.9, 1.0),
            (70.0, 0.8),
            (90.0, 0.6),
            (100.0, 0.5),
        ] {
            assert_eq!(
                tuning.slice_ns(10.0 * MS, 0.0, percent),
                (10.0 * MS * factor) as u64
            );
        }
    }

    #[test]
    fn at_theta_itself_the_formula_holds() {
        assert_eq!(params(1.0, 1.0, 50.0, 1.0).overload_factor(50.0), 1.0);
        assert_eq!(params(1.0, 1.0, 50.0, 2.0).overload_factor(50.0), 0.5);
        assert_eq!(params(1.0, 1.0, 0.0, 1.0).overload_factor(0.0), 1.0);
    }

    #[test]
    fn the_factor_stays_within_its_range() {
        assert_eq!(params(1.0, 1.0, 90.0, 0.5).overload_factor(95.0), 1.0);
        assert_eq!(params(1.0, 1.0, 50.0, 1.0).overload_factor(400.0), 0.0);
        assert_eq!(TuningParams::default().overload_factor(f64::NAN), 1.0);
        assert_eq!(TuningParams::default().overload_factor(f64::INFINITY), 0.0);
    }

    #[test]
    fn deviation_shortens_a_slice_down_to_none() {
        let tuning = params(1.0, 2.0, 50.0, 1.0);
        assert_eq!(tuning.slice_ns(10.0 * MS, 3.0 * MS, 0.0), 4_000_000);
        assert_eq!(tuning.slice_ns(10.0 * MS, 5.0 * MS, 0.0), 0);
        assert_eq!(TuningParams::default().slice_ns(MS, 2.0 * MS, 0.0), 0);
    }

    #[test]
    fn both_tunings_work_together() {
        let tuning = params(2.0, 0.5, 40.0, 1.25);
        // ts_u = 2*30 - 0.5*20 = 50 ms; p = (140 - 90)/125 = 0.4
        assert_eq!(tuning.slice_ns(30.0 * MS, 20.0 * MS, 90.0), 20_000_000);
    }

    #[test]
    fn what_is_left_too_short_is_no_slice() {
        let tuning = TuningParams::default();
        assert_eq!(tuning.slice_ns(0.1 * MS, 0.0, 0.0), LEAST_SLICE_NS);
        assert_eq!(tuning.slice_ns(0.1 * MS - 1.0, 0.0, 0.0), 0);
        assert_eq!(tuning.slice_ns(10.0 * MS, 9.95 * MS, 0.0), 0);
        assert_eq!(tuning.slice_ns(0.15 * MS, 0.0, 100.0), 0);
    }

    #[test]
    fn each_step_of_the_tuning_is_told() {
        let tuned = params(2.0, 0.5, 40.0, 1.25).tuned(30.0 * MS, 20.0 * MS, 90.0);
        let expected = Tuned {
            weighted_ns: 60.0 * MS,
            predictable_ns: 50.0 * MS,
            load_share: 0.4,
            slice_ns: 20_000_000,
        };
        assert_eq!(tuned, expected);
        let untuned = TuningParams::default().with_unpredictability(false);
        assert_eq!(untuned.tuned(MS, MS, 0.0).predictable_ns, MS);
    }

    #[test]
    fn without_weight_a_prediction_gives_no_slice() {
        let tuning = params(0.0, 1.0, 50.0, 1.0);
        assert_eq!(tuning.slice_ns(10.0 * MS, 0.0, 0.0), 0);
    }

    #[test]
    fn each_tuning_can_be_switched_off() {
        let tuning = TuningParams::default();
        let slice = |tuning: TuningParams| tuning.slice_ns(10.0 * MS, 4.0 * MS, 100.0);
        assert_eq!(slice(tuning), 3_000_000);
        assert_eq!(slice(tuning.with_unpredictability(false)), 5_000_000);
        assert_eq!(slice(tuning.with_overload(false)), 6_000_000);
        let off = tuning.with_unpredictability(false).with_overload(false);
        assert_eq!(slice(off), 10_000_000);
    }

    #[test]
    fn no_slice_exceeds_the_cap() {
        let tuning = TuningParams::default();
        assert_eq!(tuning.slice_ns(1e12, 0.0, 100.0), SLICE_CAP_NS);
        assert_eq!(
            tuning.with_unpredictability(false).slice_ns(1e12, 0.0, 0.0),
            SLICE_CAP_NS
        );
    }

    #[test]
    fn parameters_outside_their_range_are_refused_by_name() {
        let weight = "but must be a finite number of at least 0";
        assert_eq!(
            refusal(-1.0, 1.0, 50.0, 1.0),
            format!("alpha is -1, {weight}")
        );
        assert_eq!(
            refusal(1.0, f64::NAN, 50.0, 1.0),
            format!("beta is NaN, {weight}")
        );
        assert!(refusal(f64::INFINITY, 1.0, 50.0, 1.0).starts_with("alpha is inf"));
        assert!(refusal(1.0, 1.0, 100.0, 1.0).contains("below 100"));
        assert!(refusal(1.0, 1.0, -0.1, 1.0).starts_with("theta"));
        assert!(refusal(1.0, 1.0, f64::NAN, 1.0).starts_with("theta"));
        assert!(refusal(1.0, 1.0, 50.0, 0.0).starts_with("gamma is 0"));
        assert!(refusal(1.0, 1.0, 50.0, f64::INFINITY).starts_with("gamma"));
    }

    #[test]
    fn the_published_defaults_are_within_their_ranges() {
        assert_eq!(params(1.0, 1.0, 50.0, 1.0), TuningParams::default());
    }

    proptest! {
        #[test]
        fn whatever_comes_the_slice_is_within_its_bounds(
            weights in [ANY, ANY],
            theta in prop_oneof![0.0..100.0f64, ANY],
            gamma in ANY,
            (predicted, stdev, percent) in (ANY, ANY, ANY),
            tuned in any::<[bool; 2]>(),
        ) {
            let [alpha, beta] = weights.map(f64::abs);
            if let Ok(tuning) = TuningParams::new(alpha, beta, theta.abs(), gamma.abs()) {
                let tuning = tuning.with_unpredictability(tuned[0]).with_overload(tuned[1]);
                let slice_ns = tuning.slice_ns(predicted, stdev, percent);
                prop_assert!(slice_ns == 0 || (LEAST_SLICE_NS..=SLICE_CAP_NS).contains(&slice_ns));
            }
        }
    }
}
