// SPDX-License-Identifier: GPL-2.0-only
//! The workers there are, and which function a sandbox of theirs runs.

use std::collections::HashMap;

use super::config::WorkerConfig;
use super::error::ConfigError;

/// The most workers that are looked at.
pub const MAX_WORKERS: usize = 4096;

/// A worker whose function is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    pub function_name: String,
    /// Its configuration, for people.
    pub file: String,
}

/// Workers by what tells their sandboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workers {
    workers: Vec<Worker>,
    /// By the cgroup of the sandboxes' cgroups, without the `/` before it.
    pools: HashMap<String, usize>,
    /// By `worker_dir`.
    directories: HashMap<String, usize>,
}

impl Workers {
    /// Workers from their configurations, each with its file's name; and what
    /// is wrong between them. A worker that disagrees with one before it is
    /// left out, so its sandboxes are in no function that could be another's.
    pub fn new(
        configs: impl IntoIterator<Item = (String, WorkerConfig)>,
    ) -> (Self, Vec<ConfigError>) {
        let mut workers = Self::default();
        let mut errors = Vec::new();
        let mut uids: HashMap<u64, (String, String)> = HashMap::new();
        let mut ports: HashMap<u16, String> = HashMap::new();
        for (file, config) in configs {
            let refuse = |field, what: String, advice| ConfigError::new(&file, field, what, advice);
            if let Some(port) = config.worker_port
                && let Some(other) = ports.insert(port, file.clone())
            {
                errors.push(refuse(
                    "worker_port",
                    format!("{port} is the port of {other}, too"),
                    "give each worker a port of its own",
                ));
            }
            let Some(name) = config.function_name else {
                continue;
            };
            if let Some(uid) = config.seal_priority {
                match uids.get(&uid) {
                    Some((other, of)) if *other != name => {
                        errors.push(refuse(
                            "seal_priority",
                            format!("{uid} is the UID of '{other}' in {of}, and of '{name}' here"),
                            "give each function a UID of its own; until then this worker is passed over",
                        ));
                        continue;
                    }
                    _ => drop(uids.insert(uid, (name.clone(), file.clone()))),
                }
            }
            let Some(directory) = config.worker_dir else {
                errors.push(refuse(
                    "worker_dir",
                    "there is none, so the worker's sandboxes cannot be told".to_owned(),
                    "write the folder of the worker's files",
                ));
                continue;
            };
            let directory = directory.trim_end_matches('/').to_owned();
            let pool = pool(&directory);
            let other = pool
                .as_ref()
                .and_then(|pool| workers.pools.get(pool))
                .or_else(|| workers.directories.get(&directory));
            if let Some(&other) = other {
                let other = &workers.workers[other].file;
                errors.push(refuse(
                    "worker_dir",
                    format!("the sandboxes of {other} are in the same cgroup"),
                    "name the folders that hold the workers' folders differently; until then \
                     this worker is passed over",
                ));
                continue;
            }
            let number = workers.workers.len();
            workers.workers.push(Worker {
                function_name: name,
                file,
            });
            workers.directories.insert(directory, number);
            if let Some(pool) = pool {
                workers.pools.insert(pool, number);
            }
        }
        (workers, errors)
    }

    /// The worker of a SOCK sandbox, by the cgroup it or its processes are in:
    /// `/POOL/cg-N`.
    pub fn of_cgroup(&self, path: &str) -> Option<&Worker> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let (pool, sandbox) = (segments.next()?, segments.next()?);
        sandbox.strip_prefix("cg-")?;
        self.workers.get(*self.pools.get(pool)?)
    }

    /// The worker that has this `worker_dir`.
    pub fn of_directory(&self, directory: &str) -> Option<&Worker> {
        let number = self.directories.get(directory.trim_end_matches('/'))?;
        self.workers.get(*number)
    }

    pub fn len(&self) -> usize {
        self.workers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn of_one(file: &str, directory: &str, function: &str) -> Self {
        let config = WorkerConfig {
            worker_dir: Some(directory.to_owned()),
            function_name: Some(function.to_owned()),
            ..WorkerConfig::default()
        };
        Self::new([(file.to_owned(), config)]).0
    }
}

