// SPDX-License-Identifier: GPL-2.0-only
//! Who is which function: rules applied to cgroups and processes, and the
//! kernel side told.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use log::{debug, info, warn};
use scx_alps::identify::{CgroupIdentity, FunctionName, Identity, Registry, Rules, Source};
use scx_alps::invocation::FunctionId;

use super::cgroups::{self, Found};
use super::file::read_text;
use super::process::{self, Process};
use crate::engine::{Assignment, Identification, Notice};

/// Larger files hold no rules.
const MAX_RULES_BYTES: u64 = 4 << 20;

/// A cgroup that is known.
struct Cgroup {
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
    registry: Registry,
    cgroups: HashMap<u64, Cgroup>,
    warned_full: bool,
    warned_refused: bool,
}

impl Directory {
    /// Read the rules, if there are any; they must be right at start.
    pub fn new(rules_file: Option<PathBuf>) -> Result<Self> {
        let rules = match &rules_file {
            Some(file) => read_rules(file)?,
            None => Rules::default(),
        };
        Ok(Self::with_rules(cgroups::mount_point()?, rules_file, rules))
    }

    fn with_rules(mount: PathBuf, rules_file: Option<PathBuf>, rules: Rules) -> Self {
        Self {
            mount,
            rules_file,
            rules,
            registry: Registry::new(FunctionId::CAPACITY),
            cgroups: HashMap::new(),
            warned_full: false,
            warned_refused: false,
        }
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The slot for a function learned in an earlier life.
    pub fn restore(&mut self, name: &FunctionName, source: Source) -> Option<FunctionId> {
        self.registry.assign(name, source)
    }

    /// Tell the kernel side of everything there is now.
    pub fn map_all(&mut self, kernel: &mut impl Identification) -> Result<()> {
        let found = cgroups::walk(&self.mount)?;
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
        Ok(())
    }

    /// Read the rules again; a file that is wrong changes nothing.
    pub fn reload(&mut self, kernel: &mut impl Identification) {
        let Some(file) = self.rules_file.clone() else {
            info!("no rules to reload: started without --functions");
            return;
        };
        let reloaded = read_rules(&file).and_then(|rules| {
            let old = std::mem::replace(&mut self.rules, rules);
            self.map_all(kernel).inspect_err(|_| self.rules = old)
        });
        match reloaded {
            Ok(()) => info!("rules reloaded from {}", file.display()),
            Err(error) => warn!("the old rules stay in force: {error:#}"),
        }
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
        let identity = self.rules.of_cgroup(path);
        let per_process = matches!(identity, CgroupIdentity::PerProcess { .. });
        let identity = identity.without_facts().clone();
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
            identity,
            per_process,
            place,
        };
        self.cgroups.insert(id, known);
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
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use anyhow::bail;
    use tempfile::TempDir;

    use super::*;

    /// The kernel side as a test sees it.
    #[derive(Default)]
    struct Fake {
        cgroups: HashMap<u64, Option<FunctionId>>,
        refuses: bool,
    }

    impl Identification for Fake {
        fn map_cgroup(&mut self, id: u64, function: Option<FunctionId>) -> Result<()> {
            if self.refuses {
                bail!("the map is full");
            }
            self.cgroups.insert(id, function);
            Ok(())
        }

        fn unmap_cgroup(&mut self, id: u64) {
            self.cgroups.remove(&id);
        }

        fn assign_process(&mut self, _: u32, _: Assignment) -> Result<()> {
            Ok(())
        }

        fn void_assignments(&mut self) {}

        fn reidentify(&mut self) {}

        fn notice_execs(&mut self, _: bool) {}
    }

    /// A directory over a tree that looks like one of cgroups.
    struct World {
        tree: TempDir,
        directory: Directory,
        kernel: Fake,
    }

    impl World {
        fn new(rules: &str) -> Self {
            let tree = tempfile::tempdir().unwrap();
            let rules = Rules::parse(rules, "f.toml").unwrap();
            let directory = Directory::with_rules(tree.path().to_owned(), None, rules);
            Self {
                tree,
                directory,
                kernel: Fake::default(),
            }
        }

        fn cgroup(&self, path: &str, procs: &str) -> u64 {
            let directory = self.tree.path().join(path);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("cgroup.procs"), procs).unwrap();
            fs::metadata(directory).unwrap().ino()
        }

        fn map_all(&mut self) {
            self.directory.map_all(&mut self.kernel).unwrap();
        }

        fn created(&mut self, id: u64, path: &str) {
            let path = path.to_owned();
            let notices = vec![Notice::CgroupCreated { id, path }];
            self.directory.heed(&mut self.kernel, notices);
        }

        fn names(&self) -> Vec<String> {
            let registry = self.directory.registry();
            registry
                .iter()
                .map(|(_, name, _)| name.to_string())
                .collect()
        }
    }

