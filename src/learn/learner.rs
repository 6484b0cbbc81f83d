// SPDX-License-Identifier: GPL-2.0-only
//! The learner: what is observed goes in, once a round the policy table comes out.

use super::bias::BiasFactor;
use super::config::LearnerConfig;
use super::following::{Following, LoadFactor};
use super::forecast::Forecast;
use super::function::Function;
use super::history::History;
use super::knowledge::Knowledge;
use super::order;
use super::predictor::Predictor;
use super::prior::Prior;
use super::replay::Replay;
use super::tuning::TuningParams;
use super::window::Window;
use crate::invocation::{FunctionId, Invocation};
use crate::policies::{self, Standing};
use crate::policy::{BUCKETS, PolicyEntry, PolicyTable};
use crate::sim::Job;

/// Windows of at most so many invocations are replayed whenever there is a new one.
const SMALL_WINDOW: usize = 2048;

/// Larger ones when one invocation in so many is new,
const NEW_SHARE: usize = 4;

/// or after so many rounds.
const MAX_ROUNDS_BETWEEN_REPLAYS: u32 = 8;

/// Learns the policy table from finished invocations.
///
/// A round's cost depends on what has happened since the last one: the window
/// is replayed only when there are new invocations or CPUs, a large one only
/// every few rounds, and a function's forecast is made anew only when it has
/// surprising or enough new samples, or few altogether and a prior that has
/// changed. The table depends on nothing but what went in and in which order.
///
/// Invocations of no function (slot 0) are part of the replayed load, and
/// together they are one function among those the prior is learned from.
#[derive(Debug)]
pub struct Learner {
    config: LearnerConfig,
    predictor: Box<dyn Predictor>,
    window: Window,
    /// By slot. What slot 0 has learned of itself is not published.
    functions: Vec<Option<Box<Function>>>,
    prior: Prior,
    following: Following,
    /// Whether there is anything to replay that was not replayed yet.
    replay_due: bool,
    /// Invocations that have come since the last replay.
    unreplayed: usize,
    rounds_since_replay: u32,
    /// Whether the next round has to learn the prior.
    prior_due: bool,
    expired: Vec<FunctionId>,
    table: PolicyTable,
}

impl Learner {
    /// A learner that has seen nothing.
    pub fn new(config: LearnerConfig, predictor: Box<dyn Predictor>) -> Self {
        Self {
            window: Window::new(config.window_ns, config.window_capacity),
            prior: Prior::new(predictor.as_ref()),
            following: Following::new(config.bias_factor),
            config,
            predictor,
            functions: Vec::new(),
            replay_due: false,
            unreplayed: 0,
            rounds_since_replay: 0,
            prior_due: false,
            expired: Vec::new(),
            table: PolicyTable::default(),
        }
    }

    /// The settings in force.
    pub fn config(&self) -> &LearnerConfig {
        &self.config
    }

    /// Takes a finished invocation, in any order of their ends. One with more
    /// CPU time than [`History::PLAUSIBLE_NS`] is dropped.
    pub fn observe(&mut self, invocation: &Invocation) {
        if invocation.cpu_ns > History::PLAUSIBLE_NS {
            return;
        }
        self.window.observe(invocation);
        self.function(invocation.function)
            .observe(invocation.cpu_ns);
        self.replay_due = true;
        self.unreplayed += 1;
        self.prior_due = true;
    }

    /// Forgets a function, so that its slot may be given to another.
    pub fn forget(&mut self, function: FunctionId) {
        if let Some(slot) = self.functions.get_mut(function.slot()) {
            *slot = None;
            self.window.disown(|other| other == function);
            self.prior_due = true;
        }
    }

    /// Goes on with another clock. What was learned stays, and what was still
    /// to be replayed does not: its times mean nothing on the other clock.
    pub fn begin_anew(&mut self) {
        self.window = Window::new(self.config.window_ns, self.config.window_capacity);
        self.replay_due = false;
    }

    /// Learns, and returns the table to enforce from now on.
    ///
    /// `now_ns` is on the clock of the invocations and may jump;
    /// `utilisation_percent` is that of the machine's CPUs since the last
    /// round, and counts as low where it is NaN.
    pub fn round(&mut self, now_ns: u64, utilisation_percent: f64) -> &PolicyTable {
        self.expire(now_ns);
        self.window.evict(now_ns);
        self.replay();
        self.learn();
        self.follow(utilisation_percent);
        let ranks = self.ranks();
        self.publish(&ranks, utilisation_percent);
        &self.table
    }

