// SPDX-License-Identifier: GPL-2.0-only
//! Maps that others may read, pinned under `/sys/fs/bpf/scx_alps/` for as long
//! as the daemon runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use libbpf_rs::MapHandle;

const DIRECTORY: &str = "/sys/fs/bpf/scx_alps";

/// The pinned maps; dropping it removes them.
pub struct Pins {
    directory: PathBuf,
}

impl Pins {
    /// Pin `maps` by name, replacing what a killed daemon may have left.
    pub fn create(maps: &mut [(&str, &mut MapHandle)]) -> Result<Self> {
        if !Path::new("/sys/fs/bpf").is_dir() {
            bail!(
                "there is no BPF file system at /sys/fs/bpf: \
                 mount one with 'mount -t bpf bpf /sys/fs/bpf'"
            );
        }
        let pins = Self {
            directory: PathBuf::from(DIRECTORY),
        };
        pins.remove();
        fs::create_dir_all(&pins.directory).with_context(|| {
            format!("cannot create {DIRECTORY}: is a BPF file system mounted at /sys/fs/bpf?")
        })?;
        for (name, map) in maps {
            let path = pins.directory.join(name);
            map.pin(&path)
                .with_context(|| format!("cannot pin a map at {}", path.display()))?;
        }
        Ok(pins)
    }

    fn remove(&self) {
        // Absent is as good as removed.
        for entry in fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let _ = fs::remove_file(entry.path());
        }
        let _ = fs::remove_dir(&self.directory);
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        self.remove();
    }
}
