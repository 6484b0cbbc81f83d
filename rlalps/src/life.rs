// SPDX-License-Identifier: GPL-2.0-only
//! The scheduler's life, from its load to its end.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use anyhow::Result;
use log::{info, warn};
use scx_utils::build_id;

use crate::bpf::BpfScheduler;
use crate::bpf_intf::MAX_CPUS;
use crate::functions::Functions;
use crate::options::Options;
use crate::poker::Poker;
use crate::requirements;
use crate::scheduler::Scheduler;
use crate::stats;
use crate::successor::Successor;

/// The version with the build it came from.
pub fn version() -> String {
    let own = build_id::full_version(env!("CARGO_PKG_VERSION"));
    format!("{own}, scx_rustland_core {}", scx_rustland_core::VERSION)
}

/// Schedule until told to stop, or until the kernel ends the scheduler.
pub fn live(options: &Options) -> Result<()> {
    requirements::check_kernel()?;
    requirements::check_sched_ext()?;
    requirements::check_cpu_count(*scx_utils::NR_CPU_IDS, MAX_CPUS as usize)?;
    let functions = Functions::load(options)?;
    // Threads of before the load may map memory.
    let successor = Successor::prepare()?;
    let poker = poker(options);
    let _stats = stats::serve()?;
    if let Some(interval) = options.stats {
        stats::monitor_beside(interval)?;
    }
    let mut object = MaybeUninit::uninit();
    let bpf = BpfScheduler::init(
        &mut object,
        options.libbpf.clone().into_bpf_open_opts(),
        options.exit_dump_len,
        options.partial,
        options.verbose,
        true,
        false,
        options.slice.as_nanos() as u64,
        "rlalps",
    )?;
    info!(
        "scx_rlalps {} on Linux {}, policy {}",
        version(),
        requirements::kernel_release(),
        options.policy.name()
    );
    if let Some(poker) = &poker {
        poker.heed(bpf.skel.maps.queued.as_fd())?;
    }
    let mut scheduler = Scheduler::new(bpf, options, &functions, poker);
    scheduler.run();
    let exit = scheduler.end()?;
    if exit.should_restart() {
        info!("CPUs came or went: beginning again");
        return successor.take_over();
    }
    Ok(())
}

/// What preempts, if it is to and may.
fn poker(options: &Options) -> Option<Poker> {
    if options.no_preempt {
        return None;
    }
    Poker::start()
        .inspect_err(|error| warn!("newcomers wait for ticks: no real-time thread: {error:#}"))
        .ok()
}
