// SPDX-License-Identifier: GPL-2.0-only
//! What the table can say about a function.

use std::cmp::Ordering;

use super::format::{self, NOTHING};
use crate::control::FunctionRow;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Name,
    Rate,
    Running,
    Waiting,
    CpuMean,
    CpuP99,
    Predicted,
    Bias,
    Slice,
    Delay,
    Slowdown,
}

impl Column {
    /// From left to right.
    pub const ALL: [Column; 11] = [
        Column::Name,
        Column::Rate,
        Column::Running,
        Column::Waiting,
        Column::CpuMean,
        Column::CpuP99,
        Column::Predicted,
        Column::Bias,
        Column::Slice,
        Column::Delay,
        Column::Slowdown,
    ];

    /// From the one least missed when there is no room to the one most missed.
    pub const BY_IMPORTANCE: [Column; 10] = [
        Column::CpuP99,
        Column::Slice,
        Column::Bias,
        Column::Predicted,
        Column::Running,
        Column::CpuMean,
        Column::Waiting,
        Column::Delay,
        Column::Slowdown,
        Column::Rate,
    ];

    pub fn heading(self) -> &'static str {
        match self {
            Column::Name => "FUNCTION",
            Column::Rate => "RATE/S",
            Column::Running => "RUN",
            Column::Waiting => "WAIT",
            Column::CpuMean => "CPU",
            Column::CpuP99 => "P99",
            Column::Predicted => "PRED",
            Column::Bias => "BIAS",
            Column::Slice => "SLICE",
            Column::Delay => "DELAY",
            Column::Slowdown => "SLOW",
        }
    }

    /// The letter of the heading that sorts by this column.
    pub fn key(self) -> char {
        match self {
            Column::Name => 'F',
            Column::Rate => 'R',
            Column::Running => 'U',
            Column::Waiting => 'W',
            Column::CpuMean => 'C',
            Column::CpuP99 => 'P',
            Column::Predicted => 'E',
            Column::Bias => 'B',
            Column::Slice => 'S',
            Column::Delay => 'D',
            Column::Slowdown => 'L',
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Column::Name => "the function's name",
            Column::Rate => "invocations a second, over the last seconds",
            Column::Running => "live invocations that run now",
            Column::Waiting => "live invocations that wait for a CPU now",
            Column::CpuMean => "CPU time of recent invocations, mean",
            Column::CpuP99 => "CPU time of recent invocations, 99th percentile",
            Column::Predicted => "CPU time predicted of a whole invocation",
            Column::Bias => "how much later than it arrived a new invocation queues",
            Column::Slice => "time slice; - where it has none of its own",
            Column::Delay => "queueing delay: arrival to first run, mean",
            Column::Slowdown => "slowdown: response time over CPU time, mean",
        }
    }

    /// Columns a value takes at most; names take what there is.
    pub fn width(self) -> usize {
        match self {
            Column::Name => 0,
            Column::Running | Column::Waiting => 4,
            Column::Slowdown => 5,
            _ => 6,
        }
    }

    /// The column to the left, or the last.
    pub fn left(self) -> Self {
        self.moved(Self::ALL.len() - 1)
    }

    /// The column to the right, or the first.
    pub fn right(self) -> Self {
        self.moved(1)
    }

    fn moved(self, by: usize) -> Self {
        // The variants are declared in the order of `ALL`.
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }

    /// Whether the interesting end of the column is its largest values.
    pub fn largest_first(self) -> bool {
        self != Column::Name
    }

    /// What the column says of a function.
    pub fn value(self, row: &FunctionRow) -> String {
        let known = |known: bool, ns| {
            if known {
                format::duration(ns)
            } else {
                NOTHING.to_owned()
            }
        };
        let seen = row.slowdown_mean > 0.0;
        match self {
            Column::Name => row.name.clone(),
            Column::Rate => format::number(row.rate_per_s),
            Column::Running => format::count(row.running.into(), 4),
            Column::Waiting => format::count(row.waiting.into(), 4),
            Column::CpuMean => known(row.cpu_mean_ns > 0, row.cpu_mean_ns),
            Column::CpuP99 => known(row.cpu_p99_ns > 0, row.cpu_p99_ns),
            Column::Predicted => known(row.predicted_ns > 0, row.predicted_ns),
            Column::Bias => known(row.predicted_ns > 0 || row.bias_ns > 0, row.bias_ns),
            Column::Slice => known(row.slice_ns > 0, row.slice_ns),
            Column::Delay => known(seen || row.wait_mean_ns > 0, row.wait_mean_ns),
            Column::Slowdown if seen => format::number(row.slowdown_mean),
            Column::Slowdown => NOTHING.to_owned(),
        }
    }

    /// The order of two functions in this column, smallest first.
    pub fn compare(self, a: &FunctionRow, b: &FunctionRow) -> Ordering {
        match self {
            Column::Name => a.name.cmp(&b.name),
            Column::Rate => compare_numbers(a.rate_per_s, b.rate_per_s),
            Column::Running => a.running.cmp(&b.running),
            Column::Waiting => a.waiting.cmp(&b.waiting),
            Column::CpuMean => a.cpu_mean_ns.cmp(&b.cpu_mean_ns),
            Column::CpuP99 => a.cpu_p99_ns.cmp(&b.cpu_p99_ns),
            Column::Predicted => a.predicted_ns.cmp(&b.predicted_ns),
            Column::Bias => a.bias_ns.cmp(&b.bias_ns),
            Column::Slice => a.slice_ns.cmp(&b.slice_ns),
            Column::Delay => a.wait_mean_ns.cmp(&b.wait_mean_ns),
            Column::Slowdown => compare_numbers(a.slowdown_mean, b.slowdown_mean),
        }
    }
}

