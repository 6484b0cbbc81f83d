// SPDX-License-Identifier: GPL-2.0-only
//! Which columns there is room for, and how wide they are.

use super::column::Column;

/// A name's column before it takes what others could use, mark included.
const NAME_WIDTH: usize = 15;

/// A name that is narrower says nothing.
const LEAST_NAME_WIDTH: usize = 12;

/// A sorted column goes only when a name would be narrower than this.
const SLIVER_WIDTH: usize = 4;

/// The columns of a table, from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub columns: Vec<Column>,
    /// The name's column, with the mark before the name.
    pub name_width: usize,
    /// Blanks between two columns.
    pub gap: usize,
}

impl Layout {
    /// For a screen of `width` columns and names of up to `longest`; `sorted`
    /// is kept as long as it can be.
    pub fn fit(width: usize, longest: usize, sorted: Column) -> Self {
        let mut columns = Column::ALL.to_vec();
        for dropped in Column::BY_IMPORTANCE {
            if width >= values_width(&columns, 1) + LEAST_NAME_WIDTH {
                break;
            }
            if dropped != sorted {
                columns.retain(|&column| column != dropped);
            }
        }
        if width < values_width(&columns, 1) + SLIVER_WIDTH {
            columns.retain(|&column| column == Column::Name);
        }
        let wanted = wanted_name_width(longest).max(NAME_WIDTH);
        let spacious = width.saturating_sub(values_width(&columns, 2)) >= wanted;
        let gap = if spacious { 2 } else { 1 };
        Self {
            name_width: (width - values_width(&columns, gap)).min(wanted),
            columns,
            gap,
        }
    }

    /// Every column, and names of up to `longest` uncut.
    pub fn full(longest: usize) -> Self {
        Self {
            columns: Column::ALL.to_vec(),
            name_width: wanted_name_width(longest).max(NAME_WIDTH),
            gap: 2,
        }
    }

    /// The width of a column, without the gap before it.
    pub fn width(&self, column: Column) -> usize {
        match column {
            Column::Name => self.name_width,
            _ => column.width(),
        }
    }
}

fn wanted_name_width(longest: usize) -> usize {
    longest.saturating_add(1)
}

fn values_width(columns: &[Column], gap: usize) -> usize {
    let values = columns.iter().filter(|&&column| column != Column::Name);
    values.map(|column| gap + column.width()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(layout: &Layout) -> usize {
        layout.name_width + values_width(&layout.columns, layout.gap)
    }

    #[test]
    fn eighty_columns_hold_everything() {
        let layout = Layout::fit(80, 60, Column::Rate);
        assert_eq!(layout.columns, Column::ALL);
        assert_eq!(layout.name_width, NAME_WIDTH);
        assert_eq!(total(&layout), 80);
    }

    #[test]
    fn more_room_goes_to_names_first() {
        assert_eq!(Layout::fit(100, 60, Column::Rate).name_width, 35);
        assert_eq!(Layout::fit(200, 60, Column::Rate).name_width, 61);
        assert_eq!(Layout::fit(200, 60, Column::Rate).gap, 2);
        assert_eq!(Layout::fit(90, 3, Column::Rate).gap, 2);
        assert_eq!(Layout::full(60).name_width, 61);
    }

    #[test]
    fn less_room_drops_columns_but_not_the_sorted_one() {
        let layout = Layout::fit(40, 20, Column::CpuP99);
        assert_eq!(
            layout.columns,
            [
                Column::Name,
                Column::Rate,
                Column::CpuP99,
                Column::Delay,
                Column::Slowdown
            ]
        );
        assert_eq!(
            Layout::fit(12, 20, Column::Bias).columns,
            [Column::Name, Column::Bias]
        );
        assert_eq!(Layout::fit(8, 20, Column::Bias).columns, [Column::Name]);
    }

    #[test]
    fn a_table_is_never_wider_than_the_screen() {
        for width in 0..300 {
            for longest in [0, 5, 14, 80, usize::MAX] {
                for sorted in Column::ALL {
                    assert!(total(&Layout::fit(width, longest, sorted)) <= width);
                }
            }
        }
    }
}
