// SPDX-License-Identifier: GPL-2.0-only
//! Which invocations pause for I/O, and how long.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// Tells the choice of pauses from all else that a seed decides.
const STREAM: u64 = 0x0070_6175_7365_7300;

/// A share of all invocations sleeps once, in the middle.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// From 0 to 1.
    pub share: f64,
    pub pause: Duration,
}

impl Pauses {
    /// The pause of each of `count` requests in nanoseconds, 0 for none; the
    /// same for the same seed.
    pub fn draw(&self, seed: u64, count: usize) -> Vec<u64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ STREAM);
        let pause_ns = u64::try_from(self.pause.as_nanos()).unwrap_or(u64::MAX);
        (0..count)
            .map(|_| {
                if rng.random::<f64>() < self.share {
                    pause_ns
                } else {
                    0
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_pauses() {
        let pauses = Pauses {
            share: 0.3,
            pause: Duration::from_millis(5),
        };
        let drawn = pauses.draw(1, 10_000);
        let pausing = drawn.iter().filter(|&&ns| ns == 5_000_000).count();
        assert!((2_800..3_200).contains(&pausing), "{pausing}");
        assert!(drawn.iter().all(|&ns| ns == 0 || ns == 5_000_000));
        assert_eq!(drawn, pauses.draw(1, 10_000));
        assert_ne!(drawn, pauses.draw(2, 10_000));
    }

    #[test]
    fn none_and_all() {
        let pauses = |share| Pauses {
            share,
            pause: Duration::from_nanos(1),
        };
        assert_eq!(pauses(0.0).draw(1, 3), [0, 0, 0]);
        assert_eq!(pauses(1.0).draw(1, 3), [1, 1, 1]);
    }
}
