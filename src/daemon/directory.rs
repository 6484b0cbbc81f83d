// SPDX-License-Identifier: GPL-2.0-only
//! Who is which function: rules applied to cgroups and processes, and the
//! kernel side told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use log::{debug, info, warn};
use scx_alps::identify::{CgroupIdentity, FunctionName, Identity, Registry, Rules, Source};
use scx_alps::invocation::FunctionId;

use super::cgroups::{self, Found};
use super::file::read_text;
use super::platform::{Answer, Platform};
use super::process::{self, Process};
use crate::control::Recognised;
use crate::engine::{Assignment, Identification, Notice};

/// Larger files hold no rules.
const MAX_RULES_BYTES: u64 = 4 << 20;

/// A cgroup that is known.
struct Cgroup {
    path: String,
    /// What its name was taken from, in words, where the platform told.
    from: Option<String>,
    /// What its tasks are of which nothing else is known.
    identity: Identity,
    per_process: bool,
    place: Place,
}

/// What the kernel side knows a cgroup's tasks as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing yet: no process was seen in it, and its function has no slot.
    Awaited,
    /// In no function.
    Generic,
    /// No slot was free: they are treated as the prior says.
    Shared,
    Slot(FunctionId),
}

/// The functions there are, and what makes a task belong to one.
pub struct Directory {
    mount: PathBuf,
    rules_file: Option<PathBuf>,
    rules: Rules,
    platform: Platform,
    registry: Registry,
    cgroups: HashMap<u64, Cgroup>,
    warned_full: bool,
    warned_refused: bool,
}

impl Directory {
    /// Read the rules, if there are any; they must be right at start. So must
    /// be the folder of OpenLambda's workers, though not each of them.
    pub fn new(rules_file: Option<PathBuf>, openlambda: Option<&Path>) -> Result<Self> {
        let rules = match &rules_file {
            Some(file) => read_rules(file)?,
            None => Rules::default(),
        };
        let mount = cgroups::mount_point()?;
        let platform = Platform::new(&mount, openlambda)?;
        Ok(Self::with_rules(mount, rules_file, rules, platform))
    }

    fn with_rules(
        mount: PathBuf,
        rules_file: Option<PathBuf>,
        rules: Rules,
        platform: Platform,
    ) -> Self {
        Self {
            mount,
            rules_file,
            rules,
            platform,
            registry: Registry::new(FunctionId::CAPACITY),
            cgroups: HashMap::new(),
            warned_full: false,
            warned_refused: false,
        }
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// All functions that are known, by name; and what each was taken from.
    pub fn recognised(&self) -> Vec<Recognised> {
        let mut rows: BTreeMap<(FunctionName, Source), Recognised> = BTreeMap::new();
        for (_, name, source) in self.registry.iter() {
            rows.entry((name.clone(), source))
                .or_insert_with(|| Recognised::new(name, source));
        }
        for cgroup in self.cgroups.values() {
            let Identity::Function { name, source } = &cgroup.identity else {
                continue;
            };
            if cgroup.place == Place::Awaited {
                continue;
            }
            let row = rows
                .entry((name.clone(), *source))
                .or_insert_with(|| Recognised::new(name, *source));
            row.cgroups += 1;
            // The least of all, so that it is the same the next time.
            for (least, this) in [
                (&mut row.cgroup, Some(&cgroup.path)),
                (&mut row.from, cgroup.from.as_ref()),
            ] {
                if let Some(this) = this
                    && (least.is_empty() || this < least)
                {
                    least.clone_from(this);
                }
            }
        }
        rows.into_values().collect()
    }

    /// The slot for a function learned in an earlier life.
    pub fn restore(&mut self, name: &FunctionName, source: Source) -> Option<FunctionId> {
        self.registry.assign(name, source)
    }

    /// Tell the kernel side of everything there is now.
    pub fn map_all(&mut self, kernel: &mut impl Identification) -> Result<()> {
        let begin = Instant::now();
        let found = cgroups::walk(&self.mount)?;
        let count = found.len();
        kernel.notice_execs(self.rules.wants_process_facts());
        kernel.void_assignments();
        let before = std::mem::take(&mut self.cgroups);
        for Found {
            id,
            path,
            populated,
        } in found
        {
            self.add(kernel, id, &path, populated);
        }
        for (id, _) in before {
            if self.place(id).is_none_or(|place| place == Place::Awaited) {
                kernel.unmap_cgroup(id);
            }
        }
        self.assign_all(kernel);
        kernel.reidentify();
        info!(
            "{count} cgroups and {} functions recognised in {:.1} ms",
            self.registry.len(),
            begin.elapsed().as_secs_f64() * 1e3
        );
        Ok(())
    }

    /// Read the rules again, if there are any, and ask the platform about
    /// everything; a file that is wrong changes nothing.
    pub fn reload(&mut self, kernel: &mut impl Identification) {
        let rules = match &self.rules_file {
            Some(file) => read_rules(file),
            None => Ok(self.rules.clone()),
        };
        let reloaded = rules.and_then(|rules| {
            let old = std::mem::replace(&mut self.rules, rules);
            self.map_all(kernel).inspect_err(|_| self.rules = old)
        });
        match (reloaded, &self.rules_file) {
            (Ok(()), Some(file)) => info!("rules reloaded from {}", file.display()),
            (Ok(()), None) => info!("the platform was asked again; there are no rules to reload"),
            (Err(error), _) => warn!("the old rules stay in force: {error:#}"),
        }
    }

    /// Changes to OpenLambda's workers, to be waited for.
    pub fn changes(&self) -> Option<BorrowedFd<'_>> {
        self.platform.changes()
    }

