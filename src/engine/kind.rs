// SPDX-License-Identifier: GPL-2.0-only
//! By what in the kernel the order is enforced.

use anyhow::{Context, Result, bail};
use libbpf_rs::btf::{Btf, types};

use super::requirements::{check_sched_ext, kernel_release};

/// Where the hooks in CFS come from.
const HOOKS_FROM: &str = "the patches in kernel/5.18-rc5 and CONFIG_SCHED_BPF_HOOKS=y, as \
    kernel/README.md tells";

/// Functions of the kernel that the engine `cfs` attaches to.
const HOOKS: [&str; 3] = [
    "bpf_cfs_entity_bias",
    "bpf_cfs_preempt_tick",
    "bpf_cfs_preempt_wakeup",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// sched_ext, from Linux 6.12 on.
    Ext,
    /// The hooks in CFS that the patches in kernel/ add to older kernels.
    Cfs,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ext => "ext",
            Self::Cfs => "cfs",
        }
    }

    /// The kind `wanted`, else the first that this kernel can do.
    ///
    /// # Errors
    /// What it lacks, and what to do about it.
    pub fn of_this_kernel(wanted: Option<Self>) -> Result<Self> {
        let no_sched_ext = match (check_sched_ext(), wanted) {
            (Ok(()), None | Some(Self::Ext)) => return Ok(Self::Ext),
            (Err(error), Some(Self::Ext)) => return Err(error),
            (Err(error), None) => Some(error),
            (_, Some(Self::Cfs)) => None,
        };
        match (missing_hook()?, no_sched_ext) {
            (None, _) => Ok(Self::Cfs),
            (Some(hook), None) => bail!(
                "this kernel ({}) has no hook {hook} in CFS, which '--engine cfs' needs: boot \
                 one built with {HOOKS_FROM}",
                kernel_release()
            ),
            (Some(_), Some(no_sched_ext)) => bail!(
                "{no_sched_ext}; nor has it our hooks in CFS, which an older one gets by \
                 {HOOKS_FROM}"
            ),
        }
    }
}

/// The first of the hooks that the kernel has not.
fn missing_hook() -> Result<Option<&'static str>> {
    let btf = Btf::from_vmlinux().context("cannot read the kernel's type information")?;
    Ok(HOOKS
        .into_iter()
        .find(|hook| btf.type_by_name::<types::Func>(hook).is_none()))
}
