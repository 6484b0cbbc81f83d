// SPDX-License-Identifier: GPL-2.0-only
//! Docker's containers: `config.v2.json`, which is there before a container
//! starts.

use std::path::PathBuf;

use scx_alps::identify::Labels;
use scx_alps::platform::record::DockerRecord;
use scx_alps::platform::{Container, Pod, is_id};

use super::files;

pub struct Docker {
    /// A folder for each container.
    containers: PathBuf,
}

impl Docker {
    pub fn new(containers: PathBuf) -> Self {
        Self { containers }
    }

    pub fn read(&self, id: &str) -> Option<Container> {
        let DockerRecord { name, config, .. } = self.record(id)?;
        let mut pod = Pod::of(&config.labels);
        if let Some(pod) = &mut pod {
            pod.labels = self.of_sandbox(&config.labels);
        }
        let name = name.strip_prefix('/').unwrap_or(&name);
        Some(Container {
            runtime: "docker",
            name: (!name.is_empty()).then(|| name.to_owned()),
            labels: config.labels,
            pod,
            ..Container::default()
        })
    }

    fn of_sandbox(&self, container: &Labels) -> Labels {
        let sandbox = Pod::sandbox_of(container).and_then(|id| self.record(id));
        sandbox.unwrap_or_default().config.labels
    }

    fn record(&self, id: &str) -> Option<DockerRecord> {
        let file = || self.containers.join(id).join("config.v2.json");
        is_id(id).then(file).and_then(|file| files::read(&file))
    }
}
