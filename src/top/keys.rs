// SPDX-License-Identifier: GPL-2.0-only
//! What the keys do.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::column::Column;
use super::order::Sort;
use super::view::{Mode, View};

/// Longer than any name.
const MAX_FILTER_CHARS: usize = 256;

/// What a key asks for beyond a change of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Quit,
    /// Stop the process, as Ctrl-Z does.
    Suspend,
    Switch {
        on: bool,
    },
}

/// Do what a key is for.
pub fn press(view: &mut View, key: KeyEvent, now: Instant) -> Option<Request> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        match key.code {
            KeyCode::Char('c') => return Some(Request::Quit),
            KeyCode::Char('z') => return Some(Request::Suspend),
            KeyCode::Char('u') if matches!(view.mode, Mode::Filter { .. }) => {
                view.filter_by(String::new());
            }
            _ => {}
        }
        return None;
    }
    match view.mode.clone() {
        Mode::Table => table(view, key.code, now),
        Mode::Filter { before } => {
            filter(view, key.code, before);
            None
        }
        Mode::Confirm { on } => {
            view.mode = Mode::Table;
            let agreed = matches!(key.code, KeyCode::Char('y' | 'Y') | KeyCode::Enter);
            agreed.then(|| {
                view.switching = Some(on);
                Request::Switch { on }
            })
        }
        Mode::Help { from } => {
            view.mode = help(view, key.code, from);
            None
        }
    }
}

fn table(view: &mut View, key: KeyCode, now: Instant) -> Option<Request> {
    match key {
        KeyCode::Char('q') => return Some(Request::Quit),
        KeyCode::Esc if view.filter.is_empty() => return Some(Request::Quit),
        KeyCode::Esc => view.filter_by(String::new()),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => view.mode = Mode::Help { from: 0 },
        KeyCode::Char('/') => {
            view.mode = Mode::Filter {
                before: view.filter.clone(),
            }
        }
        KeyCode::Char(' ') => {
            view.paused = !view.paused;
            view.link.hasten(now);
        }
        KeyCode::Char('t') => ask_to_switch(view, now),
        KeyCode::Char('r') => view.sort_by(view.sort.reversed()),
        KeyCode::Left => view.sort_by(Sort::by(view.sort.column.left())),
        KeyCode::Right => view.sort_by(Sort::by(view.sort.column.right())),
        KeyCode::Char(letter @ 'A'..='Z') => sort_by_letter(view, letter),
        _ => {
            scroll(view, key);
        }
    }
    None
}

fn ask_to_switch(view: &mut View, now: Instant) {
    if view.switching.is_some() {
        view.say("the daemon is still switching".to_owned(), now);
    } else if view.link.trouble(now).is_some() {
        view.say("there is no daemon to switch".to_owned(), now);
    } else {
        view.mode = Mode::Confirm {
            on: !view.snapshot.status.enforcing,
        };
    }
}

/// Sort by the column of this letter; again, the other way round.
fn sort_by_letter(view: &mut View, letter: char) {
    let Some(column) = Column::ALL.into_iter().find(|c| c.key() == letter) else {
        return;
    };
    let sort = if view.sort.column == column {
        view.sort.reversed()
    } else {
        Sort::by(column)
    };
    view.sort_by(sort);
}

fn scroll(view: &mut View, key: KeyCode) {
    match key {
        KeyCode::Up | KeyCode::Char('k') => view.select_up(1),
        KeyCode::Down | KeyCode::Char('j') => view.select_down(1),
        KeyCode::PageUp => view.select_up(view.page()),
        KeyCode::PageDown => view.select_down(view.page()),
        KeyCode::Home => view.select(0),
        KeyCode::End => view.select(usize::MAX),
        _ => {}
    }
}

fn filter(view: &mut View, key: KeyCode, before: String) {
    match key {
        KeyCode::Enter => view.mode = Mode::Table,
        KeyCode::Esc => {
            view.mode = Mode::Table;
            view.filter_by(before);
        }
        KeyCode::Backspace => {
            let mut filter = view.filter.clone();
            filter.pop();
            view.filter_by(filter);
        }
        KeyCode::Char(typed) if view.filter.chars().count() < MAX_FILTER_CHARS => {
            view.filter_by(format!("{}{typed}", view.filter));
        }
        KeyCode::Char(_) => {}
        _ => scroll(view, key),
    }
}

