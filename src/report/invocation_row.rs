// SPDX-License-Identifier: GPL-2.0-only
//! A run as rows of `invocations.csv`; docs/report.md describes them for
//! their readers.

use serde::Serialize;

use super::{Run, Warmth};

/// One call of one round. The fields are the columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvocationRow<'a> {
    /// Number of the setting, from 1.
    pub setting: usize,
    pub scheduler: &'a str,
    pub warmth: Option<Warmth>,
    pub seed: u64,
    /// Number of the round, from 1, in the order of running.
    pub round: usize,
    pub function: &'a str,
    pub arrival_ns: u64,
    pub first_run_ns: u64,
    pub end_ns: u64,
    pub cpu_requested_ns: u64,
    pub cpu_used_ns: u64,
    pub pause_ns: u64,
    pub switches: u64,
}

/// All calls of a run, round by round.
pub fn rows(run: &Run) -> impl Iterator<Item = InvocationRow<'_>> {
    (1..).zip(&run.rounds).flat_map(move |(number, round)| {
        let functions = run.settings.get(round.setting).map(|s| &s.functions);
        round.outcomes.iter().map(move |outcome| {
            let name = functions.and_then(|names| names.get(outcome.function as usize));
            InvocationRow {
                setting: round.setting + 1,
                scheduler: &round.contender.scheduler,
                warmth: round.contender.warmth,
                seed: round.seed,
                round: number,
                function: name.map_or("", String::as_str),
                arrival_ns: outcome.arrival_ns,
                first_run_ns: outcome.first_run_ns,
                end_ns: outcome.end_ns,
                cpu_requested_ns: outcome.cpu_requested_ns,
                cpu_used_ns: outcome.cpu_used_ns,
                pause_ns: outcome.pause_ns,
                switches: outcome.switches,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{MS, outcome, run};
    use super::super::{Contender, Round};
    use super::*;

    #[test]
    fn rows_say_where_they_belong() {
        let round =
            |contender, function| Round::new(0, contender, 7, vec![outcome(function, 1, 2, 3)]);
        let run = run(vec![
            round(Contender::new("EEVDF"), 2),
            round(Contender::cold("ALPS"), 99),
        ]);
        let rows: Vec<_> = rows(&run).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].setting, rows[0].round, rows[0].seed), (1, 1, 7));
        assert_eq!((rows[0].function, rows[0].end_ns), ("long", 3 * MS));
        assert_eq!((rows[1].function, rows[1].warmth), ("", Some(Warmth::Cold)));
    }
}
