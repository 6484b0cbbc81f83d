// SPDX-License-Identifier: GPL-2.0-only
//! The folder of a set of workers: their configurations, their process's log,
//! and the file that the process has locked for as long as it lives.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::line::Line;

/// Which workers' folders were made here; no others are ever removed.
const MADE: &str = ".made-by-scx_alps";

const LOCK: &str = "worker.pid";
const LOG: &str = "worker.log";
const CONFIG: &str = "config.json";

/// How long each way of asking it to stop is given.
const STOP: [(Signal, Duration); 2] = [
    (Signal::SIGTERM, Duration::from_secs(20)),
    (Signal::SIGKILL, Duration::from_secs(10)),
];

pub struct Folder(PathBuf);

/// Whether a set's process runs.
pub enum Tenancy {
    /// It does; with its number where that can be read.
    Taken(Option<Pid>),
    /// With the lock, which goes to all who inherit the file.
    Free(File),
}

impl Folder {
    pub fn create(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self(dir.to_path_buf()))
    }

    pub fn of(dir: &Path) -> Self {
        Self(dir.to_path_buf())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn log(&self) -> PathBuf {
        self.0.join(LOG)
    }

    pub fn tenancy(&self) -> Result<Tenancy> {
        let path = self.0.join(LOCK);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let context = || format!("cannot open {}", path.display());
        let mut file = options.open(&path).with_context(context)?;
        match file.try_lock() {
            Ok(()) => Ok(Tenancy::Free(file)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                Ok(Tenancy::Taken(text.trim().parse().ok().map(Pid::from_raw)))
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(context),
        }
    }

    /// Writes the workers' configurations, after those of a set before are
    /// gone.
    pub fn fill(&self, lines: &[Line], registry: Option<&Path>) -> Result<()> {
        self.clear()?;
        let made = self.0.join(MADE);
        let names: Vec<&str> = lines.iter().map(|line| line.worker.as_str()).collect();
        if let Some(line) = lines.iter().find(|line| self.0.join(&line.worker).exists()) {
            anyhow::bail!(
                "{} is there already and was not made by init-functions; pass another --dir",
                self.0.join(&line.worker).display()
            );
        }
        // First, so that whatever happens they can be removed.
        fs::write(&made, names.join("\n"))
            .with_context(|| format!("cannot write {}", made.display()))?;
        for line in lines {
            let dir = self.0.join(&line.worker);
            fs::create_dir(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
            let config = json!({
                "worker_dir": dir,
                "worker_port": line.port.to_string(),
                "sandbox": "process",
                "registry": registry,
                "seal_priority": line.uid,
                "function_name": line.function,
            });
            let file = dir.join(CONFIG);
            fs::write(&file, format!("{config:#}\n"))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// Removes the configurations of a set.
    pub fn clear(&self) -> Result<()> {
        let made = self.0.join(MADE);
        let Ok(names) = fs::read_to_string(&made) else {
            return Ok(());
        };
        for name in names.lines() {
            if scx_alps::platform::openlambda::check_name(name).is_err() {
                continue;
            }
            let dir = self.0.join(name);
            // What somebody else has put there stays.
            let _ = fs::remove_file(dir.join(CONFIG));
            let _ = fs::remove_dir(&dir);
        }
        fs::remove_file(&made).with_context(|| format!("cannot remove {}", made.display()))
    }

    /// Stops the set's process; whether there was one.
    pub fn stop(&self) -> Result<bool> {
        if !self.0.join(LOCK).exists() {
            return Ok(false);
        }
        for (signal, patience) in STOP {
            let pid = match self.tenancy()? {
                Tenancy::Free(_) => return Ok(signal != Signal::SIGTERM),
                Tenancy::Taken(pid) => pid.with_context(|| {
                    format!(
                        "{} does not say which process it is",
                        self.0.join(LOCK).display()
                    )
                })?,
            };
            let _ = kill(pid, signal);
            let begin = Instant::now();
            while begin.elapsed() < patience {
                if matches!(self.tenancy()?, Tenancy::Free(_)) {
                    return Ok(true);
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        anyhow::bail!("the workers of {} do not end", self.0.display())
    }

    /// Removes what is left of a set that has ended.
    pub fn remove(&self) -> Result<()> {
        self.clear()?;
        for file in [LOCK, LOG] {
            let _ = fs::remove_file(self.0.join(file));
        }
        let _ = fs::remove_dir(&self.0);
        Ok(())
    }

    /// The end of what its process has said.
    pub fn last_words(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let from = text.len().saturating_sub(2000);
        String::from_utf8_lossy(&text[from..]).trim().to_owned()
    }
}

/// Writes the process's number into the file it has locked.
pub fn sign(lock: &mut File, pid: u32) -> Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{pid}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(worker: &str) -> Line {
        Line {
            worker: worker.to_owned(),
            port: 5001,
            uid: 1,
            function: "fib".to_owned(),
        }
    }

    #[test]
    fn only_what_was_made_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(&dir.path().join("set")).unwrap();
        let theirs = folder.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join(CONFIG), "{}").unwrap();
        folder.fill(&[line("a"), line("b")], None).unwrap();
        folder.fill(&[line("b")], None).unwrap();
        assert!(!folder.path().join("a").exists());
        assert!(folder.path().join("b").join(CONFIG).exists());
        folder.remove().unwrap();
        assert!(!folder.path().join("b").exists());
        assert!(theirs.join(CONFIG).exists());
    }

    #[test]
    fn somebody_elses_folder_is_not_written_into() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path()).unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a").join(CONFIG), "{}").unwrap();
        assert!(folder.fill(&[line("a")], None).is_err());
        folder.clear().unwrap();
        assert!(dir.path().join("a").join(CONFIG).exists());
    }

    #[test]
    fn who_lives_there_is_known_by_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path()).unwrap();
        assert!(!folder.stop().unwrap());
        let Tenancy::Free(mut lock) = folder.tenancy().unwrap() else {
            panic!("taken by nobody");
        };
        sign(&mut lock, 4242).unwrap();
        let Tenancy::Taken(pid) = folder.tenancy().unwrap() else {
            panic!("not locked");
        };
        assert_eq!(pid, Some(Pid::from_raw(4242)));
        drop(lock);
        assert!(!folder.stop().unwrap());
    }
}
