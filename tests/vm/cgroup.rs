// SPDX-License-Identifier: GPL-2.0-only
//! A function's cgroup.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::wait;

pub const ROOT: &str = "/sys/fs/cgroup";

/// A cgroup; dropping it kills what is in it and removes it.
pub struct Cgroup {
    /// Below the mount point; functions are named so.
    name: String,
    path: PathBuf,
    directory: File,
    /// The topmost directory that was made for it.
    made: PathBuf,
}

impl Cgroup {
    /// Make the cgroup `name`, such as `resize` or `shop/resize-1`.
    pub fn new(name: &str) -> Result<Self> {
        let path = Path::new(ROOT).join(name);
        let made = path
            .ancestors()
            .take_while(|ancestor| !ancestor.exists())
            .last()
            .unwrap_or(&path)
            .to_owned();
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        let directory = File::open(&path).with_context(|| format!("cannot open {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            path,
            directory,
            made,
        })
    }

    /// One that somebody else made; with it goes what is in it.
    pub fn existing(name: &str) -> Result<Self> {
        let path = Path::new(ROOT).join(name);
        ensure!(path.is_dir(), "expected a cgroup {name}");
        Self::new(name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// For `clone3`.
    pub fn descriptor(&self) -> RawFd {
        self.directory.as_raw_fd()
    }

    /// Set one of its controls, such as `cpu.weight`.
    pub fn set(&self, control: &str, value: &str) -> Result<()> {
        fs::write(self.path.join(control), value)
            .with_context(|| format!("cannot set {control} of {} to {value}", self.name))
    }

    /// CPU time of all that ran in it.
    pub fn cpu(&self) -> Result<Duration> {
        let text = fs::read_to_string(self.path.join("cpu.stat"))
            .with_context(|| format!("cannot read cpu.stat of {}", self.name))?;
        let usage = text
            .lines()
            .find_map(|line| line.strip_prefix("usage_usec "))
            .context("cpu.stat has no usage")?;
        let usage_us = usage.parse().context("cpu.stat's usage is no number")?;
        Ok(Duration::from_micros(usage_us))
    }

    /// Move a process here.
    pub fn take(&self, pid: i32) -> Result<()> {
        self.set("cgroup.procs", &pid.to_string())
    }

    /// Kill everything in it and remove it.
    pub fn remove(path: &Path) -> Result<()> {
        let _ = fs::write(path.join("cgroup.kill"), "1");
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                Self::remove(&entry.path())?;
            }
        }
        let what = format!("{} to be empty", path.display());
        wait::until(&what, Duration::from_secs(10), || {
            Ok(!path.exists() || fs::remove_dir(path).is_ok())
        })
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // What cannot be removed is found by who looks for leftovers.
        let _ = Self::remove(&self.made);
    }
}
