// SPDX-License-Identifier: GPL-2.0-only
//! The cgroups there are: their ids and paths in the v2 hierarchy.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

/// Deeper trees are cut off there.
const MAX_DEPTH: usize = 64;

/// Where the v2 hierarchy is mounted.
pub fn mount_point() -> Result<PathBuf> {
    for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        if statfs(path).is_ok_and(|fs| fs.filesystem_type() == CGROUP2_SUPER_MAGIC) {
            return Ok(PathBuf::from(path));
        }
    }
    bail!(
        "the cgroup v2 hierarchy is not mounted at /sys/fs/cgroup, and functions are told apart \
         by it: boot with systemd.unified_cgroup_hierarchy=1, or mount it with \
         'mount -t cgroup2 cgroup2 /sys/fs/cgroup'"
    )
}

/// A cgroup there is.
pub struct Found {
    pub id: u64,
    pub path: String,
    /// Whether processes are in it; those further down do not count.
    pub populated: bool,
}

/// All cgroups below `mount`, itself included.
pub fn walk(mount: &Path) -> Result<Vec<Found>> {
    let id = fs::metadata(mount)
        .with_context(|| format!("cannot read {}", mount.display()))?
        .ino();
    let mut found = vec![Found {
        id,
        path: "/".to_owned(),
        populated: true,
    }];
    descend(mount, "", 0, &mut found);
    Ok(found)
}

fn descend(directory: &Path, path: &str, depth: usize, found: &mut Vec<Found>) {
    if depth == MAX_DEPTH {
        return;
    }
    // A cgroup that goes away meanwhile is reported as removed anyway.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        found.push(Found {
            id: metadata.ino(),
            path: path.clone(),
            populated: is_populated(&entry.path()),
        });
        descend(&entry.path(), &path, depth + 1, found);
    }
}

/// A cgroup of threads refuses to list processes and lists its threads.
fn is_populated(directory: &Path) -> bool {
    ["cgroup.procs", "cgroup.threads"].iter().any(|name| {
        let mut byte = [0];
        File::open(directory.join(name))
            .and_then(|mut file| file.read(&mut byte))
            .is_ok_and(|length| length > 0)
    })
}
