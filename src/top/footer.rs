// SPDX-License-Identifier: GPL-2.0-only
//! The lines around the table that say where the user is: what is unusual
//! above it, the selected function and the keys below.

use std::ops::Range;
use std::time::Instant;

use ratatui::style::Stylize;
use ratatui::text::Line;

use super::format;
use super::snapshot::Snapshot;
use super::table::SPOOFABLE_MARK;
use super::text;
use super::view::{Mode, View};
use crate::control::FunctionRow;

const GAP: &str = "  ";

/// What is out of the ordinary; nothing mostly.
pub fn notice(view: &View, now: Instant) -> Line<'static> {
    let mut parts = Vec::new();
    if view.paused {
        parts.push(" PAUSED ".black().on_yellow());
    }
    if !view.filter.is_empty() {
        let (listed, all) = (view.listed(), view.snapshot.rows.len());
        let filter = text::shorten(&view.filter, 24);
        parts.push(format!("'{filter}': {listed} of {all} functions").yellow());
    }
    if let Some(trouble) = view.link.trouble(now) {
        parts.push(trouble.red().bold());
    }
    let mut line = Line::default();
    for part in parts {
        if !line.spans.is_empty() {
            line.push_span(GAP);
        }
        line.push_span(part);
    }
    line
}

/// What the mark before a name means, if there is one.
pub fn legend(snapshot: &Snapshot) -> Option<String> {
    let needed = snapshot.has_spoofable();
    needed.then(|| format!("{SPOOFABLE_MARK} marks names that a tenant can choose"))
}

/// All of the selected function's name, and how it was come by, in lines of
/// at most `width` columns.
pub fn detail(row: &FunctionRow, width: usize) -> Vec<String> {
    let mark = if row.spoofable { SPOOFABLE_MARK } else { "" };
    let spoofable = if row.spoofable { ", spoofable" } else { "" };
    let samples = match row.samples {
        0 => "nothing learned yet".to_owned(),
        samples => {
            let invocations = format::counted(samples.into(), "invocation");
            format!("learned from {invocations}")
        }
    };
    let all = format!("{mark}{}: {}{spoofable}; {samples}", row.name, row.source);
    text::wrap(&all, width)
}

/// The question that is open, the news, or the keys; and where in the list
/// the `shown` functions are, if they are not all.
pub fn keys(view: &View, shown: Range<usize>, now: Instant, width: usize) -> Line<'static> {
    match &view.mode {
        Mode::Filter { .. } => {
            // A column for the slash, one for the cursor.
            let filter = tail(&view.filter, width.saturating_sub(2));
            return Line::from(vec!["/".bold(), filter.into(), "█".slow_blink()]);
        }
        Mode::Confirm { on: true } => {
            return "Turn ALPS on? y/n: it takes over from the kernel's own scheduler"
                .black()
                .on_yellow()
                .into();
        }
        Mode::Confirm { on: false } => {
            return "Turn ALPS off? y/n: the kernel's own scheduler takes over"
                .black()
                .on_yellow()
                .into();
        }
        Mode::Table | Mode::Help { .. } => {}
    }
    if let Some(message) = view.message(now) {
        return message.to_owned().bold().into();
    }
    if shown.len() >= view.listed() || shown.is_empty() {
        return hints(view, width);
    }
    let place = format!("{}-{}/{}", shown.start + 1, shown.end, view.listed());
    let width_left = width.saturating_sub(GAP.len() + place.len());
    let mut line = hints(view, width_left);
    line.push_span(text::right(&place, width.saturating_sub(line.width())));
    line
}

/// As many keys as fit, the most needed first.
fn hints(view: &View, width: usize) -> Line<'static> {
    let switch = if view.snapshot.status.enforcing {
        "turn off"
    } else {
        "turn on"
    };
    let pause = if view.paused { "go on" } else { "pause" };
    let hints = [
        ("q", "quit"),
        ("?", "help"),
        ("←→", "sort"),
        ("/", "filter"),
        ("space", pause),
        ("t", switch),
        ("r", "reverse"),
    ];
    let mut line = Line::default();
    for (key, action) in hints {
        let gap = if line.spans.is_empty() { "" } else { GAP };
        let action = format!(" {action}");
        if line.width() + gap.len() + text::width(key) + action.len() > width {
            break;
        }
        line.push_span(gap);
        line.push_span(key.bold());
        line.push_span(action);
    }
    line
}

/// The end of a text that is being typed.
fn tail(text: &str, columns: usize) -> String {
    let mut start = 0;
    for (index, c) in text.char_indices() {
        if text::width(&text[start..]) <= columns {
            break;
        }
        start = index + c.len_utf8();
    }
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_filter_shows() {
        assert_eq!(tail("checkout", 3), "out");
        assert_eq!(tail("注文処理", 3), "理");
        assert_eq!(tail("ab", 0), "");
        assert_eq!(tail("ab", 5), "ab");
    }

    #[test]
    fn the_detail_has_the_whole_name() {
        let row = FunctionRow {
            name: "x".repeat(100),
            source: "comm".to_owned(),
            spoofable: true,
            samples: 3,
            ..FunctionRow::default()
        };
        let lines = detail(&row, 60);
        assert_eq!(lines.len(), 3);
        assert!(lines[1].ends_with("x: comm, spoofable;"));
        assert_eq!(lines[2], "learned from 3 invocations");
    }
}
