// SPDX-License-Identifier: GPL-2.0-only
//! A cgroup for each function, with its limits; gone again when the worker
//! ends.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use scx_alps::platform::WORKER_MARK;

use super::limits::Limits;
use crate::bench::cgroups::mount_point;

/// How long killed processes may take to be gone.
const REMOVAL: Duration = Duration::from_secs(5);

/// How often a cgroup is looked at for processes that are to be killed.
const MOST_ROUNDS: usize = 64;

/// Where the functions' cgroups are.
pub struct Cgroups {
    dir: PathBuf,
    /// What of it this worker has made, outermost first.
    made: Vec<PathBuf>,
    /// Held as long as the worker lives.
    _lock: File,
    /// Whether the kernel is to be fair between functions.
    cpu: bool,
    memory: bool,
    pids: bool,
}

/// A function's cgroup.
pub struct Leaf {
    dir: PathBuf,
    opened: File,
    /// Whether its memory is limited.
    pub memory: bool,
}

impl Cgroups {
    /// Makes the cgroup `path`, relative to the root of all cgroups, and
    /// removes what a killed worker has left in it. With `cpu` the cpu controller
    /// is turned on for the functions.
    ///
    /// # Errors
    /// Without cgroup v2 or the right to change it, and when another worker
    /// has it.
    pub fn create(path: &Path, cpu: bool) -> Result<Self> {
        let is_name = |c: Component| matches!(c, Component::Normal(_));
        ensure!(
            path.components().count() > 0 && path.components().all(is_name),
            "the cgroup '{}' must be a path below the root of all cgroups, such as platform/worker",
            path.display()
        );
        let root = mount_point(&fs::read_to_string("/proc/self/mountinfo")?)
            .context("cgroup v2 is not mounted (mount -t cgroup2 …)")?;
        let mut dir = root.clone();
        let mut made = Vec::new();
        let mut ancestors = vec![root];
        for component in path.components() {
            dir.push(component);
            match fs::create_dir(&dir) {
                Ok(()) => made.push(dir.clone()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("cannot create the cgroup {}", dir.display()));
                }
            }
            ancestors.push(dir.clone());
        }
        let opened = File::open(&dir)?;
        if opened.try_lock().is_err() {
            bail!(
                "another worker has the cgroup {}; pass another --cgroup",
                dir.display()
            );
        }
        remove_below(&dir)?;
        // Before there is any function, so that none is seen without it.
        if let Err(error) = xattr::set(&dir, WORKER_MARK, b"") {
            eprintln!(
                "note: functions will be called after their cgroups: cannot mark {}: {error}",
                dir.display()
            );
        }
        let mut cgroups = Self {
            dir,
            made,
            _lock: opened,
            cpu,
            memory: true,
            pids: true,
        };
        for cgroup in &ancestors {
            if cpu {
                turn_on(cgroup, "cpu");
            }
            cgroups.memory &= turn_on(cgroup, "memory");
            cgroups.pids &= turn_on(cgroup, "pids");
        }
        Ok(cgroups)
    }

    /// What cannot be limited here.
    pub fn missing(&self) -> Vec<&'static str> {
        let controllers = [("memory", self.memory), ("pids", self.pids)];
        let missing = controllers.into_iter().filter(|(_, there)| !there);
        missing.map(|(name, _)| name).collect()
    }

    /// The cgroup of a worker's function, with its limits.
    ///
    /// # Errors
    /// When it cannot be made or limited.
    pub fn leaf(&self, worker: &str, function: &str, limits: &Limits) -> Result<Leaf> {
        let parent = self.dir.join(worker);
        let dir = parent.join(function);
        let context = || format!("cannot create the cgroup {}", dir.display());
        fs::create_dir_all(&parent).with_context(context)?;
        let controllers = [
            ("cpu", self.cpu),
            ("memory", self.memory),
            ("pids", self.pids),
        ];
        for (controller, _) in controllers.into_iter().filter(|(_, wanted)| *wanted) {
            turn_on(&parent, controller);
        }
        fs::create_dir_all(&dir).with_context(context)?;
        let limit = |file: &str, value: u64| {
            let file = dir.join(file);
            fs::write(&file, value.to_string())
                .with_context(|| format!("cannot write {value} to {}", file.display()))
        };
        if self.memory {
            limit("memory.max", limits.memory_bytes)?;
            // Not there without swap.
            let _ = fs::write(dir.join("memory.swap.max"), "0");
        }
        if self.pids {
            limit("pids.max", limits.processes)?;
        }
        Ok(Leaf {
            opened: File::open(&dir).with_context(context)?,
            dir,
            memory: self.memory,
        })
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        // What is left behind is removed by the next worker.
        let _ = remove_below(&self.dir);
        let _ = xattr::remove(&self.dir, WORKER_MARK);
        for dir in self.made.iter().rev() {
            let _ = fs::remove_dir(dir);
        }
    }
}

