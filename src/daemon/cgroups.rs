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
///
/// # Errors
/// There is none, or containers and services are in a v1 hierarchy.
pub fn mount_point() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    if let Some(path) = v1_of_cpus(&mounts) {
        bail!(
            "containers are in the cgroup v1 hierarchy at {path}, and functions are told apart \
             by the v2 hierarchy only: boot with systemd.unified_cgroup_hierarchy=1, or without \
             systemd with cgroup_no_v1=all"
        );
    }
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

/// Where the v1 hierarchy with the cpu controller is mounted, which is where
/// runtimes then put containers. Others, such as of network classes, may be
/// there beside the v2 hierarchy.
fn v1_of_cpus(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let (path, kind, options) = (fields.nth(1)?, fields.next()?, fields.next()?);
        let has_cpus = options.split(',').any(|option| option == "cpu");
        (kind == "cgroup" && has_cpus).then_some(path)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hierarchy_with_the_cpus_is_in_the_way() {
        let v1 = "tmpfs /sys/fs/cgroup tmpfs ro,nosuid 0 0\n\
                  cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid 0 0\n\
                  cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n";
        assert_eq!(v1_of_cpus(v1), Some("/sys/fs/cgroup/cpu,cpuacct"));
        let v2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,cpu 0 0\n\
                  cgroup /net cgroup rw,net_cls 0 0\ncgroup /x cgroup rw,cpuset 0 0\n\n\
                  odd line\n";
        assert_eq!(v1_of_cpus(v2), None);
    }
}
