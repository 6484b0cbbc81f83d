// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel says of sched_ext.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::wait;

const STATE: &str = "/sys/kernel/sched_ext/state";
const PINS: &str = "/sys/fs/bpf";

/// Whether the kernel has it.
pub fn is_there() -> bool {
    Path::new(STATE).exists()
}

/// `enabled`, `disabled`, or on the way there; disabled, too, without sched_ext.
pub fn state() -> String {
    if !is_there() {
        return "disabled".to_owned();
    }
    let state = fs::read_to_string(STATE).unwrap_or_else(|error| error.to_string());
    state.trim().to_owned()
}

pub fn await_state(wanted: &str, limit: Duration) -> Result<()> {
    wait::until(&format!("sched_ext to be {wanted}"), limit, || {
        Ok(state() == wanted)
    })
}

/// What is pinned in the BPF file system.
pub fn pins() -> Vec<String> {
    let mut found = Vec::new();
    collect(Path::new(PINS), &mut found);
    found
}

fn collect(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        found.push(entry.path().display().to_string());
        collect(&entry.path(), found);
    }
}

/// How often any scheduler was attached since boot.
pub fn times_enabled() -> Result<u64> {
    let text = fs::read_to_string("/sys/kernel/sched_ext/enable_seq")?;
    Ok(text.trim().parse()?)
}
