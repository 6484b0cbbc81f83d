// SPDX-License-Identifier: GPL-2.0-only
//! A run's report for the terminal, at most 80 columns wide where names allow.

use std::fmt::{self, Display, Write};
use std::ops::Range;

use super::comparison::{Basis, FunctionRow};
use super::table::{Table, number};
use super::{Comparison, Quantity, Ratio, Run, Side, Statistic, Summary};

/// Columns of a terminal.
const WIDTH: usize = 80;

/// More functions than this are for the files.
const MOST_FUNCTIONS: usize = 20;

/// The whole report.
pub fn report(run: &Run) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(run, &mut text);
    text
}

fn write(run: &Run, out: &mut String) -> fmt::Result {
    for comparison in Comparison::all(run) {
        write!(out, "{}", comparison.setting)?;
        if let Some(machine) = &run.conditions.machine {
            write!(out, ", Linux {}", machine.kernel_release)?;
        }
        writeln!(out)?;
        if !comparison.setting.layout.is_empty() {
            writeln!(out, "{}", comparison.setting.layout)?;
        }
        writeln!(out, "\n{}", overall(&comparison))?;
        writeln!(out, "{}", costs(&comparison))?;
        writeln!(out, "{}", functions(&comparison))?;
        for line in notes(run, &comparison) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    for doubt in doubts(run) {
        writeln!(out, "INVALID: {doubt}")?;
    }
    Ok(())
}

/// Responses and slowdowns of all calls, and how they compare with the
/// baseline's.
pub fn overall(comparison: &Comparison) -> Table {
    let mut table = Table::new(2);
    let statistics = Statistic::ALL.map(Statistic::name);
    table.row(["", ""].into_iter().chain(statistics));
    for (index, quantity) in Quantity::ALL.into_iter().enumerate() {
        if index > 0 {
            table.gap();
        }
        let mut label = quantity.name();
        for (index, side) in comparison.sides.iter().enumerate() {
            let cells = [label.to_owned(), side.contender.to_string()];
            label = "";
            table.row(cells.into_iter().chain(values(side, quantity)));
            if index > 0 {
                let ratios = Statistic::ALL
                    .map(|statistic| comparison.ratio(0, index, |s| s.get(quantity, statistic)));
                ratio_rows(&mut table, &ratios);
            }
        }
    }
    table
}

fn values(side: &Side, quantity: Quantity) -> Vec<String> {
    match side.summary {
        None => vec!["nothing finished".into()],
        Some(summary) => Statistic::ALL
            .map(|statistic| quantity.show(summary.get(quantity, statistic)))
            .into(),
    }
}

fn ratio_rows(table: &mut Table, ratios: &[Option<Ratio>]) {
    if ratios.iter().all(Option::is_none) {
        return;
    }
    let row = |name: &str, cell: fn(&Ratio) -> String| {
        let cells = ratios.iter().map(|r| r.as_ref().map_or("-".into(), cell));
        let labels = [String::new(), name.to_owned()];
        labels.into_iter().chain(cells).collect::<Vec<_>>()
    };
    table.row(row("  ratio", |ratio| number(ratio.value)));
    if ratios
        .iter()
        .flatten()
        .any(|ratio| ratio.interval.is_some())
    {
        table.row(row("  95 %", |ratio| {
            ratio.interval.map_or("-".into(), interval)
        }));
    }
}

/// `0.61–0.67`.
pub fn interval([low, high]: [f64; 2]) -> String {
    // More digits than these are not known of them, and take room.
    let bound = |value: f64| match value.abs() {
        1e2..1e6 => format!("{value:.0}"),
        1e1..1e2 => format!("{value:.1}"),
        0.009_95..0.1 => format!("{value:.2}"),
        0.000_995..0.009_95 => format!("{value:.3}"),
        _ => number(value),
    };
    format!("{}–{}", bound(low), bound(high))
}

/// What the schedulers and the measuring itself took.
pub fn costs(comparison: &Comparison) -> Table {
    let mut table = Table::new(1);
    table.row(["", "", "", "switches", "scheduler", "generator"]);
    table.row(["", "rounds", "calls", "per call", "CPU", "late"]);
    for (index, side) in comparison.sides.iter().enumerate() {
        let summary = side.summary.as_ref();
        let dash = || "-".to_owned();
        table.row([
            side.contender.to_string(),
            side.rounds.len().to_string(),
            summary.map_or(0, |s| s.invocations).to_string(),
            summary.map_or_else(dash, |s| number(s.switches)),
            side.scheduler_cpu_percent()
                .map_or_else(dash, |percent| format!("{percent:.2} %")),
            side.lateness_ms()
                .map_or_else(dash, |[mean, _]| format!("{mean:.3} ms")),
        ]);
        let ratio = comparison.ratio(0, index, |summary| summary.switches);
        if let Some(ratio) = ratio.filter(|_| index > 0) {
            let labels = ["  ratio", "", ""].map(String::from);
            table.row(labels.into_iter().chain([number(ratio.value)]));
            if let Some(range) = ratio.interval {
                let labels = ["  95 %", "", ""].map(String::from);
                table.row(labels.into_iter().chain([interval(range)]));
            }
        }
    }
    table
}

/// The functions with most calls: the means of both sides or, where that is
/// too wide, only the ratios.
fn functions(comparison: &Comparison) -> String {
    let rows = comparison.functions();
    let mut shown: Vec<usize> = (0..rows.len()).collect();
    shown.sort_by_key(|&index| std::cmp::Reverse(rows[index].calls()));
    shown.truncate(MOST_FUNCTIONS);
    shown.sort_unstable();
    let shown: Vec<&FunctionRow> = shown.into_iter().map(|index| &rows[index]).collect();
    let two = (comparison.sides.len() == 2).then(|| by_function_of_two(comparison, &shown));
    let mut text = match two.filter(|table| table.width() <= WIDTH) {
        Some(table) => table.to_string(),
        None => {
            let of = |quantity| by_function_of_many(comparison, &shown, quantity);
            Quantity::ALL.map(of).join("\n")
        }
    };
    if let Some(left @ 1..) = rows.len().checked_sub(shown.len()) {
        text += &format!("and {left} functions with fewer calls\n");
    }
    text
}

fn by_function_of_two(comparison: &Comparison, rows: &[&FunctionRow]) -> Table {
    let mut table = Table::new(1);
    table.row(["", "", "mean response", "", "", "mean slowdown", "", ""]);
    let names = || comparison.sides.iter().map(|s| s.contender.to_string());
    let ratio = || std::iter::once("ratio".to_owned());
    let columns = ["function", "calls"].map(String::from).into_iter();
    let columns = columns.chain(names()).chain(ratio());
    table.row(columns.chain(names()).chain(ratio()));
    for row in rows {
        let mut cells = vec![row.name.to_owned(), row.calls().to_string()];
        for quantity in Quantity::ALL {
            let means = row.summaries.iter().map(|summary| mean(summary, quantity));
            cells.extend(means);
            cells.push(row.ratio(1, quantity).map_or("-".into(), number));
        }
        table.row(cells);
    }
    table
}

/// One below the other, as many contenders in each as there is room for.
fn by_function_of_many(
    comparison: &Comparison,
    rows: &[&FunctionRow],
    quantity: Quantity,
) -> String {
    let count = comparison.sides.len();
    let of = |sides| by_function_of_some(comparison, rows, quantity, sides);
    let mut text = String::new();
    let mut from = 0;
    while from < count {
        let fits = |to: &usize| of(from..*to).width() <= WIDTH;
        // A contender that is too wide alone is shown all the same.
        let to = (from + 1..=count).take_while(fits).last();
        let to = to.unwrap_or(from + 1);
        if from > 0 {
            text.push('\n');
        }
        text += &of(from..to).to_string();
        from = to;
    }
    text
}

fn by_function_of_some(
    comparison: &Comparison,
    rows: &[&FunctionRow],
    quantity: Quantity,
    sides: Range<usize>,
) -> Table {
    let mut table = Table::new(1);
    let title = format!("mean {}", quantity.name());
    let with_baseline = sides.start == 0;
    let head = match (with_baseline, sides.len()) {
        (true, 1) => vec![&*title],
        (true, _) => vec![&*title, "ratio"],
        (false, _) => vec!["ratio"],
    };
    table.row(["", ""].into_iter().chain(head));
    let shown = &comparison.sides[sides.clone()];
    let names = shown.iter().map(|side| side.contender.to_string());
    let columns = ["function", "calls"].map(String::from);
    table.row(columns.into_iter().chain(names));
    for row in rows {
        let mut cells = vec![row.name.to_owned(), row.calls().to_string()];
        cells.extend(sides.clone().map(|side| {
            match side {
                0 => row
                    .summaries
                    .first()
                    .map_or("-".into(), |s| mean(s, quantity)),
                side => row.ratio(side, quantity).map_or("-".into(), number),
            }
        }));
        table.row(cells);
    }
    table
}

fn mean(summary: &Option<Summary>, quantity: Quantity) -> String {
    let value = |s: &Summary| quantity.show(s.get(quantity, Statistic::Mean));
    summary.as_ref().map_or("-".into(), value)
}

/// What one must know to read the tables.
pub fn notes(run: &Run, comparison: &Comparison) -> Vec<String> {
    let mut notes = Vec::new();
    let [baseline, others @ ..] = comparison.sides.as_slice() else {
        return notes;
    };
    if !others.is_empty() {
        notes.push(format!(
            "ratio: to {} {}",
            baseline.contender,
            method(run, comparison)
        ));
    }
    for (index, side) in comparison.sides.iter().enumerate() {
        let bound = comparison.bound().map(|side| side.contender);
        if let (Some(part), Some(bound)) = (comparison.part_of_gain(index), bound) {
            notes.push(format!(
                "{}: {:.0} % of what {bound} gains over {} in mean response",
                side.contender,
                100.0 * part,
                baseline.contender
            ));
        }
    }
    let lateness = comparison.sides.iter().filter_map(Side::lateness_ms);
    if let Some(worst) = lateness.map(|[_, worst]| worst).reduce(f64::max) {
        let launches = comparison.sides.iter().filter_map(Side::launch_ms);
        let launch = launches.reduce(f64::max);
        notes.push(format!(
            "generator: {worst:.2} ms late at most{}",
            launch.map_or(String::new(), |ms| format!("; {ms:.3} ms to fork"))
        ));
    }
    notes
}

fn method(run: &Run, comparison: &Comparison) -> String {
    let setting = run
        .settings
        .iter()
        .position(|s| std::ptr::eq(s, comparison.setting));
    let seeds = setting.map_or(0, |setting| run.seeds_in(setting).len());
    let rounds = comparison.sides.iter().map(|side| side.rounds.len());
    match (comparison.basis, rounds.min().unwrap_or(0)) {
        (Basis::Seeds, _) => format!(
            "on the same trace, geometric mean over {seeds} seeds;\n\
             95 %: its confidence interval (t of the log ratios)"
        ),
        (Basis::Rounds, 0 | 1) => "on the same trace; one seed, so no confidence interval".into(),
        (Basis::Rounds, rounds) => format!(
            "on the same trace, geometric mean over {rounds} rounds;\n\
             95 %: its confidence interval (t of the log ratios), of repeating this one trace"
        ),
    }
}

/// Each doubt with the round it is about.
pub fn doubts(run: &Run) -> Vec<String> {
    let several = run.settings.len() > 1;
    let mut doubts = Vec::new();
    for round in &run.rounds {
        let setting = run.settings.get(round.setting).filter(|_| several);
        let place: &dyn Display = match setting {
            Some(setting) => &format!("{setting}, {}, ", setting.layout),
            None => &"",
        };
        for doubt in &round.doubts {
            let (seed, contender) = (round.seed, &round.contender);
            doubts.push(format!("{place}seed {seed}, {contender}: {doubt}"));
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::super::samples::{outcome, run};
    use super::super::{Contender, Distribution, Round};
    use super::*;

    fn sample(contenders: &[Contender], seeds: u64) -> Run {
        let rounds = (1..=seeds).flat_map(|seed| {
            (1..).zip(contenders).map(move |(factor, contender)| Round {
                lateness_ms: Distribution::of(vec![0.021]),
                launch_ms: Distribution::of(vec![0.3]),
                scheduler_cpu_percent: Some(0.24),
                ..Round::new(
                    0,
                    contender.clone(),
                    seed,
                    vec![
                        outcome(0, 0, 40_000 / factor, 1500),
                        outcome(2, 0, 13_000 / factor / seed, 1500),
                    ],
                )
            })
        });
        run(rounds.collect())
    }

    fn five() -> Vec<Contender> {
        vec![
            Contender::new("EEVDF"),
            Contender::new("scx_rustland"),
            Contender::warm("ALPS"),
            Contender::cold("ALPS"),
            Contender::new("ALPS oracle"),
        ]
    }

    #[test]
    fn fits_eighty_columns() {
        for (contenders, seeds) in [(&five()[..], 5), (&five()[..2], 1), (&five()[..1], 2)] {
            let text = report(&sample(contenders, seeds));
            assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        }
    }

    #[test]
    fn many_contenders_stand_below_each_other() {
        let many: Vec<Contender> = (0..13)
            .map(|i| Contender::warm(format!("policy-{i}")))
            .collect();
        let run = sample(&many, 3);
        let text = report(&run);
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        let heads: Vec<&str> = text.lines().filter(|l| l.starts_with("function")).collect();
        let (of_response, of_slowdown) = heads.split_at(heads.len() / 2);
        assert!(of_response.len() > 1, "{text}");
        for heads in [of_response, of_slowdown] {
            let named = heads.join(" ");
            let all = many
                .iter()
                .all(|contender| named.contains(&contender.to_string()));
            assert!(all, "{text}");
        }
    }

    #[test]
    fn ratio_is_to_the_baseline() {
        let run = sample(&five()[..2], 1);
        let comparison = Comparison::of(&run, 0).unwrap();
        let text = overall(&comparison).to_string();
        let ratios: Vec<&str> = text.lines().filter(|l| l.contains("ratio")).collect();
        assert_eq!(ratios.len(), 2);
        let cells: Vec<&str> = ratios[0].split_whitespace().collect();
        assert_eq!(cells, ["ratio", "0.50", "0.50", "0.50", "0.50", "0.50"]);
        assert!(!text.contains("95 %"), "{text}");
    }

    #[test]
    fn intervals_come_with_seeds() {
        let run = sample(&five(), 3);
        let text = report(&run);
        assert!(text.contains("95 %"), "{text}");
        assert!(text.contains("over 3 seeds"), "{text}");
    }

    #[test]
    fn nothing_finished_is_said() {
        let mut run = sample(&five()[..2], 1);
        run.rounds[1].outcomes.clear();
        let text = report(&run);
        assert!(text.contains("nothing finished"), "{text}");
    }

    #[test]
    fn doubts_name_their_round() {
        let mut run = sample(&five()[..2], 2);
        run.rounds[3]
            .doubts
            .push("3 requests were not served".into());
        let text = report(&run);
        let expected = "INVALID: seed 2, scx_rustland: 3 requests were not served\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn many_functions_are_cut_short() {
        let mut run = sample(&five()[..2], 1);
        let functions = (0..1000).map(|f| format!("f{f}")).collect();
        run.settings[0].functions = functions;
        for round in &mut run.rounds {
            round.outcomes = (0..1000).map(|f| outcome(f, 0, 5, 1)).collect();
        }
        let text = report(&run);
        assert!(text.lines().count() < 80, "{text}");
        assert!(text.contains("and 980 functions"), "{text}");
    }
}
