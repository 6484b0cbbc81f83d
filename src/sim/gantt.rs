// SPDX-License-Identifier: GPL-2.0-only
//! A picture of a schedule: a row for each invocation, time from left to right.

use std::fmt;

use super::{Job, Outcome, Slice};

/// Columns of time.
const COLUMNS: usize = 52;

/// More invocations than this are not shown.
const MOST_ROWS: usize = 40;

/// Longer names are cut.
const LABEL: usize = 12;

/// Of a time within the first hours, to the microsecond.
const ARRIVAL: usize = 11;

/// A span of simulated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from_ns: u64,
    to_ns: u64,
}

impl Span {
    /// `None` where nothing lies between the two.
    pub fn new(from_ns: u64, to_ns: u64) -> Option<Self> {
        (from_ns < to_ns).then_some(Self { from_ns, to_ns })
    }

    /// Whether any of the span is between two times.
    pub fn meets(&self, from_ns: u64, to_ns: u64) -> bool {
        from_ns < self.to_ns && self.from_ns < to_ns
    }

    /// Where a column of the picture begins, or where the last one ends.
    fn column_ns(&self, column: usize) -> u64 {
        let span_ns = u128::from(self.to_ns - self.from_ns);
        self.from_ns + (span_ns * column as u128 / COLUMNS as u128) as u64
    }
}

/// What became of the invocations that were there within a span of time.
pub struct Gantt {
    span: Span,
    rows: Vec<Row>,
    hidden: usize,
    /// When the last invocation finishes.
    end_ns: u64,
}

struct Row {
    label: String,
    arrival_ns: u64,
    cells: String,
}

impl Gantt {
    /// The picture of `jobs`, all of them, with their `outcomes`; `slices` are
    /// those within the span. Without slices a job's CPU time counts as spread
    /// evenly from arrival to finish.
    pub fn new(
        span: Span,
        jobs: &[Job],
        outcomes: &[Outcome],
        slices: Option<&[Slice]>,
        name: impl Fn(usize) -> String,
    ) -> Self {
        let mut present: Vec<usize> = (0..jobs.len())
            .filter(|&index| span.meets(jobs[index].arrival_ns, outcomes[index].finish_ns))
            .collect();
        present.sort_by_key(|&index| jobs[index].arrival_ns);
        let hidden = present.len().saturating_sub(MOST_ROWS);
        present.truncate(MOST_ROWS);
        let rows = present.into_iter().map(|index| {
            let (job, outcome) = (&jobs[index], &outcomes[index]);
            let own = slices.map(|all| all.iter().filter(|slice| slice.job == index));
            let own: Option<Vec<&Slice>> = own.map(Iterator::collect);
            let cells = (0..COLUMNS).map(|column| {
                let (from_ns, to_ns) = (span.column_ns(column), span.column_ns(column + 1));
                if overlap_ns((from_ns, to_ns), (job.arrival_ns, outcome.finish_ns)) == 0 {
                    return ' ';
                }
                let width_ns = (to_ns - from_ns).max(1) as f64;
                let share = match &own {
                    Some(own) => {
                        let within = |slice: &&Slice| {
                            overlap_ns((from_ns, to_ns), (slice.start_ns, slice.end_ns))
                        };
                        own.iter().map(within).sum::<u64>() as f64 / width_ns
                    }
                    None => {
                        let there_ns = outcome.finish_ns.saturating_sub(job.arrival_ns);
                        job.cpu_ns as f64 / there_ns.max(1) as f64
                    }
                };
                shade(share)
            });
            Row {
                label: name(index).chars().take(LABEL).collect(),
                arrival_ns: job.arrival_ns,
                cells: cells.collect(),
            }
        });
        Self {
            span,
            rows: rows.collect(),
            hidden,
            end_ns: outcomes.iter().map(|o| o.finish_ns).max().unwrap_or(0),
        }
    }
}

fn overlap_ns(one: (u64, u64), two: (u64, u64)) -> u64 {
    one.1.min(two.1).saturating_sub(one.0.max(two.0))
}

