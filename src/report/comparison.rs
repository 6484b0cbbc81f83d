// SPDX-License-Identifier: GPL-2.0-only
//! Schedulers compared within one setting, in numbers.

use std::collections::BTreeMap;

use super::{Contender, Outcome, Quantity, Ratio, Round, Run, Setting, Statistic, Summary};

/// The contenders of one setting side by side; the first is the baseline.
pub struct Comparison<'a> {
    pub setting: &'a Setting,
    pub sides: Vec<Side<'a>>,
    pub basis: Basis,
    /// Index of the side that is the bound.
    bound: Option<usize>,
}

/// What is paired when ratios are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Seeds: all of a contender's rounds on one trace are pooled.
    Seeds,
    /// Rounds, in their order, where all are of one trace: an interval then
    /// tells how well runs repeat, not how traces differ.
    Rounds,
}

/// One contender's part.
pub struct Side<'a> {
    pub contender: &'a Contender,
    pub rounds: Vec<&'a Round>,
    /// All calls pooled; `None` if nothing finished.
    pub summary: Option<Summary>,
    /// What is paired with the other sides' units of the same key, a seed or
    /// the number of a round.
    units: BTreeMap<u64, Summary>,
}

impl<'a> Comparison<'a> {
    /// `None` where the setting has no round.
    pub fn of(run: &'a Run, setting: usize) -> Option<Self> {
        let basis = match run.seeds_in(setting).len() {
            0 => return None,
            1 => Basis::Rounds,
            _ => Basis::Seeds,
        };
        let contenders = run.contenders_in(setting);
        let bound = run.bound.as_ref();
        Some(Self {
            setting: run.settings.get(setting)?,
            bound: contenders.iter().position(|&c| Some(c) == bound),
            sides: contenders
                .into_iter()
                .map(|contender| Side::of(run, setting, contender, basis))
                .collect(),
            basis,
        })
    }

    /// All settings of a run that have rounds.
    pub fn all(run: &'a Run) -> Vec<Self> {
        let settings = 0..run.settings.len();
        settings.filter_map(|s| Self::of(run, s)).collect()
    }

    /// A figure of the side `new` over that of the side `old`; `None` where
    /// they have no trace in common that gives one.
    pub fn ratio(&self, old: usize, new: usize, figure: impl Fn(&Summary) -> f64) -> Option<Ratio> {
        let (old, new) = (self.sides.get(old)?, self.sides.get(new)?);
        let pairs = old.units.iter().filter_map(|(key, old)| {
            let new = new.units.get(key)?;
            Some((figure(old), figure(new)))
        });
        Ratio::of_pairs(pairs)
    }

    /// What part of the bound's gain over the baseline in mean response a side
    /// reaches; `None` for baseline and bound, and where the bound gains nothing.
    pub fn part_of_gain(&self, side: usize) -> Option<f64> {
        let bound = self.bound.filter(|&bound| side != 0 && side != bound)?;
        let mean = |index: usize| Some(self.sides.get(index)?.summary?.response_ms.mean);
        let gain = mean(0)? - mean(bound)?;
        (gain > 0.0).then_some((mean(0)? - mean(side)?) / gain)
    }

    pub fn bound(&self) -> Option<&Side<'a>> {
        self.sides.get(self.bound?)
    }

    /// Each function that was called, with its summary on every side.
    pub fn functions(&self) -> Vec<FunctionRow<'a>> {
        let sides: Vec<_> = self.sides.iter().map(Side::by_function).collect();
        (0..)
            .zip(&self.setting.functions)
            .filter_map(|(index, name)| {
                let of = |side: &BTreeMap<u32, Summary>| side.get(&index).copied();
                let summaries: Vec<Option<Summary>> = sides.iter().map(of).collect();
                let called = summaries.iter().any(Option::is_some);
                called.then_some(FunctionRow { name, summaries })
            })
            .collect()
    }
}

/// One function on every side.
pub struct FunctionRow<'a> {
    pub name: &'a str,
    /// In the order of the sides; `None` where no call of it finished.
    pub summaries: Vec<Option<Summary>>,
}

