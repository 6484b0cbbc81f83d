// SPDX-License-Identifier: GPL-2.0-only
//! A trace described: figures and small plots for a terminal of 80 columns.

use std::fmt;

use super::bars::{bar, columns};
use super::dispersion::dispersion;
use super::{NS_PER_S, Trace};
use crate::identify::printable::printable;
use crate::report::Distribution;
use crate::report::table::{Table, number, time};

const WIDTH: usize = 76;
const PLOT_LINES: usize = 4;
const BAR_WIDTH: usize = 34;
const NS_PER_MS: f64 = 1e6;

/// Functions that are listed, by number of requests.
const LISTED: usize = 10;

/// Characters of a function's name that are shown.
const NAME_WIDTH: usize = 30;

/// Rows of the plot of CPU times, at most about.
const ROWS: usize = 18;

/// Intervals that burstiness is told for, in nanoseconds.
const INTERVALS_NS: [(u64, &str); 4] = [
    (10_000_000, "10 ms"),
    (100_000_000, "100 ms"),
    (1_000_000_000, "1 s"),
    (10_000_000_000, "10 s"),
];

/// Shows what a trace called `name` is, to somebody with `cpus` CPUs.
#[derive(Debug)]
pub struct Description<'a> {
    pub trace: &'a Trace,
    pub name: &'a str,
    pub cpus: u32,
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.figures(f)?;
        self.arrivals(f)?;
        self.cpu_times(f)?;
        self.functions(f)
    }
}

impl Description<'_> {
    fn figures(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let trace = self.trace;
        let seconds = trace.duration_ns as f64 / NS_PER_S;
        writeln!(
            f,
            "{}: {} requests for {} functions in {}",
            printable(self.name),
            trace.requests.len(),
            trace.functions.len(),
            time(seconds * 1e3),
        )?;
        writeln!(
            f,
            "keeps {} CPUs busy: a load of {} to {}",
            number(trace.load(1)),
            number(trace.load(self.cpus)),
            self.cpus,
        )?;
        let cpu_ms = |r: &super::Request| r.cpu_ns as f64 / NS_PER_MS;
        if let Some(cpu_ms) = Distribution::of(trace.requests.iter().map(cpu_ms).collect()) {
            let mut table = Table::new(1);
            table.row(["", "mean", "p50", "p90", "p99", "max"]);
            table.row([
                "CPU time".to_owned(),
                time(cpu_ms.mean),
                time(cpu_ms.p50),
                time(cpu_ms.p90),
                time(cpu_ms.p99),
                time(cpu_ms.max),
            ]);
            write!(f, "\n{table}")?;
        }
        let mut table = Table::new(1);
        let names = INTERVALS_NS.map(|(_, name)| name);
        table.row(["counts in"].into_iter().chain(names));
        let indices = INTERVALS_NS.map(|(interval_ns, _)| {
            dispersion(trace, interval_ns).map_or_else(|| "-".to_owned(), number)
        });
        table.row(["variance over mean".to_owned()].into_iter().chain(indices));
        writeln!(f, "\n{table}(a Poisson process has 1, bursts have more)")
    }

    fn arrivals(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut counts = [0.0f64; WIDTH];
        let column_ns = self.trace.duration_ns.max(1) as f64 / WIDTH as f64;
        for request in &self.trace.requests {
            let column = (request.arrival_ns as f64 / column_ns) as usize;
            counts[column.min(WIDTH - 1)] += 1.0;
        }
        let highest = counts.iter().copied().fold(0.0, f64::max);
        writeln!(
            f,
            "\narrivals, {} a column, {highest} in the highest",
            time(column_ns / NS_PER_MS),
        )?;
        for line in columns(&counts, PLOT_LINES) {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }

    fn cpu_times(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Some(scale) = Scale::of(self.trace) else {
            return Ok(());
        };
        let mut rows = vec![(0.0f64, 0.0f64); scale.rows()];
        for request in &self.trace.requests {
            let row = &mut rows[scale.row(request.cpu_ns)];
            row.0 += 1.0;
            row.1 += request.cpu_ns as f64;
        }
        let requests = self.trace.requests.len() as f64;
        let cpu_ns: f64 = rows.iter().map(|row| row.1).sum();
        let highest = rows.iter().map(|row| row.0).fold(0.0, f64::max);
        writeln!(
            f,
            "\n{:<12}{:<BAR_WIDTH$}  {:>9}{:>15}",
            "CPU time", "", "requests", "of CPU time"
        )?;
        for (index, (count, sum_ns)) in rows.into_iter().enumerate() {
            writeln!(
                f,
                "{:>10}  {:<BAR_WIDTH$}  {:>7.1} %{:>13.1} %",
                scale.label(index),
                bar(count, highest, BAR_WIDTH),
                100.0 * count / requests,
                100.0 * sum_ns / cpu_ns.max(1.0),
            )?;
        }
        Ok(())
    }

    fn functions(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut functions: Vec<(usize, f64, &str)> = self
            .trace
            .functions
            .iter()
            .map(|name| (0, 0.0, name.as_str()))
            .collect();
        for request in &self.trace.requests {
            if let Some(function) = functions.get_mut(request.function as usize) {
                function.0 += 1;
                function.1 += request.cpu_ns as f64;
            }
        }
        // Stable: what is asked for equally often stays in its order.
        functions.sort_by_key(|function| std::cmp::Reverse(function.0));
        let requests = self.trace.requests.len().max(1) as f64;
        let cpu_ns = functions.iter().map(|function| function.1).sum::<f64>();
        let mut table = Table::new(1);
        table.row(["function", "requests", "", "of CPU time", "mean CPU time"]);
        for &(count, sum_ns, name) in functions.iter().take(LISTED) {
            table.row([
                short(name),
                count.to_string(),
                format!("{:.1} %", 100.0 * count as f64 / requests),
                format!("{:.1} %", 100.0 * sum_ns / cpu_ns.max(1.0)),
                time(sum_ns / count.max(1) as f64 / NS_PER_MS),
            ]);
        }
        write!(f, "\n{table}")?;
        if let Some(more) = functions.get(LISTED..).filter(|more| !more.is_empty()) {
            let rest: usize = more.iter().map(|function| function.0).sum();
            writeln!(
                f,
                "and {} more with {:.1} % of the requests",
                more.len(),
                100.0 * rest as f64 / requests
            )?;
        }
        Ok(())
    }
}