/// The cgroup that OpenLambda (`go/worker/sandbox/cgroups`) puts a worker's
/// sandboxes' below: called after the folder that holds `worker_dir`.
fn pool(directory: &str) -> Option<String> {
    let (above, _) = directory.rsplit_once('/')?;
    let name = above.rsplit('/').next()?;
    (!name.is_empty()).then(|| format!("{name}-sandboxes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(uid: u64, name: &str, directory: &str, port: u16) -> WorkerConfig {
        WorkerConfig {
            seal_priority: Some(uid),
            function_name: Some(name.to_owned()),
            worker_dir: Some(directory.to_owned()),
            worker_port: Some(port),
            ..WorkerConfig::default()
        }
    }

    fn workers(configs: Vec<WorkerConfig>) -> (Workers, Vec<String>) {
        let files = (1..).map(|n| format!("w{n}/config.json"));
        let (workers, errors) = Workers::new(files.zip(configs));
        let errors = errors.iter().map(ToString::to_string).collect();
        (workers, errors)
    }

    fn of<'a>(workers: &'a Workers, path: &str) -> Option<&'a str> {
        workers.of_cgroup(path).map(|worker| &*worker.function_name)
    }

    #[test]
    fn a_sandboxs_cgroup_tells_the_worker() {
        let (workers, errors) = workers(vec![
            config(1, "fib", "/ol/worker1/worker", 5001),
            config(1, "fib", "/ol/worker2/worker/", 5002),
            config(2, "mst", "/ol/worker3/worker", 5003),
        ]);
        assert_eq!((workers.len(), errors), (3, vec![]));
        assert_eq!(of(&workers, "/worker1-sandboxes/cg-7"), Some("fib"));
        assert_eq!(of(&workers, "/worker2-sandboxes/cg-7/x/y"), Some("fib"));
        assert_eq!(of(&workers, "/worker3-sandboxes/cg-1"), Some("mst"));
        for path in [
            "/worker4-sandboxes/cg-1",
            "/worker1-sandboxes",
            "/worker1-sandboxes/other",
            "/a/worker1-sandboxes/cg-1",
            "/",
            "",
        ] {
            assert_eq!(of(&workers, path), None, "{path}");
        }
        let found = workers.of_directory("/ol/worker2/worker").unwrap();
        assert_eq!(found.file, "w2/config.json");
    }

    #[test]
    fn workers_that_disagree_are_told_of_and_the_first_holds() {
        let (found, errors) = workers(vec![
            config(1, "fib", "/ol/worker1/worker", 5001),
            config(1, "mst", "/ol/worker2/worker", 5001),
            config(3, "bfs", "/other/worker1/worker", 5003),
            WorkerConfig {
                worker_dir: None,
                ..config(4, "x", "", 5004)
            },
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(of(&found, "/worker1-sandboxes/cg-1"), Some("fib"));
        assert_eq!(of(&found, "/worker2-sandboxes/cg-1"), None);
        let expected = [
            "w2/config.json: worker_port: 5001 is the port of w1/config.json",
            "w2/config.json: seal_priority: 1 is the UID of 'fib' in w1/config.json",
            "w3/config.json: worker_dir: the sandboxes of w1/config.json",
            "w4/config.json: worker_dir: there is none",
        ];
        assert_eq!(errors.len(), expected.len(), "{errors:?}");
        for (error, beginning) in errors.iter().zip(expected) {
            assert!(error.starts_with(beginning), "{error}");
        }
    }

    #[test]
    fn a_worker_of_any_function_tells_none() {
        let (workers, errors) = workers(vec![WorkerConfig {
            function_name: None,
            ..config(1, "", "/ol/w/worker", 1)
        }]);
        assert!(workers.is_empty() && errors.is_empty());
    }

    proptest! {
        #[test]
        fn any_workers_and_paths_can_be_asked(
            directories in proptest::collection::vec("/?([a/]{0,6}|\\PC{0,6})", 0..6),
            path in "/?[a/cg-]{0,20}",
        ) {
            let configs = (0..).zip(&directories).map(|(uid, directory)| config(uid, "f", directory, 1));
            let (workers, _) = workers(configs.collect());
            workers.of_cgroup(&path);
            workers.of_directory(&path);
        }
    }
}
