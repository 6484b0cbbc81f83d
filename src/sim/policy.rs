// SPDX-License-Identifier: GPL-2.0-only
//! The policies there are to simulate, by name.

use std::sync::LazyLock;

use super::alps::{Alps, Enforcement};
use super::fifo::Fifo;
use super::index::{ByIndex, Curves};
use super::job::{Job, Outcome, Slice};
use super::las;
use super::machine::{Machine, run};
use super::published::Published;
use super::round_robin::RoundRobin;
use super::sfs::Sfs;
use super::share::{self, Groups, Weights};
use super::sjf::Sjf;
use super::srpt::Srpt;
use super::tables::Tables;
use crate::learn::BiasFactor;
use crate::policies;

/// A scheduling policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Fifo,
    RoundRobin,
    /// Processor sharing between invocations.
    Ps,
    /// Processor sharing between functions.
    PsFunctions,
    Las,
    Sjf,
    Srpt,
    Serpt,
    MSerpt,
    Gittins,
    Sfs,
    /// ALPS as published.
    Published,
    /// ALPS as enforced by this scheduler.
    Alps,
    /// One that is asked about every job, with the key of ALPS.
    Asked(&'static dyn policies::Policy),
}

/// What the policies are simulated on and with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub machine: Machine,
    /// Of round robin; in nanoseconds of service.
    pub quantum_ns: u64,
    /// Of processor sharing.
    pub weights: Weights,
    /// Of ALPS as enforced.
    pub enforcement: Enforcement,
    /// `K` of the policies that are asked.
    pub bias_factor: BiasFactor,
}

impl Policy {
    /// All but those that are asked, those first that the others are usually
    /// compared with: then what knows nothing, what knows all, and what learns.
    pub const ALL: [Policy; 13] = [
        Policy::Ps,
        Policy::PsFunctions,
        Policy::Fifo,
        Policy::RoundRobin,
        Policy::Las,
        Policy::Sfs,
        Policy::Sjf,
        Policy::Srpt,
        Policy::Serpt,
        Policy::MSerpt,
        Policy::Gittins,
        Policy::Published,
        Policy::Alps,
    ];

    /// What users choose it by.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Fifo => "fifo",
            Policy::RoundRobin => "rr",
            Policy::Ps => "ps",
            Policy::PsFunctions => "ps-functions",
            Policy::Las => "las",
            Policy::Sjf => "sjf",
            Policy::Srpt => "srpt",
            Policy::Serpt => "serpt",
            Policy::MSerpt => "m-serpt",
            Policy::Gittins => "gittins",
            Policy::Sfs => "sfs",
            Policy::Published => "alps-published",
            Policy::Alps => "alps",
            Policy::Asked(policy) => asked_name(policy),
        }
    }

    /// What it does, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Policy::Fifo => "first in, first out",
            Policy::RoundRobin => "round robin: everybody in turn for a quantum",
            Policy::Ps => "ideal processor sharing: plain processes under a fair scheduler",
            Policy::PsFunctions => {
                "ideal processor sharing between functions: one cgroup a function"
            }
            Policy::Las => "least attained service first (foreground-background)",
            Policy::Sjf => "shortest job first, clairvoyant, without preemption",
            Policy::Srpt => "shortest remaining time first, clairvoyant: the yardstick",
            Policy::Serpt => "shortest expected remaining time first, learned",
            Policy::MSerpt => "SERPT whose ranks never improve, learned",
            Policy::Gittins => "largest Gittins index first, learned",
            Policy::Sfs => "SFS (SC'22): a slice first in, first out, then a fair share",
            Policy::Published => "ALPS as published: priorities and slices over a fair share",
            Policy::Alps => "ALPS as this scheduler enforces it",
            Policy::Asked(policy) => policy.meaning(),
        }
    }

    /// The policy of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain(Self::asked())
            .find(|policy| policy.name() == name)
    }

    /// Those that are asked.
    pub fn asked() -> impl Iterator<Item = Self> {
        policies::ALL.iter().map(|&policy| Policy::Asked(policy))
    }

    /// Whether it goes by a policy table.
    pub fn learns(self) -> bool {
        matches!(
            self,
            Policy::Serpt
                | Policy::MSerpt
                | Policy::Gittins
                | Policy::Published
                | Policy::Alps
                | Policy::Asked(_)
        )
    }

    /// Whether it goes by the order of the table's biases only, so that these
    /// need no bound.
    pub fn is_index(self) -> bool {
        matches!(self, Policy::Serpt | Policy::MSerpt | Policy::Gittins)
    }

    /// Whether jobs share CPUs ideally: there are no slices, and switching
    /// neither happens nor costs.
    pub fn shares(self) -> bool {
        matches!(self, Policy::Ps | Policy::PsFunctions | Policy::Las)
    }
}

