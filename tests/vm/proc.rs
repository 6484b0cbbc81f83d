// SPDX-License-Identifier: GPL-2.0-only
//! What `/proc` says of processes.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

fn read(pid: i32, file: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}"))
        .with_context(|| format!("cannot read {file} of process {pid}"))
}

/// The kernel's version, such as `6.18.15`.
pub fn kernel_release() -> Result<String> {
    fs::read_to_string("/proc/sys/kernel/osrelease").context("cannot read the kernel's release")
}

/// The fields of `stat` after the command's name, from field 3 on.
fn stat(pid: i32) -> Result<Vec<String>> {
    let text = read(pid, "stat")?;
    let (_, fields) = text.rsplit_once(')').context("stat has no name")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

/// The CPU it runs on or ran on last.
pub fn last_cpu(pid: i32) -> Result<usize> {
    let fields = stat(pid)?;
    let field = fields.get(36).context("stat has no CPU")?;
    field.parse().context("stat's CPU is no number")
}

/// CPU time of its first thread.
pub fn cpu(pid: i32) -> Result<Duration> {
    let text = read(pid, "schedstat")?;
    let ns = text
        .split_whitespace()
        .next()
        .context("schedstat is empty")?;
    Ok(Duration::from_nanos(
        ns.parse().context("schedstat is no number")?,
    ))
}

/// Page faults of all its threads.
pub fn page_faults(pid: i32) -> Result<u64> {
    let fields = stat(pid)?;
    let count = |place: usize| {
        fields
            .get(place)
            .and_then(|field| field.parse::<u64>().ok())
    };
    let (minor, major) = (count(7), count(9));
    Ok(minor.context("no minor faults")? + major.context("no major faults")?)
}

/// Resident memory in KiB.
pub fn resident_kib(pid: i32) -> Result<u64> {
    let text = read(pid, "status")?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .with_context(|| format!("process {pid} has no VmRSS"))
}

/// Whether sched_ext schedules it.
pub fn is_on_ext(pid: i32) -> Result<bool> {
    let text = read(pid, "sched")?;
    let line = text
        .lines()
        .find(|line| line.starts_with("ext.enabled"))
        .context("/proc/PID/sched has no line ext.enabled")?;
    Ok(line.trim_end().ends_with('1'))
}

/// All processes but kernel threads and zombies, as pairs of id and command.
pub fn all() -> Vec<(i32, String)> {
    const PF_KTHREAD: u64 = 0x0020_0000;
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| {
            let fields = stat(pid).unwrap_or_default();
            let flags = fields.get(6).and_then(|flags| flags.parse().ok());
            fields.first().is_some_and(|state| state != "Z")
                && flags.is_some_and(|flags: u64| flags & PF_KTHREAD == 0)
        })
        .map(|pid| (pid, read(pid, "comm").unwrap_or_default().trim().to_owned()))
        .collect()
}