    #[test]
    fn only_cgroups_with_processes_have_slots() {
        let mut world = World::new("");
        let inner = world.cgroup("pods", "");
        let leaf = world.cgroup("pods/one", "17\n");
        world.map_all();
        assert_eq!(world.names(), ["pods/one"]);
        assert!(world.kernel.cgroups.contains_key(&leaf));
        assert!(!world.kernel.cgroups.contains_key(&inner));
    }

    #[test]
    fn a_new_container_of_a_known_function_is_known_at_once() {
        let mut world = World::new("[[function]]\ncgroup = '/{name}-*'\n");
        let first = world.cgroup("resize-1", "17\n");
        world.map_all();
        world.created(1001, "/resize-2");
        world.created(1002, "/crop-1");
        let known = |id| world.kernel.cgroups.get(&id);
        assert_eq!(known(1001), known(first));
        assert_eq!(known(1002), None);
        assert_eq!(world.names(), ["resize"]);
    }

    #[test]
    fn what_ended_before_its_cgroup_was_known_counts_for_it() {
        let mut world = World::new("[[function]]\ncgroup = '/host'\ngeneric = true\n");
        world.map_all();
        world.created(1001, "/fresh");
        world.created(1002, "/host");
        let function_of =
            |world: &mut World, id| world.directory.function_of(&mut world.kernel, id);
        let fresh = function_of(&mut world, 1001).unwrap();
        assert_ne!(fresh, FunctionId::PRIOR);
        assert_eq!(world.kernel.cgroups[&1001], Some(fresh));
        assert_eq!(function_of(&mut world, 1002), None);
        assert_eq!(function_of(&mut world, 1003), Some(FunctionId::PRIOR));

        // Gone in the same round as it came, it is still known by the time.
        let removed = vec![Notice::CgroupRemoved { id: 1001 }];
        let removed = world.directory.heed(&mut world.kernel, removed);
        assert_eq!(function_of(&mut world, 1001), Some(fresh));
        world.directory.bury(&mut world.kernel, removed);
        assert_eq!(function_of(&mut world, 1001), Some(FunctionId::PRIOR));
    }

    #[test]
    fn lost_notices_are_made_up_for() {
        let mut world = World::new("");
        let gone = world.cgroup("gone", "1\n");
        world.map_all();
        fs::remove_dir_all(world.tree.path().join("gone")).unwrap();
        let missed = world.cgroup("missed", "1\n");
        // The file system may give the number of what is gone to what is new.
        world.directory.reconcile(&mut world.kernel);
        assert!(world.kernel.cgroups.contains_key(&missed));
        assert!(gone == missed || !world.kernel.cgroups.contains_key(&gone));
    }

    #[test]
    fn who_shares_the_prior_gets_a_slot_that_becomes_free() {
        let mut world = World::new("");
        world.directory.registry = Registry::new(2);
        let first = world.cgroup("first", "1\n");
        world.map_all();
        let second = world.cgroup("second", "2\n");
        world.directory.reconcile(&mut world.kernel);
        assert_eq!(world.kernel.cgroups[&second], Some(FunctionId::PRIOR));

        let slot = world.kernel.cgroups[&first];
        world.directory.bury(&mut world.kernel, vec![first]);
        fs::remove_dir_all(world.tree.path().join("first")).unwrap();
        let released = world.directory.collect(&HashSet::new());
        assert_eq!(released.len(), 1);
        assert_eq!(released[0].0, slot.unwrap());
        world.directory.reconcile(&mut world.kernel);
        assert_eq!(world.kernel.cgroups[&second], slot);
    }

    #[test]
    fn a_function_that_is_needed_keeps_its_slot() {
        let mut world = World::new("");
        let name = FunctionName::new("resize");
        let function = world.directory.restore(&name, Source::Comm).unwrap();
        assert!(
            world
                .directory
                .collect(&HashSet::from([function]))
                .is_empty()
        );
        assert_eq!(world.directory.collect(&HashSet::new()), [(function, name)]);
    }

    #[test]
    fn a_kernel_that_refuses_is_lived_with() {
        let mut world = World::new("");
        world.kernel.refuses = true;
        world.cgroup("one", "1\n");
        world.map_all();
        world.directory.reconcile(&mut world.kernel);
        assert_eq!(world.names(), ["one"]);
        assert!(world.directory.warned_refused);
    }
}