    /// The table of the last round; empty before the first.
    pub fn table(&self) -> &PolicyTable {
        &self.table
    }

    /// The functions the last round has forgotten, because they were not seen
    /// for longer than [`LearnerConfig::forget_after_ns`]: their slots are free.
    pub fn expired(&self) -> &[FunctionId] {
        &self.expired
    }

    /// Sets how many CPUs the simulated machine has; 0 counts as 1.
    pub fn set_cpus(&mut self, cpus: usize) {
        self.replay_due |= cpus != self.config.cpus;
        self.config.cpus = cpus;
    }

    /// Sets what turns the past into what is expected, from the next round on.
    pub fn set_predictor(&mut self, predictor: Box<dyn Predictor>) {
        self.prior = Prior::new(predictor.as_ref());
        self.prior_due = true;
        self.predictor = predictor;
        // Slices are predicted from a replay.
        self.replay_due = true;
        self.rounds_since_replay = MAX_ROUNDS_BETWEEN_REPLAYS;
        self.known_mut().for_each(Function::relearn);
    }

    /// Sets the bias for each unit of remaining CPU time from the next round on.
    pub fn set_bias_factor(&mut self, factor: BiasFactor) {
        if factor != self.config.bias_factor {
            self.config.bias_factor = factor;
            self.follow_anew();
        }
    }

    /// Sets how the bias factor follows the load from the next round on.
    pub fn set_load_factor(&mut self, factor: LoadFactor) {
        if factor != self.config.load_factor {
            self.config.load_factor = factor;
            self.follow_anew();
        }
    }

    /// Sets the fine-tuning of slices from the next round on.
    pub fn set_tuning(&mut self, tuning: TuningParams) {
        self.config.tuning = tuning;
    }

    /// The bias for each unit of remaining CPU time that the last round's
    /// table was made with.
    pub fn bias_factor(&self) -> BiasFactor {
        self.following.in_force()
    }

    /// What is known of a function and what it rests on; `None` where nothing
    /// was ever seen of it.
    pub fn knowledge(&self, function: FunctionId) -> Option<Knowledge> {
        let known = self.functions.get(function.slot())?.as_ref()?;
        let prior = self.prior.forecast();
        Some(Knowledge::of(known, self.predictor.as_ref(), prior))
    }

    /// What is expected of a function never seen.
    pub fn prior(&self) -> &Forecast {
        self.prior.forecast()
    }

    /// The histories of all functions, in the order of their slots, to be stored.
    pub fn histories(&self) -> impl Iterator<Item = (FunctionId, &History)> {
        self.known()
            .filter(|function| function.id != FunctionId::PRIOR)
            .map(|function| (function.id, &function.history))
    }

    /// Takes over a stored history, as older than what was observed since.
    /// Counts as having seen the function; slot 0 and an empty history are ignored.
    pub fn restore(&mut self, function: FunctionId, stored: &History) {
        if function != FunctionId::PRIOR && !stored.is_empty() {
            self.function(function).restore(stored);
            self.prior_due = true;
        }
    }

    fn function(&mut self, id: FunctionId) -> &mut Function {
        let slot = id.slot();
        if slot >= self.functions.len() {
            self.functions.resize_with(slot + 1, || None);
        }
        self.functions[slot].get_or_insert_with(|| Box::new(Function::new(id)))
    }

    fn known(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter().flatten().map(Box::as_ref)
    }

    fn known_mut(&mut self) -> impl Iterator<Item = &mut Function> {
        self.functions.iter_mut().flatten().map(Box::as_mut)
    }

    fn expire(&mut self, now_ns: u64) {
        self.expired.clear();
        let mut any = false;
        for slot in &mut self.functions {
            let Some(function) = slot else { continue };
            if function.unseen_ns(now_ns) <= self.config.forget_after_ns {
                continue;
            }
            any = true;
            if function.id != FunctionId::PRIOR {
                self.expired.push(function.id);
            }
            *slot = None;
        }
        if any {
            self.prior_due = true;
            let expired = &self.expired;
            self.window
                .disown(|function| expired.binary_search(&function).is_ok());
        }
    }

    fn replay(&mut self) {
        self.rounds_since_replay += 1;
        if !self.replay_due || !self.is_replay_worth_it() {
            return;
        }
        self.replay_due = false;
        self.unreplayed = 0;
        self.rounds_since_replay = 0;
        let jobs: Vec<Job> = self.window.jobs().collect();
        let replay = Replay::run(&jobs, self.config.cpus);
        for function in self.functions.iter_mut().flatten() {
            function.simulated(&replay, self.predictor.as_ref());
        }
    }

