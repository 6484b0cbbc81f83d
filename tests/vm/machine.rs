// SPDX-License-Identifier: GPL-2.0-only
//! The virtual machines scenarios ask for.

use std::time::Duration;

/// A kind of virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Four CPUs that really run at once, as fast as the host lets them.
    Parallel,
    /// The same in two cache domains, each a core of two threads.
    TwoDomains,
    /// Two CPUs whose time is a count of executed instructions, so that what
    /// is measured does not depend on what else the host does.
    Exact,
    /// As `Parallel`, on a kernel without sched_ext but with the hooks in CFS.
    Hooks,
    /// As `Exact`, on such a kernel.
    HooksExact,
}

impl Machine {
    pub const ALL: [Machine; 5] = [
        Machine::Parallel,
        Machine::TwoDomains,
        Machine::Exact,
        Machine::Hooks,
        Machine::HooksExact,
    ];

    /// Whether it is for kernels with the hooks in CFS, and only for those.
    pub fn has_hooks(self) -> bool {
        matches!(self, Machine::Hooks | Machine::HooksExact)
    }

    /// In a few words, for the headline.
    pub fn describe(self) -> &'static str {
        match self {
            Machine::Parallel | Machine::Hooks => "4 CPUs",
            Machine::TwoDomains => "4 CPUs in 2 cache domains",
            Machine::Exact | Machine::HooksExact => "2 CPUs in virtual time",
        }
    }

    /// Its options to `vm/run`.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Machine::Parallel | Machine::Hooks => &["--cpus", "4"],
            Machine::TwoDomains => &["--cpus", "4", "--topology", "sockets=2,cores=1,threads=2"],
            Machine::Exact | Machine::HooksExact => &["--cpus", "2", "--virtual-time"],
        }
    }

    /// Whether what else the host does could make its scenarios fail.
    pub fn minds_company(self) -> bool {
        match self {
            Machine::Parallel | Machine::TwoDomains | Machine::Hooks => true,
            Machine::Exact | Machine::HooksExact => false,
        }
    }

    /// The longest real time that `guest` time may take where the host has
    /// little to give.
    pub fn real_time(self, guest: Duration) -> Duration {
        match self {
            Machine::Parallel | Machine::TwoDomains | Machine::Hooks => guest,
            Machine::Exact | Machine::HooksExact => guest * 20,
        }
    }
}
