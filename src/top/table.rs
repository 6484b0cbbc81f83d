// SPDX-License-Identifier: GPL-2.0-only
//! Lines of the table.

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use super::column::Column;
use super::layout::Layout;
use super::order::Sort;
use super::text;
use crate::control::FunctionRow;

/// Before a name that the function's own processes chose.
pub const SPOOFABLE_MARK: &str = "~";

/// From here on a slowdown stands out.
const NOTABLE_SLOWDOWN: f64 = 2.0;
const BAD_SLOWDOWN: f64 = 10.0;

/// The headings; the one sorted by has an arrow.
pub fn headings(layout: &Layout, sort: Option<Sort>) -> Line<'static> {
    let mut line = Line::default();
    for &column in &layout.columns {
        let sorted = sort.filter(|sort| sort.column == column);
        let arrow = match sorted {
            Some(sort) if sort.descending => "▼",
            Some(_) => "▲",
            None => " ",
        };
        let style = match sorted {
            Some(_) => Style::new().fg(Color::Black).bg(Color::Cyan).bold(),
            None => Style::new().fg(Color::Black).bg(Color::Green),
        };
        let heading = column.heading();
        let cell = match column {
            Column::Name => marked(arrow, heading, layout.name_width),
            _ => text::right(
                &format!("{arrow}{heading}"),
                layout.gap + layout.width(column),
            ),
        };
        let Some((before, after)) = cell.split_once(column.key()) else {
            line.push_span(Span::styled(cell, style));
            continue;
        };
        line.push_span(Span::styled(before.to_owned(), style));
        line.push_span(Span::styled(column.key().to_string(), style.underlined()));
        line.push_span(Span::styled(after.to_owned(), style));
    }
    line
}

/// A function.
pub fn row(layout: &Layout, row: &FunctionRow) -> Line<'static> {
    let cells = layout.columns.iter().map(|&column| {
        let cell = match column {
            Column::Name if row.spoofable => marked(SPOOFABLE_MARK, &row.name, layout.name_width),
            Column::Name => marked(" ", &row.name, layout.name_width),
            _ => text::right(&column.value(row), layout.gap + layout.width(column)),
        };
        Span::styled(cell, style(column, row))
    });
    Line::from_iter(cells)
}

/// A name behind its mark, as wide as its column.
fn marked(mark: &str, name: &str, width: usize) -> String {
    let Some(name_width) = width.checked_sub(1) else {
        return String::new();
    };
    let name = text::shorten(name, name_width);
    text::left(&format!("{mark}{name}"), width)
}

fn style(column: Column, row: &FunctionRow) -> Style {
    let style = Style::new();
    match column {
        Column::Running if row.running > 0 => style.fg(Color::Green),
        Column::Waiting if row.waiting > 0 => style.fg(Color::Yellow),
        Column::Slowdown if row.slowdown_mean >= BAD_SLOWDOWN => style.fg(Color::Red),
        Column::Slowdown if row.slowdown_mean >= NOTABLE_SLOWDOWN => style.fg(Color::Yellow),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_rows_line_up() {
        let named = |name: &str| FunctionRow {
            name: name.to_owned(),
            spoofable: true,
            cpu_mean_ns: 1_230_000,
            slowdown_mean: 1.05,
            ..FunctionRow::default()
        };
        for width in 0..250 {
            let layout = Layout::fit(width, 30, Column::Rate);
            let headings = headings(&layout, Some(Sort::default())).width();
            assert!(headings <= width);
            for name in [
                "",
                "f",
                "注文処理サービス注文処理サービス",
                &"x".repeat(999),
            ] {
                assert_eq!(
                    row(&layout, &named(name)).width(),
                    headings,
                    "{width} {name}"
                );
            }
        }
    }

    #[test]
    fn a_name_that_can_be_chosen_is_marked() {
        let mut function = FunctionRow {
            name: "pay".to_owned(),
            ..FunctionRow::default()
        };
        let layout = Layout::fit(4, 3, Column::Name);
        assert_eq!(row(&layout, &function).to_string(), " pay");
        function.spoofable = true;
        assert_eq!(row(&layout, &function).to_string(), "~pay");
    }
}
