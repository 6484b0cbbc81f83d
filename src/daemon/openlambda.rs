// SPDX-License-Identifier: GPL-2.0-only
//! The folder of `--openlambda`, a worker's configuration in each of its
//! folders: read, and watched for changes. Nothing outside it is looked at.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use scx_alps::platform::openlambda::{MAX_CONFIG_BYTES, MAX_WORKERS, WorkerConfig, Workers};

/// A worker's configuration, in the worker's folder.
const CONFIG: &str = "config.json";

/// What a worker's configuration is told of when it is not as it should be.
pub struct Problems(pub Vec<String>);

/// The folder, and a watch over it.
pub struct Folder {
    path: PathBuf,
    watch: Inotify,
}

impl Folder {
    /// Watch a folder, which must be there.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC;
        let watch = Inotify::init(flags).context("cannot watch for changes")?;
        let folder = Self {
            path: path.to_owned(),
            watch,
        };
        folder
            .watch(path)
            .with_context(|| format!("--openlambda: cannot read {}", path.display()))?;
        Ok(folder)
    }

    /// Whether anything in it may have changed since the last time.
    pub fn has_changed(&self) -> bool {
        let mut changed = false;
        while let Ok(events) = self.watch.read_events() {
            changed |= !events.is_empty();
        }
        changed
    }

    /// The workers there are, and what is wrong with any. One that cannot be
    /// read is left out; the others are as they were.
    pub fn read(&self) -> Result<(Workers, Problems)> {
        let cannot = || format!("cannot read {}", self.path.display());
        let directory = File::open(&self.path).with_context(cannot)?;
        // Before it is looked through: what comes meanwhile is a change.
        let _ = self.watch(&self.path);
        let mut names = vec![PathBuf::new()];
        for entry in fs::read_dir(&self.path).with_context(cannot)?.flatten() {
            // A link is followed if it stays within; a file has no files in it.
            if entry.file_type().is_ok_and(|kind| !kind.is_file()) {
                names.push(PathBuf::from(entry.file_name()));
            }
        }
        names.sort();
        let mut problems = Vec::new();
        if names.len() > MAX_WORKERS {
            problems.push(format!(
                "{}: more than {MAX_WORKERS} workers; those after '{}' are passed over",
                self.path.display(),
                names[MAX_WORKERS - 1].display()
            ));
            names.truncate(MAX_WORKERS);
        }
        let mut configs = Vec::new();
        for name in names {
            let _ = self.watch(&self.path.join(&name));
            let below = name.join(CONFIG);
            let file = self.path.join(&below);
            let file = file.to_string_lossy();
            let read = read_within(&directory, &below)
                .with_context(|| file.to_string())
                .and_then(|bytes| match bytes {
                    Some(bytes) => Ok(Some(WorkerConfig::parse(&bytes, &file)?)),
                    None => Ok(None),
                });
            match read {
                Ok(Some(config)) => configs.push((file.into_owned(), config)),
                Ok(None) => {}
                Err(error) => problems.push(format!("{error:#}; the worker is passed over")),
            }
        }
        let (workers, errors) = Workers::new(configs);
        problems.extend(errors.iter().map(ToString::to_string));
        Ok((workers, Problems(problems)))
    }

    fn watch(&self, folder: &Path) -> nix::Result<()> {
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_ONLYDIR
            | AddWatchFlags::IN_DONT_FOLLOW;
        self.watch.add_watch(folder, flags).map(drop)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}

