// SPDX-License-Identifier: GPL-2.0-only
//! Response times in an HDR histogram: from when a request was due, so that
//! one that was sent late because of those before counts its wait too.

use std::io::{self, Write};

use hdrhistogram::Histogram;

/// Times above a day count as a day.
const LONGEST_US: u64 = 86_400_000_000;

/// Digits that count.
const PRECISION: u8 = 3;

const US_PER_MS: f64 = 1e3;

/// Steps in each half of what is left to 100 %.
const TICKS_PER_HALF: u32 = 5;

/// Response times, in microseconds.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    pub fn of(responses_ns: impl Iterator<Item = u64>) -> Self {
        let mut histogram = Histogram::new_with_max(LONGEST_US, PRECISION)
            .expect("bounds and precision are within its range");
        for ns in responses_ns {
            histogram.saturating_record((ns / 1000).max(1));
        }
        Self(histogram)
    }

    /// In one line, in milliseconds.
    pub fn line(&self) -> String {
        let at = |q: f64| self.0.value_at_quantile(q) as f64 / US_PER_MS;
        format!(
            "latency, ms: mean {:.2}, p50 {:.2}, p90 {:.2}, p99 {:.2}, p99.9 {:.2}, max {:.2}",
            self.0.mean() / US_PER_MS,
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            self.0.max() as f64 / US_PER_MS,
        )
    }

    /// The table that HDR histograms' plotters read, in milliseconds.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:>12} {:>14} {:>10} {:>14}\n",
            "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
        )?;
        let mut count = 0;
        for step in self.0.iter_quantiles(TICKS_PER_HALF) {
            count += step.count_since_last_iteration();
            let quantile = step.quantile_iterated_to();
            let value = step.value_iterated_to() as f64 / US_PER_MS;
            if quantile < 1.0 {
                let inverse = 1.0 / (1.0 - quantile);
                writeln!(
                    out,
                    "{value:>12.3} {quantile:>14.12} {count:>10} {inverse:>14.2}"
                )?;
            } else {
                writeln!(out, "{value:>12.3} {quantile:>14.12} {count:>10}")?;
            }
        }
        writeln!(
            out,
            "#[Mean    = {:>12.3}, StdDeviation   = {:>12.3}]",
            self.0.mean() / US_PER_MS,
            self.0.stdev() / US_PER_MS
        )?;
        writeln!(
            out,
            "#[Max     = {:>12.3}, Total count    = {:>12}]",
            self.0.max() as f64 / US_PER_MS,
            self.0.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_recorded() {
        let latencies = Latencies::of((1..=1000).map(|ms| ms * 1_000_000));
        let line = latencies.line();
        assert!(line.contains("p90 900."), "{line}");
        assert!(line.contains("max 1000."), "{line}");
        let mut table = Vec::new();
        latencies.write(&mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains("Total count    =         1000"), "{table}");
    }
}
