// SPDX-License-Identifier: GPL-2.0-only
//! Tests against real kernels.
//!
//! One program, two roles. On the host it boots each kernel in a virtual
//! machine and takes itself along; in the guest it runs the scenarios one
//! after the other, each in a process of its own and with a daemon of its
//! own, and looks after each whether anything was left behind or complained
//! of in the kernel's log.
//!
//! `cargo test --test vm -- hotplug` runs the scenarios with that in their
//! name, `--list` names them all. `SCX_ALPS_TEST_KERNELS` names the kernels.

mod arguments;
mod bench;
mod cgroup;
mod child;
mod clock;
mod control;
mod counters;
mod cpus;
mod daemon;
mod guest;
mod hook;
mod host;
mod kernel_log;
mod known;
mod leftovers;
mod load;
mod machine;
mod outcome;
mod policy;
mod proc;
mod report;
mod rlalps;
mod runtimes;
mod scenario;
mod scenarios;
mod sched_ext;
mod shared;
mod stream;
mod wait;

use std::process::ExitCode;

use arguments::{Arguments, Role};

fn main() -> ExitCode {
    let Arguments { role, names } = Arguments::parse(std::env::args().skip(1));
    let all_passed = match role {
        Role::List => {
            for scenario in scenarios::every() {
                println!("{:18} {}", scenario.name, scenario.title);
            }
            Ok(true)
        }
        Role::Host => host::run(&names),
        Role::Guest => guest::run(&names),
    };
    match all_passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("vm: {error:#}");
            ExitCode::FAILURE
        }
    }
}
