// SPDX-License-Identifier: GPL-2.0-only
//! What the machine must offer, each lack told in one sentence that says what to do.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use libbpf_rs::btf::{Btf, types};

use super::{Kind, intf};

const SCHED_EXT: &str = "/sys/kernel/sched_ext";

/// Where the hooks in CFS come from.
const HOOKS_FROM: &str = "the patches in kernel/5.18-rc5 and CONFIG_SCHED_BPF_HOOKS=y, as \
    kernel/README.md tells";

/// Functions of the kernel that the engine `cfs` attaches to.
const HOOKS: [&str; 3] = [
    "bpf_cfs_entity_bias",
    "bpf_cfs_preempt_tick",
    "bpf_cfs_preempt_wakeup",
];

/// Refuse a machine on which nothing of ours can run; else the kind of engine
/// that can, which is the one `wanted` if any is.
pub fn check(wanted: Option<Kind>) -> Result<Kind> {
    check_root()?;
    check_btf()?;
    let kind = check_kind(wanted)?;
    check_no_other_scheduler()?;
    check_function_tracer()?;
    check_cpu_count(*scx_utils::NR_CPU_IDS)?;
    Ok(kind)
}

/// Refuse anybody but root.
pub fn check_root() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("scx_alps loads BPF programs and must be root: run it with sudo");
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

fn check_kind(wanted: Option<Kind>) -> Result<Kind> {
    let has_sched_ext = Path::new(SCHED_EXT).join("state").exists();
    if has_sched_ext && wanted != Some(Kind::Cfs) {
        return Ok(Kind::Ext);
    }
    let release = kernel_release();
    if wanted == Some(Kind::Ext) {
        bail!(
            "this kernel ({release}) has no sched_ext: boot one built with \
             CONFIG_SCHED_CLASS_EXT=y, which is possible from Linux 6.12 on; scx_alps is tested \
             on 6.16 and newer"
        );
    }
    match (missing_hook()?, wanted) {
        (None, _) => Ok(Kind::Cfs),
        (Some(hook), Some(Kind::Cfs)) => bail!(
            "this kernel ({release}) has no hook {hook} in CFS, which '--engine cfs' needs: boot \
             one built with {HOOKS_FROM}"
        ),
        (Some(_), _) => bail!(
            "this kernel ({release}) has no sched_ext: boot one built with \
             CONFIG_SCHED_CLASS_EXT=y, which is possible from Linux 6.12 on; scx_alps is tested \
             on 6.16 and newer; nor has it our hooks in CFS, which an older one gets by \
             {HOOKS_FROM}"
        ),
    }
}

/// The first of the hooks that the kernel has not.
fn missing_hook() -> Result<Option<&'static str>> {
    let btf = Btf::from_vmlinux().context("cannot read the kernel's type information")?;
    Ok(HOOKS
        .into_iter()
        .find(|hook| btf.type_by_name::<types::Func>(hook).is_none()))
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

fn check_cpu_count(cpus: usize) -> Result<()> {
    let most = intf::alps_limits_MAX_CPUS as usize;
    if cpus > most {
        bail!(
            "this machine has {cpus} CPUs and scx_alps is built for at most {most}: \
             raise MAX_CPUS in src/bpf/intf.h and build it again"
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
        let error = check_cpu_count(5000).unwrap_err().to_string();
        assert!(error.contains("5000") && error.contains("1024"), "{error}");
        assert!(check_cpu_count(1024).is_ok());
    }
}
