// SPDX-License-Identifier: GPL-2.0-only
//! The help, over the table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Stylize;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::column::Column;
use super::text;

/// The widest line of the text; more room is left to the table.
const MAX_WIDTH: u16 = 78;

/// Columns of a key or a heading.
const TERM_WIDTH: usize = 9;

const KEYS: [(&str, &str); 7] = [
    (
        "↑ ↓",
        "one function up or down; PgUp, PgDn, Home and End go further",
    ),
    (
        "← →",
        "sort by another column; Shift and its underlined letter do too",
    ),
    ("r", "reverse the order"),
    (
        "/",
        "list only names that contain a text; Esc lists all again",
    ),
    ("space", "let the table stand still; the header does not"),
    ("t", "turn ALPS on or off, after asking"),
    ("q Esc", "quit, as Ctrl-C; Ctrl-Z suspends"),
];

const MARK: (&str, &str) = (
    "~",
    "before a name that a process chose itself, so a tenant can pose as it",
);

/// Draws the help from line `from` on, or from the last line that still fills
/// the screen; returns where it was drawn from.
pub fn draw(frame: &mut Frame, area: Rect, from: usize) -> usize {
    let width = area.width.saturating_sub(2).min(MAX_WIDTH);
    let lines = lines(usize::from(width));
    let height = usize::from(area.height.saturating_sub(2)).min(lines.len());
    let from = from.min(lines.len() - height);
    let shown: Vec<Line> = lines[from..from + height].iter().map(Line::raw).collect();

    let popup = centred(area, width + 2, height as u16 + 2);
    let title = if height < lines.len() {
        " Help: ↑ ↓ scroll, any other key closes "
    } else {
        " Help: any key closes "
    };
    let block = Block::bordered().title(title.bold());
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(shown).block(block), popup);
    from
}

/// The text in lines of at most `width` columns.
fn lines(width: usize) -> Vec<String> {
    let columns = Column::ALL.map(|column| (column.heading(), column.meaning()));
    let keys = KEYS.into_iter().flat_map(|key| entry(key, width));
    let rest = columns.into_iter().chain([MARK]);
    keys.chain([String::new()])
        .chain(rest.flat_map(|column| entry(column, width)))
        .collect()
}

fn entry((term, meaning): (&str, &str), width: usize) -> Vec<String> {
    let meaning = text::wrap(meaning, width.saturating_sub(TERM_WIDTH));
    let terms = [term].into_iter().chain(std::iter::repeat(""));
    terms
        .zip(meaning)
        .map(|(term, meaning)| format!("{}{meaning}", text::left(term, TERM_WIDTH)))
        .collect()
}

fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_help_fits_a_usual_terminal() {
        let lines = lines(78);
        assert!(lines.len() <= 22, "{}", lines.join("\n"));
        assert!(lines.iter().all(|line| text::width(line) <= 78));
    }
}
