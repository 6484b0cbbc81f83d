// SPDX-License-Identifier: GPL-2.0-only
//! Policies: how far an invocation is from its end, as far as one can tell.
//!
//! One [`Policy`] serves three masters. The simulator (`simulate --policy
//! NAME`) and the scheduler in user space (`scx_rlalps --policy NAME`) ask it
//! for every task; for the scheduler in the kernel (`scx_alps --policy NAME`)
//! it is [tabulated]. All of them make the same key of its answer, so that
//! nobody waits for ever whatever a policy says:
//!
//! ```text
//! key = when it became runnable + service since then + min(K * distance, the largest bias)
//! ```
//!
//! and near the largest bias it is bent ([`crate::learn::BiasFactor::bias_ns`]).
//!
//! `docs/experiment.md` walks through writing one.

use std::fmt;

use crate::learn::{Forecast, Method};
use crate::policy::PolicyEntry;
use crate::policy::grid::{BUCKETS, start};
use crate::policy::table::LEAST_SLICE_NS;

/// Takes in the files of this folder: a module and its policy for each.
macro_rules! policies {
    ($($file:ident::$policy:ident),+ $(,)?) => {
        $(mod $file;)+
        $(pub use $file::$policy;)+

        /// All policies, in the order in which help lists them.
        pub static ALL: &[&dyn Policy] = &[$(&$policy),+];
    };
}

policies! {
    alps::Alps,
    gittins::Gittins,
    fifo::Fifo,
    las::Las,
    oracle::Oracle,
}

/// An invocation at the moment a policy is asked about it. All are
/// nanoseconds of CPU time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it has had.
    pub attained_ns: u64,
    /// What it is expected to need yet, or the index that the policy's
    /// [method](Policy::method) has in its place.
    pub remaining_ns: u64,
    /// What invocations of its function are expected to need as a whole.
    pub expected_ns: u64,
    /// What it will really need as a whole, where somebody tells: the
    /// simulator and the benchmark do.
    pub told_ns: Option<u64>,
}

impl Standing {
    /// Of an invocation that has had `attained_ns`, by its function's entry in
    /// a table of [expectations](crate::learn::LearnerConfig::expectations).
    pub fn expected(entry: &PolicyEntry, attained_ns: u64) -> Self {
        Self {
            attained_ns,
            remaining_ns: entry.bias_at(attained_ns),
            expected_ns: entry.predicted_ns,
            told_ns: None,
        }
    }
}

/// An order of invocations.
///
/// A policy is asked within a scheduler's loop: it must neither allocate nor
/// block, and must give the same answer to the same question.
pub trait Policy: Sync {
    /// What users choose it by; in the style of `shortest-mean`.
    fn name(&self) -> &'static str;

    /// What it does, in a line.
    fn meaning(&self) -> &'static str;

    /// How far an invocation is from its end, in nanoseconds of CPU time, the
    /// nearest first: it is placed `K` times as far behind newcomers.
    fn distance_ns(&self, at: &Standing) -> u64;

    /// How long it may run before it is compared with others again, 100 us at
    /// least; `None` leaves that to the scheduler.
    fn slice_ns(&self, _at: &Standing) -> Option<u64> {
        None
    }

    /// How it wants to have predicted what remains; `None` leaves that to
    /// whoever runs the scheduler (`--ml`).
    fn method(&self) -> Option<Method> {
        None
    }
}

/// The policy of a name.
pub fn named(name: &str) -> Option<&'static dyn Policy> {
    ALL.iter().copied().find(|policy| policy.name() == name)
}

/// A line for each policy, as help shows them.
pub fn list() -> String {
    let line = |policy: &&dyn Policy| format!("  {:15}{}\n", policy.name(), policy.meaning());
    ALL.iter().map(line).collect()
}

