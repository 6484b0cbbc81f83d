// SPDX-License-Identifier: GPL-2.0-only
//! The normal distribution, and what is log-normal by it.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// A factor with mean 1 whose logarithm has the standard deviation `sigma`,
/// which for small values is about its coefficient of variation.
pub fn noise(sigma: f64, rng: &mut impl Rng) -> f64 {
    let normal: f64 = rng.sample(StandardNormal);
    // E[exp(sX - s^2/2)] = 1.
    (sigma * normal - sigma * sigma / 2.0).exp()
}

/// What a standard normal variable is below with `probability`, which lies
/// strictly between 0 and 1.
///
/// The rational approximation 26.2.23 of Abramowitz and Stegun, *Handbook of
/// Mathematical Functions*; its error is below 4.5e-4.
pub fn quantile(probability: f64) -> f64 {
    let tail = probability.min(1.0 - probability);
    let t = (-2.0 * tail.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let magnitude = t - above / below;
    if probability < 0.5 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (probability, expected) in [
            (0.5, 0.0),
            (0.841_345, 1.0),
            (0.158_655, -1.0),
            (0.975, 1.959_964),
            (0.001, -3.090_232),
        ] {
            assert!((quantile(probability) - expected).abs() < 5e-4);
        }
    }

    #[test]
    fn noise_has_mean_one() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mean = (0..100_000).map(|_| noise(0.5, &mut rng)).sum::<f64>() / 1e5;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }
}
