// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's log, from some moment on.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};

use crate::proc;

/// Marks of a kernel in trouble.
const TROUBLE: &[&str] = &[
    "WARNING:",
    "BUG",
    "Oops",
    "Call Trace",
    "stall",
    "lockup",
    "blocked for more than",
    "general protection",
    "Unable to handle",
    "unable to handle",
    "scheduling while atomic",
    "runtime error",
    "Out of memory",
];

/// What sched_ext says when all is well.
const USUAL: &[&str] = &["enabled", "disabled (unregistered"];

/// What a kernel says at length and is no trouble.
struct Harmless {
    /// How the releases begin that say it.
    kernels: &'static str,
    /// What its first line has.
    first: &'static [&'static str],
    /// What its last line has.
    last: &'static str,
}

const HARMLESS: [Harmless; 2] = [
    // Where a wake-up that was dispatched from select_cpu is called off, the
    // next dispatch of that task meets what was left behind, says so and goes on.
    Harmless {
        kernels: "6.18.",
        first: &["WARNING:", "scx_dsq_insert_commit"],
        last: "end trace",
    },
    // A function that is at its own limit; the machine's ends otherwise.
    Harmless {
        kernels: "",
        first: &["invoked oom-killer"],
        last: "Memory cgroup out of memory",
    },
];

/// What belongs to such a report, and would be trouble elsewhere.
const IN_REPORTS: &[&str] = &["WARNING:", "Call Trace"];

pub struct KernelLog {
    file: File,
}

impl KernelLog {
    /// The log from now on.
    pub fn from_now() -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")
            .context("cannot open the kernel's log")?;
        file.seek(SeekFrom::End(0))
            .context("cannot skip the kernel's log")?;
        Ok(Self { file })
    }

    /// The lines since then that tell of trouble.
    pub fn trouble(mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut record = [0; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(0) => break,
                Ok(length) => lines.push(text(&record[..length])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // The log was faster than we are.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {
                    lines.push("BUG in the test: part of the kernel's log was overwritten".into());
                }
                Err(error) => return Err(error).context("cannot read the kernel's log"),
            }
        }
        let lines = without_harmless(lines, &proc::kernel_release()?);
        Ok(with_context(&lines))
    }
}

/// The message of a record, which reads `6,339,5140900,-;message`.
fn text(record: &[u8]) -> String {
    let record = String::from_utf8_lossy(record);
    let line = record.lines().next().unwrap_or_default();
    line.split_once(';')
        .map_or(line, |(_, message)| message)
        .to_owned()
}

fn is_trouble(line: &str) -> bool {
    TROUBLE.iter().any(|mark| line.contains(mark))
        || line.contains("sched_ext:") && !USUAL.iter().any(|usual| line.contains(usual))
}

fn without_harmless(lines: Vec<String>, release: &str) -> Vec<String> {
    let mut kept = Vec::new();
    // Where in `kept` a report begins that is none if it ends so.
    let mut report: Option<(usize, &str)> = None;
    for line in lines {
        if report.is_none() {
            let known = HARMLESS.iter().find(|harmless| {
                release.starts_with(harmless.kernels)
                    && harmless.first.iter().all(|mark| line.contains(mark))
            });
            report = known.map(|harmless| (kept.len(), harmless.last));
        }
        let ended = report.filter(|(_, last)| line.contains(last));
        kept.push(line);
        if let Some((begin, _)) = ended {
            let within = kept.split_off(begin);
            kept.extend(within.into_iter().filter(|line| {
                is_trouble(line) && !IN_REPORTS.iter().any(|mark| line.contains(mark))
            }));
            report = None;
        }
    }
    kept
}

/// All from the first troubling line on, which the others explain.
fn with_context(lines: &[String]) -> Vec<String> {
    const MOST: usize = 60;
    lines
        .iter()
        .skip_while(|line| !is_trouble(line))
        .take(MOST)
        .cloned()
        .collect()
}
