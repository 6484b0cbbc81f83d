// SPDX-License-Identifier: GPL-2.0-only
//! What a learner knows of one function.

use super::forecast::Forecast;
use super::history::History;
use super::intake::Intake;
use super::moments::Moments;
use super::order::Standing;
use super::predictor::Predictor;
use super::prior::Prior;
use super::replay::Replay;
use super::shift;
use crate::invocation::FunctionId;
use crate::policy::{BUCKETS, PolicyEntry};

/// With fewer samples than this, the prior's say is worth learning anew for.
const FEW_SAMPLES: u32 = 8;

/// A sample off from what was predicted by this ratio is cause to learn anew.
const SURPRISING: u64 = 2;

/// And so are as many after it: together they may make a shift.
const ALERT: u32 = shift::FEWEST as u32 - 1;

/// As is having grown by one in so many samples.
const MANY: u32 = 16;

/// A function's history and what was last learned from it.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) id: FunctionId,
    pub(super) history: History,
    intake: Intake,
    /// What was last forecast, which the bias is made from.
    forecast: Forecast,
    /// All but slice and rank, which depend on the other functions too, is
    /// as learned last.
    pub(super) entry: PolicyEntry,
    /// Whether there are samples the last round has not seen.
    grown: bool,
    /// Samples the entry was not learned from yet.
    unlearned: u32,
    /// Samples yet to come that are cause to learn anew.
    alert: u32,
    /// The round's time when the function was last found to have grown.
    last_seen_ns: u64,
    /// The prior's generation the entry was learned with; `None` where the
    /// entry has to be learned anew.
    learned_with: Option<u64>,
    slice: Option<PredictedSlice>,
    mean_wait_ns: Option<f64>,
}

/// A slice as predicted, before the fine-tuning.
#[derive(Clone, Copy, Debug)]
pub(super) struct PredictedSlice {
    pub(super) predicted_ns: f64,
    pub(super) stdev_ns: f64,
}

impl Function {
    pub(super) fn new(id: FunctionId) -> Self {
        Self {
            id,
            history: History::default(),
            intake: Intake::new(id.slot() as u64),
            forecast: Forecast::unknown(),
            entry: PolicyEntry::default(),
            grown: false,
            unlearned: 0,
            alert: 0,
            last_seen_ns: 0,
            learned_with: None,
            slice: None,
            mean_wait_ns: None,
        }
    }

    /// Begins another round.
    pub(super) fn begin_round(&mut self) {
        self.intake.begin_round();
    }

    /// Offers the newest sample, of which enough may have been taken in.
    ///
    /// One more among hundreds of its like does not change what is learned;
    /// the entry waits for a few of them, but for none that surprises.
    pub(super) fn observe(&mut self, cpu_ns: u64) {
        self.grown = true;
        if !self.intake.offer(&mut self.history, cpu_ns) {
            return;
        }
        self.unlearned = self.unlearned.saturating_add(1);
        let predicted_ns = self.entry.predicted_ns;
        let (less, more) = (cpu_ns.min(predicted_ns), cpu_ns.max(predicted_ns));
        if more >= less.saturating_mul(SURPRISING) {
            self.alert = ALERT + 1;
        }
        if self.alert > 0 || self.unlearned >= self.entry.samples / MANY {
            self.relearn();
        }
        self.alert = self.alert.saturating_sub(1);
    }

    /// Puts stored samples before those observed since.
    pub(super) fn restore(&mut self, stored: &History) {
        let samples_ns = stored.samples_ns().chain(self.history.samples_ns());
        self.history = samples_ns.collect();
        self.grown = true;
        self.relearn();
    }

    /// Has the entry learned anew in the next round.
    pub(super) fn relearn(&mut self) {
        self.learned_with = None;
    }

    /// How long the function has not been seen, by the clock of the rounds.
    pub(super) fn unseen_ns(&mut self, now_ns: u64) -> u64 {
        // A clock set back must not keep a function alive until it catches up.
        if std::mem::take(&mut self.grown) || self.last_seen_ns > now_ns {
            self.last_seen_ns = now_ns;
        }
        now_ns - self.last_seen_ns
    }

    /// Takes over what a replay shows; what it does not show stays.
    pub(super) fn simulated(&mut self, replay: &Replay, predictor: &dyn Predictor) {
        if let Some(wait_ns) = replay.mean_wait_ns(self.id) {
            self.mean_wait_ns = Some(wait_ns);
        }
        let slices_ns = replay.slices_ns(self.id);
        let older = slices_ns.len().saturating_sub(History::CAPACITY);
        let present_ns = shift::present(&slices_ns[older..]);
        if let Some(moments) = Moments::of(present_ns) {
            let predicted_ns = predictor.next_ns(present_ns);
            self.slice = predicted_ns.map(|predicted_ns| PredictedSlice {
                predicted_ns,
                stdev_ns: moments.stdev_ns,
            });
        }
    }

    /// Whether the entry does not say what would be learned now.
    pub(super) fn is_outdated(&self, prior: &Prior) -> bool {
        match self.learned_with {
            None => true,
            Some(generation) => {
                self.entry.samples < FEW_SAMPLES && generation != prior.generation()
            }
        }
    }

    /// Learns the entry from the history; `bias_of` makes the bias of a forecast.
    pub(super) fn learn(
        &mut self,
        predictor: &dyn Predictor,
        prior: &Prior,
        bias_of: impl FnOnce(&Forecast) -> [u64; BUCKETS],
    ) {
        let present_ns = shift::present(self.history.series_ns());
        let next_ns = predictor.next_ns(present_ns);
        let sample = predictor.distribution(present_ns, next_ns);
        let forecast = predictor.forecast(&sample, prior.forecast());
        self.entry.bias_ns = bias_of(&forecast);
        self.forecast = forecast;
        self.entry.samples = present_ns.len() as u32;
        self.entry.predicted_ns = next_ns.map_or(self.forecast.at(0), |predicted_ns| {
            predicted_ns.round() as u64
        });
        self.unlearned = 0;
        self.learned_with = Some(prior.generation());
    }

    /// Makes the bias anew of what was last forecast.
    pub(super) fn rebias(&mut self, bias_of: impl FnOnce(&Forecast) -> [u64; BUCKETS]) {
        self.entry.bias_ns = bias_of(&self.forecast);
    }

    pub(super) fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    pub(super) fn mean_wait_ns(&self) -> Option<f64> {
        self.mean_wait_ns
    }

    pub(super) fn slice(&self) -> Option<PredictedSlice> {
        self.slice
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            function: self.id,
            mean_wait_ns: self.mean_wait_ns,
            predicted_ns: self.entry.predicted_ns,
        }
    }
}