/// Scroll the help; any other key leaves it.
fn help(view: &View, key: KeyCode, from: usize) -> Mode {
    let from = match key {
        KeyCode::Up | KeyCode::Char('k') => from.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => from.saturating_add(1),
        KeyCode::PageUp => from.saturating_sub(view.page()),
        KeyCode::PageDown => from.saturating_add(view.page()),
        KeyCode::Home => 0,
        KeyCode::End => usize::MAX,
        _ => return Mode::Table,
    };
    Mode::Help { from }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::control::{FunctionRow, Status};
    use crate::top::snapshot::Snapshot;

    fn view() -> View {
        let rows = ["alpha", "beta", "gamma"].map(|name| FunctionRow {
            name: name.to_owned(),
            ..FunctionRow::default()
        });
        let status = Status {
            enforcing: true,
            ..Status::default()
        };
        View::new(
            Snapshot::new(status, rows.to_vec()),
            Duration::from_secs(1),
            Instant::now(),
        )
    }

    fn press_all(view: &mut View, keys: &[KeyCode]) -> Option<Request> {
        let now = Instant::now();
        let press = |&code| press(view, KeyEvent::new(code, KeyModifiers::NONE), now);
        keys.iter().filter_map(press).last()
    }

    fn typed(text: &str) -> Vec<KeyCode> {
        text.chars().map(KeyCode::Char).collect()
    }

    #[test]
    fn columns_are_chosen_by_arrow_and_by_letter() {
        let mut view = view();
        press_all(&mut view, &[KeyCode::Right]);
        assert_eq!(view.sort, Sort::by(Column::Running));
        press_all(&mut view, &[KeyCode::Left, KeyCode::Left]);
        assert_eq!(view.sort, Sort::by(Column::Name));
        press_all(&mut view, &typed("D"));
        assert_eq!(view.sort, Sort::by(Column::Delay));
        press_all(&mut view, &typed("D"));
        assert_eq!(view.sort, Sort::by(Column::Delay).reversed());
        press_all(&mut view, &typed("r"));
        assert_eq!(view.sort, Sort::by(Column::Delay));
        press_all(&mut view, &typed("Z"));
        assert_eq!(view.sort, Sort::by(Column::Delay));
    }

    #[test]
    fn a_filter_is_typed_kept_and_cleared() {
        let mut view = view();
        press_all(&mut view, &typed("/qt"));
        assert_eq!((view.filter.as_str(), view.listed()), ("qt", 0));
        press_all(&mut view, &[KeyCode::Backspace, KeyCode::Backspace]);
        press_all(&mut view, &typed("ET"));
        press_all(&mut view, &[KeyCode::Enter]);
        assert_eq!((view.listed(), &view.mode), (1, &Mode::Table));
        press_all(&mut view, &typed("/x"));
        press_all(&mut view, &[KeyCode::Esc]);
        assert_eq!(view.filter, "ET");
        assert_eq!(press_all(&mut view, &[KeyCode::Esc]), None);
        assert_eq!(view.listed(), 3);
        assert_eq!(press_all(&mut view, &[KeyCode::Esc]), Some(Request::Quit));
    }

    #[test]
    fn switching_asks_first() {
        let mut view = view();
        assert_eq!(press_all(&mut view, &typed("t")), None);
        assert_eq!(view.mode, Mode::Confirm { on: false });
        assert_eq!(press_all(&mut view, &typed("t")), None);
        assert_eq!(view.mode, Mode::Table);
        assert_eq!(
            press_all(&mut view, &typed("ty")),
            Some(Request::Switch { on: false })
        );
        assert_eq!(view.switching, Some(false));
        press_all(&mut view, &typed("t"));
        assert_eq!(view.mode, Mode::Table);
    }

    #[test]
    fn without_a_daemon_there_is_nothing_to_switch() {
        let mut view = view();
        view.link.failed("gone".to_owned(), Instant::now());
        press_all(&mut view, &typed("t"));
        assert_eq!(view.mode, Mode::Table);
        assert!(view.message(Instant::now()).is_some());
    }

    #[test]
    fn help_scrolls_and_any_other_key_leaves_it() {
        let mut view = view();
        press_all(&mut view, &typed("?"));
        press_all(&mut view, &[KeyCode::End, KeyCode::Down, KeyCode::Home]);
        press_all(&mut view, &[KeyCode::Down]);
        assert_eq!(view.mode, Mode::Help { from: 1 });
        assert_eq!(press_all(&mut view, &[KeyCode::Esc]), None);
        assert_eq!(view.mode, Mode::Table);
    }

    #[test]
    fn control_keys_work_everywhere() {
        for open in ["", "/", "?", "t"] {
            let mut view = view();
            press_all(&mut view, &typed(open));
            let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(press(&mut view, key, Instant::now()), Some(Request::Quit));
        }
    }

    #[test]
    fn the_selection_moves_within_the_list() {
        let mut view = view();
        view.scroll(2);
        press_all(&mut view, &[KeyCode::PageDown, KeyCode::PageDown]);
        assert_eq!(view.selected(), 2);
        press_all(&mut view, &[KeyCode::Up, KeyCode::Char('k'), KeyCode::Up]);
        assert_eq!(view.selected(), 0);
        press_all(&mut view, &[KeyCode::End, KeyCode::Down]);
        assert_eq!(view.selected(), 2);
    }
}
