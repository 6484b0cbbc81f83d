// SPDX-License-Identifier: GPL-2.0-only
//! The view on a screen of any size.

use std::ops::Range;
use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::Line;

use super::layout::Layout;
use super::view::{Mode, View};
use super::{footer, header, help, table, text};

/// Screens lower than this have no line for notices: they take the keys' place.
const NOTICE_HEIGHT: u16 = 10;
/// Nor do lower ones show the selected function by itself.
const DETAIL_HEIGHT: u16 = 12;
/// Nor are there keys.
const KEYS_HEIGHT: u16 = 5;

/// The header and the selected function each take at most one line in so many.
const HEADER_SHARE: u16 = 3;
const DETAIL_SHARE: u16 = 8;

/// Draw everything, as of `now`.
pub fn draw(frame: &mut Frame, view: &mut View, now: Instant) {
    let mut rest = frame.area();
    let width = usize::from(rest.width);
    let height = rest.height;

    let header = header::lines(&view.snapshot, view.switching, width);
    let most = (height / HEADER_SHARE).max(1);
    for line in header.iter().take(usize::from(most)) {
        put(frame, take_top(&mut rest), line);
    }

    let notice = footer::notice(view, now);
    let notice_takes_keys = height < NOTICE_HEIGHT
        && notice.width() > 0
        && view.mode == Mode::Table
        && view.message(now).is_none();
    if height >= NOTICE_HEIGHT {
        let area = take_top(&mut rest);
        match footer::legend(&view.snapshot) {
            Some(legend) if notice.width() == 0 => put(frame, area, &legend.dim().into()),
            _ => put(frame, area, &notice),
        }
    }
    let keys_area = (height >= KEYS_HEIGHT).then(|| take_bottom(&mut rest));
    if height >= DETAIL_HEIGHT {
        draw_detail(frame, &mut rest, view, height / DETAIL_SHARE);
    }
    let shown = draw_table(frame, rest, view, now);
    if let Some(area) = keys_area {
        let keys = if notice_takes_keys {
            notice
        } else {
            footer::keys(view, shown, now, width)
        };
        put(frame, area, &keys);
    }

    if let Mode::Help { from } = view.mode {
        let from = help::draw(frame, frame.area(), from);
        view.mode = Mode::Help { from };
    }
}

fn draw_detail(frame: &mut Frame, rest: &mut Rect, view: &View, most: u16) {
    let width = usize::from(rest.width);
    let rows = view.snapshot.rows.iter();
    // Room for any of them, lest the table jumps as the selection moves.
    let longest = rows.max_by_key(|row| text::width(&row.name));
    let needed = longest.map_or(1, |row| footer::detail(row, width).len());
    let lines = needed.min(usize::from(most));
    let row = view.selected_row();
    let detail = row.map_or(Vec::new(), |row| footer::detail(row, width));
    let areas: Vec<Rect> = (0..lines).map(|_| take_bottom(rest)).collect();
    let detail = detail.into_iter().take(lines).rev();
    for (area, line) in areas.into_iter().zip(detail) {
        put(frame, area, &Line::raw(line));
    }
}

/// Returns the places in the list that are on the screen.
fn draw_table(frame: &mut Frame, mut area: Rect, view: &mut View, now: Instant) -> Range<usize> {
    let longest = view.snapshot.longest_name();
    let layout = Layout::fit(usize::from(area.width), longest, view.sort.column);
    put(
        frame,
        take_top(&mut area),
        &table::headings(&layout, Some(view.sort)),
    );
    let stale = view.link.trouble(now).is_some();
    let shown = view.scroll(usize::from(area.height));
    for place in shown.clone() {
        let Some(row) = view.row(place) else { break };
        let row_area = take_top(&mut area);
        put(frame, row_area, &table::row(&layout, row));
        let buffer = frame.buffer_mut();
        if stale {
            buffer.set_style(row_area, Style::new().add_modifier(Modifier::DIM));
        }
        if place == view.selected() {
            buffer.set_style(row_area, Style::new().add_modifier(Modifier::REVERSED));
        }
    }
    if view.listed() == 0 {
        take_top(&mut area);
        let why = if view.snapshot.rows.is_empty() {
            " no functions yet: one shows with its first invocation"
        } else {
            " no function's name contains that"
        };
        put(frame, take_top(&mut area), &Line::raw(why));
    }
    shown
}

/// The top line of what is left; empty when nothing is.
fn take_top(rest: &mut Rect) -> Rect {
    let height = rest.height.min(1);
    let line = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    line
}

fn take_bottom(rest: &mut Rect) -> Rect {
    let height = rest.height.min(1);
    rest.height -= height;
    Rect {
        y: rest.y + rest.height,
        height,
        ..*rest
    }
}

fn put(frame: &mut Frame, area: Rect, line: &Line) {
    frame.render_widget(line, area);
}
