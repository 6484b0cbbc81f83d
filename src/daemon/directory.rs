// SPDX-License-Identifier: GPL-2.0-only
//! Who is which function: rules applied to cgroups and processes, and the
//! kernel side told.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use log::{debug, info, warn};
use scx_alps::identify::{CgroupIdentity, FunctionName, Identity, Registry, Rules, Source};
use scx_alps::invocation::FunctionId;

use super::cgroups;
use super::process::{self, Process};
use crate::engine::{Engine, Notice};

/// A cgroup that is known.
struct Cgroup {
    /// `None`: its tasks get the generic treatment.
    function: Option<FunctionId>,
    per_process: bool,
}

/// The functions there are, and what makes a task belong to one.
pub struct Directory {
    mount: PathBuf,
    rules_file: Option<PathBuf>,
    rules: Rules,
    registry: Registry,
    cgroups: HashMap<u64, Cgroup>,
    warned_full: bool,
}

impl Directory {
    /// Read the rules, if there are any; they must be right at start.
    pub fn new(rules_file: Option<PathBuf>) -> Result<Self> {
        let rules = match &rules_file {
            Some(file) => read_rules(file)?,
            None => Rules::default(),
        };
        Ok(Self {
            mount: cgroups::mount_point()?,
            rules_file,
            rules,
            registry: Registry::new(FunctionId::CAPACITY),
            cgroups: HashMap::new(),
            warned_full: false,
        })
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The slot for a function learned in an earlier life.
    pub fn restore(&mut self, name: &FunctionName, source: Source) -> Option<FunctionId> {
        self.registry.assign(name, source)
    }

    /// Tell the kernel side of everything there is now.
    pub fn map_all(&mut self, engine: &mut Engine<'_>) -> Result<()> {
        engine.notice_execs(self.rules.wants_process_facts());
        self.cgroups.clear();
        for (id, path) in cgroups::walk(&self.mount)? {
            self.map_cgroup(engine, id, path)?;
        }
        engine.reidentify();
        if self.rules.wants_process_facts() {
            for pid in process::all() {
                self.assign_process(engine, pid)?;
            }
        }
        Ok(())
    }

    /// Read the rules again; a file that is wrong changes nothing.
    pub fn reload(&mut self, engine: &mut Engine<'_>) -> Result<()> {
        let Some(file) = self.rules_file.clone() else {
            info!("no rules to reload: started without --functions");
            return Ok(());
        };
        match read_rules(&file) {
            Ok(rules) => {
                self.rules = rules;
                self.map_all(engine)?;
                info!("rules reloaded from {}", file.display());
            }
            Err(error) => warn!("the old rules stay in force: {error:#}"),
        }
        Ok(())
    }

    /// Act on what the kernel side noticed.
    pub fn heed(&mut self, engine: &mut Engine<'_>, notices: Vec<Notice>) -> Result<()> {
        let mut changed = false;
        for notice in notices {
            match notice {
                Notice::CgroupCreated { id, path } if !path.is_empty() => {
                    self.map_cgroup(engine, id, path)?;
                    changed = true;
                }
                Notice::CgroupCreated { .. } => {}
                Notice::CgroupRemoved { id } => {
                    self.cgroups.remove(&id);
                    engine.unmap_cgroup(id);
                }
                Notice::Exec { pid, cgroup_id } => {
                    if self.is_per_process(cgroup_id) {
                        self.assign_process(engine, pid)?;
                    }
                }
            }
        }
        if changed {
            engine.reidentify();
        }
        Ok(())
    }

    /// A live process of an unknown cgroup: its notice was lost, or the
    /// cgroup is older than the daemon and was missed.
    pub fn discover(&mut self, engine: &mut Engine<'_>, cgroup_id: u64, pid: u32) -> Result<()> {
        if self.cgroups.contains_key(&cgroup_id) {
            return Ok(());
        }
        if let Some(path) = process::cgroup_path(pid) {
            debug!("cgroup {cgroup_id} found late: {path}");
            self.map_cgroup(engine, cgroup_id, path)?;
            engine.reidentify();
        }
        Ok(())
    }

    /// Give back the slots of functions that no cgroup maps to and that are
    /// not among the `learned`.
    pub fn collect(&mut self, learned: &HashSet<FunctionId>) -> Vec<(FunctionId, FunctionName)> {
        let used: HashSet<FunctionId> = self
            .cgroups
            .values()
            .filter_map(|cgroup| cgroup.function)
            .collect();
        let unused: Vec<FunctionId> = self
            .registry
            .iter()
            .map(|(function, _, _)| function)
            .filter(|function| !used.contains(function) && !learned.contains(function))
            .collect();
        unused
            .into_iter()
            .filter_map(|function| Some((function, self.registry.release(function)?)))
            .collect()
    }

    fn is_per_process(&self, cgroup_id: u64) -> bool {
        self.cgroups
            .get(&cgroup_id)
            .is_none_or(|cgroup| cgroup.per_process)
    }

    fn map_cgroup(&mut self, engine: &mut Engine<'_>, id: u64, path: String) -> Result<()> {
        let identity = self.rules.of_cgroup(&path);
        let function = self.slot(identity.without_facts());
        engine.map_cgroup(id, function)?;
        let per_process = matches!(identity, CgroupIdentity::PerProcess { .. });
        debug!("cgroup {id} is {path}: {function:?}");
        let known = Cgroup {
            function,
            per_process,
        };
        self.cgroups.insert(id, known);
        Ok(())
    }

    fn assign_process(&mut self, engine: &mut Engine<'_>, pid: u32) -> Result<()> {
        let process = Process::read(pid);
        let facts = process.facts();
        if facts.cmdline.is_empty() {
            return Ok(());
        }
        let function = self.slot(&self.rules.of_process(&facts));
        engine.assign_process(pid, function)
    }

    /// The function's slot. With all slots taken a new function shares the prior's.
    fn slot(&mut self, identity: &Identity) -> Option<FunctionId> {
        let Identity::Function { name, source } = identity else {
            return None;
        };
        let slot = self.registry.assign(name, *source);
        if slot.is_none() && !self.warned_full {
            warn!(
                "all {} functions' slots are taken; new ones are treated alike until some are \
                 forgotten",
                FunctionId::CAPACITY - 1
            );
            self.warned_full = true;
        }
        Some(slot.unwrap_or(FunctionId::PRIOR))
    }
}

fn read_rules(file: &Path) -> Result<Rules> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the rules in {}", file.display()))?;
    Ok(Rules::parse(&text, &file.to_string_lossy())?)
}
