// SPDX-License-Identifier: GPL-2.0-only
//! What the policies that go by a policy table learn it from.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use scx_alps::invocation::FunctionId;
use scx_alps::learn::{
    BiasFactor, History, Learner, LearnerConfig, LoadFactor, Method, Objective, Predictor,
};
use scx_alps::policy::NamedTable;
use scx_alps::report::Warmth;
use scx_alps::sim::{Policy, Tables};

use crate::cli::{interval, max_bias, positive_duration};

/// Larger files are no policy tables.
const MAX_BYTES: u64 = 64 << 20;

/// What a learning policy knows when the trace begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Known {
    /// All that can be learned from a pass over the trace
    Warm,
    /// Nothing
    Cold,
    /// Once so and once so
    Both,
}

impl Known {
    pub fn warmths(self) -> &'static [Warmth] {
        match self {
            Known::Warm => &[Warmth::Warm],
            Known::Cold => &[Warmth::Cold],
            Known::Both => &[Warmth::Warm, Warmth::Cold],
        }
    }
}

#[derive(Args, Clone, Debug)]
pub struct LearningArgs {
    /// Replay a policy table saved by 'scx_alps policy --save' instead of learning
    #[arg(long, value_name = "FILE", help_heading = "Learn")]
    policy_table: Option<PathBuf>,

    /// What is known of the functions when the trace begins
    #[arg(
        long,
        value_enum,
        default_value = "warm",
        conflicts_with = "policy_table",
        help_heading = "Learn"
    )]
    known: Known,

    /// How the next CPU time is predicted: avg, LR, EWMA, RF or gittins
    #[arg(long, value_name = "NAME", default_value_t = Method::default(), help_heading = "Learn")]
    ml: Method,

    /// What gittins keeps small: the mean response, or the mean slowdown
    #[arg(long, value_name = "response|slowdown", default_value_t = Objective::default(), help_heading = "Learn")]
    objective: Objective,

    /// Simulated time between two rounds of learning
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval, help_heading = "Learn")]
    interval: Duration,

    /// How far back the replayed window reaches
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = positive_duration, help_heading = "Learn")]
    window: Duration,

    /// K: seconds of waiting that one second of expected remaining CPU time is worth
    #[arg(
        short = 'k',
        long,
        value_name = "K",
        default_value_t = BiasFactor::default().get(),
        allow_negative_numbers = true,
        help_heading = "Learn"
    )]
    pub bias_factor: f64,

    /// By how much K is multiplied on a machine that is busy all the time, rising from 50 % on; 1: not at all
    #[arg(
        long,
        value_name = "FACTOR",
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Learn"
    )]
    load_factor: f64,

    /// No bias exceeds this
    #[arg(long, value_name = "TIME", default_value = "16s", value_parser = max_bias, help_heading = "Learn")]
    pub max_bias: Duration,
}

/// Makes the tables of one simulation.
pub struct Learning {
    saved: Option<NamedTable>,
    known: Known,
    interval_ns: u64,
    ml: Method,
    objective: Objective,
    config: LearnerConfig,
}

impl Learning {
    /// # Errors
    /// When a value cannot work, or the table cannot be read.
    pub fn new(args: &LearningArgs, cpus: u32) -> Result<Self> {
        Ok(Self {
            saved: args.policy_table.as_deref().map(read).transpose()?,
            known: args.known,
            interval_ns: args.interval.as_nanos() as u64,
            ml: args.ml,
            objective: args.objective,
            config: LearnerConfig {
                cpus: cpus as usize,
                window_ns: args.window.as_nanos() as u64,
                bias_factor: BiasFactor::new(args.bias_factor)?,
                load_factor: LoadFactor::new(args.load_factor)?,
                max_bias_ns: args.max_bias.as_nanos() as u64,
                ..LearnerConfig::default()
            },
        })
    }

    /// What there is to begin with, each with its name in the report; `None`
    /// for a saved table, which is neither warm nor cold.
    pub fn beginnings(&self) -> Vec<Option<Warmth>> {
        match self.saved {
            Some(_) => vec![None],
            None => self.known.warmths().iter().copied().map(Some).collect(),
        }
    }

    /// Whether a saved table takes the place of learning.
    pub fn is_saved(&self) -> bool {
        self.saved.is_some()
    }

    fn predictor(&self, policy: Policy) -> Box<dyn Predictor> {
        let method = match (policy, self.ml) {
            (Policy::Gittins, _) => Method::Gittins,
            (Policy::Asked(asked), method) => asked.method().unwrap_or(method),
            // Its index is no expected remaining time.
            (Policy::Serpt | Policy::MSerpt, Method::Gittins) => Method::Avg,
            (_, method) => method,
        };
        method.predictor(self.objective)
    }

    /// Functions of the trace a saved table does not have.
    pub fn strangers<'a>(&self, functions: &'a [String]) -> Vec<&'a str> {
        let Some(saved) = &self.saved else {
            return Vec::new();
        };
        let names = functions.iter().map(String::as_str);
        names.filter(|name| !saved.contains(name)).collect()
    }

    /// Tables for a policy that begins with nothing but what is saved.
    pub fn tables(&self, policy: Policy, functions: &[String]) -> Tables {
        self.tables_with(policy, functions, std::iter::empty())
    }

    /// Tables for a policy that has seen what `seen` has.
    pub fn tables_after(&self, policy: Policy, functions: &[String], seen: &Learner) -> Tables {
        self.tables_with(policy, functions, seen.histories())
    }

    fn tables_with<'a>(
        &self,
        policy: Policy,
        functions: &[String],
        histories: impl Iterator<Item = (FunctionId, &'a History)>,
    ) -> Tables {
        if let Some(saved) = &self.saved {
            return Tables::fixed(saved.by_slot(functions.iter().map(String::as_str)));
        }
        let mut config = self.config.clone();
        if policy.is_index() {
            config.max_bias_ns = u64::MAX;
            config.load_factor = LoadFactor::default();
        }
        if matches!(policy, Policy::Asked(_)) {
            config = config.expectations();
        }
        let mut learner = Learner::new(config, self.predictor(policy));
        histories.for_each(|(id, history)| learner.restore(id, history));
        Tables::learned(learner, self.interval_ns)
    }
}

fn read(path: &Path) -> Result<NamedTable> {
    let cannot = || format!("cannot read {}", path.display());
    let bytes = fs::metadata(path).with_context(cannot)?.len();
    ensure!(
        bytes <= MAX_BYTES,
        "{} is too large to be a policy table",
        path.display()
    );
    let text = fs::read_to_string(path).with_context(cannot)?;
    NamedTable::parse(&text).with_context(|| path.display().to_string())
}