fn short(name: &str) -> String {
    let name = printable(name);
    match name.char_indices().nth(NAME_WIDTH) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// Rows of CPU times: three to a factor of ten (1, 2, 5), or one where that
/// would be too many.
struct Scale {
    /// Where the first row begins and each next.
    bounds_ns: Vec<f64>,
}

impl Scale {
    fn of(trace: &Trace) -> Option<Self> {
        let shortest = trace.requests.iter().map(|r| r.cpu_ns).min()?.max(1);
        let longest = trace.requests.iter().map(|r| r.cpu_ns).max()?;
        let fine = Self::between(shortest, longest, &[1.0, 2.0, 5.0]);
        Some(if fine.rows() <= ROWS {
            fine
        } else {
            Self::between(shortest, longest, &[1.0])
        })
    }

    fn between(shortest_ns: u64, longest_ns: u64, steps: &[f64]) -> Self {
        let decades = shortest_ns.ilog10()..=longest_ns.max(1).ilog10();
        let bounds = decades.flat_map(|decade| {
            let ten = 10f64.powi(decade as i32);
            steps.iter().map(move |step| step * ten)
        });
        let bounds: Vec<f64> = bounds.filter(|&bound| bound <= longest_ns as f64).collect();
        let first = bounds.partition_point(|&bound| bound <= shortest_ns as f64);
        Self {
            bounds_ns: bounds[first.saturating_sub(1)..].to_vec(),
        }
    }

    fn rows(&self) -> usize {
        self.bounds_ns.len().max(1)
    }

    fn row(&self, cpu_ns: u64) -> usize {
        let above = |&bound: &f64| bound <= cpu_ns as f64;
        self.bounds_ns.partition_point(above).saturating_sub(1)
    }

    fn label(&self, row: usize) -> String {
        let ns = self.bounds_ns.get(row).copied().unwrap_or(0.0);
        let (value, unit) = match ns {
            ns if ns < 1e3 => (ns, "ns"),
            ns if ns < 1e6 => (ns / 1e3, "µs"),
            ns if ns < 1e9 => (ns / 1e6, "ms"),
            ns => (ns / 1e9, "s"),
        };
        format!("≥ {value:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::{Request, synth};
    use super::*;

    fn text(trace: &Trace) -> String {
        Description {
            trace,
            name: "some",
            cpus: 2,
        }
        .to_string()
    }

    fn assert_narrow(text: &str) {
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn says_what_one_wants_to_know() {
        let trace = synth::azure(1, 2, 0.9, Duration::from_secs(20)).unwrap();
        let text = text(&trace);
        assert_narrow(&text);
        for part in [
            "requests for 100 functions in ",
            "keeps 1.80 CPUs busy: a load of 0.90 to 2",
            "variance over mean ",
            "≥ 1 ms",
            "a001 ",
            "and 90 more with ",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn an_empty_trace_is_described_too() {
        let text = text(&Trace::default());
        assert!(text.starts_with("some: 0 requests for 0 functions"));
        assert_narrow(&text);
    }

    proptest! {
        #[test]
        fn any_trace_is_described(
            requests in prop::collection::vec((any::<u64>(), 0u32..3, any::<u64>()), 0..40),
            duration_ns: u64,
            name in "\\PC{0,99}|[\\x00-\\x1f]{0,9}",
        ) {
            let trace = Trace {
                functions: vec![name; 2],
                requests: requests
                    .into_iter()
                    .map(|(arrival_ns, function, cpu_ns)| Request { arrival_ns, function, cpu_ns })
                    .collect(),
                duration_ns,
            };
            let text = text(&trace);
            prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
            prop_assert!(!text.contains("NaN"));
        }
    }
}
