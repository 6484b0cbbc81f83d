// SPDX-License-Identifier: GPL-2.0-only
//! From remaining CPU time to a bias in virtual time.

use super::param::ParamError;

/// `K`: how much later an invocation is keyed for each unit of CPU time it is
/// expected to need yet.
///
/// The larger, the closer to shortest remaining time first; being finite, it
/// lets every invocation wait only so long, and bounds its slowdown by about
/// `K`.
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

    /// `min(K * remaining, max_ns)` in nanoseconds.
    pub fn bias_ns(self, remaining_ns: u64, max_ns: u64) -> u64 {
        ((self.0 * remaining_ns as f64) as u64).min(max_ns)
    }
}

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
    fn the_bias_is_the_remainder_times_the_factor_up_to_its_bound() {
        let factor = BiasFactor::new(4.0).unwrap();
        for (remaining, bias) in [(0, 0), (5, 20), (300, 1_000), (u64::MAX, 1_000)] {
            assert_eq!(factor.bias_ns(remaining, 1_000), bias);
        }
    }
}
