// SPDX-License-Identifier: GPL-2.0-only
//! A run as `summary.json`; docs/report.md describes it for its readers.

use serde::Serialize;

use super::comparison::Basis;
use super::{
    Comparison, Conditions, Contender, Quantity, Ratio, Round, Run, Side, Statistic, Summary,
};

/// To be raised when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// The file's content.
#[derive(Serialize)]
pub struct SummaryFile<'a> {
    version: u32,
    conditions: &'a Conditions,
    settings: Vec<SettingEntry<'a>>,
    rounds: Vec<RoundEntry<'a>>,
}

#[derive(Serialize)]
struct SettingEntry<'a> {
    trace: &'a str,
    layout: &'a str,
    load: f64,
    cpus: u32,
    seconds: f64,
    contenders: Vec<ContenderEntry<'a>>,
    ratios: Vec<RatiosEntry<'a>>,
    functions: Vec<FunctionEntry<'a>>,
}

#[derive(Serialize)]
struct ContenderEntry<'a> {
    #[serde(flatten)]
    contender: &'a Contender,
    rounds: usize,
    invalid_rounds: usize,
    unserved: usize,
    scheduler_cpu_percent: Option<f64>,
    /// Of what the bound gains over the baseline in mean response.
    part_of_gain: Option<f64>,
    #[serde(flatten)]
    summary: Option<Summary>,
}

#[derive(Serialize)]
struct RatiosEntry<'a> {
    new: &'a Contender,
    old: &'a Contender,
    /// What is paired: seeds or rounds.
    paired_by: &'static str,
    response: StatisticRatios,
    slowdown: StatisticRatios,
    switches: Option<Ratio>,
}

#[derive(Serialize)]
struct StatisticRatios {
    mean: Option<Ratio>,
    p50: Option<Ratio>,
    p90: Option<Ratio>,
    p99: Option<Ratio>,
    max: Option<Ratio>,
}

#[derive(Serialize)]
struct FunctionEntry<'a> {
    function: &'a str,
    /// In the order of the setting's contenders.
    contenders: Vec<Option<Summary>>,
}

#[derive(Serialize)]
struct RoundEntry<'a> {
    #[serde(flatten)]
    round: &'a Round,
    #[serde(flatten)]
    summary: Option<Summary>,
}

impl<'a> SummaryFile<'a> {
    pub fn of(run: &'a Run) -> Self {
        Self {
            version: VERSION,
            conditions: &run.conditions,
            settings: Comparison::all(run).iter().map(setting).collect(),
            rounds: run.rounds.iter().map(round).collect(),
        }
    }
}

fn setting<'a>(comparison: &Comparison<'a>) -> SettingEntry<'a> {
    let sides = &comparison.sides;
    let earlier = |new: usize| (0..new).map(move |old| (old, new));
    let functions = comparison.functions().into_iter();
    SettingEntry {
        trace: &comparison.setting.trace,
        layout: &comparison.setting.layout,
        load: comparison.setting.load,
        cpus: comparison.setting.cpus,
        seconds: comparison.setting.seconds,
        contenders: (0..)
            .zip(sides)
            .map(|(index, side)| contender(side, comparison.part_of_gain(index)))
            .collect(),
        ratios: (0..sides.len())
            .flat_map(earlier)
            .map(|(old, new)| ratios(comparison, old, new))
            .collect(),
        functions: functions
            .map(|row| FunctionEntry {
                function: row.name,
                contenders: row.summaries,
            })
            .collect(),
    }
}

fn contender<'a>(side: &Side<'a>, part_of_gain: Option<f64>) -> ContenderEntry<'a> {
    ContenderEntry {
        contender: side.contender,
        rounds: side.rounds.len(),
        invalid_rounds: side.invalid_rounds(),
        unserved: side.unserved(),
        scheduler_cpu_percent: side.scheduler_cpu_percent(),
        part_of_gain,
        summary: side.summary,
    }
}

fn ratios<'a>(comparison: &Comparison<'a>, old: usize, new: usize) -> RatiosEntry<'a> {
    let statistics = |quantity| {
        let of = |statistic| comparison.ratio(old, new, |s| s.get(quantity, statistic));
        StatisticRatios {
            mean: of(Statistic::Mean),
            p50: of(Statistic::P50),
            p90: of(Statistic::P90),
            p99: of(Statistic::P99),
            max: of(Statistic::Max),
        }
    };
    RatiosEntry {
        new: comparison.sides[new].contender,
        old: comparison.sides[old].contender,
        paired_by: match comparison.basis {
            Basis::Seeds => "seeds",
            Basis::Rounds => "rounds",
        },
        response: statistics(Quantity::Response),
        slowdown: statistics(Quantity::Slowdown),
        switches: comparison.ratio(old, new, |s| s.switches),
    }
}

fn round(round: &Round) -> RoundEntry<'_> {
    RoundEntry {
        round,
        summary: Summary::of(&round.outcomes),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::samples::{outcome, run};
    use super::*;

    #[test]
    fn content_is_as_documented() {
        let round = |contender: Contender, ms: u64| {
            let outcomes = vec![outcome(0, 0, ms, 2), outcome(2, 0, 2 * ms, 2)];
            Round::new(0, contender, 1, outcomes)
        };
        let run = run(vec![
            round(Contender::new("EEVDF"), 8),
            round(Contender::warm("ALPS"), 4),
            round(Contender::cold("ALPS"), 6),
        ]);
        let file: Value = serde_json::to_value(SummaryFile::of(&run)).unwrap();
        assert_eq!(file["version"], 1);
        assert_eq!(file["conditions"]["machine"]["cpus"], 2);
        let setting = &file["settings"][0];
        let warm = &setting["contenders"][1];
        assert_eq!(warm["scheduler"], "ALPS");
        assert_eq!(warm["warmth"], "warm");
        assert_eq!(warm["response_ms"]["mean"], 6.0);
        assert_eq!(warm["slowdown"]["max"], 4.0);
        let pairs: Vec<_> = setting["ratios"].as_array().unwrap().iter().collect();
        assert_eq!(pairs.len(), 3);
        assert_eq!(pairs[0]["old"]["scheduler"], "EEVDF");
        let ratio = pairs[0]["response"]["mean"]["value"].as_f64().unwrap();
        assert!((ratio - 0.5).abs() < 1e-12);
        assert_eq!(pairs[0]["response"]["mean"]["interval"], json!(null));
        assert_eq!(pairs[2]["new"]["warmth"], "cold");
        let functions = setting["functions"].as_array().unwrap();
        assert_eq!(functions.len(), 2);
        assert_eq!(functions[1]["function"], "long");
        assert_eq!(functions[1]["contenders"][0]["response_ms"]["mean"], 16.0);
        assert_eq!(file["rounds"][2]["response_ms"]["p50"], 6.0);
    }

    #[test]
    fn a_run_without_rounds_is_a_document_too() {
        let file = serde_json::to_value(SummaryFile::of(&run(vec![]))).unwrap();
        assert_eq!(file["settings"], json!([]));
    }
}
