// SPDX-License-Identifier: GPL-2.0-only
//! Enforcing by the hooks in CFS: see kernel/README.md.

use std::io::Read;
use std::mem::MaybeUninit;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libbpf_rs::btf::{Btf, BtfKind, BtfType, types};
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Iter, Link, MapHandle, OpenObject};

use super::skel::cfs::{BpfSkel, BpfSkelBuilder};
use super::{EngineConfig, Parts, attach, parts};

/// The largest bias the kernel takes (CFS_BIAS_MAX_USEC in the patches).
const KERNEL_MAX_BIAS: Duration = Duration::from_secs(4);

pub struct Cfs<'a> {
    skel: BpfSkel<'a>,
    /// One for each hook, or none.
    enforcing: Vec<Link>,
    /// Watches wake-ups where the hooks do not.
    wake_observer: Option<Link>,
    assigning: Link,
}

impl<'a> Cfs<'a> {
    /// Load the programs and begin to observe.
    pub fn load(
        config: &EngineConfig,
        object: &'a mut MaybeUninit<OpenObject>,
    ) -> Result<(Self, Parts)> {
        ensure!(
            !config.partial,
            "--partial is about tasks of the policy SCHED_EXT, which the engine 'cfs' knows not: \
             leave it out, or boot a kernel with sched_ext"
        );
        let mut builder = BpfSkelBuilder::default();
        builder.obj_builder.debug(config.verbose);
        let mut skel = match config.libbpf.clone().into_bpf_open_opts() {
            Some(opts) => builder.open_opts(opts, object)?,
            None => builder.open(object)?,
        };
        // Is about sched_ext.
        skel.progs.scx_lib_init_probe.set_autoload(false);
        let is_early = is_state_before_tasks()?;
        skel.progs.observe_switch.set_autoload(!is_early);
        skel.progs.observe_early_switch.set_autoload(is_early);

        let Some(rodata) = skel.maps.rodata_data.as_mut() else {
            bail!("the BPF object has no read-only data: the build is broken");
        };
        rodata.idle_gap_ns = config.idle_gap.as_nanos() as u64;
        rodata.default_slice_ns = config.default_slice.as_nanos() as u64;
        rodata.max_bias_ns = config.max_bias.as_nanos() as u64;
        rodata.preempt_margin_ns = config.preempt_margin.as_nanos() as u64;
        rodata.told_enabled = config.told;
        rodata.daemon_tgid = std::process::id();
        rodata.bias_divisor = bias_divisor(config.max_bias);

        if !config.told {
            // The kernel knows no map without room.
            skel.maps.told.set_max_entries(1)?;
        }

        let mut skel = skel
            .load()
            .context("the kernel refused the BPF programs (--verbose says why)")?;
        let assigning = attach(&skel.progs.assign_process)?;
        let observe_switch = if is_early {
            &skel.progs.observe_early_switch
        } else {
            &skel.progs.observe_switch
        };
        let parts = parts!(skel, observe_switch);
        let mut cfs = Self {
            skel,
            enforcing: Vec::new(),
            wake_observer: None,
            assigning,
        };
        cfs.watch_wakeups()?;
        Ok((cfs, parts))
    }

    pub fn is_enforcing(&self) -> bool {
        !self.enforcing.is_empty()
    }

    /// Nothing to do when already on.
    pub fn enforce(&mut self) -> Result<()> {
        if self.is_enforcing() {
            return Ok(());
        }
        let progs = &self.skel.progs;
        self.enforcing = [
            &progs.bias_entity,
            &progs.preempt_at_tick,
            &progs.preempt_at_wakeup,
        ]
        .into_iter()
        .map(attach)
        .collect::<Result<_>>()
        .context("the kernel has the hooks in CFS, and refuses programs for them")?;
        self.wake_observer = None;
        Ok(())
    }

    pub fn release(&mut self) -> Result<()> {
        // First, or a wake-up in between would be missed.
        self.watch_wakeups()?;
        self.enforcing.clear();
        Ok(())
    }

    fn watch_wakeups(&mut self) -> Result<()> {
        if self.wake_observer.is_none() {
            self.wake_observer = Some(attach(&self.skel.progs.observe_wakeup)?);
        }
        Ok(())
    }

    pub fn assign_process(&mut self, pid: u32, function: u32) -> Result<()> {
        let Some(bss) = self.skel.maps.bss_data.as_mut() else {
            bail!("the BPF object has no data section: the build is broken");
        };
        bss.assigning.pid = pid;
        bss.assigning.function = function;
        let mut nothing = Vec::new();
        Iter::new(&self.assigning)
            .context("cannot start the task iterator")?
            .read_to_end(&mut nothing)
            .context("cannot read the task iterator")?;
        Ok(())
    }
}

/// Whether the kernel tells of a switch in the order that only 5.18 had, before rc7.
fn is_state_before_tasks() -> Result<bool> {
    const TRACEPOINT: &str = "btf_trace_sched_switch";
    let btf = Btf::from_vmlinux().context("cannot read the kernel's type information")?;
    let second = btf
        .type_by_name::<types::Typedef<'_>>(TRACEPOINT)
        .and_then(|pointer| pointer.next_type()?.next_type())
        .and_then(|function| types::FuncProto::try_from(function).ok())
        // Data of the tracepoint's own, and whether it is a preemption.
        .and_then(|function| function.iter().nth(2).map(|parameter| parameter.ty))
        .and_then(|id| btf.type_by_id::<BtfType<'_>>(id))
        .with_context(|| format!("the kernel's type information has no {TRACEPOINT}"))?;
    Ok(second.skip_mods_and_typedefs().kind() != BtfKind::Ptr)
}

/// What makes of the largest bias wanted one that the kernel takes.
fn bias_divisor(max_bias: Duration) -> u64 {
    let max_bias = max_bias.as_nanos();
    max_bias.div_ceil(KERNEL_MAX_BIAS.as_nanos()).max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_bias_is_one_the_kernel_takes() {
        for (seconds, divisor) in [(1, 1), (4, 1), (5, 2), (16, 4), (20, 5)] {
            assert_eq!(bias_divisor(Duration::from_secs(seconds)), divisor);
        }
    }
}
