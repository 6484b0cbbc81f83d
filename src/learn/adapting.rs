// SPDX-License-Identifier: GPL-2.0-only
//! How learning adapts, whatever the predictor.

use proptest::num::f64::ANY;
use proptest::prelude::*;

use super::learner::Learner;
use super::{BiasFactor, LearnerConfig, LoadFactor, Method, Objective, Settings, TuningParams};
use crate::invocation::{FunctionId, Invocation};
use crate::policy::grid::bucket;
use crate::policy::{PolicyEntry, PolicyTable};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Every predictor there is, with either objective.
fn predictors() -> impl Iterator<Item = Settings> {
    let with = |objective| {
        Method::ALL.map(|method| Settings {
            method,
            objective,
            ..Settings::default()
        })
    };
    with(Objective::Response)
        .into_iter()
        .chain(with(Objective::Slowdown))
}

fn id(slot: u32) -> FunctionId {
    FunctionId::new(slot).unwrap()
}

/// A learner with its clock.
struct Machine {
    learner: Learner,
    now_ns: u64,
}

impl Machine {
    fn new(settings: &Settings) -> Self {
        Self {
            learner: Learner::new(LearnerConfig::default(), settings.predictor()),
            now_ns: 0,
        }
    }

    /// A round in which each of the functions had invocations of these CPU times.
    fn round(&mut self, traffic: &[(u32, &[u64])]) {
        self.now_ns += SECOND;
        for &(slot, cpu_times_ns) in traffic {
            for (index, &cpu_ns) in (0..).zip(cpu_times_ns) {
                let spacing_ns = SECOND / cpu_times_ns.len() as u64;
                let arrival_ns = self.now_ns - SECOND + index * spacing_ns;
                self.learner.observe(&Invocation {
                    function: id(slot),
                    arrival_ns,
                    first_run_ns: arrival_ns,
                    end_ns: arrival_ns.saturating_add(cpu_ns),
                    cpu_ns,
                    switches: 1,
                });
            }
        }
        self.learner.round(self.now_ns, 30.0);
    }

    fn entry(&self, slot: u32) -> &PolicyEntry {
        self.learner.table().get(id(slot)).unwrap()
    }

    /// What the bias at `attained_ns` says remains.
    fn expected_ns(&self, slot: u32, attained_ns: u64) -> f64 {
        self.entry(slot).bias_at(attained_ns) as f64 / self.learner.bias_factor().get()
    }
}

#[test]
fn tenfold_cpu_time_is_learned_within_three_intervals() {
    for settings in predictors() {
        for (before, after) in [(10 * MS, 100 * MS), (100 * MS, 10 * MS)] {
            for per_round in [1, 3, 10, 300] {
                let mut machine = Machine::new(&settings);
                (0..90).for_each(|_| machine.round(&[(1, &vec![before; per_round])]));
                (0..3).for_each(|_| machine.round(&[(1, &vec![after; per_round])]));
                let ratio = machine.expected_ns(1, 0) / after as f64;
                assert!(
                    (0.6..1.7).contains(&ratio),
                    "{settings:?}, {per_round} a round, {before} to {after}: {ratio}"
                );
                let predicted = machine.entry(1).predicted_ns as f64 / after as f64;
                assert!(
                    (0.8..1.25).contains(&predicted),
                    "{settings:?}: {predicted}"
                );
            }
        }
    }
}

#[test]
fn a_bimodal_function_loses_its_rank_after_the_short_mode() {
    for settings in predictors() {
        let mut machine = Machine::new(&settings);
        let mut modes = [MS; 10];
        modes[3] = 100 * MS;
        (0..20).for_each(|_| machine.round(&[(1, &modes)]));
        let early = machine.expected_ns(1, 0);
        let past = machine.expected_ns(1, 3 * MS);
        let late = machine.expected_ns(1, 60 * MS);
        assert!(past > 4.0 * early, "{settings:?}: {early} {past}");
        assert!(late < past, "{settings:?}: {past} {late}");
    }
}

