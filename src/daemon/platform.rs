// SPDX-License-Identifier: GPL-2.0-only
//! What the platform tells of a cgroup: an OpenLambda worker's configuration,
//! this program's own worker, or the container runtime that made it.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use log::{info, warn};
use scx_alps::identify::{FunctionName, Identity, LabelKeys, Source};
use scx_alps::platform::openlambda::Workers;
use scx_alps::platform::{OwnFunction, Told, WORKER_MARK, own_function};

use super::containers::{Found, Runtimes};
use super::openlambda::{Folder, Problems};

/// A runtime that has made a cgroup writes of it within milliseconds, where the
/// machine is not overloaded. It is asked again after as long, then after twice
/// as long, and so on, and from some time on regularly.
const FIRST_QUESTION: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// So that the last question comes after half a minute.
const MOST_QUESTIONS: u32 = 40;

/// More cgroups than these are not asked about again.
const MAX_OPEN: usize = 8192;

/// What a cgroup is.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// This; and what that was taken from, in words.
    Named { identity: Identity, from: String },
    /// A part of a container, or the container, whose own cgroup this is and of
    /// which nobody tells more.
    PartOf(String),
}

/// Who can be asked.
pub struct Platform {
    mount: PathBuf,
    runtimes: Runtimes,
    openlambda: Option<Folder>,
    workers: Workers,
    /// Cgroups that nobody has told of and somebody may yet, by id.
    open: HashMap<u64, Question>,
}

/// When to ask again.
#[derive(Clone, Copy)]
struct Question {
    /// How often it has been asked.
    asked: u32,
    /// `None`: not for some time.
    due: Option<Instant>,
}

impl Platform {
    pub fn new(mount: &Path, openlambda: Option<&Path>) -> Result<Self> {
        let openlambda = openlambda.map(Folder::open).transpose()?;
        let mut platform = Self::with(mount, Runtimes::new(mount), openlambda);
        if let Some(folder) = &platform.openlambda {
            let (workers, problems) = folder.read()?;
            platform.take_workers(workers, problems);
        }
        Ok(platform)
    }

    fn with(mount: &Path, runtimes: Runtimes, openlambda: Option<Folder>) -> Self {
        Self {
            mount: mount.to_owned(),
            runtimes,
            openlambda,
            workers: Workers::default(),
            open: HashMap::new(),
        }
    }

    /// Runtimes whose files are below `root`, and no workers.
    #[cfg(test)]
    pub fn below(root: &Path, mount: &Path) -> Self {
        Self::with(mount, Runtimes::below(root, mount), None)
    }

    /// What the cgroup is; `None` where nobody tells. `keys` are the labels that
    /// name functions, `None` where container runtimes are not to be asked.
    pub fn tell(&mut self, id: u64, path: &str, keys: Option<&LabelKeys>) -> Option<Answer> {
        if let Some(worker) = self.workers.of_cgroup(path) {
            return Some(Answer::Named {
                identity: Identity::Function {
                    name: FunctionName::new(&worker.function_name),
                    source: Source::OpenLambda,
                },
                from: worker.file.clone(),
            });
        }
        if let Some(OwnFunction { worker, name }) =
            own_function(path, |above| self.is_marked(above))
        {
            return Some(Answer::Named {
                identity: Identity::Function {
                    name: FunctionName::new(name),
                    source: Source::Worker,
                },
                from: format!("scx_alps worker, {worker}"),
            });
        }
        let keys = keys?;
        let found = self.runtimes.look_up(path.trim_end_matches('/'));
        match &found {
            Found::Nothing | Found::Container { .. } => drop(self.open.remove(&id)),
            Found::Perhaps | Found::Unrecorded(_) => self.note_open(id),
        }
        match found {
            Found::Nothing | Found::Perhaps => None,
            Found::Unrecorded(cgroup) => Some(Answer::PartOf(cgroup)),
            Found::Container { container, cgroup } => {
                Some(match container.tell(keys, &self.workers) {
                    Some(Told { identity, from }) => Answer::Named { identity, from },
                    None => Answer::PartOf(cgroup),
                })
            }
        }
    }

    /// Whether a worker of this program's has its functions below the cgroup. The
    /// mark is there before they are.
    fn is_marked(&self, cgroup: &str) -> bool {
        let dir = self.mount.join(cgroup.trim_start_matches('/'));
        xattr::get(dir, WORKER_MARK).is_ok_and(|mark| mark.is_some())
    }

    fn note_open(&mut self, id: u64) {
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&id) {
            return;
        }
        let question = self.open.entry(id).or_insert(Question {
            asked: 0,
            due: None,
        });
        question.due = (question.asked < MOST_QUESTIONS).then(|| {
            let doubled = FIRST_QUESTION * 2u32.pow(question.asked.min(16));
            Instant::now() + doubled.min(LONGEST_PAUSE)
        });
        question.asked = question.asked.saturating_add(1);
    }

    /// A cgroup that is gone.
    pub fn forget(&mut self, id: u64) {
        self.open.remove(&id);
    }

    /// When the next cgroup is to be asked about.
    pub fn next_question(&self) -> Option<Instant> {
        self.open.values().filter_map(|question| question.due).min()
    }

    /// The cgroups to ask about now; each is named once.
    pub fn take_due(&mut self) -> Vec<u64> {
        let now = Instant::now();
        self.open
            .iter_mut()
            .filter_map(|(&id, question)| {
                question.due.take_if(|due| *due <= now)?;
                Some(id)
            })
            .collect()
    }

    /// Ask about all that nobody has told of: a runtime may be there again.
    pub fn ask_all_again(&mut self) {
        let now = Instant::now();
        for question in self.open.values_mut() {
            question.due = Some(now);
        }
    }

    pub fn changes(&self) -> Option<BorrowedFd<'_>> {
        self.openlambda.as_ref().map(AsFd::as_fd)
    }

    /// Read OpenLambda's workers again if anything of theirs was written;
    /// whether they are others now.
    pub fn take_changes(&mut self) -> bool {
        let Some(folder) = &self.openlambda else {
            return false;
        };
        if !folder.has_changed() {
            return false;
        }
        match folder.read() {
            Ok((workers, problems)) => self.take_workers(workers, problems),
            Err(error) => {
                warn!("the workers stay as they were: {error:#}");
                false
            }
        }
    }

    fn take_workers(&mut self, workers: Workers, Problems(problems): Problems) -> bool {
        for problem in problems {
            warn!("{problem}");
        }
        let changed = workers != self.workers;
        if changed {
            info!("{} OpenLambda workers with a function", workers.len());
        }
        self.workers = workers;
        changed
    }
}
