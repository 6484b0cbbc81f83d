// SPDX-License-Identifier: GPL-2.0-only
//! Containers of runc and crun, which may be in any cgroup and tell of it in
//! their state. The state is written a little after the cgroup is made.
//!
//! The states are known by the cgroup they tell of. A folder of states is
//! listed again only when something was made or removed in it, and a state is
//! read once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use scx_alps::identify::Labels;
use scx_alps::platform::record::{BundleRecord, CrunRecord, RuncRecord};
use scx_alps::platform::{Container, is_hex_id, is_id};

use super::containerd::folders;
use super::files;

/// More states in one folder are not looked at.
const MAX_STATES: usize = 16_384;
const MAX_NAMESPACES: usize = 256;

/// A folder's time may stand still for as long while things are made in it.
const GRAIN: Duration = Duration::from_millis(100);

/// Who knows more of a container.
#[derive(Clone, Debug)]
pub enum Owner {
    Itself(Box<Container>),
    Containerd { namespace: String, id: String },
    Docker { id: String },
}

/// A kind of folder with states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Runc,
    Crun,
    /// runc's states of containerd's containers, by namespace.
    Containerd,
    /// runc's states of Docker's, by namespace.
    Docker,
}

pub struct OciStates {
    folders: Vec<(Kind, PathBuf)>,
    mount: PathBuf,
    /// By folder of states.
    listed: HashMap<PathBuf, Listed>,
    by_cgroup: HashMap<String, Owner>,
}

/// What is known of a folder of states.
#[derive(Default)]
struct Listed {
    modified: Option<SystemTime>,
    /// The cgroup each state tells of.
    read: HashMap<String, String>,
    /// Those that say nothing yet.
    silent: HashSet<String>,
}

impl OciStates {
    pub fn new(root: &Path, mount: &Path) -> Self {
        let folders = [
            (Kind::Runc, "run/runc"),
            (Kind::Crun, "run/crun"),
            (Kind::Containerd, "run/containerd/runc"),
            (Kind::Docker, "run/docker/runtime-runc"),
        ];
        Self {
            folders: folders.map(|(kind, path)| (kind, root.join(path))).to_vec(),
            mount: mount.to_owned(),
            listed: HashMap::new(),
            by_cgroup: HashMap::new(),
        }
    }

    /// The outermost container in `path` that a state tells of, with its
    /// cgroup; and whether there is one whose state tells nothing yet.
    pub fn find(&mut self, path: &str) -> (Option<(String, Owner)>, bool) {
        let in_the_making = self.refresh();
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        let found = ends
            .chain([path.len()])
            .filter_map(|end| path.get(..end))
            .find_map(|cgroup| Some((cgroup.to_owned(), self.by_cgroup.get(cgroup)?.clone())));
        (found, in_the_making)
    }

    fn refresh(&mut self) -> bool {
        let mut in_the_making = false;
        let mut present = HashSet::new();
        for (kind, folder) in self.folders.clone() {
            let states = match kind {
                Kind::Runc | Kind::Crun => vec![(String::new(), folder)],
                Kind::Containerd | Kind::Docker => folders(&folder, MAX_NAMESPACES)
                    .into_iter()
                    .map(|namespace| (namespace.clone(), folder.join(namespace)))
                    .collect(),
            };
            for (namespace, folder) in states {
                in_the_making |= self.look_through(kind, &namespace, &folder);
                present.insert(folder);
            }
        }
        let by_cgroup = &mut self.by_cgroup;
        self.listed.retain(|folder, listed| {
            let stays = present.contains(folder);
            if !stays {
                for cgroup in listed.read.values() {
                    by_cgroup.remove(cgroup);
                }
            }
            stays
        });
        in_the_making
    }

    /// Read the states of one folder that are not known; whether any tells
    /// nothing yet.
    fn look_through(&mut self, kind: Kind, namespace: &str, folder: &Path) -> bool {
        let modified = folder.metadata().and_then(|data| data.modified()).ok();
        let listed = self.listed.entry(folder.to_owned()).or_default();
        let is_new = modified.is_none_or(|time| {
            listed.modified != Some(time) || time.elapsed().is_ok_and(|age| age < GRAIN)
        });
        if is_new {
            listed.modified = modified;
            let now: HashSet<String> = folders(folder, MAX_STATES).into_iter().collect();
            let by_cgroup = &mut self.by_cgroup;
            listed.read.retain(|name, cgroup| {
                let stays = now.contains(name);
                if !stays {
                    by_cgroup.remove(cgroup);
                }
                stays
            });
            let read = &listed.read;
            listed.silent = now
                .into_iter()
                .filter(|name| is_id(name) && !read.contains_key(name))
                .collect();
        }
        for name in std::mem::take(&mut listed.silent) {
            let state = match kind {
                Kind::Crun => crun(folder, &name),
                _ => runc(folder, &name, &self.mount),
            };
            let Some((cgroup, annotations)) = state else {
                listed.silent.insert(name);
                continue;
            };
            let owner = match kind {
                Kind::Containerd => Owner::Containerd {
                    namespace: namespace.to_owned(),
                    id: name.clone(),
                },
                Kind::Docker => Owner::Docker { id: name.clone() },
                Kind::Runc | Kind::Crun => Owner::Itself(Box::new(Container {
                    runtime: if kind == Kind::Crun { "crun" } else { "runc" },
                    name: (!is_hex_id(&name)).then(|| name.clone()),
                    labels: annotations,
                    ..Container::default()
                })),
            };
            self.by_cgroup.insert(cgroup.clone(), owner);
            listed.read.insert(name, cgroup);
        }
        !listed.silent.is_empty()
    }
}

/// The cgroup and the annotations in runc's state.
fn runc(folder: &Path, name: &str, mount: &Path) -> Option<(String, Labels)> {
    let state: RuncRecord = files::read(&folder.join(name).join("state.json"))?;
    let path = Path::new(state.cgroup_paths.get("")?);
    let below = path.strip_prefix(mount).ok()?.to_str()?;
    Some((format!("/{below}"), state.config.annotations()))
}

/// The cgroup in crun's state, and the annotations of the bundle it names.
fn crun(folder: &Path, name: &str) -> Option<(String, Labels)> {
    let folder = folder.join(name);
    let state: CrunRecord = files::read(&folder.join("status"))?;
    let cgroup = state.cgroup_path.trim_end_matches('/');
    // What is run is put into one below.
    let cgroup = cgroup.strip_suffix("/container").unwrap_or(cgroup);
    // crun keeps a copy of the bundle's file.
    let bundle: BundleRecord = files::read(&folder.join("config.json"))
        .or_else(|| files::read(&Path::new(&state.bundle).join("config.json")))
        .unwrap_or_default();
    cgroup
        .starts_with('/')
        .then(|| (cgroup.to_owned(), bundle.annotations))
}
