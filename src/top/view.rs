// SPDX-License-Identifier: GPL-2.0-only
//! What is on the screen, without the screen.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::asker::{Answer, Question};
use super::format;
use super::link::Link;
use super::order::{self, Sort};
use super::snapshot::Snapshot;
use crate::control::{FunctionRow, Status};

/// How long a message stays.
const MESSAGE_TIME: Duration = Duration::from_secs(5);

/// What the keys are for at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    Table,
    /// The filter is being typed; `before` is what it was.
    Filter {
        before: String,
    },
    /// Asking whether to switch scheduling on or off.
    Confirm {
        on: bool,
    },
    /// Help from its line `from` on.
    Help {
        from: usize,
    },
}

/// The table, and where the user is in it.
#[derive(Debug)]
pub struct View {
    pub snapshot: Snapshot,
    pub mode: Mode,
    pub sort: Sort,
    pub filter: String,
    pub paused: bool,
    /// What is being switched to, until the daemon has done so.
    pub switching: Option<bool>,
    pub link: Link,
    /// Places in the snapshot's rows of what is listed.
    listed: Vec<usize>,
    /// Place in `listed` of the selected function.
    selected: usize,
    /// Place in `listed` of the topmost function on the screen.
    topmost: usize,
    /// Rows the screen had when it was last drawn.
    page: usize,
    message: Option<(String, Instant)>,
}

impl View {
    /// The view of a daemon that answered just `now` and is asked every `interval`.
    pub fn new(snapshot: Snapshot, interval: Duration, now: Instant) -> Self {
        let mut view = Self {
            snapshot,
            mode: Mode::Table,
            sort: Sort::default(),
            filter: String::new(),
            paused: false,
            switching: None,
            link: Link::new(interval, now),
            listed: Vec::new(),
            selected: 0,
            topmost: 0,
            page: 1,
            message: None,
        };
        view.relist();
        view
    }

    /// The question to put to the daemon `now`, if it is time.
    pub fn question(&mut self, now: Instant) -> Option<Question> {
        if !self.link.wait(now)?.is_zero() {
            return None;
        }
        self.link.asked(now);
        Some(if self.paused {
            Question::Status
        } else {
            Question::Snapshot
        })
    }

    /// Take in what the daemon says.
    pub fn hear(&mut self, answer: Answer, now: Instant) {
        match answer {
            Answer::Snapshot(Ok(snapshot)) => {
                self.link.answered(now);
                if self.paused {
                    self.snapshot.status = snapshot.status;
                } else {
                    self.snapshot = snapshot;
                    self.relist();
                }
            }
            Answer::Status(Ok(status)) => {
                self.link.answered(now);
                self.snapshot.status = status;
            }
            Answer::Snapshot(Err(why)) | Answer::Status(Err(why)) => self.link.failed(why, now),
            Answer::Switched(switched) => {
                self.switching = None;
                self.say(outcome(&switched), now);
                if let Ok(status) = switched {
                    self.snapshot.status = status;
                }
                self.link.hasten(now);
            }
        }
    }

    /// What there is to say for a moment.
    pub fn message(&self, now: Instant) -> Option<&str> {
        let (message, said) = self.message.as_ref()?;
        (now.saturating_duration_since(*said) < MESSAGE_TIME).then_some(message)
    }

    pub fn say(&mut self, message: String, now: Instant) {
        self.message = Some((message, now));
    }

    /// Functions that pass the filter.
    pub fn listed(&self) -> usize {
        self.listed.len()
    }

    pub fn selected(&self) -> usize {
        self.selected
    }

    pub fn selected_row(&self) -> Option<&FunctionRow> {
        self.row(self.selected)
    }

    /// The function at a place of the list.
    pub fn row(&self, place: usize) -> Option<&FunctionRow> {
        self.snapshot.rows.get(*self.listed.get(place)?)
    }

    /// The places a screen of `page` rows shows: the selected one among them,
    /// and no blank row at the end that could be filled.
    pub fn scroll(&mut self, page: usize) -> Range<usize> {
        self.page = page.max(1);
        self.topmost = self
            .topmost
            .min(self.listed.len().saturating_sub(page))
            .min(self.selected)
            .max((self.selected + 1).saturating_sub(self.page));
        self.topmost..(self.topmost + page).min(self.listed.len())
    }

    pub fn select(&mut self, place: usize) {
        self.selected = place.min(self.listed.len().saturating_sub(1));
    }