impl FunctionRow<'_> {
    /// Its calls on the first side that has any.
    pub fn calls(&self) -> usize {
        let first = self.summaries.iter().flatten().next();
        first.map_or(0, |summary| summary.invocations)
    }

    /// A figure of the side `new` over the baseline's, all calls pooled.
    pub fn ratio(&self, new: usize, quantity: Quantity) -> Option<f64> {
        let mean = |side: usize| {
            let summary = self.summaries.get(side)?.as_ref()?;
            Some(summary.get(quantity, Statistic::Mean))
        };
        let old = mean(0).filter(|&old| old > 0.0)?;
        Some(mean(new)? / old)
    }
}

impl<'a> Side<'a> {
    fn of(run: &'a Run, setting: usize, contender: &'a Contender, basis: Basis) -> Self {
        let rounds: Vec<&Round> = run
            .rounds_in(setting)
            .filter(|round| round.contender == *contender)
            .collect();
        let mut units: BTreeMap<u64, Vec<&Outcome>> = BTreeMap::new();
        for (number, round) in (0..).zip(&rounds) {
            let key = match basis {
                Basis::Seeds => round.seed,
                Basis::Rounds => number,
            };
            units.entry(key).or_default().extend(&round.outcomes);
        }
        Self {
            contender,
            summary: Summary::of(rounds.iter().flat_map(|round| &round.outcomes)),
            rounds,
            units: units
                .into_iter()
                .filter_map(|(key, outcomes)| Some((key, Summary::of(outcomes)?)))
                .collect(),
        }
    }