/// A time in its largest unit, to the nearest microsecond above one of them.
fn time(ns: u64) -> String {
    let whole = |unit_ns: u64, digits: f64| {
        let value = (ns as f64 / unit_ns as f64 * digits).round() / digits;
        value.to_string()
    };
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} us", whole(1_000, 1.0)),
        1_000_000..1_000_000_000 => format!("{} ms", whole(1_000_000, 1e3)),
        _ => format!("{} s", whole(1_000_000_000, 1e6)),
    }
}

/// How much of a column an invocation that is there has run.
fn shade(share: f64) -> char {
    match share {
        share if share >= 0.875 => '█',
        share if share >= 0.625 => '▓',
        share if share >= 0.375 => '▒',
        share if share > 0.0 => '░',
        _ => '·',
    }
}

impl fmt::Display for Gantt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (time(self.span.from_ns), time(self.span.to_ns));
        writeln!(
            out,
            "{:LABEL$} {:>ARRIVAL$} {from}{to:>width$}",
            "",
            "arrives",
            width = COLUMNS + 2 - from.chars().count().min(COLUMNS)
        )?;
        for row in &self.rows {
            let arrival = time(row.arrival_ns);
            writeln!(
                out,
                "{:LABEL$} {arrival:>ARRIVAL$} ▏{}▕",
                row.label, row.cells
            )?;
        }
        match (self.rows.is_empty(), time(self.end_ns)) {
            (false, _) => writeln!(out, "the darker the more it ran: ░▒▓█; · it waited")?,
            (true, end) if self.end_ns <= self.span.from_ns => {
                writeln!(out, "nobody was there: the last invocation ended at {end}")?;
            }
            (true, _) => writeln!(out, "nobody was there")?,
        }
        if self.hidden > 0 {
            writeln!(out, "and {} invocations that came later", self.hidden)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::srpt;
    use crate::sim::test::job;

    fn picture(span: (u64, u64), jobs: &[Job], slices: bool) -> String {
        let mut all = Vec::new();
        let outcomes = srpt::replay(jobs, 1, |slice| all.push(slice));
        let span = Span::new(span.0, span.1).unwrap();
        let slices = slices.then_some(&all[..]);
        Gantt::new(span, jobs, &outcomes, slices, |index| format!("f{index}")).to_string()
    }

    #[test]
    fn waiting_running_and_absence_look_different() {
        let jobs = [job(0, 26_000_000), job(13_000_000, 13_000_000)];
        let text = picture((0, 52_000_000), &jobs, true);
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[0].trim().starts_with("arrives 0 ns") && rows[0].ends_with("52 ms"));
        let cells = |row: &str| row.split(['▏', '▕']).nth(1).unwrap().to_owned();
        assert_eq!(cells(rows[1]), "█".repeat(26) + &" ".repeat(26));
        assert_eq!(
            cells(rows[2]),
            " ".repeat(13) + &"·".repeat(13) + &"█".repeat(13) + &" ".repeat(13)
        );
    }

    #[test]
    fn without_slices_service_is_even() {
        let jobs = [job(0, 26_000_000), job(0, 26_000_000)];
        let text = picture((0, 52_000_000), &jobs, false);
        assert!(text.contains(&"▒".repeat(52)), "{text}");
    }

    #[test]
    fn an_empty_span_and_a_crowd_are_said() {
        let late = picture((100, 200), &[job(0, 5)], true);
        assert!(
            late.contains("nobody") && late.contains("ended at 5 ns"),
            "{late}"
        );
        let between = picture((100, 200), &[job(0, 5), job(500, 5)], true);
        assert!(
            between.trim_end().ends_with("nobody was there"),
            "{between}"
        );
        let crowd = vec![job(0, 10); 50];
        let text = picture((0, 10), &crowd, true);
        assert!(text.contains("10 invocations"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        assert_eq!(Span::new(5, 5), None);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        for (ns, expected) in [
            (0, "0 ns"),
            (1_500, "2 us"),
            (1_234_567, "1.235 ms"),
            (250_000_000, "250 ms"),
            (100_000_000_000, "100 s"),
            (1_250_000_000, "1.25 s"),
        ] {
            assert_eq!(time(ns), expected);
        }
    }

    #[test]
    fn the_end_of_time_can_be_looked_at() {
        let jobs = [job(u64::MAX - 10, 5), job(0, u64::MAX)];
        picture((u64::MAX - 3, u64::MAX), &jobs, true);
        picture((0, u64::MAX), &jobs, false);
    }
}
