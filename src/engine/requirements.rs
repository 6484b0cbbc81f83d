// SPDX-License-Identifier: GPL-2.0-only
//! What the machine must offer, each lack told in one sentence that says what to do.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

/// The program that has them.
const PROGRAM: &str = env!("CARGO_PKG_NAME");

const SCHED_EXT: &str = "/sys/kernel/sched_ext";

/// Refuse a machine on which nothing of ours can run, whatever schedules.
pub fn check_kernel() -> Result<()> {
    check_root()?;
    check_btf()?;
    check_no_other_scheduler()?;
    check_function_tracer()
}

/// Refuse anybody but root.
pub fn check_root() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("{PROGRAM} loads BPF programs and must be root: run it with sudo");
    }
    Ok(())
}

fn check_btf() -> Result<()> {
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        bail!(
            "this kernel carries no type information (/sys/kernel/btf/vmlinux is missing): \
             boot one built with CONFIG_DEBUG_INFO_BTF=y"
        );
    }
    Ok(())
}

/// Refuse a kernel without sched_ext.
pub fn check_sched_ext() -> Result<()> {
    if !Path::new(SCHED_EXT).join("state").exists() {
        bail!(
            "this kernel ({}) has no sched_ext: boot one built with CONFIG_SCHED_CLASS_EXT=y, \
             which is possible from Linux 6.12 on; {PROGRAM} is tested on 6.16 and newer",
            kernel_release()
        );
    }
    Ok(())
}

/// Refuse to take the place of another sched_ext scheduler, and name it.
pub fn check_no_other_scheduler() -> Result<()> {
    let state = fs::read_to_string(format!("{SCHED_EXT}/state")).unwrap_or_default();
    if matches!(state.trim(), "disabled" | "disabling" | "") {
        return Ok(());
    }
    match loaded_scheduler() {
        Some(name) => bail!("the sched_ext scheduler '{name}' is loaded: stop it first"),
        None => bail!("another sched_ext scheduler is being loaded: stop it first"),
    }
}

/// The name of the sched_ext scheduler that is loaded now.
pub fn loaded_scheduler() -> Option<String> {
    let name = fs::read_to_string(format!("{SCHED_EXT}/root/ops")).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn check_function_tracer() -> Result<()> {
    if !scx_utils::compat::function_tracer_available() {
        bail!(
            "this kernel has no function tracer, which BPF programs are attached with: \
             boot one built with CONFIG_FUNCTION_TRACER=y"
        );
    }
    Ok(())
}

/// Refuse a machine of more CPUs than the kernel side is built for.
pub fn check_cpu_count(cpus: usize, most: usize) -> Result<()> {
    if cpus > most {
        bail!(
            "this machine has {cpus} CPUs and {PROGRAM} is built for at most {most}: \
             raise MAX_CPUS in its intf.h and build it again"
        );
    }
    Ok(())
}

/// The running kernel's release, as `uname -r` prints it.
pub fn kernel_release() -> String {
    nix::sys::utsname::uname().map_or_else(
        |_| "unknown".to_owned(),
        |name| name.release().to_string_lossy().into_owned(),
    )
}

/// How often CPUs came or went so far; sched_ext counts it.
pub fn hotplug_sequence() -> Option<u64> {
    let text = fs::read_to_string(format!("{SCHED_EXT}/hotplug_seq")).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_cpus_are_refused_with_both_numbers() {
        let error = check_cpu_count(5000, 1024).unwrap_err().to_string();
        assert!(error.contains("5000") && error.contains("1024"), "{error}");
        assert!(check_cpu_count(1024, 1024).is_ok());
    }
}
