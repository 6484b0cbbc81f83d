// SPDX-License-Identifier: GPL-2.0-only
//! The table as text, for scripts and for reading once.

use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::path::Path;

use anyhow::{Context, Result};
use ratatui::text::Line;

use super::layout::Layout;
use super::order::{self, Sort};
use super::snapshot::Snapshot;
use super::{asker, footer, header, table};

/// Print what the daemon behind `socket` says now. A terminal gets lines it
/// can hold; a file or a pipe gets whole names.
pub fn print(socket: &Path) -> Result<()> {
    let snapshot = asker::snapshot(socket)?;
    let mut out = stdout().lock();
    let width = if out.is_terminal() {
        crossterm::terminal::size().ok().map(|(width, _)| width)
    } else {
        None
    };
    let text = text(&snapshot, width.map(usize::from));
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// The header, an empty line and the table, in lines of at most `width`
/// columns if that is given.
fn text(snapshot: &Snapshot, width: Option<usize>) -> String {
    let longest = snapshot.longest_name();
    let sort = Sort::default();
    let layout = match width {
        Some(width) => Layout::fit(width, longest, sort.column),
        None => Layout::full(longest),
    };
    let mut lines = header::lines(snapshot, None, width.unwrap_or(usize::MAX));
    lines.push(Line::default());
    lines.push(table::headings(&layout, None));
    for place in order::list(&snapshot.rows, sort, "") {
        lines.push(table::row(&layout, &snapshot.rows[place]));
    }
    if let Some(legend) = footer::legend(snapshot) {
        lines.extend([Line::default(), Line::raw(legend)]);
    }
    let ended = lines
        .iter()
        .map(|line| format!("{}\n", line.to_string().trim_end()));
    ended.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::tests::sample;

    #[test]
    fn without_a_terminal_names_are_whole_and_columns_line_up() {
        let snapshot = sample();
        let text = text(&snapshot, None);
        for row in &snapshot.rows {
            assert!(text.contains(&row.name));
        }
        let table = text
            .lines()
            .skip_while(|line| !line.starts_with(" FUNCTION"));
        let widths: Vec<usize> = table
            .take(snapshot.rows.len() + 1)
            .map(|line| line.split_whitespace().count())
            .collect();
        assert_eq!(widths, vec![11; snapshot.rows.len() + 1]);
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn a_terminal_gets_no_longer_lines_than_it_holds() {
        let text = text(&sample(), Some(80));
        assert!(
            text.lines()
                .all(|line| super::super::text::width(line) <= 80)
        );
    }
}
