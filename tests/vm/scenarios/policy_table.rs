// SPDX-License-Identifier: GPL-2.0-only
//! Anybody with bpftool can read what is enforced, by name.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

const MAP: &str = "/sys/fs/bpf/scx_alps/policy";

/// The table has thousands of slots; the first tell enough.
const READ: usize = 64 << 10;

pub const SCENARIO: Scenario = Scenario {
    name: "policy-table",
    title: "the policy table read with bpftool, field by field",
    machine: Machine::Parallel,
    limit: Duration::from_secs(60),
    run,
};

fn run(_: &Report) -> Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut dump = Command::new("bpftool")
        .args(["map", "dump", "pinned", MAP])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run bpftool")?;
    let mut text = vec![0; READ];
    let read = dump
        .stdout
        .take()
        .context("no output")?
        .read_exact(&mut text);
    let _ = dump.kill();
    dump.wait()?;
    let text = String::from_utf8_lossy(&text);
    read.with_context(|| format!("expected a long table and saw {text}"))?;
    for field in ["bias_ns", "slice_ns", "predicted_ns", "rank", "samples"] {
        ensure!(
            text.contains(&format!("\"{field}\":")),
            "expected the field {field} in the table and saw {}…",
            &text[..4096]
        );
    }
    daemon.stop()
}
