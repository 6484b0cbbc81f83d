// SPDX-License-Identifier: GPL-2.0-only

use super::*;
use crate::learn::{Avg, TuningParams};
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

fn id(slot: u32) -> FunctionId {
    FunctionId::new(slot).unwrap()
}

fn learner(config: LearnerConfig) -> Learner {
    Learner::new(config, Box::new(Avg))
}

fn invocation(function: FunctionId, arrival_ns: u64, cpu_ns: u64) -> Invocation {
    Invocation {
        function,
        arrival_ns,
        first_run_ns: arrival_ns,
        end_ns: arrival_ns + cpu_ns,
        cpu_ns,
        switches: 1,
    }
}

/// Observes `count` invocations, evenly over the second before `now_ns`.
fn traffic(learner: &mut Learner, slot: u32, now_ns: u64, count: u64, cpu_ns: u64) {
    for index in 0..count {
        let arrival_ns = now_ns - SECOND + index * SECOND / count;
        learner.observe(&invocation(id(slot), arrival_ns, cpu_ns));
    }
}

fn entry(learner: &Learner, slot: u32) -> &PolicyEntry {
    learner.table().get(id(slot)).unwrap()
}

/// What is expected to remain at the start, according to the bias.
fn expected_ns(learner: &Learner, slot: u32) -> f64 {
    entry(learner, slot).bias_ns[0] as f64 / learner.config().bias_factor.get()
}

#[test]
fn with_nothing_observed_there_is_the_prior_and_nothing_else() {
    let mut learner = learner(LearnerConfig::default());
    let table = learner.round(SECOND, 0.0);
    assert_eq!(table.entries().len(), 1);
    let prior = &table.entries()[0];
    assert_eq!((prior.samples, prior.slice_ns, prior.rank), (0, 0, 0));
    assert!(prior.predicted_ns > SECOND && prior.bias_ns[0] == 16 * SECOND);
}

#[test]
fn a_function_is_biased_by_what_it_still_needs() {
    let mut learner = learner(LearnerConfig::default());
    for second in 1..=5 {
        traffic(&mut learner, 7, second * SECOND, 20, 10 * MS);
        learner.round(second * SECOND, 20.0);
    }
    let entry = entry(&learner, 7);
    assert_eq!((entry.samples, entry.predicted_ns), (100, 10 * MS));
    for attained in [0, 2 * MS, 5 * MS] {
        let expected = 16.0 * (10 * MS - attained) as f64;
        let ratio = entry.bias_at(attained) as f64 / expected;
        assert!((0.7..1.3).contains(&ratio), "{attained}: {ratio}");
    }
    assert!(entry.bias_at(20 * MS) > entry.bias_at(0));
    assert_eq!(entry.slice_ns, 10 * MS);
}

#[test]
fn slots_without_a_function_have_the_prior() {
    let mut learner = learner(LearnerConfig::default());
    traffic(&mut learner, 3, SECOND, 10, MS);
    let table = learner.round(SECOND, 0.0);
    assert_eq!(table.entries().len(), 4);
    let unlearned = PolicyEntry {
        samples: 0,
        ..table.entries()[0].clone()
    };
    assert_eq!(table.entries()[1], unlearned);
    assert_eq!(table.entries()[2], unlearned);
    assert_eq!(table.entries()[0].rank, 1);
}

#[test]
fn ranks_follow_the_simulated_waits() {
    let mut learner = learner(LearnerConfig::default());
    for index in 0..20 {
        let arrival = index * 100 * MS;
        learner.observe(&invocation(id(1), arrival, 80 * MS));
        learner.observe(&invocation(id(2), arrival, MS));
        learner.observe(&invocation(id(3), arrival, 10 * MS));
    }
    learner.round(2 * SECOND, 91.0);
    let ranks = [1, 2, 3].map(|slot| entry(&learner, slot).rank);
    assert_eq!(ranks, [2, 0, 1]);
    assert_eq!(entry(&learner, 9).rank, 3);
}

#[test]
fn slices_are_tuned_and_capped() {
    let tuning = TuningParams::default();
    for (percent, tuning, slice) in [
        (0.0, tuning, 40 * MS),
        (70.0, tuning, 32 * MS),
        (100.0, tuning, 20 * MS),
        (100.0, tuning.with_overload(false), 40 * MS),
    ] {
        let mut learner = learner(LearnerConfig {
            tuning,
            ..LearnerConfig::default()
        });
        traffic(&mut learner, 1, SECOND, 10, 40 * MS);
        traffic(&mut learner, 2, 2 * SECOND, 1, 900 * MS);
        learner.round(2 * SECOND, percent);
        assert_eq!(entry(&learner, 1).slice_ns, slice);
        assert!(entry(&learner, 2).slice_ns <= 200 * MS);
    }
}

