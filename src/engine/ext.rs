// SPDX-License-Identifier: GPL-2.0-only
//! Enforcing by sched_ext.

use std::mem::MaybeUninit;

use anyhow::{Context, Result, bail};
use libbpf_rs::{Link, MapHandle, OpenObject, ProgramInput};
use log::warn;
use scx_utils::{UserExitInfo, compat, scx_ops_load, scx_ops_open, uei_read};

use super::skel::ext::{BpfSkel, BpfSkelBuilder};
use super::topology::CacheDomains;
use super::{EngineConfig, Parts, Queueing, attach, intf, parts, requirements};

pub struct Ext<'a> {
    skel: BpfSkel<'a>,
    enforcing: Option<Link>,
    /// Watches wake-ups where our own scheduler does not see them.
    wake_observer: Option<Link>,
    partial: bool,
    /// With the hotplug sequence they were read at.
    domains: Option<(Option<u64>, CacheDomains)>,
    _init_probe: Link,
}

impl<'a> Ext<'a> {
    /// Load the programs and begin to observe.
    pub fn load(
        config: &EngineConfig,
        object: &'a mut MaybeUninit<OpenObject>,
    ) -> Result<(Self, Parts)> {
        let mut builder = BpfSkelBuilder::default();
        builder.obj_builder.debug(config.verbose);
        let open_opts = config.libbpf.clone().into_bpf_open_opts();
        let mut skel = scx_ops_open!(builder, object, alps_ops, open_opts)?;

        let ops = skel.struct_ops.alps_ops_mut();
        ops.exit_dump_len = config.exit_dump_len;
        // The engine attaches many times in its life and looks for CPUs that
        // came or went by itself: see enforce().
        ops.hotplug_seq = 0;
        ops.flags = *compat::SCX_OPS_ENQ_EXITING
            | *compat::SCX_OPS_KEEP_BUILTIN_IDLE
            | *compat::SCX_OPS_ENQ_MIGRATION_DISABLED
            | *compat::SCX_OPS_ALLOW_QUEUED_WAKEUP
            | if config.partial {
                *compat::SCX_OPS_SWITCH_PARTIAL
            } else {
                0
            };

        if compat::ksym_exists("scx_bpf_reenqueue_local___v2")?
            || compat::ksym_exists("scx_bpf_dsq_reenq")?
        {
            ops.cpu_release = std::ptr::null_mut();
        }

        let Some(rodata) = skel.maps.rodata_data.as_mut() else {
            bail!("the BPF object has no read-only data: the build is broken");
        };
        rodata.idle_gap_ns = config.idle_gap.as_nanos() as u64;
        rodata.default_slice_ns = config.default_slice.as_nanos() as u64;
        rodata.max_bias_ns = config.max_bias.as_nanos() as u64;
        rodata.preempt_margin_ns = config.preempt_margin.as_nanos() as u64;
        rodata.grace_enabled = config.grace;
        rodata.told_enabled = config.told;
        rodata.daemon_tgid = std::process::id();
        rodata.queueing = match config.queueing {
            Queueing::Llc => intf::alps_queueing_QUEUE_PER_LLC,
            Queueing::Cpu => intf::alps_queueing_QUEUE_PER_CPU,
        };

        if !config.told {
            // The kernel knows no map without room.
            skel.maps.told.set_max_entries(1)?;
        }

        let mut skel = scx_ops_load!(skel, alps_ops, uei)?;
        let init_probe = attach(&skel.progs.scx_lib_init_probe)?;
        let parts = parts!(skel, &skel.progs.observe_switch);
        let mut ext = Self {
            skel,
            enforcing: None,
            wake_observer: None,
            partial: config.partial,
            domains: None,
            _init_probe: init_probe,
        };
        ext.watch_wakeups()?;
        Ok((ext, parts))
    }

    pub fn is_enforcing(&self) -> bool {
        self.enforcing.is_some()
    }

    /// Nothing to do when already on.
    pub fn enforce(&mut self) -> Result<()> {
        if self.enforcing.is_some() {
            return Ok(());
        }
        // CPUs may come or go while the topology is read and the scheduler
        // attached; then begin again with the new ones.
        for _ in 0..10 {
            requirements::check_no_other_scheduler()?;
            let before = requirements::hotplug_sequence();
            self.write_topology(before)?;
            self.clear_exit();
            let link = self
                .skel
                .maps
                .alps_ops
                .attach_struct_ops()
                .context("the kernel refused the scheduler (dmesg says why)")?;
            if requirements::hotplug_sequence() == before {
                self.enforcing = Some(link);
                if !self.partial {
                    self.wake_observer = None;
                }
                return Ok(());
            }
            warn!("CPUs came or went while the scheduler was attached; attaching again");
        }
        bail!("CPUs come and go too fast to attach the scheduler")
    }

    pub fn release(&mut self) -> Result<()> {
        self.enforcing = None;
        self.watch_wakeups()
    }

    fn watch_wakeups(&mut self) -> Result<()> {
        if self.wake_observer.is_none() {
            self.wake_observer = Some(attach(&self.skel.progs.observe_wakeup)?);
        }
        Ok(())
    }

    /// Why the kernel ended the scheduler, if it did.
    pub fn take_exit(&mut self) -> Result<Option<UserExitInfo>> {
        if self.enforcing.is_none() {
            return Ok(None);
        }
        let exited = self.skel.maps.data_data.as_ref().is_some_and(|data| {
            // SAFETY: the kernel writes it concurrently; a volatile read of an
            // aligned integer sees the old or the new value.
            unsafe { std::ptr::read_volatile(&raw const data.uei.kind) != 0 }
        });
        if !exited {
            return Ok(None);
        }
        self.release()?;
        Ok(Some(uei_read!(&self.skel, uei)))
    }

    fn clear_exit(&mut self) {
        if let Some(data) = self.skel.maps.data_data.as_mut() {
            data.uei.kind = 0;
        }
    }

    /// Reading the topology takes longer than attaching, so it is done only
    /// when CPUs came or went since.
    fn write_topology(&mut self, sequence: Option<u64>) -> Result<()> {
        if matches!(&self.domains, Some((read_at, _)) if *read_at == sequence) {
            return Ok(());
        }
        let (_, domains) = self.domains.insert((sequence, CacheDomains::read()?));
        let (Some(bss), Some(data)) = (
            self.skel.maps.bss_data.as_mut(),
            self.skel.maps.data_data.as_mut(),
        ) else {
            bail!("the BPF object has no data sections: the build is broken");
        };
        for &(cpu, domain) in &domains.cpus {
            if let Some(state) = bss.cpus.get_mut(cpu) {
                state.llc = domain;
            }
        }
        data.nr_llcs = domains.count;
        Ok(())
    }

    pub fn assign_process(&mut self, pid: u32, function: u32) -> Result<()> {
        let mut args = intf::assignment { pid, function };
        // SAFETY: the slice covers exactly `args`, which outlives the call.
        let context = unsafe {
            std::slice::from_raw_parts_mut(
                std::ptr::from_mut(&mut args).cast::<u8>(),
                size_of::<intf::assignment>(),
            )
        };
        self.skel.progs.assign_process.test_run(ProgramInput {
            context_in: Some(context),
            ..Default::default()
        })?;
        Ok(())
    }
}