    /// A large window changes little from one round to the next, and replaying
    /// it is what a round costs most.
    fn is_replay_worth_it(&self) -> bool {
        let length = self.window.len();
        length <= SMALL_WINDOW
            || self.unreplayed >= length / NEW_SHARE
            || self.rounds_since_replay >= MAX_ROUNDS_BETWEEN_REPLAYS
    }

    fn learn(&mut self) {
        let predictor = self.predictor.as_ref();
        if std::mem::take(&mut self.prior_due) {
            let functions = self.functions.iter().flatten();
            self.prior
                .learn(predictor, functions.map(|function| &function.history));
        }
        let prior = &self.prior;
        let bias_of = bias_of(self.following.in_force(), &self.config);
        for function in self.functions.iter_mut().flatten() {
            function.begin_round();
            if function.is_outdated(prior) {
                function.learn(predictor, prior, bias_of);
            }
        }
    }

    /// Has the bias factor follow the load.
    fn follow(&mut self, utilisation_percent: f64) {
        if self.following.heed(&self.config, utilisation_percent) {
            self.rebias();
        }
    }

    /// Has the bias factor start out from the one set.
    fn follow_anew(&mut self) {
        self.following = Following::new(self.config.bias_factor);
        self.rebias();
    }

    fn rebias(&mut self) {
        let bias_of = bias_of(self.following.in_force(), &self.config);
        for function in self.functions.iter_mut().flatten() {
            function.rebias(bias_of);
        }
    }

    /// By slot, the place of each function in the order of waiting times.
    fn ranks(&self) -> Vec<u32> {
        let mut standings: Vec<_> = self
            .known()
            .filter(|function| function.id != FunctionId::PRIOR)
            .map(Function::standing)
            .collect();
        order::order(&mut standings);
        // Slots without a function have the prior's rank, behind all others.
        let mut ranks = vec![standings.len() as u32; self.functions.len().max(1)];
        for (rank, standing) in (0..).zip(&standings) {
            ranks[standing.function.slot()] = rank;
        }
        ranks
    }

    /// Brings the table up to date; in place, since a full one is megabytes.
    fn publish(&mut self, ranks: &[u32], utilisation_percent: f64) {
        let forecast = self.prior.forecast();
        let prior = PolicyEntry {
            bias_ns: bias_of(self.following.in_force(), &self.config)(forecast),
            slice_ns: 0,
            rank: ranks[0],
            samples: self.prior.samples(),
            predicted_ns: forecast.at(0),
        };
        let unlearned = PolicyEntry {
            samples: 0,
            ..prior.clone()
        };
        let entries = self.table.resized(ranks.len(), &unlearned);
        entries[0] = prior;
        let functions = self.functions.iter().zip(ranks);
        for (entry, (slot, &rank)) in entries.iter_mut().zip(functions).skip(1) {
            match slot {
                None => entry.clone_from(&unlearned),
                Some(function) => {
                    entry.clone_from(&function.entry);
                    entry.rank = rank;
                    entry.slice_ns = slice_ns(&self.config, function, utilisation_percent);
                }
            }
        }
    }
}

/// The policy's slice of a function, else the one learned, 0 where there is none.
fn slice_ns(config: &LearnerConfig, function: &Function, utilisation_percent: f64) -> u64 {
    let at = Standing {
        remaining_ns: function.forecast().at(0),
        expected_ns: function.entry.predicted_ns,
        ..Standing::default()
    };
    let learned = || {
        function.slice().map(|slice| {
            let tuning = &config.tuning;
            tuning.slice_ns(slice.predicted_ns, slice.stdev_ns, utilisation_percent)
        })
    };
    policies::slice_ns(config.policy, &at)
        .or_else(learned)
        .unwrap_or(0)
}

/// What makes the bias of a forecast.
fn bias_of(
    factor: BiasFactor,
    config: &LearnerConfig,
) -> impl Fn(&Forecast) -> [u64; BUCKETS] + Copy + use<> {
    let (policy, max_ns) = (config.policy, config.max_bias_ns);
    move |forecast| {
        policies::tabulated(policy, forecast).map(|distance_ns| factor.bias_ns(distance_ns, max_ns))
    }
}

#[cfg(test)]
mod tests;
