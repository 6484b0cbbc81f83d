// SPDX-License-Identifier: GPL-2.0-only
//! From remaining CPU time to a bias in virtual time.

use super::param::ParamError;

/// `K`: how much later an invocation is keyed for each unit of CPU time it is
/// expected to need yet.
///
/// The larger, the closer to shortest remaining time first. Being finite, it
/// bounds what newcomers can add to a wait: those that come later than `K` times
/// what an invocation is expected to need yet run after it. Its slowdown it does
/// not bound, since all that came before may run first.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BiasFactor(f64);

impl BiasFactor {
    /// The largest factor.
    pub const MAX: f64 = 10_000.0;

    /// A factor above 0 and at most [`BiasFactor::MAX`].
    ///
    /// # Errors
    /// Says what the range is where the factor lies outside it.
    pub fn new(factor: f64) -> Result<Self, ParamError> {
        if factor > 0.0 && factor <= Self::MAX {
            Ok(Self(factor))
        } else {
            let range = "a number above 0 and at most 10000";
            Err(ParamError::new("bias factor", factor, range))
        }
    }

    /// The factor itself.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The factor multiplied, as far as the range allows; by what is no number
    /// above 0 it stays as it is.
    pub(super) fn times(self, ratio: f64) -> Self {
        let factor = self.0 * ratio;
        if factor > 0.0 {
            Self(factor.min(Self::MAX))
        } else {
            self
        }
    }

    /// `K * remaining` in nanoseconds up to three quarters of the largest bias,
    /// and from there on ever less more, so that it nears the largest bias and
    /// the longer is still behind the shorter:
    ///
    /// ```text
    /// x = K * remaining, m = max_ns, b = 3/4 m
    /// bias = x if x < b, else m - (m - b) * exp(-(x - b) / (m - b))
    /// ```
    pub fn bias_ns(self, remaining_ns: u64, max_ns: u64) -> u64 {
        let (x, most) = (self.0 * remaining_ns as f64, max_ns as f64);
        let bend = BEND * most;
        if x < bend {
            return (x as u64).min(max_ns);
        }
        let left = most - bend;
        let bent = most - left * (-(x - bend) / left).exp();
        // Where there is nothing left it is no number, and 0 is right.
        (bent as u64).min(max_ns)
    }
}

/// From this share of the largest bias on biases are bent.
const BEND: f64 = 0.75;

impl Default for BiasFactor {
    /// 16: in simulation as good in the mean as any larger factor, and the
    /// longest functions fare no worse than under fair sharing.
    fn default() -> Self {
        Self(16.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn factors_outside_the_range_are_refused() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 10_000.1] {
            assert!(BiasFactor::new(factor).is_err(), "{factor}");
        }
        assert_eq!(
            BiasFactor::new(0.0).unwrap_err().to_string(),
            "bias factor is 0, but must be a number above 0 and at most 10000"
        );
        assert_eq!(BiasFactor::new(10_000.0).unwrap().get(), BiasFactor::MAX);
    }

    #[test]
    fn the_bias_is_the_remainder_times_the_factor_and_bends_towards_its_bound() {
        let factor = BiasFactor::new(4.0).unwrap();
        // 1000 - 250 * exp(-(1000 - 750) / 250) = 908.03
        for (remaining, bias) in [(0, 0), (5, 20), (187, 748), (250, 908), (u64::MAX, 1_000)] {
            assert_eq!(factor.bias_ns(remaining, 1_000), bias);
        }
    }

    #[test]
    fn without_a_bound_nothing_is_bent() {
        let one = BiasFactor::new(1.0).unwrap();
        for remaining in [0, 1, 1 << 40] {
            assert_eq!(one.bias_ns(remaining, u64::MAX), remaining);
        }
    }

    proptest! {
        #[test]
        fn the_longer_is_never_ahead_and_nobody_beyond_the_bound(
            factor in 0.0..BiasFactor::MAX,
            (one, other) in any::<(u64, u64)>(),
            max_ns: u64,
        ) {
            if let Ok(factor) = BiasFactor::new(factor) {
                let [less, more] = [one.min(other), one.max(other)];
                prop_assert!(factor.bias_ns(less, max_ns) <= factor.bias_ns(more, max_ns));
                prop_assert!(factor.bias_ns(more, max_ns) <= max_ns);
            }
        }
    }
}
