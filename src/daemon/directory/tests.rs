// SPDX-License-Identifier: GPL-2.0-only

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
    /// Where runtimes have their files.
    files: TempDir,
    directory: Directory,
    kernel: Fake,
}

impl World {
    fn new(rules: &str) -> Self {
        let tree = tempfile::tempdir().unwrap();
        let rules = Rules::parse(rules, "f.toml").unwrap();
        let files = tempfile::tempdir().unwrap();
        let platform = Platform::below(files.path(), tree.path());
        let directory = Directory::with_rules(tree.path().to_owned(), None, rules, platform);
        Self {
            tree,
            files,
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

impl World {
    /// A container that Docker tells of.
    fn docker(&self, id: char, label: &str) {
        let id = id.to_string().repeat(64);
        let folder = self
            .files
            .path()
            .join("var/lib/docker/containers")
            .join(&id);
        fs::create_dir_all(&folder).unwrap();
        let record = format!(
            r#"{{"ID": "{id}", "Name": "/c", "Config": {{"Labels": {{"faas_function": "{label}"}}}}}}"#
        );
        fs::write(folder.join("config.v2.json"), record).unwrap();
    }

    /// Each function's source and what it was taken from.
    fn recognised(&self) -> Vec<String> {
        let rows = self.directory.recognised().into_iter();
        rows.map(|row| {
            format!(
                "{} {} {} {} {}",
                row.name, row.certainty, row.source, row.cgroups, row.from
            )
        })
        .collect()
    }
}

fn docker_cgroup(id: char) -> String {
    format!("docker/{}", id.to_string().repeat(64))
}

#[test]
fn containers_of_one_function_are_one_unless_a_rule_says_otherwise() {
    let mut world = World::new("[[function]]\ncgroup = '/docker/b{rest}'\nname = 'ruled'");
    for id in ['a', 'b', 'c'] {
        world.docker(id, "fib");
    }
    let first = world.cgroup(&docker_cgroup('a'), "1\n");
    let nested = world.cgroup(&format!("{}/x", docker_cgroup('c')), "2\n");
    let ruled = world.cgroup(&docker_cgroup('b'), "3\n");
    world.map_all();
    assert_eq!(world.kernel.cgroups[&first], world.kernel.cgroups[&nested]);
    assert_ne!(world.kernel.cgroups[&first], world.kernel.cgroups[&ruled]);
    let from = "docker, label faas_function";
    assert_eq!(
        world.recognised(),
        [
            format!("fib declared label 3 {from}"),
            "ruled sure cgroup rule 1 ".to_owned()
        ]
    );
}

#[test]
fn a_container_that_is_told_of_late_is_known_soon_after() {
    let mut world = World::new("");
    world.map_all();
    let path = format!("/{}", docker_cgroup('a'));
    world.created(1001, &path);
    world.created(1002, &format!("{path}/nested"));
    world.created(1003, "/elsewhere");
    assert!(world.recognised().is_empty());
    let due = world.directory.next_question().unwrap();
    let wait = due.saturating_duration_since(Instant::now());
    assert!(wait.as_millis() < 50, "asked again after {wait:?}");
    world.docker('a', "fib");
    std::thread::sleep(wait);
    world.directory.ask_again(&mut world.kernel);
    world.directory.platform.ask_all_again();
    world.directory.ask_again(&mut world.kernel);
    let expected = "fib declared label 2 docker, label faas_function";
    assert_eq!(world.recognised(), [expected]);
    assert_eq!(world.kernel.cgroups[&1001], world.kernel.cgroups[&1002]);
    assert_eq!(world.directory.next_question(), None);
}

#[test]
fn who_never_tells_is_not_asked_for_ever() {
    let mut world = World::new("");
    world.map_all();
    let path = format!("/{}", docker_cgroup('a'));
    world.created(1001, &path);
    let mut asked = 0;
    while world.directory.next_question().is_some() {
        asked += 1;
        assert!(asked < 100, "asked for ever");
        world.directory.platform.ask_all_again();
        world.directory.ask_again(&mut world.kernel);
    }
    // Until lost notices are made up for: the runtime may be there again.
    world.docker('a', "fib");
    world.directory.platform.ask_all_again();
    world.directory.ask_again(&mut world.kernel);
    assert_eq!(world.recognised().len(), 1);
    world.directory.bury(&mut world.kernel, vec![1001]);
    assert_eq!(world.directory.next_question(), None);
}

#[test]
fn what_ended_before_its_cgroup_was_known_counts_for_it() {
    let mut world = World::new("[[function]]\ncgroup = '/host'\ngeneric = true\n");
    world.map_all();
    world.created(1001, "/fresh");
    world.created(1002, "/host");
    let function_of = |world: &mut World, id| world.directory.function_of(&mut world.kernel, id);
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
