// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel side is told of who is which function.

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags, ProgramInput};
use scx_alps::invocation::FunctionId;

use super::{Engine, intf};

/// What a rule on processes says of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Nothing: its cgroup decides.
    ByCgroup,
    /// In no function, whatever its cgroup.
    Generic,
    Function(FunctionId),
}

/// The kernel side's knowledge of functions.
pub trait Identification {
    /// Say which function a cgroup's tasks are; `None` for no function.
    fn map_cgroup(&mut self, cgroup_id: u64, function: Option<FunctionId>) -> Result<()>;

    /// Forget a cgroup; its tasks have no function that is known.
    fn unmap_cgroup(&mut self, cgroup_id: u64);

    /// Say what one process is. A process that is gone is no error.
    fn assign_process(&mut self, pid: u32, assignment: Assignment) -> Result<()>;

    /// Have all assignments made so far lose their force.
    fn void_assignments(&mut self);

    /// Make running tasks look at the cgroup map again.
    fn reidentify(&mut self);

    /// Have execs and moves between cgroups noticed, for rules that look at processes.
    fn notice_execs(&mut self, wanted: bool);
}

impl Identification for Engine<'_> {
    fn map_cgroup(&mut self, cgroup_id: u64, function: Option<FunctionId>) -> Result<()> {
        let value = slot_or_generic(function);
        self.skel
            .maps
            .cgroup_functions
            .update(
                &cgroup_id.to_ne_bytes(),
                &value.to_ne_bytes(),
                MapFlags::ANY,
            )
            .with_context(|| format!("cannot note the function of cgroup {cgroup_id}"))
    }

    fn unmap_cgroup(&mut self, cgroup_id: u64) {
        // Absent is as good as removed.
        let _ = self
            .skel
            .maps
            .cgroup_functions
            .delete(&cgroup_id.to_ne_bytes());
    }

    fn assign_process(&mut self, pid: u32, assignment: Assignment) -> Result<()> {
        let function = match assignment {
            Assignment::ByCgroup => intf::alps_function_FUNCTION_UNKNOWN,
            Assignment::Generic => slot_or_generic(None),
            Assignment::Function(function) => slot_or_generic(Some(function)),
        };
        let mut args = intf::assignment { pid, function };
        // SAFETY: the slice covers exactly `args`, which outlives the call.
        let context = unsafe {
            std::slice::from_raw_parts_mut(
                std::ptr::from_mut(&mut args).cast::<u8>(),
                size_of::<intf::assignment>(),
            )
        };
        self.skel
            .progs
            .assign_process
            .test_run(ProgramInput {
                context_in: Some(context),
                ..Default::default()
            })
            .with_context(|| format!("cannot assign process {pid} to a function"))?;
        Ok(())
    }

    fn void_assignments(&mut self) {
        self.rules_epoch += 1;
        if let Some(bss) = self.skel.maps.bss_data.as_mut() {
            // SAFETY: an aligned integer that BPF programs read concurrently.
            unsafe { std::ptr::write_volatile(&raw mut bss.rules_epoch, self.rules_epoch) };
        }
    }

    fn reidentify(&mut self) {
        self.generation += 1;
        if let Some(bss) = self.skel.maps.bss_data.as_mut() {
            // SAFETY: an aligned integer that BPF programs read concurrently.
            unsafe { std::ptr::write_volatile(&raw mut bss.function_generation, self.generation) };
        }
    }

    fn notice_execs(&mut self, wanted: bool) {
        if let Some(bss) = self.skel.maps.bss_data.as_mut() {
            bss.notice_execs = wanted;
        }
    }
}

fn slot_or_generic(function: Option<FunctionId>) -> u32 {
    function.map_or(intf::alps_function_FUNCTION_GENERIC, |function| {
        function.slot() as u32
    })
}
