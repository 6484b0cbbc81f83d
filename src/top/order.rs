// SPDX-License-Identifier: GPL-2.0-only
//! Which functions are listed, and in what order.

use super::column::Column;
use crate::control::FunctionRow;

/// By which column the table is sorted, and from which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self::by(Column::Rate)
    }
}

impl Sort {
    /// By a column, its interesting end first.
    pub fn by(column: Column) -> Self {
        Self {
            column,
            descending: column.largest_first(),
        }
    }

    pub fn reversed(self) -> Self {
        Self {
            descending: !self.descending,
            ..self
        }
    }
}

/// The places in `rows` of the functions whose names contain `filter`, in
/// order. Functions that are equal are in the order of their names either way.
pub fn list(rows: &[FunctionRow], sort: Sort, filter: &str) -> Vec<usize> {
    let filter = filter.to_lowercase();
    let mut listed: Vec<usize> = (0..rows.len())
        .filter(|&place| filter.is_empty() || rows[place].name.to_lowercase().contains(&filter))
        .collect();
    listed.sort_by(|&a, &b| {
        let (a, b) = (&rows[a], &rows[b]);
        let order = sort.column.compare(a, b);
        let order = if sort.descending {
            order.reverse()
        } else {
            order
        };
        order.then_with(|| a.name.cmp(&b.name))
    });
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<FunctionRow> {
        [
            ("resize", 2.0),
            ("Login", 5.0),
            ("pay", f64::NAN),
            ("mail", 2.0),
        ]
        .map(|(name, rate_per_s)| FunctionRow {
            name: name.to_owned(),
            rate_per_s,
            ..FunctionRow::default()
        })
        .to_vec()
    }

    fn names(sort: Sort, filter: &str) -> Vec<String> {
        let rows = rows();
        let listed = list(&rows, sort, filter).into_iter();
        listed.map(|place| rows[place].name.clone()).collect()
    }

    #[test]
    fn busiest_first_and_ties_by_name() {
        let sort = Sort::default();
        assert_eq!(names(sort, ""), ["Login", "mail", "resize", "pay"]);
        assert_eq!(
            names(sort.reversed(), ""),
            ["pay", "mail", "resize", "Login"]
        );
    }

    #[test]
    fn names_go_upwards() {
        assert_eq!(
            names(Sort::by(Column::Name), ""),
            ["Login", "mail", "pay", "resize"]
        );
    }

    #[test]
    fn the_filter_ignores_case() {
        assert_eq!(names(Sort::default(), "LOG"), ["Login"]);
        assert!(names(Sort::default(), "zzz").is_empty());
        assert!(list(&[], Sort::default(), "a").is_empty());
    }
}