/// A name of its own for a policy that is asked: `K` keeps it from being the
/// ideal that it may be a namesake of.
fn asked_name(policy: &'static dyn policies::Policy) -> &'static str {
    static NAMESAKES: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
        let ideals = Policy::ALL.map(Policy::name);
        let names = policies::ALL.iter().map(|policy| policy.name());
        let namesakes = names.filter(|name| ideals.contains(name));
        namesakes.map(|name| (name, format!("{name}-k"))).collect()
    });
    let name = policy.name();
    let namesake = NAMESAKES.iter().find(|(ideal, _)| *ideal == name);
    namesake.map_or(name, |(_, name)| name)
}

/// Runs `jobs`, in any order, under `policy`.
///
/// The outcomes come in the order of the input; `on_slice` sees every slice,
/// where there are any. `tables` is for the policies that
/// [learn](Policy::learns), and others leave it alone; what they learn from
/// `jobs` stays in it.
pub fn simulate(
    policy: Policy,
    jobs: &[Job],
    setup: &Setup,
    tables: &mut Tables,
    on_slice: impl FnMut(Slice),
) -> Vec<Outcome> {
    let machine = setup.machine;
    let curves = |tables, monotone| ByIndex(Curves { tables, monotone });
    match policy {
        Policy::Ps => share::replay(jobs, machine.cpus, Groups::Jobs, &setup.weights),
        Policy::PsFunctions => share::replay(jobs, machine.cpus, Groups::Functions, &setup.weights),
        Policy::Las => las::replay(jobs, machine.cpus),
        Policy::Fifo => run(&mut Fifo, jobs, machine, on_slice),
        Policy::RoundRobin => run(
            &mut RoundRobin::new(setup.quantum_ns),
            jobs,
            machine,
            on_slice,
        ),
        Policy::Sjf => run(&mut Sjf, jobs, machine, on_slice),
        Policy::Srpt => {
            let switch_cost_ns = machine.switch_cost_ns;
            run(&mut Srpt { switch_cost_ns }, jobs, machine, on_slice)
        }
        Policy::Serpt | Policy::Gittins => run(&mut curves(tables, false), jobs, machine, on_slice),
        Policy::MSerpt => run(&mut curves(tables, true), jobs, machine, on_slice),
        Policy::Sfs => run(&mut Sfs::new(machine.cpus), jobs, machine, on_slice),
        Policy::Published => run(&mut Published::new(tables), jobs, machine, on_slice),
        Policy::Alps => run(
            &mut Alps::new(tables, setup.enforcement),
            jobs,
            machine,
            on_slice,
        ),
        Policy::Asked(policy) => run(
            &mut Alps::asking(policy, setup.bias_factor, tables, setup.enforcement),
            jobs,
            machine,
            on_slice,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_found_by_their_names() {
        for policy in Policy::ALL.into_iter().chain(Policy::asked()) {
            assert_eq!(Policy::named(policy.name()), Some(policy));
        }
        assert_eq!(Policy::Asked(&policies::Oracle).name(), "oracle");
        assert_eq!(Policy::Asked(&policies::Las).name(), "las-k");
        assert_eq!(Policy::named("cfs"), None);
    }
}