    pub fn select_up(&mut self, by: usize) {
        self.select(self.selected.saturating_sub(by));
    }

    pub fn select_down(&mut self, by: usize) {
        self.select(self.selected.saturating_add(by));
    }

    /// Rows that a page up or down moves by.
    pub fn page(&self) -> usize {
        self.page
    }

    pub fn sort_by(&mut self, sort: Sort) {
        self.sort = sort;
        self.relist();
    }

    /// List the functions whose names contain this; the best of them is selected.
    pub fn filter_by(&mut self, filter: String) {
        self.filter = filter;
        self.selected = 0;
        self.relist();
    }

    fn relist(&mut self) {
        self.listed = order::list(&self.snapshot.rows, self.sort, &self.filter);
        self.select(self.selected);
    }
}

fn outcome(switched: &Result<Status, String>) -> String {
    let status = match switched {
        Ok(status) => status,
        Err(why) => return format!("not switched: {why}"),
    };
    let state = if status.enforcing { "on" } else { "off" };
    match status.last_switch_ms {
        Some(took_ms) => format!(
            "ALPS is {state}, switched in {} ms",
            format::number(took_ms)
        ),
        None => format!("ALPS is {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(functions: usize) -> Snapshot {
        let rows = (0..functions).map(|index| FunctionRow {
            name: format!("f{index:03}"),
            rate_per_s: (functions - index) as f64,
            ..FunctionRow::default()
        });
        Snapshot::new(Status::default(), rows.collect())
    }

    fn view(functions: usize) -> View {
        View::new(snapshot(functions), Duration::from_secs(1), Instant::now())
    }

    #[test]
    fn the_selected_function_stays_on_the_screen() {
        let mut view = view(100);
        assert_eq!(view.scroll(10), 0..10);
        view.select_down(10);
        assert_eq!(view.scroll(10), 1..11);
        view.select(usize::MAX);
        assert_eq!(view.scroll(10), 90..100);
        view.select_up(3);
        assert_eq!(view.scroll(10), 90..100);
        assert_eq!(view.scroll(50), 50..100);
        assert_eq!(view.scroll(0), 96..96);
        view.select(0);
        assert_eq!(view.scroll(200), 0..100);
    }

    #[test]
    fn a_list_that_shrinks_takes_the_selection_along() {
        let mut view = view(100);
        view.select(99);
        view.scroll(10);
        view.hear(Answer::Snapshot(Ok(snapshot(3))), Instant::now());
        assert_eq!(view.selected(), 2);
        assert_eq!(view.scroll(10), 0..3);
        view.hear(Answer::Snapshot(Ok(snapshot(0))), Instant::now());
        assert_eq!(view.scroll(10), 0..0);
        assert!(view.selected_row().is_none());
    }

    #[test]
    fn a_paused_table_stands_still_but_the_state_does_not() {
        let mut view = view(5);
        view.paused = true;
        let mut other = snapshot(9);
        other.status.enforcing = true;
        view.hear(Answer::Snapshot(Ok(other)), Instant::now());
        assert_eq!(view.listed(), 5);
        assert!(view.snapshot.status.enforcing);
        let later = Instant::now() + Duration::from_secs(9);
        assert_eq!(view.question(later), Some(Question::Status));
        assert_eq!(view.question(later), None);
    }

    #[test]
    fn the_last_answer_stays_when_the_daemon_goes() {
        let mut view = view(5);
        let now = Instant::now();
        view.hear(Answer::Snapshot(Err("gone".to_owned())), now);
        assert_eq!(view.listed(), 5);
        assert!(view.link.trouble(now).is_some());
    }

    #[test]
    fn a_switch_is_reported_and_looked_at_at_once() {
        let mut view = view(1);
        let now = Instant::now();
        view.switching = Some(true);
        let status = Status {
            enforcing: true,
            last_switch_ms: Some(3.217),
            ..Status::default()
        };
        view.hear(Answer::Switched(Ok(status)), now);
        assert_eq!(view.switching, None);
        assert_eq!(view.message(now), Some("ALPS is on, switched in 3.22 ms"));
        assert_eq!(view.message(now + MESSAGE_TIME), None);
        assert_eq!(view.question(now), Some(Question::Snapshot));

        view.hear(Answer::Switched(Err("busy".to_owned())), now);
        assert_eq!(view.message(now), Some("not switched: busy"));
    }
}