/// A regular file below `directory`, and not where links lead out of it;
/// `None` where there is none.
fn read_within(directory: &File, below: &Path) -> Result<Option<Vec<u8>>> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = match openat2(directory, below, how) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
        Err(Errno::EXDEV) => bail!("a link leads out of the folder; put the file itself there"),
        Err(error) => return Err(error).context("cannot be opened"),
    };
    if !file.metadata().context("cannot be read")?.is_file() {
        bail!("not a regular file; put one there");
    }
    let mut bytes = Vec::new();
    // One more than may be, so that it shows.
    file.take(MAX_CONFIG_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .context("cannot be read")?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::{Duration, Instant};

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use tempfile::TempDir;

    use super::*;

    fn write(folder: &TempDir, worker: &str, text: &str) {
        let directory = folder.path().join(worker);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(CONFIG), text).unwrap();
    }

    fn config(uid: u64, name: &str, worker: &str) -> String {
        format!(
            r#"{{"seal_priority": "{uid}", "function_name": "{name}", "worker_dir": "/ol/{worker}/worker"}}"#
        )
    }

    fn of(workers: &Workers, worker: &str) -> Option<String> {
        let found = workers.of_cgroup(&format!("/{worker}-sandboxes/cg-1"));
        found.map(|worker| worker.function_name.clone())
    }

    #[test]
    fn each_folder_is_a_worker_and_a_bad_one_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "w1", &config(1, "fib", "w1"));
        write(&folder, "w2", &config(2, "mst", "w2"));
        write(&folder, "w3", "{\"function_name\": \"../../etc\"}");
        write(&folder, "w4", "{\"function_na");
        write(&folder, "w5", &"x".repeat(MAX_CONFIG_BYTES + 1));
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("notes"), "").unwrap();
        let (workers, Problems(problems)) = Folder::open(folder.path()).unwrap().read().unwrap();
        assert_eq!(workers.len(), 2);
        assert_eq!(of(&workers, "w1").as_deref(), Some("fib"));
        assert_eq!(of(&workers, "w2").as_deref(), Some("mst"));
        assert_eq!(problems.len(), 3, "{problems:?}");
        for (problem, worker) in problems.iter().zip(["w3", "w4", "w5"]) {
            assert!(
                problem.contains(&format!("{worker}/config.json")),
                "{problem}"
            );
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let outside = tempfile::tempdir().unwrap();
        write(&outside, "w9", &config(9, "stolen", "w9"));
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "w1", &config(1, "fib", "w1"));
        let at = |name: &str| folder.path().join(name);
        symlink(outside.path().join("w9"), at("out")).unwrap();
        symlink("../../../../../../etc", at("up")).unwrap();
        fs::create_dir(at("file")).unwrap();
        symlink(
            outside.path().join("w9/config.json"),
            at("file/config.json"),
        )
        .unwrap();
        fs::create_dir(at("fifo")).unwrap();
        mkfifo(&at("fifo/config.json"), Mode::S_IRWXU).unwrap();
        fs::create_dir(at("loop")).unwrap();
        symlink("config.json", at("loop/config.json")).unwrap();
        let (workers, Problems(problems)) = Folder::open(folder.path()).unwrap().read().unwrap();
        assert_eq!(workers.len(), 1);
        assert_eq!(of(&workers, "w9"), None);
        assert_eq!(problems.len(), 5, "{problems:?}");
        let out = problems
            .iter()
            .filter(|problem| problem.contains("leads out"));
        assert_eq!(out.count(), 3, "{problems:?}");
        // Within it a link may lead anywhere.
        symlink("w1", at("w2")).unwrap();
        let (_, Problems(problems)) = Folder::open(folder.path()).unwrap().read().unwrap();
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("same cgroup")),
            "{problems:?}"
        );
    }

    #[test]
    fn changes_are_noticed_in_the_folder_and_in_each_workers() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "w1", &config(1, "fib", "w1"));
        let watched = Folder::open(folder.path()).unwrap();
        let noticed = |workers: usize, name: Option<&str>| {
            let begin = Instant::now();
            while !watched.has_changed() {
                assert!(begin.elapsed() < Duration::from_secs(5), "not noticed");
                std::thread::sleep(Duration::from_millis(1));
            }
            let (found, _) = watched.read().unwrap();
            assert_eq!(found.len(), workers);
            assert_eq!(of(&found, "w1").as_deref(), name);
        };
        watched.read().unwrap();
        assert!(!watched.has_changed());
        write(&folder, "w2", &config(2, "mst", "w2"));
        noticed(2, Some("fib"));
        write(&folder, "w1", &config(1, "bfs", "w1"));
        noticed(2, Some("bfs"));
        // As OpenLambda saves it: under another name first.
        fs::write(folder.path().join("w1/new"), config(1, "fib", "w1")).unwrap();
        fs::rename(
            folder.path().join("w1/new"),
            folder.path().join("w1/config.json"),
        )
        .unwrap();
        noticed(2, Some("fib"));
        fs::remove_dir_all(folder.path().join("w1")).unwrap();
        noticed(1, None);
    }

    #[test]
    fn a_folder_that_is_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [&*file, &folder.path().join("absent")] {
            let error = format!("{:#}", Folder::open(path).err().unwrap());
            assert!(error.starts_with("--openlambda: cannot read"), "{error}");
        }
    }
}