/// NaN is the least of all.
fn compare_numbers(a: f64, b: f64) -> Ordering {
    let least = |value: f64| {
        if value.is_nan() {
            f64::NEG_INFINITY
        } else {
            value
        }
    };
    least(a).total_cmp(&least(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_letter_of_its_heading_to_itself() {
        for (index, column) in Column::ALL.into_iter().enumerate() {
            assert!(column.heading().contains(column.key()));
            assert!(
                Column::ALL[..index]
                    .iter()
                    .all(|other| other.key() != column.key())
            );
            assert_eq!(column as usize, index);
            assert_eq!(column.right().left(), column);
        }
        assert_eq!(Column::Name.left(), Column::Slowdown);
    }

    #[test]
    fn only_the_name_is_never_dropped() {
        let dropped = |column| Column::BY_IMPORTANCE.contains(&column);
        assert!(
            Column::ALL
                .into_iter()
                .all(|c| dropped(c) || c == Column::Name)
        );
    }

    #[test]
    fn values_and_headings_fit_their_columns() {
        let huge = FunctionRow {
            rate_per_s: f64::MAX,
            running: u32::MAX,
            waiting: u32::MAX,
            cpu_mean_ns: u64::MAX,
            cpu_p99_ns: u64::MAX,
            predicted_ns: u64::MAX,
            bias_ns: u64::MAX,
            slice_ns: u64::MAX,
            wait_mean_ns: u64::MAX,
            slowdown_mean: f64::INFINITY,
            ..FunctionRow::default()
        };
        for column in &Column::ALL[1..] {
            assert!(column.value(&huge).len() <= column.width(), "{column:?}");
            assert!(column.heading().len() <= column.width(), "{column:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let idle = FunctionRow::default();
        let values = Column::ALL.map(|column| column.value(&idle));
        assert_eq!(
            values,
            ["", "0", "0", "0", "-", "-", "-", "-", "-", "-", "-"]
        );
        let prompt = FunctionRow {
            slowdown_mean: 1.0,
            ..FunctionRow::default()
        };
        assert_eq!(Column::Delay.value(&prompt), "0");
    }

    #[test]
    fn nan_sorts_as_the_least() {
        assert_eq!(compare_numbers(f64::NAN, -1.0), Ordering::Less);
        assert_eq!(compare_numbers(f64::NAN, -f64::NAN), Ordering::Equal);
        assert_eq!(compare_numbers(2.0, 1.0), Ordering::Greater);
    }
}
