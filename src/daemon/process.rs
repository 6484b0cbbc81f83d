// SPDX-License-Identifier: GPL-2.0-only
//! What `/proc` says of a process, for rules that look at processes.

use std::fs::{self, File};
use std::io::Read;

use scx_alps::identify::{ENVIRON_BYTES, FACT_BYTES, ProcessFacts};

/// The facts of one process, read once.
pub struct Process {
    cgroup: String,
    comm: Vec<u8>,
    cmdline: Vec<u8>,
    environ: Vec<u8>,
}

impl Process {
    /// Read what can be read; a process that is gone has no facts.
    pub fn read(pid: u32) -> Self {
        let file = |name: &str, most: usize| {
            let mut bytes = Vec::new();
            if let Ok(file) = File::open(format!("/proc/{pid}/{name}")) {
                // Half a fact is what an exiting process leaves.
                let _ = file.take(most as u64).read_to_end(&mut bytes);
            }
            bytes
        };
        Self {
            cgroup: cgroup_path(pid).unwrap_or_default(),
            comm: file("comm", 64),
            cmdline: file("cmdline", FACT_BYTES),
            environ: file("environ", ENVIRON_BYTES),
        }
    }

    pub fn facts(&self) -> ProcessFacts<'_> {
        ProcessFacts {
            cgroup: &self.cgroup,
            comm: &self.comm,
            cmdline: &self.cmdline,
            environ: &self.environ,
        }
    }
}

/// The process's path in the v2 hierarchy.
pub fn cgroup_path(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(path.strip_suffix(" (deleted)").unwrap_or(path).to_owned())
}

/// All processes there are now.
pub fn all() -> Vec<u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
