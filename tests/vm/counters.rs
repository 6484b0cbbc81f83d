// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel side counts, read from its pinned map.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

const MAP: &str = "/sys/fs/bpf/scx_alps/counters";

/// All counters by name, summed over CPUs.
pub type Counters = BTreeMap<String, u64>;

pub fn read() -> Result<Counters> {
    let output = Command::new("bpftool")
        .args(["--json", "map", "dump", "pinned", MAP])
        .output()
        .context("cannot run bpftool")?;
    ensure!(
        output.status.success(),
        "expected bpftool to read {MAP}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    let dump: Value = serde_json::from_slice(&output.stdout).context("bpftool wrote no JSON")?;
    let mut sums = Counters::new();
    let per_cpu = dump[0]["formatted"]["values"].as_array();
    for copy in per_cpu.with_context(|| format!("expected a copy for each CPU in {dump}"))? {
        let fields = copy["value"].as_object();
        for (name, value) in fields.with_context(|| format!("expected fields in {copy}"))? {
            *sums.entry(name.clone()).or_default() += value.as_u64().unwrap_or(0);
        }
    }
    Ok(sums)
}