    /// When to [ask again](Self::ask_again).
    pub fn next_question(&self) -> Option<Instant> {
        self.platform.next_question()
    }

    /// Take in what has changed about OpenLambda's workers, and ask once more
    /// about containers that were not yet told of.
    pub fn ask_again(&mut self, kernel: &mut impl Identification) {
        if self.platform.take_changes() {
            // The kernel side is told as after a change of the rules.
            let mapped = self.map_all(kernel);
            self.tell(mapped);
            return;
        }
        let mut changed = false;
        for id in self.platform.take_due() {
            changed |= self.look_again(kernel, id);
        }
        if changed {
            kernel.reidentify();
        }
    }

    /// Whether a cgroup is known as another now.
    fn look_again(&mut self, kernel: &mut impl Identification, id: u64) -> bool {
        let Some(Cgroup { path, identity, .. }) = self.cgroups.get(&id) else {
            return false;
        };
        let (path, before) = (path.clone(), identity.clone());
        let (after, from) = self.identify(id, &path);
        let changed = *after.without_facts() != before;
        if changed {
            let populated = self.place(id) != Some(Place::Awaited);
            self.put(kernel, id, &path, populated, after, from);
        }
        changed
    }

    /// Act on what the kernel side noticed. The cgroups that are gone are
    /// handed back, to be [buried](Self::bury) when what they did is told.
    pub fn heed(&mut self, kernel: &mut impl Identification, notices: Vec<Notice>) -> Vec<u64> {
        let mut removed = Vec::new();
        let mut changed = false;
        for notice in notices {
            match notice {
                Notice::CgroupCreated { id, path } => {
                    if !path.is_empty() && !self.cgroups.contains_key(&id) {
                        self.add(kernel, id, &path, false);
                        changed = true;
                    }
                }
                Notice::CgroupRemoved { id } => removed.push(id),
                Notice::ProcessChanged { pid, cgroup_id } => {
                    let per_process = self
                        .cgroups
                        .get(&cgroup_id)
                        .is_none_or(|cgroup| cgroup.per_process);
                    if per_process {
                        self.assign(kernel, pid);
                    } else {
                        self.tell(kernel.assign_process(pid, Assignment::ByCgroup));
                    }
                }
            }
        }
        if changed {
            kernel.reidentify();
        }
        removed
    }

    /// Forget cgroups that are gone.
    pub fn bury(&mut self, kernel: &mut impl Identification, removed: Vec<u64>) {
        for id in removed {
            self.cgroups.remove(&id);
            self.platform.forget(id);
            kernel.unmap_cgroup(id);
        }
    }