/// The slice that a policy names, made [`LEAST_SLICE_NS`] where it is less.
pub fn slice_ns(policy: &dyn Policy, at: &Standing) -> Option<u64> {
    policy
        .slice_ns(at)
        .map(|slice_ns| slice_ns.max(LEAST_SLICE_NS))
}

/// What a policy says of a function's invocations in each bucket of attained
/// service: at its middle, at the start of the last, which is open. Nobody
/// tells anything.
pub fn tabulated(policy: &dyn Policy, forecast: &Forecast) -> [u64; BUCKETS] {
    std::array::from_fn(|index| {
        let (from_ns, to_ns) = (start(index), start(index + 1));
        let attained_ns = if index + 1 < BUCKETS {
            from_ns.midpoint(to_ns)
        } else {
            from_ns
        };
        policy.distance_ns(&Standing {
            attained_ns,
            remaining_ns: forecast.remaining_ns()[index],
            expected_ns: forecast.at(0),
            told_ns: None,
        })
    })
}

impl PartialEq for dyn Policy {
    /// Names are unique.
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Policy {}

impl fmt::Debug for dyn Policy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
#[path = "../../examples/policies/shortest_mean.rs"]
mod shortest_mean;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_policy_that_the_documentation_shows_works() {
        let shown = include_str!("../../examples/policies/shortest_mean.rs");
        let documentation = include_str!("../../docs/experiment.md");
        assert!(documentation.contains(&format!("```rust\n{shown}```")));
        assert!(shown.lines().count() < 60);

        let policy = shortest_mean::ShortestMean;
        let at = |expected_ns, attained_ns| Standing {
            expected_ns,
            attained_ns,
            ..Standing::default()
        };
        assert!(policy.distance_ns(&at(5 * MS, 0)) < policy.distance_ns(&at(6 * MS, 5 * MS)));
        assert_eq!(named(policy.name()), None);
    }

    #[test]
    fn names_are_unique_and_find_their_policies() {
        let names: HashSet<_> = ALL.iter().map(|policy| policy.name()).collect();
        assert_eq!(names.len(), ALL.len());
        for policy in ALL {
            assert_eq!(named(policy.name()), Some(*policy));
        }
        assert_eq!(named("cfs"), None);
    }

    #[test]
    fn the_order_is_the_one_a_policy_is_named_after() {
        let short = Standing {
            attained_ns: 9 * MS,
            remaining_ns: MS,
            expected_ns: 10 * MS,
            told_ns: Some(100 * MS),
        };
        let long = Standing {
            attained_ns: 2 * MS,
            remaining_ns: 50 * MS,
            expected_ns: 60 * MS,
            told_ns: Some(5 * MS),
        };
        let prefers = |policy: &dyn Policy| {
            policy
                .distance_ns(&short)
                .cmp(&policy.distance_ns(&long))
                .reverse() as i8
        };
        let of = |name| prefers(named(name).unwrap());
        assert_eq!(["alps", "gittins"].map(of), [1, 1]);
        assert_eq!(["las", "oracle", "fifo"].map(of), [-1, -1, 0]);
    }

    #[test]
    fn a_table_of_what_remains_is_the_forecast_itself() {
        let forecast = Forecast::unknown();
        assert_eq!(&tabulated(&Alps, &forecast), forecast.remaining_ns());
        let las = tabulated(&Las, &forecast);
        assert!(las.is_sorted() && las[1] > 1 << 15);
        assert_eq!(tabulated(&Fifo, &forecast), [0; BUCKETS]);
    }

    proptest! {
        #[test]
        fn any_question_is_answered(
            attained_ns: u64,
            remaining_ns: u64,
            expected_ns: u64,
            told_ns: Option<u64>,
        ) {
            let at = Standing { attained_ns, remaining_ns, expected_ns, told_ns };
            for policy in ALL {
                prop_assert_eq!(policy.distance_ns(&at), policy.distance_ns(&at));
                prop_assert_ne!(policy.slice_ns(&at), Some(0));
            }
        }
    }
}
