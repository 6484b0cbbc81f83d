// SPDX-License-Identifier: GPL-2.0-only
//! Containers of CRI-O and podman, whose bundles are in a storage that both
//! use. CRI-O keeps labels within the bundle's annotations; podman keeps them
//! in a database, and the containers' names in the storage's list too.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

use scx_alps::identify::Labels;
use scx_alps::platform::record::{BundleRecord, PodmanRecord, StorageRecord, labels_within, parse};
use scx_alps::platform::{Container, Pod, bolt, is_id, is_of};

use super::files::{self, Database};

/// The annotation in which CRI-O keeps labels: of a container, or of a pod with
/// its sandbox.
const CRIO_LABELS: &str = "io.kubernetes.cri-o.Labels";

/// The storage's folders are called after what keeps the files.
const DRIVERS: [&str; 4] = ["overlay", "vfs", "btrfs", "zfs"];

/// More names are not kept.
const MAX_NAMES: usize = 65_536;

pub struct Storage {
    /// Where it is kept while the machine is up, and for longer.
    places: [PathBuf; 2],
    podman_database: PathBuf,
    /// Names by ID of each list, as long as the list remains as it was then.
    names: HashMap<PathBuf, (ListState, HashMap<String, String>)>,
}

/// Tells whether a list was written since.
type ListState = (Option<SystemTime>, u64);

impl Storage {
    pub fn new(run: PathBuf, root: PathBuf) -> Self {
        Self {
            podman_database: root.join("libpod/bolt_state.db"),
            places: [run, root],
            names: HashMap::new(),
        }
    }

    pub fn crio(&self, id: &str, cgroup: &str) -> Option<Container> {
        let mut labels = self.annotations(id, Some(cgroup))?;
        let own = labels.get(CRIO_LABELS).map(|text| labels_within(text));
        labels.extend(own.unwrap_or_default());
        let mut pod = Pod::of(&labels);
        if let Some(pod) = &mut pod {
            let sandbox = Pod::sandbox_of(&labels).and_then(|id| self.annotations(id, None));
            let of_sandbox =
                sandbox.and_then(|sandbox| Some(labels_within(sandbox.get(CRIO_LABELS)?)));
            pod.labels = of_sandbox.unwrap_or_default();
        }
        Some(Container {
            runtime: "cri-o",
            labels,
            pod,
            ..Container::default()
        })
    }

    pub fn podman(&mut self, id: &str, cgroup: &str) -> Option<Container> {
        let mut labels = self.annotations(id, Some(cgroup))?;
        let record = self.podman_record(id).unwrap_or_default();
        labels.extend(record.labels);
        let name = if record.name.is_empty() {
            self.name(id)
        } else {
            Some(record.name)
        };
        Some(Container {
            runtime: "podman",
            // One that only holds a pod's namespaces has a name of podman's.
            name: name.filter(|_| !record.is_infra),
            labels,
            ..Container::default()
        })
    }

    /// The annotations of the bundle; `cgroup` is where the container must be.
    fn annotations(&self, id: &str, cgroup: Option<&str>) -> Option<Labels> {
        if !is_id(id) {
            return None;
        }
        let bundle = self.folders().find_map(|folder| {
            files::read::<BundleRecord>(&folder.join(id).join("userdata/config.json"))
        })?;
        let is_there = cgroup.is_none_or(|cgroup| is_of(&bundle.linux.cgroups_path, cgroup));
        is_there.then_some(bundle.annotations)
    }

    fn podman_record(&self, id: &str) -> Option<PodmanRecord> {
        let database = Database::open(&self.podman_database)?;
        let config = bolt::look(&database, |bolt| bolt.value(&["ctr", id], "config"))??;
        parse(&config).ok()
    }

    /// Where the storage has a folder for each container.
    fn folders(&self) -> impl Iterator<Item = PathBuf> {
        self.places
            .iter()
            .flat_map(|place| DRIVERS.map(|driver| place.join(format!("{driver}-containers"))))
    }

    /// A name in a list of the storage's, which is read only when it was written.
    fn name(&mut self, id: &str) -> Option<String> {
        let lists = self.folders().map(|folder| folder.join("containers.json"));
        let lists: Vec<PathBuf> = lists.collect();
        lists.into_iter().find_map(|list| {
            let metadata = list.symlink_metadata().ok()?;
            let state = (metadata.modified().ok(), metadata.len());
            if self.names.get(&list).is_none_or(|(then, _)| *then != state) {
                let records: Vec<StorageRecord> = files::read(&list).unwrap_or_default();
                let names = records.into_iter().take(MAX_NAMES).filter_map(|record| {
                    let name = record.names.into_iter().next()?;
                    Some((record.id, name))
                });
                self.names.insert(list.clone(), (state, names.collect()));
            }
            let (_, names) = self.names.get(&list)?;
            names.get(id).cloned()
        })
    }
}