    /// A live process of a cgroup that the kernel side does not know: it is
    /// the first in it, or the cgroup's notice was lost.
    pub fn discover(&mut self, kernel: &mut impl Identification, cgroup_id: u64, pid: u32) {
        match self.place(cgroup_id) {
            Some(Place::Awaited) => self.settle(kernel, cgroup_id),
            Some(_) => return,
            None => {
                let Some(path) = process::cgroup_path(pid) else {
                    return;
                };
                debug!("cgroup {cgroup_id} found late: {path}");
                self.add(kernel, cgroup_id, &path, true);
            }
        }
        kernel.reidentify();
    }

    /// The function of an invocation that has ended in a cgroup before the
    /// kernel side knew it; `None`: it was in no function.
    pub fn function_of(
        &mut self,
        kernel: &mut impl Identification,
        cgroup_id: u64,
    ) -> Option<FunctionId> {
        if self.place(cgroup_id) == Some(Place::Awaited) {
            self.settle(kernel, cgroup_id);
            kernel.reidentify();
        }
        match self.place(cgroup_id) {
            Some(Place::Slot(function)) => Some(function),
            Some(Place::Generic) => None,
            Some(Place::Awaited | Place::Shared) | None => Some(FunctionId::PRIOR),
        }
    }

    /// Give back the slots of functions that no cgroup maps to and that are
    /// not `needed` for another reason.
    pub fn collect(&mut self, needed: &HashSet<FunctionId>) -> Vec<(FunctionId, FunctionName)> {
        let used: HashSet<FunctionId> = self
            .cgroups
            .values()
            .filter_map(|cgroup| match cgroup.place {
                Place::Slot(function) => Some(function),
                _ => None,
            })
            .collect();
        let unused: Vec<FunctionId> = self
            .registry
            .iter()
            .map(|(function, _, _)| function)
            .filter(|function| !used.contains(function) && !needed.contains(function))
            .collect();
        self.warned_full &= unused.is_empty();
        unused
            .into_iter()
            .filter_map(|function| Some((function, self.registry.release(function)?)))
            .collect()
    }

    /// Make up for notices that were lost, and give slots that have become
    /// free to those which share the prior's.
    pub fn reconcile(&mut self, kernel: &mut impl Identification) {
        let found = match cgroups::walk(&self.mount) {
            Ok(found) => found,
            Err(error) => return self.tell(Err(error)),
        };
        let present: HashSet<u64> = found.iter().map(|cgroup| cgroup.id).collect();
        let gone = self.cgroups.keys().filter(|id| !present.contains(id));
        let gone: Vec<u64> = gone.copied().collect();
        self.bury(kernel, gone);
        self.platform.ask_all_again();
        self.ask_again(kernel);
        for Found {
            id,
            path,
            populated,
        } in found
        {
            match self.place(id) {
                None => self.add(kernel, id, &path, populated),
                Some(Place::Awaited | Place::Shared) if populated => self.settle(kernel, id),
                Some(_) => {}
            }
        }
        self.assign_all(kernel);
        kernel.reidentify();
    }

    fn place(&self, id: u64) -> Option<Place> {
        self.cgroups.get(&id).map(|cgroup| cgroup.place)
    }

    /// Get to know a cgroup. One that is empty gets no slot of its own yet,
    /// for many never hold a process; but it is known at once as a function
    /// that has one already.
    fn add(&mut self, kernel: &mut impl Identification, id: u64, path: &str, populated: bool) {
        let (identity, from) = self.identify(id, path);
        self.put(kernel, id, path, populated, identity, from);
    }

    fn put(
        &mut self,
        kernel: &mut impl Identification,
        id: u64,
        path: &str,
        populated: bool,
        identity: CgroupIdentity,
        from: Option<String>,
    ) {
        let per_process = matches!(identity, CgroupIdentity::PerProcess { .. });
        let identity = identity.without_facts().clone();
        // A container is made to be used.
        let populated = populated || from.is_some();
        let place = match &identity {
            Identity::Generic => Place::Generic,
            Identity::Function { name, source } if !populated => self
                .registry
                .find(name, *source)
                .map_or(Place::Awaited, Place::Slot),
            Identity::Function { name, source } => self.slot(name, *source),
        };
        debug!("cgroup {id} is {path}: {identity}, {place:?}");
        self.map(kernel, id, place);
        let known = Cgroup {
            path: path.to_owned(),
            from,
            identity,
            per_process,
            place,
        };
        self.cgroups.insert(id, known);
    }

