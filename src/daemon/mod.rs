// SPDX-License-Identifier: GPL-2.0-only
//! The daemon: observe -> learn -> publish, once a round, while the kernel
//! side enforces; and whoever asks is answered in between.

mod activity;
mod cgroups;
mod containers;
mod directory;
mod experiment;
mod explain;
mod file;
pub mod mailbox;
mod offline;
mod openlambda;
mod past;
mod platform;
mod process;
mod signals;
mod sole;
mod state;
pub mod stats;
mod utilisation;

use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use log::{info, warn};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};
use scx_alps::identify::{FunctionName, Source};
use scx_alps::invocation::FunctionId;
use scx_alps::learn::{Change, Learner, LearnerConfig, Settings};
use scx_alps::policy::{MadeBy, NamedTable};
use scx_utils::build_id;

use crate::control::{self, Command, FunctionRow, Reply, Status};
use crate::engine::{Engine, EngineConfig, Finished, LiveGroup, requirements};
use activity::Activity;
use directory::Directory;
use experiment::Experiment;
use mailbox::{Letter, Mailbox};
pub use offline::recognise;
use past::Past;
use sole::Sole;
use state::SavedFunction;
use stats::Metrics;
use utilisation::Utilisation;

/// Rounds between two looks for functions that nobody needs any more.
const COLLECT_EVERY: u64 = 60;

/// Everything the daemon is told on its command line.
pub struct DaemonConfig {
    pub engine: EngineConfig,
    pub learner: LearnerConfig,
    /// How is learned at first; the learner's own are the same.
    pub settings: Settings,
    pub functions: Option<PathBuf>,
    /// Folder of OpenLambda's workers.
    pub openlambda: Option<PathBuf>,
    pub state: Option<PathBuf>,
    /// Where CPU times are written in the end.
    pub exp_result: Option<PathBuf>,
    pub socket: PathBuf,
    /// Time between two rounds.
    pub interval: Duration,
    /// Whether to enforce from the start.
    pub enforce: bool,
    pub stats: Option<Duration>,
}

struct Daemon<'a> {
    engine: Engine<'a>,
    directory: Directory,
    learner: Learner,
    settings: Settings,
    activity: Activity,
    past: Past,
    experiment: Option<Experiment>,
    utilisation: Utilisation,
    utilisation_percent: f64,
    live: Vec<LiveGroup>,
    state: Option<PathBuf>,
    started: Instant,
    rounds: u64,
    last_round: Duration,
    longest_publish: Duration,
    last_switch: Option<Duration>,
    /// Notices lost when the cgroups were last looked through for it.
    notices_lost: u64,
    /// Invocations lost when it was last said.
    invocations_lost: u64,
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    Stop,
}

/// Run until told to stop, or until the kernel ends the scheduler.
pub fn run(config: DaemonConfig) -> Result<()> {
    requirements::check_root()?;
    let directory = Directory::new(config.functions, config.openlambda.as_deref())?;
    if let Some(path) = &config.state {
        state::check(path)?;
    }
    let experiment = config.exp_result.map(Experiment::begin).transpose()?;
    let (sender, mailbox) = Mailbox::new()?;
    let _control = control::Server::start(&config.socket, sender.clone())?;
    let _sole = Sole::claim()?;
    let stop = Arc::new(AtomicBool::new(false));
    signals::forward(&sender, &stop)?;

    let mut object = MaybeUninit::uninit();
    let engine = Engine::load(&config.engine, &mut object)?;
    let mut daemon = Daemon {
        engine,
        directory,
        learner: Learner::new(
            LearnerConfig {
                cpus: online_cpus(),
                ..config.learner
            },
            config.settings.predictor(),
        ),
        settings: config.settings,
        activity: Activity::default(),
        past: Past::default(),
        experiment,
        utilisation: Utilisation::default(),
        utilisation_percent: 0.0,
        live: Vec::new(),
        state: config.state,
        started: Instant::now(),
        rounds: 0,
        last_round: Duration::ZERO,
        longest_publish: Duration::ZERO,
        last_switch: None,
        notices_lost: 0,
        invocations_lost: 0,
    };
    daemon.prepare()?;
    let _stats = stats::serve(sender)?;
    if let Some(interval) = config.stats {
        stats::monitor_beside(interval, &stop)?;
    }
    info!(
        "scx_alps {} on Linux {}, {} CPUs, engine '{}'",
        build_id::full_version(env!("CARGO_PKG_VERSION")),
        requirements::kernel_release(),
        online_cpus(),
        daemon.engine.kind().as_str(),
    );
    if config.enforce {
        daemon.switch(true)?;
    }

    let ended = daemon.serve(&mailbox, config.interval);
    daemon.save_state();
    daemon.end_experiment();
    ended
}

