// SPDX-License-Identifier: GPL-2.0-only
//! Two schedulers' outcomes on the same traces, side by side.

use super::table::{Table, number, ratio, time};
use super::{Outcome, Summary};

/// What one trace came to under both schedulers.
#[derive(Clone, Debug)]
pub struct Pair {
    /// What tells the trace from the others: `seed 1`.
    pub label: String,
    pub baseline: Vec<Outcome>,
    pub candidate: Vec<Outcome>,
}

/// Two schedulers compared over some traces of the same functions.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The baseline's name: `EEVDF`.
    pub baseline: String,
    /// The candidate's name: `ALPS`.
    pub candidate: String,
    pub functions: Vec<String>,
    pub pairs: Vec<Pair>,
}

impl Comparison {
    /// All outcomes under the baseline.
    pub fn baseline_outcomes(&self) -> Vec<Outcome> {
        let outcomes = self.pairs.iter().flat_map(|pair| &pair.baseline);
        outcomes.copied().collect()
    }

    /// All outcomes under the candidate.
    pub fn candidate_outcomes(&self) -> Vec<Outcome> {
        let outcomes = self.pairs.iter().flat_map(|pair| &pair.candidate);
        outcomes.copied().collect()
    }

    /// Each trace and all of them together.
    pub fn overall_table(&self) -> Table {
        let mut table = Table::new(2);
        table.row(["", "", "mean", "mean", "p99", "max", "switches"]);
        table.row([
            "", "", "response", "slowdown", "slowdown", "response", "per call",
        ]);
        if self.pairs.len() > 1 {
            for pair in &self.pairs {
                self.rows(&mut table, &pair.label, &pair.baseline, &pair.candidate);
            }
            table.gap();
        }
        let (old, new) = (self.baseline_outcomes(), self.candidate_outcomes());
        self.rows(&mut table, "all", &old, &new);
        if let (Some(old), Some(new)) = (Summary::of(&old), Summary::of(&new)) {
            let pairs = figures(&old).into_iter().zip(figures(&new));
            let ratios = pairs.map(|(old, new)| ratio(old, new));
            table.row(["", "ratio"].map(String::from).into_iter().chain(ratios));
        }
        table
    }

    /// Each function over all traces.
    pub fn function_table(&self) -> Table {
        let (old, new) = (&self.baseline, &self.candidate);
        let mut table = Table::new(1);
        table.row(["", "", "mean response", "", "", "mean slowdown", "", ""]);
        table.row(["function", "calls", old, new, "ratio", old, new, "ratio"]);
        let (old, new) = (self.baseline_outcomes(), self.candidate_outcomes());
        for (index, name) in (0..).zip(&self.functions) {
            let old = Summary::of_function(&old, index);
            let new = Summary::of_function(&new, index);
            let (Some(old), Some(new)) = (old, new) else {
                continue;
            };
            table.row([
                name.clone(),
                old.invocations.to_string(),
                time(old.response_ms.mean),
                time(new.response_ms.mean),
                ratio(old.response_ms.mean, new.response_ms.mean),
                number(old.slowdown.mean),
                number(new.slowdown.mean),
                ratio(old.slowdown.mean, new.slowdown.mean),
            ]);
        }
        table
    }

    fn rows(&self, table: &mut Table, label: &str, old: &[Outcome], new: &[Outcome]) {
        let sides = [(label, &self.baseline, old), ("", &self.candidate, new)];
        for (label, scheduler, outcomes) in sides {
            let mut cells = vec![label.to_string(), scheduler.clone()];
            match Summary::of(outcomes) {
                Some(summary) => cells.extend([
                    time(summary.response_ms.mean),
                    number(summary.slowdown.mean),
                    number(summary.slowdown.p99),
                    time(summary.response_ms.max),
                    number(summary.switches),
                ]),
                None => cells.push("nothing finished".into()),
            }
            table.row(cells);
        }
    }
}

/// The columns of the overall table.
fn figures(summary: &Summary) -> [f64; 5] {
    [
        summary.response_ms.mean,
        summary.slowdown.mean,
        summary.slowdown.p99,
        summary.response_ms.max,
        summary.switches,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        let outcome = |response_ms: u64| Outcome {
            function: 0,
            arrival_ns: 0,
            first_run_ns: 0,
            end_ns: response_ms * 1_000_000,
            cpu_requested_ns: 1_500_000_000,
            cpu_used_ns: 1_500_000_000,
            switches: 1000,
        };
        let pair = |label: &str| Pair {
            label: label.into(),
            baseline: vec![outcome(40_000)],
            candidate: vec![outcome(10_000)],
        };
        Comparison {
            baseline: "EEVDF".into(),
            candidate: "ALPS".into(),
            functions: vec!["f1500ms".into(), "unused".into()],
            pairs: vec![pair("seed 1"), pair("seed 1234567")],
        }
    }

    #[test]
    fn tables_fit_eighty_columns() {
        let comparison = comparison();
        for table in [comparison.overall_table(), comparison.function_table()] {
            let text = table.to_string();
            assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
        }
    }

    #[test]
    fn ratio_is_candidate_over_baseline() {
        let text = comparison().overall_table().to_string();
        let last: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["ratio", "0.25", "0.25", "0.25", "0.25", "1.00"]);
    }

    #[test]
    fn nothing_finished_is_said() {
        let mut comparison = comparison();
        comparison.pairs.truncate(1);
        comparison.pairs[0].candidate.clear();
        let text = comparison.overall_table().to_string();
        assert!(text.contains("nothing finished"), "{text}");
    }
}