impl Leaf {
    /// Its directory, opened.
    pub fn fd(&self) -> RawFd {
        self.opened.as_raw_fd()
    }

    /// How many processes are in it.
    pub fn processes(&self) -> usize {
        pids(&self.dir).len()
    }

    /// Kills all its processes, and leaves it fit for others.
    pub fn kill(&self) {
        kill(&self.dir);
    }

    /// How many of its processes were killed for want of memory.
    pub fn killed_for_memory(&self) -> u64 {
        let text = fs::read_to_string(self.dir.join("memory.events")).unwrap_or_default();
        let mut lines = text.lines();
        let killed = lines.find_map(|line| line.strip_prefix("oom_kill "));
        killed.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// Gives a cgroup's children a controller; whether they have it.
fn turn_on(cgroup: &Path, controller: &str) -> bool {
    let file = cgroup.join("cgroup.subtree_control");
    let has = || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.split_whitespace().any(|name| name == controller)
    };
    has() || fs::write(&file, format!("+{controller}")).is_ok()
}

/// The processes in a cgroup that have not ended.
fn pids(cgroup: &Path) -> Vec<libc::pid_t> {
    let text = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let pids = text.lines().filter_map(|line| line.parse().ok());
    // One that this namespace has no number for is shown as 0.
    pids.filter(|&pid| pid > 0).collect()
}

/// Kills all in a cgroup, and leaves it fit for others.
///
/// Not by `cgroup.kill`: kernels that count its uses (`kill_seq`, since 6.14
/// and in stable ones) take every later birth into the cgroup for one that
/// raced with it, where `CLONE_INTO_CGROUP` is used, and kill the newborn.
fn kill(cgroup: &Path) {
    // Who is frozen forks no more, and can still be killed.
    let freeze = |state: &str| fs::write(cgroup.join("cgroup.freeze"), state);
    let _ = freeze("1");
    let mut killed = HashSet::new();
    for _ in 0..MOST_ROUNDS {
        let before = killed.len();
        for pid in pids(cgroup) {
            // SAFETY: changes no memory.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            killed.insert(pid);
        }
        if killed.len() == before {
            break;
        }
    }
    let _ = freeze("0");
}

/// Removes all cgroups below `dir`, and kills what is in them.
fn remove_below(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let child = entry.path();
        remove_below(&child)?;
        kill(&child);
        let deadline = Instant::now() + REMOVAL;
        loop {
            match fs::remove_dir(&child) {
                Err(error)
                    if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < deadline =>
                {
                    thread::sleep(Duration::from_millis(5));
                }
                result => {
                    break result.with_context(|| {
                        format!("cannot remove the old cgroup {}", child.display())
                    })?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_outside_is_refused() {
        for path in ["/abs", "../up", ""] {
            assert!(Cgroups::create(Path::new(path), true).is_err());
        }
    }
}
