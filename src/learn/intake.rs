// SPDX-License-Identifier: GPL-2.0-only
//! How many of a round's samples a history takes in.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::history::History;

/// A reservoir: of a function's samples within one round, at most
/// [`Intake::PER_ROUND`] enter its history, each with the same chance.
///
/// A history has room for four full rounds. Without a limit a function called
/// a thousand times a second would be known by its last quarter of a second,
/// and by whatever was going on just then; with it, by the last four rounds
/// evenly.
#[derive(Debug)]
pub(super) struct Intake {
    /// Samples that came since the round began.
    seen: u64,
    random: Xoshiro256PlusPlus,
}

impl Intake {
    /// Samples of one round that enter a history, at most.
    pub(super) const PER_ROUND: usize = History::CAPACITY / 4;

    /// The same seed makes the same choices.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seen: 0,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    pub(super) fn begin_round(&mut self) {
        self.seen = 0;
    }

    /// Offers a sample; whether the history has taken it in.
    pub(super) fn offer(&mut self, history: &mut History, cpu_ns: u64) -> bool {
        self.seen += 1;
        if self.seen <= Self::PER_ROUND as u64 {
            return history.add(cpu_ns);
        }
        let place = self.random.random_range(0..self.seen);
        place < Self::PER_ROUND as u64 && history.replace(place as usize, cpu_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_in(count: u64) -> History {
        let mut history: History = std::iter::repeat_n(u64::from(u32::MAX), 256).collect();
        let mut intake = Intake::new(1);
        for sample in 0..count {
            intake.offer(&mut history, sample);
        }
        history
    }

    #[test]
    fn a_few_samples_enter_in_their_order() {
        let newest: Vec<_> = taken_in(20).recent_ns(20).collect();
        assert_eq!(newest, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn of_many_samples_a_part_enters_from_the_whole_round() {
        let history = taken_in(64_000);
        let newest: Vec<_> = history.recent_ns(Intake::PER_ROUND).collect();
        let late = newest.iter().filter(|&&sample| sample >= 32_000).count();
        assert!((16..=48).contains(&late), "{late} of 64 of the second half");
        let older = history.samples_ns().take(256 - Intake::PER_ROUND);
        assert!(
            older
                .into_iter()
                .all(|sample| sample == u64::from(u32::MAX))
        );
    }

    #[test]
    fn the_next_round_begins_anew() {
        let mut history = History::default();
        let mut intake = Intake::new(1);
        for round in 0..6u64 {
            intake.begin_round();
            for _ in 0..1000 {
                intake.offer(&mut history, round);
            }
        }
        let counts = (2..6).map(|round| history.samples_ns().filter(|&at| at == round).count());
        assert_eq!(counts.collect::<Vec<_>>(), [64; 4]);
    }
}
