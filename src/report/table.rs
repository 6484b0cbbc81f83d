// SPDX-License-Identifier: GPL-2.0-only
//! A text table: words to the left, numbers to the right.

use std::fmt;

enum Row {
    Cells(Vec<String>),
    Gap,
}

/// Columns as wide as their widest cell, two blanks apart.
pub struct Table {
    /// How many leading columns are words and flush left.
    words: usize,
    rows: Vec<Row>,
}

impl Table {
    /// A table whose first `words` columns are flush left, the rest flush right.
    pub fn new(words: usize) -> Self {
        Self {
            words,
            rows: Vec::new(),
        }
    }

    /// Adds a row. Rows may differ in length.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) -> &mut Self {
        let cells = cells.into_iter().map(Into::into).collect();
        self.rows.push(Row::Cells(cells));
        self
    }

    /// Adds an empty line.
    pub fn gap(&mut self) -> &mut Self {
        self.rows.push(Row::Gap);
        self
    }

    /// How many characters wide it is.
    pub fn width(&self) -> usize {
        let gap = 2;
        let columns = self.widths().into_iter().map(|width| width + gap);
        columns.sum::<usize>().saturating_sub(gap)
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            widths.resize(widths.len().max(cells.len()), 0);
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let widths = self.widths();
        for row in &self.rows {
            let mut line = String::new();
            if let Row::Cells(cells) = row {
                for (column, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                    if column < self.words {
                        line += &format!("{cell:<width$}  ");
                    } else {
                        line += &format!("{cell:>width$}  ");
                    }
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A time in the unit that reads best: `812 µs`, `76.2 ms`, `4.92 s`.
pub fn time(ms: f64) -> String {
    if ms < 1.0 {
        format!("{:.0} µs", ms * 1e3)
    } else if ms < 1e3 {
        format!("{ms:.1} ms")
    } else {
        format!("{:.2} s", ms / 1e3)
    }
}

/// A number without a unit, to two places or, if it is large, to fewer; to two
/// digits if it is small.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => format!("{value:.2}"),
        ..0.000_995 => format!("{value:.1e}"),
        ..0.009_95 => format!("{value:.4}"),
        ..0.099_5 => format!("{value:.3}"),
        1e6.. => format!("{value:.1e}"),
        1e3.. => format!("{value:.0}"),
        1e2.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// `new` over `old`, to two places; a dash where that is no number.
pub fn ratio(old: f64, new: f64) -> String {
    if old > 0.0 {
        number(new / old)
    } else {
        "-".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_left_numbers_right() {
        let mut table = Table::new(1);
        table.row(["", "time"]).gap().row(["EEVDF", "812 µs"]);
        assert_eq!(table.to_string(), "         time\n\nEEVDF  812 µs\n");
        assert_eq!(table.width(), 13);
    }

    #[test]
    fn units_read_well() {
        assert_eq!(time(0.8124), "812 µs");
        assert_eq!(time(76.24), "76.2 ms");
        assert_eq!(time(4921.0), "4.92 s");
        assert_eq!(ratio(2.0, 1.0), "0.50");
        assert_eq!(ratio(0.0, 1.0), "-");
        assert_eq!(number(0.5), "0.50");
        assert_eq!(number(0.0), "0.00");
        assert_eq!(number(0.034), "0.034");
        assert_eq!(number(0.003_44), "0.0034");
        assert_eq!(number(0.000_03), "3.0e-5");
        assert_eq!(number(123.45), "123.5");
        assert_eq!(number(12_345.6), "12346");
        assert_eq!(number(1.23e9), "1.2e9");
    }
}