    /// What a cgroup is by the rules or by what the platform tells, and what
    /// that was taken from in words where it was the platform.
    fn identify(&mut self, id: u64, path: &str) -> (CgroupIdentity, Option<String>) {
        let mut from = None;
        let (rules, platform) = (&self.rules, &mut self.platform);
        let keys = rules.label_keys();
        let identity = rules.of_cgroup_or(path, || {
            Some(match platform.tell(id, path, keys)? {
                Answer::Named {
                    identity,
                    from: source,
                } => {
                    from = Some(source);
                    identity
                }
                // What is within a container is what the container is.
                Answer::PartOf(cgroup) => rules.of_cgroup(&cgroup).without_facts().clone(),
            })
        });
        (identity, from)
    }

    /// Give a cgroup with processes in it its function's slot.
    fn settle(&mut self, kernel: &mut impl Identification, id: u64) {
        let Some(Cgroup { identity, .. }) = self.cgroups.get(&id) else {
            return;
        };
        let place = match identity.clone() {
            Identity::Generic => Place::Generic,
            Identity::Function { name, source } => self.slot(&name, source),
        };
        self.map(kernel, id, place);
        if let Some(cgroup) = self.cgroups.get_mut(&id) {
            cgroup.place = place;
        }
    }

    fn map(&mut self, kernel: &mut impl Identification, id: u64, place: Place) {
        let function = match place {
            Place::Awaited => return,
            Place::Generic => None,
            Place::Shared => Some(FunctionId::PRIOR),
            Place::Slot(function) => Some(function),
        };
        self.tell(kernel.map_cgroup(id, function));
    }

    /// Where there are rules on processes, ask each process.
    fn assign_all(&mut self, kernel: &mut impl Identification) {
        if self.rules.wants_process_facts() {
            for pid in process::all() {
                self.assign(kernel, pid);
            }
        }
    }

    fn assign(&mut self, kernel: &mut impl Identification, pid: u32) {
        let process = Process::read(pid);
        let facts = process.facts();
        // A kernel thread, or a process that is gone.
        if facts.cmdline.is_empty() {
            return;
        }
        let assignment = self.assignment(self.rules.by_process(&facts));
        self.tell(kernel.assign_process(pid, assignment));
    }

    fn assignment(&mut self, identity: Option<Identity>) -> Assignment {
        match identity {
            None => Assignment::ByCgroup,
            Some(Identity::Generic) => Assignment::Generic,
            Some(Identity::Function { name, source }) => match self.slot(&name, source) {
                Place::Slot(function) => Assignment::Function(function),
                _ => Assignment::ByCgroup,
            },
        }
    }

    /// The function's slot. With all slots taken a new function shares the prior's.
    fn slot(&mut self, name: &FunctionName, source: Source) -> Place {
        if let Some(function) = self.registry.assign(name, source) {
            return Place::Slot(function);
        }
        if !self.warned_full {
            warn!(
                "all {} functions' slots are taken; new ones are treated alike until some are \
                 forgotten",
                FunctionId::CAPACITY - 1
            );
            self.warned_full = true;
        }
        Place::Shared
    }

    /// What the kernel side refuses is told once: without it tasks are treated
    /// as those of an unknown function, which is no reason to give up.
    fn tell(&mut self, result: Result<()>) {
        if let Err(error) = result
            && !self.warned_refused
        {
            warn!("some tasks are treated as of an unknown function: {error:#}");
            self.warned_refused = true;
        }
    }
}

fn read_rules(file: &Path) -> Result<Rules> {
    let text = read_text(file, MAX_RULES_BYTES)?
        .with_context(|| format!("cannot read {}: there is no such file", file.display()))?;
    Ok(Rules::parse(&text, &file.to_string_lossy())?)
}

#[cfg(test)]
mod tests;
