// SPDX-License-Identifier: GPL-2.0-only
//! What the daemon says at one time.

use super::text;
use crate::control::{FunctionRow, Status};

/// The longest name shown; the daemon's own are at most 256 bytes.
const MAX_NAME_CHARS: usize = 512;

const MAX_WORD_CHARS: usize = 64;

/// The daemon's state and its functions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub status: Status,
    pub rows: Vec<FunctionRow>,
}

impl Snapshot {
    /// An answer whose words are made fit for a terminal.
    pub fn new(status: Status, mut rows: Vec<FunctionRow>) -> Self {
        for row in &mut rows {
            row.name = text::clean(&row.name, MAX_NAME_CHARS);
            row.source = text::clean(&row.source, MAX_WORD_CHARS);
        }
        Self {
            status: clean_status(status),
            rows,
        }
    }

    /// Invocations a second of all functions together.
    pub fn rate_per_s(&self) -> f64 {
        let rates = self.rows.iter().map(|row| row.rate_per_s);
        rates.filter(|rate| rate.is_finite()).sum()
    }

    /// Columns the longest name takes.
    pub fn longest_name(&self) -> usize {
        let widths = self.rows.iter().map(|row| text::width(&row.name));
        widths.max().unwrap_or(0)
    }

    pub fn has_spoofable(&self) -> bool {
        self.rows.iter().any(|row| row.spoofable)
    }
}

/// A status whose words are made fit for a terminal.
pub fn clean_status(mut status: Status) -> Status {
    status.version = text::clean(&status.version, MAX_WORD_CHARS);
    status.predictor = text::clean(&status.predictor, MAX_WORD_CHARS);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cannot_steer_the_terminal() {
        let row = FunctionRow {
            name: "\x1b]0;owned\x07".repeat(1_000),
            rate_per_s: f64::NAN,
            ..FunctionRow::default()
        };
        let status = Status {
            version: "1\r\n".to_owned(),
            ..Status::default()
        };
        let snapshot = Snapshot::new(status, vec![row]);
        assert!(!snapshot.rows[0].name.contains(char::is_control));
        assert!(!snapshot.status.version.contains(char::is_control));
        assert!(snapshot.longest_name() <= MAX_NAME_CHARS);
        assert_eq!(snapshot.rate_per_s(), 0.0);
    }
}
