// SPDX-License-Identifier: GPL-2.0-only
//! How the requests for a function arrive, their number being given.

use rand::{Rng, RngExt};
use rand_distr::Exp1;

use super::whole_us;

/// A pattern of arrivals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// A Poisson process of which the count is known: it is uniform.
    Poisson,
    /// Evenly spaced, as a timer asks.
    Clock,
    /// Bursts that begin as a Poisson process. Each goes on with probability
    /// `1 - 1 / size`, after a time that is exponential.
    Bursts {
        /// Mean number of requests in a burst.
        size: f64,
        /// Mean time between two of a burst.
        gap_ns: f64,
    },
}

impl Arrivals {
    /// When `count` requests arrive within `duration_ns`, in no order.
    pub fn place(self, count: usize, duration_ns: f64, rng: &mut impl Rng) -> Vec<u64> {
        match self {
            Self::Poisson => (0..count)
                .map(|_| whole_us(rng.random::<f64>() * duration_ns))
                .collect(),
            Self::Clock => {
                let phase: f64 = rng.random();
                (0..count)
                    .map(|tick| whole_us((tick as f64 + phase) / count as f64 * duration_ns))
                    .collect()
            }
            Self::Bursts { size, gap_ns } => {
                let mut at_ns = 0.0;
                let mut goes_on = false;
                (0..count)
                    .map(|_| {
                        if goes_on {
                            at_ns += rng.sample::<f64, _>(Exp1) * gap_ns;
                        } else {
                            at_ns = rng.random::<f64>() * duration_ns;
                        }
                        goes_on = rng.random::<f64>() * size >= 1.0;
                        // A burst that the end cuts goes on at the beginning.
                        whole_us(at_ns % duration_ns.max(1.0))
                    })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::super::super::dispersion::dispersion;
    use super::super::super::{Request, Trace};
    use super::*;

    const DURATION_NS: f64 = 1e12;

    fn dispersion_of(arrivals: Arrivals) -> f64 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let placed = arrivals.place(10_000, DURATION_NS, &mut rng);
        assert!(placed.iter().all(|&ns| (ns as f64) < DURATION_NS));
        let trace = Trace {
            functions: vec!["f".into()],
            requests: placed
                .into_iter()
                .map(|arrival_ns| Request {
                    arrival_ns,
                    function: 0,
                    cpu_ns: 1,
                })
                .collect(),
            duration_ns: DURATION_NS as u64,
        };
        dispersion(&trace, 1_000_000_000).unwrap()
    }

    #[test]
    fn patterns_are_as_bursty_as_they_say() {
        assert!((0.9..1.1).contains(&dispersion_of(Arrivals::Poisson)));
        assert!(dispersion_of(Arrivals::Clock) < 0.1);
        let bursts = dispersion_of(Arrivals::Bursts {
            size: 5.0,
            gap_ns: 1e6,
        });
        // Of geometric bursts much shorter than the interval: 2 size - 1.
        assert!((7.5..10.5).contains(&bursts), "{bursts}");
    }
}
