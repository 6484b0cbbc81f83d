// SPDX-License-Identifier: GPL-2.0-only
//! What has changed for a function in the last minute.

use std::fmt::Write as _;

use crate::control::{Explanation, Summary};
use crate::top::format::{NOTHING, count, duration};

/// A line where nothing has changed, else one for every moment at which
/// something had.
pub fn text(explanation: &Explanation) -> String {
    let changes = changes(&explanation.past);
    if explanation.past.len() < 2 {
        return "  It is too new for its past to be shown.\n".to_owned();
    }
    if changes.len() < 2 {
        return "  Nothing has changed in the last minute.\n".to_owned();
    }
    let mut text = format!(
        "  {:<16}{:>10}{:>12}{:>12}{:>12}\n",
        "the last minute", "samples", "expected", "slice", "bias"
    );
    for moment in changes {
        let slice = match moment.slice_ns {
            0 => NOTHING.to_owned(),
            slice_ns => duration(slice_ns),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {:<16}{:>10}{:>12}{:>12}{:>12}",
            format!("{} s ago", count(moment.age_s as u64, 7)),
            count(moment.samples.into(), 7),
            duration(moment.predicted_ns),
            slice,
            duration(moment.bias_ns),
        );
    }
    text
}

/// The moments that differ from the one before by what is shown of them.
fn changes(past: &[Summary]) -> Vec<Summary> {
    let shown =
        |moment: &Summary| [moment.predicted_ns, moment.slice_ns, moment.bias_ns].map(duration);
    let mut changes: Vec<Summary> = Vec::new();
    for moment in past {
        if changes
            .last()
            .is_none_or(|last| shown(last) != shown(moment))
        {
            changes.push(*moment);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::super::tests::bimodal;
    use super::*;

    #[test]
    fn moments_that_look_alike_are_one() {
        let mut past = bimodal().past;
        past.insert(
            1,
            Summary {
                age_s: 50.0,
                samples: 255,
                ..past[0]
            },
        );
        assert_eq!(changes(&past).len(), 2);
    }

    #[test]
    fn where_nothing_has_changed_it_says_so() {
        let mut explanation = bimodal();
        explanation.past = vec![explanation.past[0]; 3];
        assert!(text(&explanation).contains("Nothing has changed"));
        explanation.past.clear();
        assert!(text(&explanation).contains("too new"));
    }
}
