// SPDX-License-Identifier: GPL-2.0-only
//! A function's CPU times and what is expected after each, as bars over
//! attained service.

use std::fmt::Write as _;
use std::ops::Range;

use scx_alps::policy::BUCKETS;
use scx_alps::policy::grid::start;

use crate::control::Explanation;
use crate::top::format::{NOTHING, count, duration};

/// Rows shown, at most.
const ROWS: usize = 24;

/// Buckets shown beyond the last that holds a sample: invocations that overrun.
const OVERRUN: usize = 2;

const ENDED_WIDTH: usize = 19;
const REMAINING_WIDTH: usize = 10;

/// Parts of a character a bar can end in.
const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// One row for one or several buckets.
struct Row {
    buckets: Range<usize>,
    ended: u64,
    /// Expected to remain.
    remaining_ns: u64,
    /// By what it is ordered, where that is something else.
    index_ns: Option<u64>,
    bias_ns: u64,
}

/// A heading and a row for each step of attained service.
pub fn text(explanation: &Explanation) -> String {
    let rows = rows(explanation);
    let most_ended = rows.iter().map(|row| row.ended).max().unwrap_or(0);
    let longest = rows.iter().map(|row| row.remaining_ns).max().unwrap_or(0);
    let index = if explanation.residual_ns.is_empty() {
        ""
    } else {
        "index"
    };
    let mut text = format!(
        "  {:<16}{:<w$}{:<r$}{index:>7} {:>7}\n",
        "CPU time",
        "ended there",
        "then still to come",
        "bias",
        w = ENDED_WIDTH + 7,
        r = REMAINING_WIDTH + 8,
    );
    for row in &rows {
        let ended = match row.ended {
            0 => String::new(),
            ended => count(ended, 5),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {:<16}{}{:>5}  {}{:>7} {:>7} {:>7}",
            span(&row.buckets),
            bar(row.ended, most_ended, ENDED_WIDTH),
            ended,
            bar(row.remaining_ns, longest, REMAINING_WIDTH),
            duration(row.remaining_ns),
            row.index_ns.map(duration).unwrap_or_default(),
            duration(row.bias_ns),
        );
    }
    text
}

/// The buckets worth a look: all before the first sample are one row, and
/// beyond the last there are a few for invocations that overrun.
fn rows(explanation: &Explanation) -> Vec<Row> {
    let ended = |index: usize| explanation.histogram.get(index).copied().unwrap_or(0);
    let first = (0..BUCKETS).find(|&index| ended(index) > 0);
    let last = (0..BUCKETS).rfind(|&index| ended(index) > 0);
    let (first, end) = match (first, last) {
        (Some(first), Some(last)) => (first, (last + 1 + OVERRUN).min(BUCKETS)),
        _ => (0, BUCKETS),
    };
    let step = (end - first).div_ceil(ROWS - 1).max(1);
    let before = (first > 0).then_some(0..first);
    let rest = (first..end)
        .step_by(step)
        .map(|begin| begin..(begin + step).min(end));
    before
        .into_iter()
        .chain(rest)
        .map(|buckets| {
            let at = |values: &[u64]| values.get(buckets.start).copied().unwrap_or(0);
            let in_order_ns = at(&explanation.remaining_ns);
            let (remaining_ns, index_ns) = match &explanation.residual_ns[..] {
                [] => (in_order_ns, None),
                residual_ns => (at(residual_ns), Some(in_order_ns)),
            };
            Row {
                ended: buckets.clone().map(|index| u64::from(ended(index))).sum(),
                remaining_ns,
                index_ns,
                bias_ns: at(&explanation.bias_ns),
                buckets,
            }
        })
        .collect()
}

/// From where to where, as `1.05 - 1.57ms`.
fn span(buckets: &Range<usize>) -> String {
    let from = match buckets.start {
        0 => NOTHING.to_owned(),
        index => duration(start(index)),
    };
    match (buckets.start, buckets.end) {
        (0, end) => format!("up to {}", duration(start(end))),
        (_, BUCKETS) => format!("from {from}"),
        (_, end) => format!("{from} - {}", duration(start(end))),
    }
}

/// A bar of eighths of characters, filled up with spaces.
fn bar(value: u64, longest: u64, width: usize) -> String {
    let share = value as f64 / longest.max(1) as f64;
    let eighths = (share * (8 * width) as f64).round() as usize;
    // What there is is seen, however little.
    let eighths = if value > 0 { eighths.max(1) } else { 0 };
    let mut bar = "▇".repeat(eighths / 8);
    bar.push_str(PARTS[eighths % 8]);
    let filled = bar.chars().count();
    bar.push_str(&" ".repeat(width.saturating_sub(filled)));
    bar
}

#[cfg(test)]
mod tests {
    use super::super::tests::{MS, bimodal};
    use super::*;
    use scx_alps::policy::grid::bucket;

    #[test]
    fn bars_are_as_long_as_their_values() {
        assert_eq!(bar(8, 8, 3), "▇▇▇");
        assert_eq!(bar(4, 8, 3), "▇▌ ");
        assert_eq!(bar(0, 8, 3), "   ");
        assert_eq!(bar(1, 1_000_000, 3), "▏  ");
        assert_eq!(bar(0, 0, 3), "   ");
    }

    #[test]
    fn what_is_before_the_first_sample_is_one_row_and_overruns_are_shown() {
        let rows = rows(&bimodal());
        assert_eq!(rows[0].buckets, 0..bucket(10 * MS));
        let last = rows.last().unwrap();
        assert_eq!(last.buckets.end, bucket(90 * MS) + 1 + OVERRUN);
        assert_eq!(rows.iter().map(|row| row.ended).sum::<u64>(), 220);
    }

    #[test]
    fn an_index_is_shown_beside_what_remains() {
        let mut explanation = bimodal();
        assert!(!text(&explanation).contains("index"));
        explanation.residual_ns = vec![123 * MS; BUCKETS];
        let text = text(&explanation);
        assert!(text.contains("index") && text.contains("123ms"), "{text}");
        // The first row's, which is 17 ms.
        let row = text.lines().nth(1).unwrap_or_default();
        assert!(row.contains("123ms  17.0ms   272ms"), "{row}");
    }

    #[test]
    fn rows_never_fill_more_than_a_screen() {
        let explanation = Explanation {
            histogram: vec![1; BUCKETS],
            ..Explanation::default()
        };
        assert!(rows(&explanation).len() <= ROWS);
        assert!(rows(&Explanation::default()).len() <= ROWS);
    }
}
