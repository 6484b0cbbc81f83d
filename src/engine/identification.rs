// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel side is told of who is which function.

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags};
use scx_alps::invocation::FunctionId;

use super::{Engine, Side, intf};

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
        self.parts
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
        let _ = self.parts.cgroup_functions.delete(&cgroup_id.to_ne_bytes());
    }

    fn assign_process(&mut self, pid: u32, assignment: Assignment) -> Result<()> {
        let function = match assignment {
            Assignment::ByCgroup => intf::alps_function_FUNCTION_UNKNOWN,
            Assignment::Generic => slot_or_generic(None),
            Assignment::Function(function) => slot_or_generic(Some(function)),
        };
        match &mut self.side {
            Side::Ext(ext) => ext.assign_process(pid, function),
            Side::Cfs(cfs) => cfs.assign_process(pid, function),
        }
        .with_context(|| format!("cannot assign process {pid} to a function"))
    }

    fn void_assignments(&mut self) {
        self.rules_epoch += 1;
        self.parts.globals.set_rules_epoch(self.rules_epoch);
    }

    fn reidentify(&mut self) {
        self.generation += 1;
        self.parts.globals.set_function_generation(self.generation);
    }

    fn notice_execs(&mut self, wanted: bool) {
        self.parts.globals.set_notice_execs(wanted);
    }
}

fn slot_or_generic(function: Option<FunctionId>) -> u32 {
    function.map_or(intf::alps_function_FUNCTION_GENERIC, |function| {
        function.slot() as u32
    })
}