#[test]
fn tenfold_cpu_time_is_learned_within_three_rounds() {
    for (before, after) in [(10 * MS, 100 * MS), (100 * MS, 10 * MS)] {
        for per_round in [1, 3, 10] {
            let mut learner = learner(LearnerConfig::default());
            let mut now = 0;
            let mut rounds = |learner: &mut Learner, count: u64, cpu_ns: u64| {
                for _ in 0..count {
                    now += SECOND;
                    traffic(learner, 1, now, per_round, cpu_ns);
                    learner.round(now, 30.0);
                }
            };
            rounds(&mut learner, 120, before);
            rounds(&mut learner, 3, after);
            let entry = entry(&learner, 1);
            let near = |value: f64| (0.8..1.25).contains(&(value / after as f64));
            assert!(near(entry.predicted_ns as f64), "{entry:?}");
            assert!(near(entry.slice_ns as f64), "{entry:?}");
            let ratio = expected_ns(&learner, 1) / after as f64;
            assert!((0.6..1.6).contains(&ratio), "{per_round} a round: {ratio}");
        }
    }
}

#[test]
fn no_bias_exceeds_its_bound() {
    let mut learner = learner(LearnerConfig {
        max_bias_ns: 2 * SECOND,
        ..LearnerConfig::default()
    });
    traffic(&mut learner, 1, SECOND, 1, 900 * MS);
    let table = learner.round(SECOND, 0.0);
    let all = table.entries().iter().flat_map(|entry| entry.bias_ns);
    assert_eq!(all.max(), Some(2 * SECOND));
}

#[test]
fn a_new_bias_factor_holds_from_the_next_round_on() {
    let mut learner = learner(LearnerConfig::default());
    traffic(&mut learner, 1, SECOND, 50, 10 * MS);
    let before = learner.round(SECOND, 0.0).clone();
    learner.set_bias_factor(BiasFactor::new(4.0).unwrap());
    let after = learner.round(SECOND, 0.0);
    let bias = |table: &PolicyTable| table.get(id(1)).unwrap().bias_ns[0];
    assert_eq!(bias(&before), 4 * bias(after));
}

#[test]
fn a_function_not_seen_is_forgotten_and_reported_once() {
    let mut learner = learner(LearnerConfig::default());
    traffic(&mut learner, 1, SECOND, 5, MS);
    traffic(&mut learner, 2, SECOND, 5, MS);
    learner.round(SECOND, 0.0);
    traffic(&mut learner, 2, 300 * SECOND, 5, MS);
    learner.round(300 * SECOND, 0.0);
    assert!(learner.expired().is_empty());
    learner.round(602 * SECOND, 0.0);
    assert_eq!(learner.expired(), [id(1)]);
    let forgotten = PolicyEntry {
        samples: 0,
        ..entry(&learner, 0).clone()
    };
    assert_eq!(*entry(&learner, 1), forgotten);
    assert_eq!(entry(&learner, 2).samples, 10);
    learner.round(603 * SECOND, 0.0);
    assert!(learner.expired().is_empty());
}

#[test]
fn a_slot_given_to_another_function_starts_afresh() {
    let mut learner = learner(LearnerConfig::default());
    traffic(&mut learner, 1, SECOND, 50, 100 * MS);
    learner.round(SECOND, 0.0);
    learner.forget(id(1));
    learner.forget(id(999));
    traffic(&mut learner, 1, 2 * SECOND, 5, MS);
    learner.round(2 * SECOND, 0.0);
    let entry = entry(&learner, 1);
    assert_eq!((entry.samples, entry.predicted_ns), (5, MS));
    assert_eq!(entry.slice_ns, MS);
}

