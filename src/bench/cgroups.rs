// SPDX-License-Identifier: GPL-2.0-only
//! Cgroups for the workers, gone again when dropped.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::ValueEnum;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Serialize;

use super::say::say;

/// How functions are laid out in cgroups. It makes the baseline: with the cpu
/// controller on, the kernel is fair between functions, else between
/// processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A cgroup for each function, the cpu controller on: fair between functions
    PerFunction,
    /// A cgroup for each function, the cpu controller off: fair between processes
    Flat,
    /// One cgroup for all functions, which ALPS can then not tell apart
    Plain,
}

impl Layout {
    /// As it is named on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Layout::PerFunction => "per-function",
            Layout::Flat => "flat",
            Layout::Plain => "plain",
        }
    }

    /// What it means, for whoever reads the figures.
    pub fn meaning(self) -> &'static str {
        match self {
            Layout::PerFunction => "a cgroup a function, cpu controller on",
            Layout::Flat => "a cgroup a function, cpu controller off",
            Layout::Plain => "one cgroup for all",
        }
    }
}

/// How long the last processes of a cgroup may take to be gone.
const REMOVAL: Duration = Duration::from_secs(5);

/// The workers' cgroups.
pub struct Cgroups {
    /// Opened directories; none: workers stay where the measurement runs.
    leaves: Vec<File>,
    /// What to undo, in the order of doing.
    undo: Vec<Undo>,
}

enum Undo {
    Directory(PathBuf),
    /// The cpu controller, turned on for this cgroup's children.
    CpuController(PathBuf),
}

impl Cgroups {
    /// Creates the layout below the cgroup `parent`, a path relative to where
    /// cgroup v2 is mounted that does not exist yet.
    ///
    /// # Errors
    /// Without cgroup v2 or the right to change it; only for
    /// [`Layout::Plain`] does it do without.
    pub fn create(layout: Layout, parent: &Path, functions: &[String]) -> Result<Self> {
        let is_name = |c: Component| matches!(c, Component::Normal(_));
        ensure!(
            parent.components().count() > 0 && parent.components().all(is_name),
            "the cgroup '{}' must be a path below the root of all cgroups, such as bench/load",
            parent.display()
        );
        raise_file_limit();
        let mut cgroups = Self {
            leaves: Vec::new(),
            undo: Vec::new(),
        };
        match cgroups.build(layout, parent, functions) {
            Err(error) if layout == Layout::Plain => {
                say(format_args!(
                    "the workers get no cgroup of their own: {error:#}"
                ));
                Ok(Self {
                    leaves: Vec::new(),
                    undo: Vec::new(),
                })
            }
            Err(error) => Err(error.context(format!(
                "the layout {} needs cgroups; run as root on a system with cgroup v2, \
                 or pass --layout plain",
                layout.name()
            ))),
            Ok(()) => Ok(cgroups),
        }
    }

    /// The directory a function's workers are born in.
    pub fn of(&self, function: u32) -> Option<RawFd> {
        let leaf = self.leaves.get(function as usize).or(self.leaves.last())?;
        Some(leaf.as_raw_fd())
    }

    fn build(&mut self, layout: Layout, parent: &Path, functions: &[String]) -> Result<()> {
        let root = mount_point(&fs::read_to_string("/proc/self/mountinfo")?)
            .ok_or_else(|| anyhow!("cgroup v2 is not mounted (mount -t cgroup2 …)"))?;

        let mut dir = root;
        let mut ancestors = Vec::new();
        for component in parent.components() {
            ancestors.push(dir.clone());
            dir.push(component);
            if !dir.is_dir() {
                self.make(&dir)?;
            } else if dir.ends_with(parent) {
                remove_leftovers(&dir)?;
                self.make(&dir)?;
            }
        }
        if layout == Layout::PerFunction {
            for cgroup in ancestors.iter().chain([&dir]) {
                self.turn_on_cpu(cgroup)?;
            }
        }
        match layout {
            Layout::Plain => self.leaves.push(open(&dir)?),
            Layout::PerFunction | Layout::Flat => {
                for name in functions {
                    let leaf = dir.join(name);
                    self.make(&leaf)?;
                    self.leaves.push(open(&leaf)?);
                }
            }
        }
        Ok(())
    }

    fn make(&mut self, dir: &Path) -> Result<()> {
        fs::create_dir(dir)
            .with_context(|| format!("cannot create the cgroup {}", dir.display()))?;
        self.undo.push(Undo::Directory(dir.into()));
        Ok(())
    }

    /// Gives the children of a cgroup the cpu controller.
    fn turn_on_cpu(&mut self, cgroup: &Path) -> Result<()> {
        let has_cpu = |file: &str| -> Result<bool> {
            let file = cgroup.join(file);
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Ok(text.split_whitespace().any(|name| name == "cpu"))
        };
        if has_cpu("cgroup.subtree_control")? {
            return Ok(());
        }
        if !has_cpu("cgroup.controllers")? {
            bail!(
                "{} has no cpu controller (taken by cgroup v1, or not given by the parent)",
                cgroup.display()
            );
        }
        fs::write(cgroup.join("cgroup.subtree_control"), "+cpu").with_context(|| {
            format!(
                "cannot turn the cpu controller on in {} (it must hold no processes itself)",
                cgroup.display()
            )
        })?;
        self.undo.push(Undo::CpuController(cgroup.into()));
        Ok(())
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        self.leaves.clear();
        while let Some(step) = self.undo.pop() {
            match step {
                Undo::Directory(dir) => {
                    if let Err(error) = remove(&dir) {
                        say(format_args!(
                            "the cgroup {} is left behind: {error}",
                            dir.display()
                        ));
                    }
                }
                // Whoever came to need it meanwhile keeps it.
                Undo::CpuController(cgroup) => {
                    if fs::write(cgroup.join("cgroup.subtree_control"), "-cpu").is_err() {
                        say(format_args!(
                            "{} keeps the cpu controller on",
                            cgroup.display()
                        ));
                    }
                }
            }
        }
    }
}

/// A directory stays open for each function.
pub fn raise_file_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // Where it stays low, the first open file too many is told of.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

fn open(dir: &Path) -> Result<File> {
    File::open(dir).with_context(|| format!("cannot open the cgroup {}", dir.display()))
}

/// Removes a cgroup and waits for its last processes to be gone.
fn remove(dir: &Path) -> io::Result<()> {
    let deadline = Instant::now() + REMOVAL;
    loop {
        match fs::remove_dir(dir) {
            Err(error)
                if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

/// Removes what a killed measurement could not.
fn remove_leftovers(dir: &Path) -> Result<()> {
    let remove = |dir: &Path| {
        fs::remove_dir(dir).with_context(|| {
            format!(
                "the cgroup {} exists and is in use; is another measurement running? \
                 (pass another --cgroup)",
                dir.display()
            )
        })
    };
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    remove(dir)
}

/// Where cgroup v2 is mounted, from the text of `/proc/self/mountinfo`.
pub fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        filesystem.starts_with("cgroup2 ").then_some(())?;
        mount.split(' ').nth(4).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_point_is_the_unified_hierarchy() {
        let hybrid = "\
29 28 0:25 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
38 28 0:34 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
";
        assert_eq!(mount_point(hybrid), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount_point("garbage\n1 2 - cgroup2"), None);
    }

    #[test]
    fn a_parent_outside_is_refused() {
        for parent in ["/abs", "../up", ""] {
            assert!(Cgroups::create(Layout::Flat, Path::new(parent), &[]).is_err());
        }
    }
}