#[test]
fn a_new_function_borrows_the_platforms_prior() {
    for settings in predictors() {
        let mut machine = Machine::new(&settings);
        let others: Vec<(u32, &[u64])> = (1..60).map(|slot| (slot, &[20 * MS; 5][..])).collect();
        (0..3).for_each(|_| machine.round(&others));
        let unseen = machine.expected_ns(900, 0) / 20e6;
        assert!((0.8..1.4).contains(&unseen), "{settings:?}: {unseen}");
        machine.round(&[(900, &[10 * MS])]);
        let once = machine.expected_ns(900, 0) / 10e6;
        assert!((1.0..1.4).contains(&once), "{settings:?}: {once}");
    }
}

#[test]
fn a_function_unseen_is_forgotten() {
    for settings in predictors() {
        let mut machine = Machine::new(&settings);
        machine.round(&[(1, &[MS; 5]), (2, &[MS; 5])]);
        for _ in 0..6 {
            machine.now_ns += 100 * SECOND;
            machine.round(&[(2, &[MS; 5])]);
        }
        assert_eq!(machine.learner.expired(), [id(1)]);
        assert_eq!(machine.entry(1).samples, 0);
        assert_eq!(machine.entry(1).bias_ns, machine.entry(0).bias_ns);
        assert!(machine.learner.knowledge(id(1)).is_none());
    }
}

#[test]
fn a_tenant_poisons_nobody_elses_curve() {
    for settings in predictors() {
        let beside = |other: &[u64]| {
            let mut machine = Machine::new(&settings);
            for _ in 0..30 {
                machine.round(&[(1, &[10 * MS; 4]), (2, &[50 * MS; 4]), (3, other)]);
            }
            [1, 2].map(|slot| machine.entry(slot).bias_ns)
        };
        // Above what others show a lie is not believed at all.
        let honest = beside(&[50 * MS; 200]);
        for lie in [900 * SECOND, 1 << 53] {
            assert_eq!(beside(&[lie; 200]), honest, "{settings:?}, {lie}");
        }
        let honest = beside(&[10 * MS; 200]);
        for lie in [0, 1] {
            let lied_to = beside(&[lie; 200]);
            for ((honest, lied_to), longest_ns) in
                honest.iter().zip(&lied_to).zip([10 * MS, 50 * MS])
            {
                for (index, (honest, lied_to)) in honest.iter().zip(lied_to).enumerate() {
                    let (less, more) = (*honest.min(lied_to) as f64, *honest.max(lied_to) as f64);
                    // Where its own invocations have been, its own say counts; only
                    // of what none of them has shown is anybody else asked.
                    let most = match settings.method {
                        _ if index > bucket(longest_ns) => 3.0,
                        // Its sample amounts to five values.
                        Method::Ewma => 1.15,
                        _ => 1.05,
                    };
                    assert!(
                        more <= most * less,
                        "{settings:?}, {lie}, {index}: {less} {more}"
                    );
                }
            }
        }
    }
}

#[test]
fn identical_samples_and_a_single_one_are_a_defined_case() {
    for settings in predictors() {
        for count in [1, 2, 7, 400] {
            let mut machine = Machine::new(&settings);
            machine.round(&[(1, &vec![10 * MS; count])]);
            let entry = machine.entry(1);
            assert_eq!(entry.predicted_ns, 10 * MS, "{settings:?}");
            assert!(entry.slice_ns <= 10 * MS);
        }
        let mut machine = Machine::new(&settings);
        machine.round(&[(1, &[0; 20])]);
        assert_eq!(machine.entry(1).predicted_ns, 0);
        assert!(machine.entry(1).bias_ns.iter().all(|&bias| bias > 0));
    }
}

#[test]
fn a_predictor_changed_in_between_is_as_if_it_had_been_there_from_the_start() {
    let modes = [MS, 4 * MS, MS, MS, 70 * MS, 2 * MS];
    for settings in predictors() {
        let mut from_start = Machine::new(&settings);
        let mut changed = Machine::new(&Settings::default());
        for _ in 0..12 {
            from_start.round(&[(1, &modes), (2, &[9 * MS; 3])]);
            changed.round(&[(1, &modes), (2, &[9 * MS; 3])]);
        }
        changed.learner.set_predictor(settings.predictor());
        from_start.round(&[(1, &modes), (2, &[9 * MS; 3])]);
        changed.round(&[(1, &modes), (2, &[9 * MS; 3])]);
        // Whether an entry is learned anew for one more sample depends on the
        // rounds before, so the two may have seen one round more or less.
        for slot in [0, 1, 2] {
            let (one, two) = (from_start.entry(slot), changed.entry(slot));
            for (one, two) in one.bias_ns.iter().zip(two.bias_ns) {
                assert!(
                    *one.max(&two) as f64 <= 1.3 * *one.min(&two) as f64,
                    "{settings:?}"
                );
            }
        }
    }
}

