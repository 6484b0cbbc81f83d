// SPDX-License-Identifier: GPL-2.0-only
//! What the daemon knows of one function.

use anyhow::{Result, bail};
use scx_alps::identify::{FunctionName, Source, near};
use scx_alps::invocation::FunctionId;
use scx_alps::learn::{Knowledge, Method, Tuned};

use super::{Daemon, monotonic_ns};
use crate::control::Explanation;

/// Names offered where nothing has the one asked for.
const OFFERED: usize = 5;

impl Daemon<'_> {
    /// What was learned of the functions of this name, first of the one that
    /// no process could choose to be.
    pub(super) fn explain(&self, asked: &str) -> Result<Vec<Explanation>> {
        let registry = self.directory.registry();
        let mut found: Vec<(FunctionId, &FunctionName, Source)> = registry
            .iter()
            .filter(|(_, name, _)| name.as_str() == asked)
            .collect();
        found.sort_by_key(|(_, _, source)| source.is_spoofable());
        if found.is_empty() {
            let names = registry.iter().map(|(_, name, _)| name.as_str());
            let near = near(asked, names, OFFERED);
            if near.is_empty() {
                bail!("there is no function '{asked}': 'scx_alps top' shows those there are");
            }
            bail!(
                "there is no function '{asked}'; near are: {}",
                near.join(", ")
            );
        }
        Ok(found
            .into_iter()
            .map(|(function, name, source)| self.explanation(function, name, source))
            .collect())
    }

    fn explanation(
        &self,
        function: FunctionId,
        name: &FunctionName,
        source: Source,
    ) -> Explanation {
        let entry = self
            .learner
            .table()
            .get(function)
            .cloned()
            .unwrap_or_default();
        let mut explanation = Explanation {
            name: name.to_string(),
            source: source.as_str().to_owned(),
            spoofable: source.is_spoofable(),
            predictor: self.settings.method.to_string(),
            objective: match self.settings.method {
                Method::Gittins => self.settings.objective.to_string(),
                _ => String::new(),
            },
            bias_factor: self.learner.bias_factor().get(),
            utilisation_percent: self.utilisation_percent,
            bias_ns: entry.bias_ns.to_vec(),
            predicted_ns: entry.predicted_ns,
            slice_ns: entry.slice_ns,
            rank: entry.rank,
            functions: self.learner.histories().count(),
            prior_ns: self.learner.prior().remaining_ns().to_vec(),
            past: self.past.of(function, monotonic_ns()),
            ..Explanation::default()
        };
        match self.learner.knowledge(function) {
            // Nothing was ever seen of it: it is taken for any function.
            None => explanation.remaining_ns.clone_from(&explanation.prior_ns),
            Some(known) => {
                explanation.remembered = known.remembered;
                explanation.samples = known.samples;
                explanation.weight = known.weight;
                explanation.mean_ns = known.mean_ns;
                explanation.stdev_ns = known.stdev_ns;
                explanation.least_ns = known.least_ns;
                explanation.most_ns = known.most_ns;
                explanation.histogram = known.histogram.to_vec();
                explanation.remaining_ns = known.forecast.remaining_ns().to_vec();
                if self.settings.method == Method::Gittins {
                    explanation.residual_ns = known.residual.remaining_ns().to_vec();
                }
                explanation.predicted_slice_ns = known.predicted_slice_ns;
                explanation.tuned = self.tuned(&known);
                explanation.simulated_wait_ns = known.simulated_wait_ns;
            }
        }
        explanation
    }

    /// How the function's slice comes about.
    fn tuned(&self, known: &Knowledge) -> Option<Tuned> {
        let predicted_ns = known.predicted_slice_ns?;
        let stdev_ns = known.slice_stdev_ns?;
        let tuning = &self.learner.config().tuning;
        Some(tuning.tuned(predicted_ns, stdev_ns, self.utilisation_percent))
    }
}
