// SPDX-License-Identifier: GPL-2.0-only
//! Containers, as their runtimes keep them: read from the runtimes' own files,
//! without asking a daemon or running a program. A runtime that is not there,
//! or not now, has no files that say anything.

mod containerd;
mod docker;
mod files;
mod oci;
mod storage;
#[cfg(test)]
mod tests;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use scx_alps::platform::{Container, Keeper, Place, places};

use containerd::Containerd;
use docker::Docker;
use oci::{OciStates, Owner};
use storage::Storage;

/// What is known of the container that a cgroup may be of.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// It is of none.
    Nothing,
    /// It may be: a container is being made that has not said where.
    Perhaps,
    /// It is, by its path, and no runtime has told of it; the container's cgroup.
    Unrecorded(String),
    Container {
        container: Box<Container>,
        /// Its own cgroup.
        cgroup: String,
    },
}

/// The runtimes of the machine.
pub struct Runtimes {
    mount: PathBuf,
    docker: Docker,
    containerd: Vec<Containerd>,
    storage: Storage,
    states: OciStates,
}

impl Runtimes {
    /// The runtimes whose containers are in the hierarchy at `mount`.
    pub fn new(mount: &Path) -> Self {
        Self::below(Path::new("/"), mount)
    }

    /// The same, with all their files below `root`.
    pub fn below(root: &Path, mount: &Path) -> Self {
        let at = |path: &str| root.join(path);
        Self {
            mount: mount.to_owned(),
            docker: Docker::new(at("var/lib/docker/containers")),
            containerd: vec![
                Containerd::new(at("run/containerd"), at("var/lib/containerd")),
                Containerd::new(
                    at("run/k3s/containerd"),
                    at("var/lib/rancher/k3s/agent/containerd"),
                ),
            ],
            storage: Storage::new(
                at("run/containers/storage"),
                at("var/lib/containers/storage"),
            ),
            states: OciStates::new(root, mount),
        }
    }

    /// What a cgroup is a container's of. The outermost container counts: what
    /// is made within it is its own doing, whatever it is called.
    pub fn look_up(&mut self, path: &str) -> Found {
        let (by_state, in_the_making) = self.states.find(path);
        for place in places(path) {
            let state = by_state.as_ref().map(|(cgroup, _)| cgroup.len());
            if state.is_some_and(|length| length < place.cgroup.len()) {
                break;
            }
            if !self.made_by_root(place.cgroup) {
                continue;
            }
            // Who ran the runtime that left the state knows more.
            if let Some(container) = self.read(&place) {
                return Found::Container {
                    container: Box::new(container),
                    cgroup: place.cgroup.to_owned(),
                };
            }
            if place.certain && state != Some(place.cgroup.len()) {
                return Found::Unrecorded(place.cgroup.to_owned());
            }
        }
        match by_state {
            Some((cgroup, owner)) => self.of_state(&cgroup, &owner),
            None if in_the_making => Found::Perhaps,
            None => Found::Nothing,
        }
    }

    fn read(&mut self, place: &Place<'_>) -> Option<Container> {
        let Place { id, cgroup, .. } = *place;
        match place.keeper {
            Keeper::Docker => self.docker.read(id),
            Keeper::Containerd { namespace } => self
                .in_containerd(namespace, id, Some(cgroup))
                .or_else(|| place.certain.then(|| self.docker.read(id))?),
            Keeper::CriO => self.storage.crio(id, cgroup),
            Keeper::Podman => self.storage.podman(id, cgroup),
            // Told by its state only.
            Keeper::Oci => None,
            Keeper::Any => self
                .docker
                .read(id)
                .or_else(|| self.in_containerd(None, id, Some(cgroup))),
        }
    }

    fn of_state(&self, cgroup: &str, owner: &Owner) -> Found {
        let container = match owner {
            Owner::Itself(container) => Some((**container).clone()),
            Owner::Containerd { namespace, id } => self.in_containerd(Some(namespace), id, None),
            Owner::Docker { id } => self.docker.read(id),
        };
        match container {
            Some(container) => Found::Container {
                container: Box::new(container),
                cgroup: cgroup.to_owned(),
            },
            None => Found::Unrecorded(cgroup.to_owned()),
        }
    }

    fn in_containerd(
        &self,
        namespace: Option<&str>,
        id: &str,
        cgroup: Option<&str>,
    ) -> Option<Container> {
        self.containerd
            .iter()
            .find_map(|containerd| containerd.read(namespace, id, cgroup))
    }

    /// Whether only root could make this cgroup. Where a part of the hierarchy
    /// was given to a user, that user can make one of any name.
    fn made_by_root(&self, cgroup: &str) -> bool {
        let uid = |path: &Path| path.metadata().map(|data| data.uid()).ok();
        let above = cgroup.rsplit_once('/').map_or("", |(above, _)| above);
        let above = self.mount.join(above.trim_start_matches('/'));
        // A cgroup that is gone again is known by what it was called.
        uid(&above).is_none_or(|owner| Some(owner) == uid(&self.mount))
    }
}
