// SPDX-License-Identifier: GPL-2.0-only
//! `scx_rlalps`: the policies of `scx_alps` in user space, to experiment with.
//!
//! scx_rustland_core brings the kernel side, which hands over every task that
//! does not find an idle CPU; this program decides which of them runs next.

// scx_rustland_core's own connector expects these names at the crate's root.
#[allow(clippy::all, dead_code)]
mod bpf {
    include!(concat!(env!("OUT_DIR"), "/src/bpf.rs"));
}
#[allow(clippy::all, non_upper_case_globals, non_camel_case_types, dead_code)]
mod bpf_intf {
    include!(concat!(env!("OUT_DIR"), "/bpf_intf.rs"));
}
#[allow(clippy::all)]
mod bpf_skel {
    include!(concat!(env!("OUT_DIR"), "/bpf_skel.rs"));
}

mod cgroup;
mod clock;
mod functions;
mod life;
mod options;
mod poker;
mod running;
mod scheduler;
mod stats;
mod successor;
mod task;
mod tasks;
mod waiting;

// What both programs do the same way.
#[allow(dead_code)]
#[path = "../../src/daemon/file.rs"]
mod file;
#[path = "../../src/logging.rs"]
mod logging;
#[allow(dead_code)]
#[path = "../../src/engine/requirements.rs"]
mod requirements;
#[allow(dead_code)]
#[path = "../../src/daemon/state.rs"]
mod state;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use options::Options;

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scx_rlalps: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<()> {
    if options.version {
        println!("scx_rlalps {}", life::version());
        return Ok(());
    }
    if options.help_stats {
        return stats::server_data().describe_meta(&mut std::io::stdout(), None);
    }
    logging::start(options.verbose)?;
    if let Some(interval) = options.monitor {
        return stats::monitor(interval);
    }
    life::live(&options)
}
