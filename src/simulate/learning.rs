// SPDX-License-Identifier: GPL-2.0-only
//! What the policies that go by a policy table learn it from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use scx_alps::learn::{
    BiasFactor, Learner, LearnerConfig, LoadFactor, Method, Predictor, Settings,
};
use scx_alps::policy::NamedTable;
use scx_alps::report::Warmth;
use scx_alps::sim::{Policy, Tables};

use crate::learn_args::LearnArgs;

/// Larger files are no policy tables.
const MAX_BYTES: u64 = 64 << 20;

/// What a learning policy knows when the trace begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Known {
    /// What a trace of another seed shows of them
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
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "known",
        conflicts_with_all = LearnArgs::NAMES,
        help_heading = "Learn"
    )]
    policy_table: Option<PathBuf>,

    /// What is known of the functions when the trace begins
    #[arg(long, value_enum, default_value = "warm", help_heading = "Learn")]
    known: Known,

    #[command(flatten)]
    learn: LearnArgs,
}

/// Makes the tables of one simulation.
pub struct Learning {
    saved: Option<NamedTable>,
    known: Known,
    interval_ns: u64,
    settings: Settings,
    config: LearnerConfig,
}

impl Learning {
    /// # Errors
    /// When a value cannot work, or the table cannot be read.
    pub fn new(args: &LearningArgs, cpus: u32) -> Result<Self> {
        let saved = args.policy_table.as_deref().map(read).transpose()?;
        let settings = args.learn.settings()?;
        let mut config = LearnerConfig {
            cpus: cpus as usize,
            ..args.learn.config(&settings)
        };
        if let Some(saved) = &saved {
            config.bias_factor = BiasFactor::new(saved.made_by().bias_factor)?;
            config.max_bias_ns = saved.made_by().max_bias_ns;
        }
        Ok(Self {
            saved,
            known: args.known,
            interval_ns: args.learn.interval.as_nanos() as u64,
            settings,
            config,
        })
    }

    /// `K`, that of a saved table where there is one.
    pub fn bias_factor(&self) -> BiasFactor {
        self.config.bias_factor
    }

    /// The largest bias, that of a saved table where there is one.
    pub fn max_bias_ns(&self) -> u64 {
        self.config.max_bias_ns
    }

    /// Refuses what cannot go by a saved table.
    ///
    /// # Errors
    /// Where there is one, and a policy learns something else than its biases.
    pub fn admit(&self, policies: &[Policy]) -> Result<()> {
        let goes_by_biases = |policy: &Policy| matches!(policy, Policy::Alps | Policy::Published);
        let other = policies
            .iter()
            .find(|policy| policy.learns() && !goes_by_biases(policy));
        match (&self.saved, other) {
            (Some(_), Some(other)) => bail!(
                "{} does not go by a saved table, which holds the biases of alps: leave out \
                 --policy-table, and it learns; or pass --policy alps",
                other.name()
            ),
            _ => Ok(()),
        }
    }

    /// What a policy has to begin with, each with its name in the report;
    /// `None` for one that does not learn and for a saved table, which are
    /// neither warm nor cold.
    pub fn beginnings(&self, policy: Policy) -> Vec<Option<Warmth>> {
        if !policy.learns() || self.saved.is_some() {
            return vec![None];
        }
        self.known.warmths().iter().copied().map(Some).collect()
    }

    /// Whether any policy that learns sees another trace before.
    pub fn practises(&self) -> bool {
        self.saved.is_none() && self.known != Known::Cold
    }

    fn predictor(&self, policy: Policy) -> Box<dyn Predictor> {
        let method = match (policy, self.settings.method) {
            (Policy::Gittins, _) => Method::Gittins,
            (Policy::Asked(asked), method) => asked.method().unwrap_or(method),
            // Its index is no expected remaining time.
            (Policy::Serpt | Policy::MSerpt, Method::Gittins) => Method::Avg,
            (_, method) => method,
        };
        method.predictor(self.settings.objective)
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
        if let Some(saved) = &self.saved {
            let table = saved.by_slot(functions.iter().map(String::as_str));
            return Tables::made_with(table, self.config.bias_factor);
        }
        let mut config = self.config.clone();
        if policy.is_index() {
            config.max_bias_ns = u64::MAX;
            config.load_factor = LoadFactor::default();
        }
        if matches!(policy, Policy::Asked(_)) {
            config = config.expectations();
        }
        let learner = Learner::new(config, self.predictor(policy));
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