    pub fn outcomes(&self) -> impl Iterator<Item = &'a Outcome> {
        self.rounds.iter().flat_map(|round| &round.outcomes)
    }

    /// Its rounds on one trace, pooled.
    pub fn of_seed(&self, seed: u64) -> Option<Summary> {
        let rounds = self.rounds.iter().filter(|round| round.seed == seed);
        Summary::of(rounds.flat_map(|round| &round.outcomes))
    }

    /// Requests not served by the time limit.
    pub fn unserved(&self) -> usize {
        self.rounds.iter().map(|round| round.unserved).sum()
    }

    pub fn invalid_rounds(&self) -> usize {
        let invalid = |round: &&&Round| !round.doubts.is_empty();
        self.rounds.iter().filter(invalid).count()
    }

    /// The mean over the rounds of which it is known.
    pub fn scheduler_cpu_percent(&self) -> Option<f64> {
        mean(self.rounds.iter().filter_map(|r| r.scheduler_cpu_percent))
    }

    /// How late its generator was, in the mean over the rounds of which it is
    /// known and at worst.
    pub fn lateness_ms(&self) -> Option<[f64; 2]> {
        let known = || self.rounds.iter().filter_map(|r| r.lateness_ms);
        let worst = known().map(|d| d.max).fold(0.0, f64::max);
        Some([mean(known().map(|d| d.mean))?, worst])
    }

    /// How long its generator took to start a process, in the mean.
    pub fn launch_ms(&self) -> Option<f64> {
        mean(
            self.rounds
                .iter()
                .filter_map(|r| Some(r.launch_ms.as_ref()?.mean)),
        )
    }

    fn by_function(&self) -> BTreeMap<u32, Summary> {
        let mut functions: BTreeMap<u32, Vec<&Outcome>> = BTreeMap::new();
        for outcome in self.outcomes() {
            functions.entry(outcome.function).or_default().push(outcome);
        }
        functions
            .into_iter()
            .filter_map(|(function, outcomes)| Some((function, Summary::of(outcomes)?)))
            .collect()
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u32, 0.0), |(n, sum), value| (n + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{outcome, run, setting};
    use super::*;

    fn round(contender: &Contender, seed: u64, response_ms: &[u64]) -> Round {
        let outcomes = response_ms.iter().map(|&ms| outcome(0, 0, ms, 1)).collect();
        Round::new(0, contender.clone(), seed, outcomes)
    }

    fn mean_response(summary: &Summary) -> f64 {
        summary.response_ms.mean
    }

    #[test]
    fn ratios_are_paired_by_seed() {
        let [old, new] = [Contender::new("EEVDF"), Contender::warm("ALPS")];
        let run = run(vec![
            round(&old, 1, &[8]),
            round(&new, 1, &[4]),
            round(&new, 2, &[50]),
            round(&old, 2, &[100]),
            round(&new, 3, &[1]),
        ]);
        let comparison = Comparison::of(&run, 0).unwrap();
        let ratio = comparison.ratio(0, 1, mean_response).unwrap();
        assert_eq!(comparison.basis, Basis::Seeds);
        assert!((ratio.value - 0.5).abs() < 1e-12);
        assert_eq!(ratio.pairs, 2);
        let [low, high] = ratio.interval.unwrap();
        assert!((low - 0.5).abs() < 1e-12 && (high - 0.5).abs() < 1e-12);
    }

    #[test]
    fn rounds_of_one_seed_are_paired_in_order() {
        let [old, new] = [Contender::new("EEVDF"), Contender::warm("ALPS")];
        let run = run(vec![
            round(&old, 1, &[8]),
            round(&new, 1, &[4]),
            round(&new, 1, &[2]),
            round(&old, 1, &[8]),
        ]);
        let comparison = Comparison::of(&run, 0).unwrap();
        let ratio = comparison.ratio(0, 1, mean_response).unwrap();
        assert_eq!(comparison.basis, Basis::Rounds);
        assert!((ratio.value - 0.125f64.sqrt()).abs() < 1e-12);
        assert_eq!(ratio.pairs, 2);
    }

    #[test]
    fn rounds_of_one_seed_are_pooled_beside_other_seeds() {
        let [old, new] = [Contender::new("EEVDF"), Contender::warm("ALPS")];
        let run = run(vec![
            round(&old, 1, &[8]),
            round(&new, 1, &[3]),
            round(&new, 1, &[5]),
            round(&old, 2, &[8]),
            round(&new, 2, &[4]),
        ]);
        let comparison = Comparison::of(&run, 0).unwrap();
        let ratio = comparison.ratio(0, 1, mean_response).unwrap();
        assert!((ratio.value - 0.5).abs() < 1e-12);
        assert_eq!(comparison.sides[1].summary.unwrap().invocations, 3);
    }

    #[test]
    fn part_of_gain_is_of_the_bound() {
        let [old, new] = [Contender::new("EEVDF"), Contender::warm("ALPS")];
        let oracle = Contender::new("oracle");
        let mut run = run(vec![
            round(&old, 1, &[100]),
            round(&new, 1, &[55]),
            round(&oracle, 1, &[50]),
        ]);
        run.bound = Some(oracle);
        let comparison = Comparison::of(&run, 0).unwrap();
        assert_eq!(comparison.part_of_gain(1), Some(0.9));
        assert_eq!(comparison.part_of_gain(0), None);
        assert_eq!(comparison.part_of_gain(2), None);
        assert_eq!(comparison.part_of_gain(9), None);
    }

    #[test]
    fn settings_do_not_mix() {
        let old = Contender::new("EEVDF");
        let mut run = run(vec![round(&old, 1, &[8])]);
        run.settings.push(setting());
        run.rounds.push(Round {
            setting: 1,
            ..round(&old, 2, &[5, 6])
        });
        let all = Comparison::all(&run);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].sides[0].summary.unwrap().invocations, 1);
        assert_eq!(all[1].sides[0].summary.unwrap().invocations, 2);
        run.rounds.clear();
        assert!(Comparison::all(&run).is_empty());
    }

    #[test]
    fn functions_are_told_apart() {
        let side = |name: &str, response_ms: [u64; 2]| {
            let outcomes = (0..).zip(response_ms);
            let outcomes = outcomes.map(|(f, ms)| outcome(2 * f, 0, ms, 1)).collect();
            Round::new(0, Contender::new(name), 1, outcomes)
        };
        let run = run(vec![side("EEVDF", [4, 10]), side("ALPS", [2, 10])]);
        let comparison = Comparison::of(&run, 0).unwrap();
        let functions = comparison.functions();
        let names: Vec<_> = functions.iter().map(|f| f.name).collect();
        assert_eq!(names, ["short", "long"]);
        assert_eq!(functions[0].ratio(1, Quantity::Response), Some(0.5));
        assert_eq!(functions[1].ratio(1, Quantity::Slowdown), Some(1.0));
        assert_eq!(functions[0].ratio(7, Quantity::Response), None);
        assert_eq!(functions[0].calls(), 1);
    }
}
