// SPDX-License-Identifier: GPL-2.0-only
//! What a scenario must not leave behind.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cgroup::{self, Cgroup};
use crate::{cpus, proc, sched_ext, wait};

/// How the machine was before a scenario.
pub struct Before {
    processes: HashSet<i32>,
    cgroups: HashSet<PathBuf>,
    online: String,
}

impl Before {
    pub fn look() -> Self {
        Self {
            processes: proc::all().into_iter().map(|(pid, _)| pid).collect(),
            cgroups: cgroups(Path::new(cgroup::ROOT)).into_iter().collect(),
            online: cpus::online(),
        }
    }

    /// What is there now and was not before, in words; it is removed, too.
    pub fn tidy_up(&self) -> Vec<String> {
        let mut found = Vec::new();
        // Who has been killed may need a moment.
        let _ = wait::until("nobody left", Duration::from_secs(3), || {
            Ok(proc::all()
                .iter()
                .all(|(pid, _)| self.processes.contains(pid)))
        });
        for (pid, command) in proc::all() {
            if !self.processes.contains(&pid) {
                found.push(format!("process {pid} ({command})"));
                // SAFETY: a process that was not there before the scenario is the scenario's.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        }
        for path in cgroups(Path::new(cgroup::ROOT)) {
            if !self.cgroups.contains(&path) {
                found.push(format!("cgroup {}", path.display()));
                let _ = Cgroup::remove(&path);
            }
        }
        if sched_ext::await_state("disabled", Duration::from_secs(5)).is_err() {
            found.push(format!("sched_ext {}", sched_ext::state()));
        }
        for pin in sched_ext::pins().into_iter().rev() {
            let _ = fs::remove_file(&pin).or_else(|_| fs::remove_dir(&pin));
            found.push(format!("pinned {pin}"));
        }
        let online = cpus::online();
        if online != self.online {
            found.push(format!("CPUs {online} online instead of {}", self.online));
            for cpu in 1..64 {
                let _ = cpus::set_online(cpu, true);
            }
        }
        found
    }
}

fn cgroups(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}
