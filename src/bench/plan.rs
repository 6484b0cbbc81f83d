// SPDX-License-Identifier: GPL-2.0-only
//! Which rounds a comparison consists of, and in which order.
//!
//! Every trace is run under every entrant. From one pass to the next the
//! order of the entrants is turned round (A B C, C B A, A B C …), so that
//! whatever changes in the course of a run, such as the machine's
//! temperature, meets all of them alike.
//!
//! What ALPS knows when it is warm comes from a round of its own that does
//! not count, with other requests for the same functions; each of its warm
//! rounds begins with just that.

use super::cgroups::Layout;
use super::entrant::Entrant;

/// What is to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub layouts: &'a [Layout],
    pub entrants: &'a [Entrant],
    /// How many traces there are.
    pub traces: usize,
    /// How often each trace is run under each entrant.
    pub passes: u32,
    /// Whether all traces are of the same functions, so that what was learned
    /// for one is as good for the others.
    pub same_functions: bool,
}

/// One round to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub layout: Layout,
    /// The trace's place.
    pub trace: usize,
    pub kind: Kind,
}

/// What a round is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ALPS learns for the warm rounds to come, from the trace's practice.
    Practice,
    /// It counts.
    Measure(Entrant),
}

/// All rounds in their order.
pub fn plan(field: &Field) -> Vec<Step> {
    let needs_practice = field.entrants.contains(&Entrant::AlpsWarm);
    let mut steps = Vec::new();
    for &layout in field.layouts {
        let mut pass = 0u64;
        for trace in 0..field.traces {
            let step = |kind| Step {
                layout,
                trace,
                kind,
            };
            if needs_practice && (trace == 0 || !field.same_functions) {
                steps.push(step(Kind::Practice));
            }
            for _ in 0..field.passes {
                let measured = field.entrants.iter().map(|&e| step(Kind::Measure(e)));
                if pass.is_multiple_of(2) {
                    steps.extend(measured);
                } else {
                    steps.extend(measured.rev());
                }
                pass += 1;
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Entrant::{AlpsCold, AlpsWarm, Kernel, Oracle};

    fn field<'a>(layouts: &'a [Layout], entrants: &'a [Entrant]) -> Field<'a> {
        Field {
            layouts,
            entrants,
            traces: 3,
            passes: 1,
            same_functions: true,
        }
    }

    /// The plan in short: who, and on which trace.
    fn story(field: &Field) -> Vec<String> {
        let steps = plan(field).into_iter();
        steps
            .map(|step| match step.kind {
                Kind::Practice => format!("practice {}", step.trace),
                Kind::Measure(entrant) => format!("{entrant:?} {}", step.trace),
            })
            .collect()
    }

    #[test]
    fn the_order_turns_round_with_every_pass() {
        assert_eq!(
            story(&field(&[Layout::Flat], &[Kernel, AlpsCold])),
            [
                "Kernel 0",
                "AlpsCold 0",
                "AlpsCold 1",
                "Kernel 1",
                "Kernel 2",
                "AlpsCold 2"
            ]
        );
    }

    #[test]
    fn warm_rounds_have_a_practice_before_them() {
        let (layouts, entrants) = ([Layout::Flat], [Kernel, AlpsWarm]);
        let field = field(&layouts, &entrants);
        assert_eq!(
            story(&field)[..4],
            ["practice 0", "Kernel 0", "AlpsWarm 0", "AlpsWarm 1"]
        );
        let each = Field {
            same_functions: false,
            passes: 2,
            ..field
        };
        assert_eq!(
            story(&each)[..6],
            [
                "practice 0",
                "Kernel 0",
                "AlpsWarm 0",
                "AlpsWarm 0",
                "Kernel 0",
                "practice 1"
            ]
        );
    }

    proptest! {
        #[test]
        fn every_entrant_runs_every_trace_as_often(
            traces in 0usize..6,
            passes in 0u32..4,
            entrants in proptest::sample::subsequence(
                vec![Kernel, AlpsCold, AlpsWarm, Oracle, Entrant::Versus(0)], 0..=5),
            same_functions: bool,
        ) {
            let layouts = [Layout::PerFunction, Layout::Flat];
            let steps = plan(&Field { layouts: &layouts, entrants: &entrants, traces, passes, same_functions });
            for &layout in &layouts {
                for trace in 0..traces {
                    for &entrant in &entrants {
                        let wanted = Step { layout, trace, kind: Kind::Measure(entrant) };
                        prop_assert_eq!(steps.iter().filter(|&&s| s == wanted).count(), passes as usize);
                    }
                }
            }
            // Whoever is warm has practised on these functions and in this layout.
            for (at, step) in steps.iter().enumerate() {
                if step.kind == Kind::Measure(AlpsWarm) {
                    prop_assert!(steps[..at].iter().any(|s| s.kind == Kind::Practice
                        && s.layout == step.layout
                        && (same_functions || s.trace == step.trace)));
                }
            }
        }
    }
}
