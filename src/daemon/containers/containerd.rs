// SPDX-License-Identifier: GPL-2.0-only
//! containerd's containers: the bundle, which is there before a container
//! starts, and the labels in containerd's database. A pod's labels are those of
//! its sandbox, and in the database only.

use std::fs;
use std::path::{Path, PathBuf};

use scx_alps::identify::Labels;
use scx_alps::platform::record::BundleRecord;
use scx_alps::platform::{Container, Pod, bolt, is_hex_id, is_id, is_of};

use super::files::{self, Database};

/// Docker's containers have their names and labels with Docker.
const OF_DOCKER: &str = "moby";

/// nerdctl's containers have IDs that nobody chose, and their name here.
const NERDCTL_NAME: &str = "nerdctl/name";

/// More namespaces are not looked through.
const MAX_NAMESPACES: usize = 256;

pub struct Containerd {
    /// A folder for each namespace, in that one for each container.
    bundles: PathBuf,
    database: PathBuf,
}

impl Containerd {
    /// By its `state` and `root` folders.
    pub fn new(state: PathBuf, root: PathBuf) -> Self {
        Self {
            bundles: state.join("io.containerd.runtime.v2.task"),
            database: root.join("io.containerd.metadata.v1.bolt/meta.db"),
        }
    }

    /// A container of a namespace, or of any; `cgroup` is where it must be.
    pub fn read(
        &self,
        namespace: Option<&str>,
        id: &str,
        cgroup: Option<&str>,
    ) -> Option<Container> {
        match namespace {
            Some(namespace) => self.in_namespace(namespace, id, cgroup),
            None => self
                .namespaces()
                .iter()
                .find_map(|namespace| self.in_namespace(namespace, id, cgroup)),
        }
    }

    fn in_namespace(&self, namespace: &str, id: &str, cgroup: Option<&str>) -> Option<Container> {
        if !is_id(namespace) || !is_id(id) || namespace == OF_DOCKER {
            return None;
        }
        let bundle = self.bundles.join(namespace).join(id);
        let BundleRecord { annotations, linux } = files::read(&bundle.join("config.json"))?;
        if cgroup.is_some_and(|cgroup| !is_of(&linux.cgroups_path, cgroup)) {
            return None;
        }
        let mut labels = annotations;
        let sandbox = Pod::sandbox_of(&labels).map(str::to_owned);
        let (own, of_sandbox) = self.labels(namespace, id, sandbox.as_deref());
        labels.extend(own);
        let mut pod = Pod::of(&labels);
        if let Some(pod) = &mut pod {
            pod.labels = of_sandbox;
        }
        let chosen = labels.get(NERDCTL_NAME).map_or(id, String::as_str);
        Some(Container {
            runtime: "containerd",
            namespace: Some(namespace.to_owned()),
            name: (!is_hex_id(chosen)).then(|| chosen.to_owned()),
            labels,
            pod,
        })
    }

    /// The labels of a container and of its pod's sandbox, as the database has
    /// them now.
    fn labels(&self, namespace: &str, id: &str, sandbox: Option<&str>) -> (Labels, Labels) {
        let of = |database: &Database| {
            bolt::look(database, |bolt| {
                let of = |id| texts(bolt.entries(&["v1", namespace, "containers", id, "labels"]));
                (of(id), sandbox.map(of).unwrap_or_default())
            })
        };
        let database = Database::open(&self.database);
        database.as_ref().and_then(of).unwrap_or_default()
    }

    fn namespaces(&self) -> Vec<String> {
        folders(&self.bundles, MAX_NAMESPACES)
    }
}

/// The names of the folders in a folder, at most so many.
pub fn folders(path: &Path, most: usize) -> Vec<String> {
    fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .take(most)
        .collect()
}

fn texts(entries: Vec<(Vec<u8>, Vec<u8>)>) -> Labels {
    entries
        .into_iter()
        .filter_map(|(key, value)| {
            Some((String::from_utf8(key).ok()?, String::from_utf8(value).ok()?))
        })
        .collect()
}
