// SPDX-License-Identifier: GPL-2.0-only
//! The order of functions: by simulated waiting time, shorter first.

use std::cmp::Ordering;

use crate::invocation::FunctionId;

/// What a function's place in the order depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub function: FunctionId,
    /// Mean of arrival to first run under simulated SRPT; `None` where no
    /// invocation was ever simulated.
    pub mean_wait_ns: Option<f64>,
    /// Predicted CPU time of an invocation.
    pub predicted_ns: u64,
}

/// Orders functions by mean simulated waiting time, so that a function's rank
/// is its index.
///
/// While CPUs are free nobody waits; the shorter predicted CPU time decides
/// then, as it would if somebody had to. Functions never simulated come last.
/// What is still equal is ordered by slot, so the order is a total one.
pub fn order(standings: &mut [Standing]) {
    standings.sort_unstable_by(compare);
}

fn compare(one: &Standing, two: &Standing) -> Ordering {
    let wait = |standing: &Standing| standing.mean_wait_ns.unwrap_or(f64::INFINITY);
    wait(one)
        .total_cmp(&wait(two))
        .then(one.predicted_ns.cmp(&two.predicted_ns))
        .then(one.function.cmp(&two.function))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(slot: u32, mean_wait_ns: Option<f64>, predicted_ns: u64) -> Standing {
        Standing {
            function: FunctionId::new(slot).unwrap(),
            mean_wait_ns,
            predicted_ns,
        }
    }

    fn ordered(mut standings: Vec<Standing>) -> Vec<usize> {
        order(&mut standings);
        standings
            .iter()
            .map(|standing| standing.function.slot())
            .collect()
    }

    #[test]
    fn a_shorter_wait_comes_first_whatever_the_length() {
        let standings = vec![
            standing(1, Some(30.0), 1),
            standing(2, Some(10.0), 9),
            standing(3, Some(20.0), 5),
        ];
        assert_eq!(ordered(standings), [2, 3, 1]);
    }

    #[test]
    fn where_nobody_waits_the_shorter_function_comes_first() {
        let standings = vec![
            standing(1, Some(0.0), 7),
            standing(2, Some(0.0), 3),
            standing(4, Some(0.0), 3),
            standing(3, Some(0.0), 3),
        ];
        assert_eq!(ordered(standings), [2, 3, 4, 1]);
    }

    #[test]
    fn functions_never_simulated_come_last() {
        let standings = vec![
            standing(1, None, 1),
            standing(2, Some(1e18), 9),
            standing(3, Some(f64::NAN), 9),
        ];
        assert_eq!(ordered(standings)[0], 2);
    }
}