#[test]
fn the_bias_factor_follows_the_load_where_it_is_told_to() {
    let mut machine = Machine::new(&Settings::default());
    machine.round(&[(1, &[10 * MS; 5])]);
    let learner = &mut machine.learner;
    learner.set_bias_factor(BiasFactor::new(4.0).unwrap());
    let bias = |table: &PolicyTable| table.get(id(1)).unwrap().bias_ns[0];
    let fixed = bias(learner.round(2 * SECOND, 100.0));
    learner.set_load_factor(LoadFactor::new(0.25).unwrap());
    for second in 3..40 {
        learner.round(second * SECOND, 100.0);
    }
    assert!(learner.bias_factor().get() < 1.2);
    assert!(bias(learner.table()) * 3 < fixed);
    assert_eq!(learner.config().bias_factor.get(), 4.0);
    learner.set_load_factor(LoadFactor::default());
    assert_eq!(bias(learner.round(50 * SECOND, 100.0)), fixed);
}

fn any_traffic() -> impl Strategy<Value = Vec<(u32, u64, u64, u64)>> {
    let cpu = prop_oneof![
        Just(0),
        Just(u64::MAX),
        Just(1 << 53),
        0..SECOND,
        any::<u64>()
    ];
    prop::collection::vec((0u32..6, any::<u64>(), any::<u64>(), cpu), 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_the_table_is_whole(
        rounds in prop::collection::vec((any_traffic(), any::<u64>(), ANY), 1..5),
        which in 0usize..10,
        next in 0usize..10,
        params in (ANY, ANY, ANY, ANY),
    ) {
        let settings = predictors().nth(which).unwrap();
        let mut learner = Learner::new(LearnerConfig::default(), settings.predictor());
        for (traffic, now_ns, percent) in rounds {
            for (slot, arrival_ns, end_ns, cpu_ns) in traffic {
                learner.observe(&Invocation {
                    function: id(slot),
                    arrival_ns,
                    first_run_ns: arrival_ns,
                    end_ns,
                    cpu_ns,
                    switches: 0,
                });
            }
            learner.round(now_ns, percent);
            for entry in learner.table().entries() {
                prop_assert!(entry.slice_ns == 0 || (MS / 10..=200 * MS).contains(&entry.slice_ns));
                prop_assert!(entry.bias_ns.iter().all(|bias| (1..=16 * SECOND).contains(bias)));
            }
            for slot in 0..6 {
                if let Some(known) = learner.knowledge(id(slot)) {
                    prop_assert!(known.mean_ns.is_finite() && known.weight.is_finite());
                    prop_assert!(known.samples <= known.remembered);
                    prop_assert!(known.predicted_slice_ns.is_none_or(f64::is_finite));
                }
            }
            learner.set_predictor(predictors().nth(next).unwrap().predictor());
            let (alpha, beta, theta, gamma) = params;
            if let Ok(tuning) = TuningParams::new(alpha, beta, theta, gamma) {
                learner.set_tuning(tuning);
            }
        }
    }

    #[test]
    fn every_prediction_is_a_time(
        series in prop::collection::vec(any::<u64>(), 0..300),
        which in 0usize..10,
    ) {
        let predictor = predictors().nth(which).unwrap().predictor();
        match predictor.next_ns(&series) {
            None => prop_assert!(series.is_empty()),
            Some(next_ns) => prop_assert!(next_ns.is_finite() && next_ns >= 0.0),
        }
        let sample = predictor.distribution(&series, predictor.next_ns(&series));
        prop_assert!(predictor.remaining_ns(&sample).iter().all(|left| left.is_finite() && *left >= 0.0));
        prop_assert_eq!(predictor.next_ns(&series), predictor.next_ns(&series));
    }
}