#[test]
fn clocks_set_back_or_forth_lose_no_function() {
    let mut learner = learner(LearnerConfig::default());
    let mut now = 1_000_000 * SECOND;
    for jump in [0i64, -900_000, 5, 599, -90_000, 1] {
        now = now.saturating_add_signed(jump * SECOND as i64);
        traffic(&mut learner, 1, now, 5, MS);
        learner.round(now, 0.0);
        assert!(learner.expired().is_empty());
        assert_eq!(entry(&learner, 1).predicted_ns, MS);
    }
    learner.round(u64::MAX, 0.0);
    assert_eq!(learner.expired(), [id(1)]);
    learner.round(0, 0.0);
}

#[test]
fn stored_histories_are_taken_over_as_the_older_part() {
    let mut before = learner(LearnerConfig::default());
    traffic(&mut before, 1, SECOND, 30, 20 * MS);
    traffic(&mut before, 0, SECOND, 30, 20 * MS);
    let mut after = learner(LearnerConfig::default());
    after.observe(&invocation(id(1), 0, 22 * MS));
    for (function, history) in before.histories() {
        after.restore(function, history);
    }
    after.restore(FunctionId::PRIOR, &[5].into_iter().collect());
    after.restore(id(9), &History::default());
    after.round(SECOND, 0.0);
    let histories: Vec<_> = after.histories().collect();
    assert_eq!(histories.len(), 1);
    assert_eq!(histories[0].1.len(), 31);
    assert_eq!(histories[0].1.samples_ns().last(), Some(22 * MS));
    let predicted = entry(&after, 1).predicted_ns;
    assert!((20 * MS..21 * MS).contains(&predicted), "{predicted}");
}

#[test]
fn restored_functions_are_forgotten_like_others() {
    let mut learner = learner(LearnerConfig::default());
    learner.restore(id(1), &[MS].into_iter().collect());
    learner.round(50 * SECOND, 0.0);
    assert!(learner.expired().is_empty());
    learner.round(650 * SECOND, 0.0);
    assert!(learner.expired().is_empty());
    learner.round(651 * SECOND, 0.0);
    assert_eq!(learner.expired(), [id(1)]);
}

#[test]
fn with_more_cpus_fewer_slices_are_cut_short() {
    let mut learner = learner(LearnerConfig::default());
    for index in 0..50 {
        learner.observe(&invocation(id(1), index * 20 * MS, 10 * MS));
        learner.observe(&invocation(id(2), index * 20 * MS + 5 * MS, MS));
    }
    learner.round(SECOND, 0.0);
    assert_eq!(entry(&learner, 1).slice_ns, 5 * MS);
    learner.set_cpus(2);
    learner.round(SECOND, 0.0);
    assert_eq!(entry(&learner, 1).slice_ns, 10 * MS);
}

#[test]
fn unknown_functions_shape_the_prior_only() {
    let mut learner = learner(LearnerConfig::default());
    traffic(&mut learner, 0, SECOND, 50, 10 * MS);
    let table = learner.round(SECOND, 0.0);
    assert_eq!(table.entries().len(), 1);
    assert!(table.entries()[0].samples > 0);
    assert!(learner.histories().next().is_none());
}

fn any_invocation() -> impl Strategy<Value = Invocation> {
    let times = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (0u32..40, times, any::<bool>()).prop_map(|(slot, (a, f, e, cpu), wild)| {
        let scale = if wild { 1 } else { 1 << 20 };
        Invocation {
            function: id(slot),
            arrival_ns: a / scale,
            first_run_ns: f / scale,
            end_ns: e / scale,
            cpu_ns: cpu / (scale << 4),
            switches: 0,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_observed_the_table_is_whole_and_the_same_again(
        rounds in prop::collection::vec(
            (prop::collection::vec(any_invocation(), 0..30), any::<u64>(), prop::num::f64::ANY),
            1..6,
        ),
        cpus: usize,
    ) {
        let config = LearnerConfig { cpus, ..LearnerConfig::default() };
        let (mut one, mut two) = (learner(config.clone()), learner(config));
        for (invocations, now_ns, percent) in &rounds {
            for invocation in invocations {
                one.observe(invocation);
                two.observe(invocation);
            }
            let table = one.round(*now_ns, *percent);
            prop_assert_eq!(table, two.round(*now_ns, *percent));
            prop_assert!(!table.entries().is_empty());
            let ranked = one.histories().count() as u32;
            for entry in one.table().entries() {
                prop_assert!(entry.slice_ns <= 200 * MS);
                prop_assert!(entry.rank <= ranked);
                prop_assert!(entry.bias_ns.iter().all(|&bias| (1..=16 * SECOND).contains(&bias)));
            }
        }
    }
}