impl Daemon<'_> {
    fn prepare(&mut self) -> Result<()> {
        self.restore_state();
        // Only processes the kernel side has met can be assigned.
        self.engine.survey()?;
        self.directory.map_all(&mut self.engine)?;
        self.round()
    }

    fn serve(&mut self, mailbox: &Mailbox, interval: Duration) -> Result<()> {
        let mut due = Instant::now() + interval;
        loop {
            self.wait(mailbox, due)?;
            for letter in mailbox.take() {
                if self.attend(letter)? == Next::Stop {
                    return Ok(());
                }
            }
            self.collect()?;
            self.directory.ask_again(&mut self.engine);
            if let Some(exit) = self.engine.take_exit()? {
                if !exit.should_restart() {
                    return exit.report();
                }
                info!("CPUs came or went: the scheduler attaches again");
                self.switch(true)?;
            }
            if Instant::now() >= due {
                self.round()?;
                due = Instant::now() + interval;
            }
        }
    }

    /// Until something comes or `due`.
    fn wait(&self, mailbox: &Mailbox, due: Instant) -> Result<()> {
        let mut fds = vec![
            PollFd::new(self.engine.wake_fd(), PollFlags::POLLIN),
            PollFd::new(mailbox.as_fd(), PollFlags::POLLIN),
        ];
        if let Some(changes) = self.directory.changes() {
            fds.push(PollFd::new(changes, PollFlags::POLLIN));
        }
        let due = self.directory.next_question().map_or(due, |at| due.min(at));
        let left = due.saturating_duration_since(Instant::now());
        // Rounded up, so that the loop does not spin through the last millisecond.
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1))
            .unwrap_or(PollTimeout::from(1000u16));
        match poll(&mut fds, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error).context("cannot wait for the kernel's reports"),
        }
    }

    fn attend(&mut self, letter: Letter) -> Result<Next> {
        match letter {
            Letter::Stop => return Ok(Next::Stop),
            Letter::Toggle => {
                if let Err(error) = self.switch(!self.engine.is_enforcing()) {
                    warn!("cannot toggle: {error:#}");
                }
            }
            Letter::ReloadRules => self.directory.reload(&mut self.engine),
            // Whoever asked may have hung up.
            Letter::Stats { answer } => drop(answer.send(self.metrics()?)),
            Letter::Control { command, answer } => {
                let reply = self.obey(command).unwrap_or_else(|error| Reply::Refused {
                    why: format!("{error:#}"),
                });
                drop(answer.send(reply));
            }
        }
        Ok(Next::Continue)
    }

    fn obey(&mut self, command: Command) -> Result<Reply> {
        match command {
            Command::On => self.switch(true)?,
            Command::Off => self.switch(false)?,
            Command::Toggle => self.switch(!self.engine.is_enforcing())?,
            Command::Status => {}
            Command::Set(change) => self.set(&change)?,
            Command::Explain { function } => {
                return Ok(Reply::Explanations {
                    functions: self.explain(&function)?,
                });
            }
            Command::Policy => {
                return Ok(Reply::Policy {
                    table: Box::new(self.named_table()),
                });
            }
            Command::Recognised => {
                self.collect()?;
                return Ok(Reply::Recognised {
                    rows: self.directory.recognised(),
                });
            }
            Command::Functions => {
                return Ok(Reply::Functions {
                    rows: self.function_rows()?,
                });
            }
        }
        Ok(Reply::Status(self.status()?))
    }

    /// Change how is learned, all of it or, where anything is wrong, nothing;
    /// in force at once.
    fn set(&mut self, change: &Change) -> Result<()> {
        let changed = self.settings.changed(change)?;
        changed.apply(&self.settings, &mut self.learner);
        self.settings = changed;
        info!("set: {changed:?}");
        self.collect()?;
        self.learn()
    }

    /// The policy table in force, by the names of its functions.
    fn named_table(&self) -> NamedTable {
        let registry = self.directory.registry();
        let config = self.learner.config();
        let made_by = MadeBy {
            policy: config.policy.name().to_owned(),
            predictor: self.settings.predictor_name(),
            bias_factor: self.learner.bias_factor().get(),
            max_bias_ns: config.max_bias_ns,
        };
        NamedTable::new(self.learner.table(), made_by, |function| {
            registry.name(function).map(FunctionName::as_str)
        })
    }

    fn switch(&mut self, on: bool) -> Result<()> {
        if on == self.engine.is_enforcing() {
            return Ok(());
        }
        let begin = Instant::now();
        if on {
            self.engine.enforce()?;
        } else {
            self.engine.release()?;
        }
        let took = begin.elapsed();
        self.last_switch = Some(took);
        info!(
            "{} in force (switched in {:.1} ms)",
            if on {
                "scx_alps is"
            } else {
                "the kernel's own scheduler is"
            },
            took.as_secs_f64() * 1e3
        );
        Ok(())
    }

    /// Take in what the kernel side has reported.
    fn collect(&mut self) -> Result<()> {
        let (finished, notices) = self.engine.drain()?;
        let removed = self.directory.heed(&mut self.engine, notices);
        for Finished {
            mut invocation,
            cgroup_id,
        } in finished
        {
            if invocation.function == FunctionId::PRIOR {
                let Some(function) = self.directory.function_of(&mut self.engine, cgroup_id) else {
                    continue;
                };
                invocation.function = function;
            }
            self.learner.observe(&invocation);
            self.activity.note(&invocation);
            if let Some(experiment) = &mut self.experiment {
                experiment.note(&invocation);
            }
        }
        self.directory.bury(&mut self.engine, removed);
        Ok(())
    }

    /// One round: look around, learn, publish.
    fn round(&mut self) -> Result<()> {
        let begin = Instant::now();
        self.live = self.engine.survey()?;
        for group in &self.live {
            if group.function.is_none() {
                self.directory
                    .discover(&mut self.engine, group.cgroup_id, group.pid);
            }
        }
        self.collect()?;
        self.utilisation_percent = self.utilisation.sample();
        self.learner.set_cpus(online_cpus());
        self.learn()?;
        self.rounds += 1;
        let counters = self.engine.counters()?;
        self.say_what_is_lost(counters.invocations_lost);
        let lost = counters.notices_lost;
        let due = self.rounds.is_multiple_of(COLLECT_EVERY);
        if due {
            self.forget_unused();
        }
        if due || lost > self.notices_lost {
            self.notices_lost = lost;
            self.directory.reconcile(&mut self.engine);
        }
        self.last_round = begin.elapsed();
        Ok(())
    }

    fn say_what_is_lost(&mut self, invocations_lost: u64) {
        let lost = invocations_lost - self.invocations_lost;
        if lost > 0 {
            warn!(
                "{lost} invocations were lost and not learned from: they ended faster than \
                 this daemon got to run"
            );
        }
        self.invocations_lost = invocations_lost;
    }

    /// Learn from what was collected, and publish it.
    fn learn(&mut self) -> Result<()> {
        let now_ns = monotonic_ns();
        let table = self.learner.round(now_ns, self.utilisation_percent);
        self.past.note(table, now_ns);
        let publishing = Instant::now();
        self.engine.publish(table)?;
        self.engine
            .set_bias_factor(self.learner.bias_factor().get());
        self.longest_publish = self.longest_publish.max(publishing.elapsed());
        Ok(())
    }

    fn forget_unused(&mut self) {
        let learned = self.learner.histories().map(|(function, _)| function);
        let live = self.live.iter().filter_map(|group| group.function);
        let needed: HashSet<FunctionId> = learned.chain(live).collect();
        let released = self.directory.collect(&needed);
        for (function, name) in released {
            self.learner.forget(function);
            self.activity.forget(function);
            self.past.forget(function);
            if let Some(experiment) = &mut self.experiment {
                experiment.retire(function, name.as_str());
            }
        }
    }

    fn metrics(&self) -> Result<Metrics> {
        let counters = self.engine.counters()?;
        Ok(Metrics {
            enforcing: u64::from(self.engine.is_enforcing()),
            functions: self.directory.registry().len() as u64,
            policy_version: self.engine.policy_version(),
            utilisation: self.utilisation_percent,
            invocations: counters.invocations,
            invocations_lost: counters.invocations_lost,
            notices_lost: counters.notices_lost,
            tasks_untracked: counters.tasks_untracked,
            idle: counters.idle_dispatches,
            handovers: counters.handovers,
            queued: counters.queued,
            preemptions: counters.preemptions,
            requeued: counters.requeued,
            kept: counters.kept,
            stolen: counters.stolen,
            graced: counters.graced,
            rescued: counters.rescued,
        })
    }

    fn status(&self) -> Result<Status> {
        let counters = self.engine.counters()?;
        Ok(Status {
            enforcing: self.engine.is_enforcing(),
            engine: self.engine.kind().as_str().to_owned(),
            version: build_id::full_version(env!("CARGO_PKG_VERSION")),
            uptime_s: self.started.elapsed().as_secs_f64(),
            cpus: online_cpus(),
            utilisation_percent: self.utilisation_percent,
            functions: self.directory.registry().len(),
            policy_version: self.engine.policy_version(),
            predictor: self.settings.method.to_string(),
            bias_factor: self.learner.bias_factor().get(),
            settings: Box::new(self.settings.as_change()),
            invocations: counters.invocations,
            invocations_lost: counters.invocations_lost,
            notices_lost: counters.notices_lost,
            preemptions: counters.preemptions,
            round_ms: self.last_round.as_secs_f64() * 1e3,
            publish_max_ms: self.longest_publish.as_secs_f64() * 1e3,
            last_switch_ms: self.last_switch.map(|took| took.as_secs_f64() * 1e3),
        })
    }

    fn function_rows(&mut self) -> Result<Vec<FunctionRow>> {
        self.collect()?;
        self.live = self.engine.survey()?;
        let now_ns = monotonic_ns();
        let table = self.learner.table();
        Ok(self
            .directory
            .registry()
            .iter()
            .map(|(function, name, source)| {
                let entry = table.get(function).cloned().unwrap_or_default();
                let recent = self.activity.recent(function, now_ns);
                let (running, waiting) = self.live_counts(function);
                FunctionRow {
                    name: name.to_string(),
                    source: source.as_str().to_owned(),
                    spoofable: source.is_spoofable(),
                    rate_per_s: recent.rate_per_s,
                    running,
                    waiting,
                    samples: entry.samples,
                    cpu_mean_ns: recent.cpu_mean_ns,
                    cpu_p99_ns: recent.cpu_p99_ns,
                    predicted_ns: entry.predicted_ns,
                    bias_ns: entry.bias_at(0),
                    slice_ns: entry.slice_ns,
                    wait_mean_ns: recent.wait_mean_ns,
                    slowdown_mean: recent.slowdown_mean,
                }
            })
            .collect())
    }

    fn live_counts(&self, function: FunctionId) -> (u32, u32) {
        self.live
            .iter()
            .filter(|group| group.function == Some(function) && group.runnable > 0)
            .fold((0, 0), |(running, waiting), group| {
                if group.running {
                    (running + 1, waiting)
                } else {
                    (running, waiting + 1)
                }
            })
    }

    fn restore_state(&mut self) {
        let Some(path) = &self.state else { return };
        let saved = match state::load(path) {
            Ok(Some(saved)) => saved,
            Ok(None) => return,
            Err(error) => {
                warn!("starting with nothing learned: {error:#}");
                match state::set_aside(path) {
                    Ok(kept) => warn!("the file is kept as {}", kept.display()),
                    Err(error) => {
                        warn!("what is learned will not be saved: {error:#}");
                        self.state = None;
                    }
                }
                return;
            }
        };
        let mut restored = 0;
        for SavedFunction {
            name,
            source,
            history,
        } in saved
        {
            let name = FunctionName::new(&name);
            if let Some(function) = self.directory.restore(&name, source) {
                self.learner.restore(function, &history);
                restored += 1;
            }
        }
        info!("{restored} functions restored from {}", path.display());
    }

    fn end_experiment(&mut self) {
        let Some(experiment) = self.experiment.take() else {
            return;
        };
        match experiment.end(self.directory.registry()) {
            Ok((file, count)) => info!("CPU times of {count} functions in {}", file.display()),
            Err(error) => warn!("the experiment's CPU times are lost: {error:#}"),
        }
    }

    fn save_state(&self) {
        let Some(path) = &self.state else { return };
        let registry = self.directory.registry();
        let functions: Vec<SavedFunction> = self
            .learner
            .histories()
            .filter_map(|(function, history)| {
                let source: Source = registry.source(function)?;
                Some(SavedFunction {
                    name: registry.name(function)?.to_string(),
                    source,
                    history: history.clone(),
                })
            })
            .collect();
        let count = functions.len();
        match state::save(path, functions) {
            Ok(()) => info!("{count} functions saved to {}", path.display()),
            Err(error) => warn!("what was learned is not saved: {error:#}"),
        }
    }
}

/// The clock invocations are observed with.
fn monotonic_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| {
        now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
    })
}

fn online_cpus() -> usize {
    sysconf(SysconfVar::_NPROCESSORS_ONLN)
        .ok()
        .flatten()
        .map_or(1, |count| count.max(1) as usize)
}
