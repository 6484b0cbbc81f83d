// SPDX-License-Identifier: GPL-2.0-only
//! The CPUs: which there are, taking them away, and who may run where.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// The CPUs that are online, as the kernel writes them: `0-3`.
pub fn online() -> String {
    let list = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    list.trim().to_owned()
}

/// Bring a CPU or take it away.
pub fn set_online(cpu: usize, online: bool) -> Result<()> {
    let file = format!("/sys/devices/system/cpu/cpu{cpu}/online");
    fs::write(&file, if online { "1" } else { "0" })
        .with_context(|| format!("cannot write {online} to {file}"))
}

/// Let a process run on these CPUs only; 0 is the calling one.
pub fn allow(pid: i32, cpus: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu)?;
    }
    sched_setaffinity(Pid::from_raw(pid), &set)
        .with_context(|| format!("cannot bind process {pid} to CPUs {cpus:?}"))
}

/// The CPUs that are threads of one core.
pub fn sharing_core(cpu: usize) -> Result<String> {
    let file = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    let list = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    Ok(list.trim().to_owned())
}

/// The CPUs that share the last cache with one.
pub fn sharing_cache(cpu: usize) -> Result<String> {
    let directory = format!("/sys/devices/system/cpu/cpu{cpu}/cache");
    let last = (0..)
        .map(|index| format!("{directory}/index{index}/shared_cpu_list"))
        .take_while(|file| Path::new(file).exists())
        .last()
        .with_context(|| format!("no caches in {directory}"))?;
    Ok(fs::read_to_string(last)?.trim().to_owned())
}
