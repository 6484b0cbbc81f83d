// SPDX-License-Identifier: GPL-2.0-only
//! The kernel side, as the daemon sees it: load, observe, publish, enforce.

mod cfs;
mod ext;
mod globals;
mod identification;
mod intf;
mod kind;
mod pins;
mod published;
pub mod requirements;
mod skel;
mod topology;

use std::cell::RefCell;
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use libbpf_rs::{
    Iter, Link, MapCore, MapFlags, MapHandle, OpenObject, ProgramMut, RingBuffer, RingBufferBuilder,
};
use log::info;
use scx_alps::invocation::{FunctionId, Invocation};
use scx_alps::policy::credit::sixteenths;
use scx_alps::policy::{PolicyEntry, PolicyTable};
use scx_utils::UserExitInfo;
use scx_utils::libbpf_clap_opts::LibbpfOpts;

use cfs::Cfs;
use ext::Ext;
use globals::Globals;
pub use identification::{Assignment, Identification};
use intf::FromKernel;
pub use intf::alps_counters as Counters;
pub use kind::Kind;
use pins::Pins;
use published::Published;

/// Where waiting tasks queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Queueing {
    /// One queue per last-level-cache domain.
    Llc,
    /// One queue per CPU; idle CPUs take the best head of all.
    Cpu,
}

/// What is fixed when the programs are loaded.
pub struct EngineConfig {
    /// `None`: what the kernel has, sched_ext first.
    pub kind: Option<Kind>,
    pub idle_gap: Duration,
    pub default_slice: Duration,
    pub max_bias: Duration,
    pub preempt_margin: Duration,
    pub bias_factor: f64,
    pub queueing: Queueing,
    pub partial: bool,
    pub grace: bool,
    /// Rank invocations by what is told of them instead of what was learned.
    pub told: bool,
    pub exit_dump_len: u32,
    pub verbose: bool,
    pub libbpf: LibbpfOpts,
}

/// What identification must hear of at once.
#[derive(Clone, Debug)]
pub enum Notice {
    CgroupCreated {
        id: u64,
        path: String,
    },
    CgroupRemoved {
        id: u64,
    },
    /// A process may be another for rules on processes: it has executed a
    /// program, or is in another cgroup than before.
    ProcessChanged {
        pid: u32,
        cgroup_id: u64,
    },
}

/// A finished invocation. One whose function is the prior was not identified
/// by the kernel side; its cgroup may say more.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    pub invocation: Invocation,
    pub cgroup_id: u64,
}

/// A live thread group.
#[derive(Clone, Copy, Debug)]
pub struct LiveGroup {
    pub pid: u32,
    pub cgroup_id: u64,
    /// `None` while it is not identified.
    pub function: Option<FunctionId>,
    pub runnable: u32,
    pub running: bool,
}

#[derive(Default)]
struct Inbox {
    finished: Vec<Finished>,
    notices: Vec<Notice>,
}

/// The half of it that depends on the kernel.
enum Side<'a> {
    Ext(Ext<'a>),
    Cfs(Cfs<'a>),
}

/// What both kinds of programs have.
struct Parts {
    policy: MapHandle,
    cgroup_functions: MapHandle,
    counters: MapHandle,
    told: MapHandle,
    invocations: MapHandle,
    notices: MapHandle,
    globals: Globals,
    survey: Link,
    _observers: Vec<Link>,
}

/// The parts of a loaded skeleton, its observers attached; that of switches is
/// `$observe_switch`.
macro_rules! parts {
    ($skel:expr, $observe_switch:expr) => {{
        let (maps, progs) = (&mut $skel.maps, &$skel.progs);
        Parts {
            policy: MapHandle::try_from(&maps.policy)?,
            cgroup_functions: MapHandle::try_from(&maps.cgroup_functions)?,
            counters: MapHandle::try_from(&maps.counters)?,
            told: MapHandle::try_from(&maps.told)?,
            invocations: MapHandle::try_from(&maps.invocations)?,
            notices: MapHandle::try_from(&maps.notices)?,
            globals: $crate::engine::globals::globals!(maps)?,
            survey: $crate::engine::attach(&progs.survey)?,
            _observers: [
                $observe_switch,
                &progs.observe_fork,
                &progs.observe_wakeup_new,
                &progs.observe_exec,
                &progs.observe_cgroup_attach,
                &progs.observe_cgroup_mkdir,
                &progs.observe_cgroup_rmdir,
            ]
            .into_iter()
            .map($crate::engine::attach)
            .collect::<Result<Vec<_>>>()?,
        }
    }};
}
use parts;

/// The loaded BPF programs; observing as long as it lives, enforcing on demand.
pub struct Engine<'a> {
    side: Side<'a>,
    rings: RingBuffer<'static>,
    inbox: Rc<RefCell<Inbox>>,
    parts: Parts,
    /// The half of the policy table in force is its lowest bit.
    policy_version: u64,
    published: Published,
    /// So many slots of each half may hold something.
    published_slots: [usize; 2],
    generation: u64,
    rules_epoch: u64,
    _pins: Pins,
}

impl<'a> Engine<'a> {
    /// Load the programs and begin to observe.
    pub fn load(config: &EngineConfig, object: &'a mut MaybeUninit<OpenObject>) -> Result<Self> {
        requirements::check_kernel()?;
        let kind = Kind::of_this_kernel(config.kind)?;
        requirements::check_cpu_count(*scx_utils::NR_CPU_IDS, intf::alps_limits_MAX_CPUS as usize)?;
        scx_utils::try_set_rlimit_infinity();
        let (side, mut parts) = match kind {
            Kind::Ext => {
                let (side, parts) = Ext::load(config, object)?;
                (Side::Ext(side), parts)
            }
            Kind::Cfs => {
                let (side, parts) = Cfs::load(config, object)?;
                (Side::Cfs(side), parts)
            }
        };

        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let rings = open_rings(&parts, &inbox)?;
        let mut pinned = vec![
            ("policy", &mut parts.policy),
            ("cgroup_functions", &mut parts.cgroup_functions),
            ("counters", &mut parts.counters),
        ];
        if config.told {
            pinned.push(("told", &mut parts.told));
        }
        let pins = Pins::create(&mut pinned)?;
        let published = Published::map(parts.policy.as_fd())?;

        let mut engine = Self {
            side,
            rings,
            inbox,
            parts,
            policy_version: 0,
            published,
            published_slots: [0; 2],
            generation: 0,
            rules_epoch: 0,
            _pins: pins,
        };
        engine.set_bias_factor(config.bias_factor);
        Ok(engine)
    }

    /// By what it enforces.
    pub fn kind(&self) -> Kind {
        match self.side {
            Side::Ext(_) => Kind::Ext,
            Side::Cfs(_) => Kind::Cfs,
        }
    }

    /// Whether our order is in force.
    pub fn is_enforcing(&self) -> bool {
        match &self.side {
            Side::Ext(ext) => ext.is_enforcing(),
            Side::Cfs(cfs) => cfs.is_enforcing(),
        }
    }

    /// Take over from the kernel's own scheduler. Nothing to do when already on.
    pub fn enforce(&mut self) -> Result<()> {
        match &mut self.side {
            Side::Ext(ext) => ext.enforce(),
            Side::Cfs(cfs) => cfs.enforce(),
        }
    }

    /// Give the machine back to the kernel's own scheduler; observing goes on.
    pub fn release(&mut self) -> Result<()> {
        match &mut self.side {
            Side::Ext(ext) => ext.release(),
            Side::Cfs(cfs) => cfs.release(),
        }
    }

    /// Why the kernel ended the scheduler, if it did.
    pub fn take_exit(&mut self) -> Result<Option<UserExitInfo>> {
        match &mut self.side {
            Side::Ext(ext) => ext.take_exit(),
            // What is attached to hooks stays so until it is detached.
            Side::Cfs(_) => Ok(None),
        }
    }

    /// Put `table` in force: bring the half that is not up to date, then
    /// switch over. Slots that nothing was learned for are written as empty,
    /// and the kernel side takes the prior for them.
    pub fn publish(&mut self, table: &PolicyTable) -> Result<()> {
        let next = self.policy_version + 1;
        let half = (next & 1) as usize;
        let empty = PolicyEntry::default();
        let entries = table.entries();
        for slot in 0..entries.len().max(self.published_slots[half]) {
            let entry = match entries.get(slot) {
                Some(entry) if slot == 0 || entry.samples > 0 => entry,
                _ => &empty,
            };
            self.published.write(half, slot, entry);
        }
        self.published_slots[half] = entries.len();
        self.published.in_order();
        self.parts.globals.set_policy_version(next);
        self.published.in_order();
        self.policy_version = next;
        Ok(())
    }

    /// Set the bias of generic tasks' expected remaining service, which is in
    /// force at once; functions have theirs in the policy table.
    pub fn set_bias_factor(&mut self, factor: f64) {
        self.parts.globals.set_bias_factor_16(sixteenths(factor));
    }

    /// The version of the policy table in force, 0 before the first.
    pub fn policy_version(&self) -> u64 {
        self.policy_version
    }

    /// A descriptor that turns readable when a notice is waiting, or many
    /// invocations are.
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring buffers own the descriptor and live as long as self.
        unsafe { BorrowedFd::borrow_raw(self.rings.epoll_fd()) }
    }

    /// Take all that has been reported since the last call.
    pub fn drain(&mut self) -> Result<(Vec<Finished>, Vec<Notice>)> {
        self.rings
            .consume()
            .context("cannot read the kernel's reports")?;
        let mut inbox = self.inbox.borrow_mut();
        Ok((
            std::mem::take(&mut inbox.finished),
            std::mem::take(&mut inbox.notices),
        ))
    }

    /// Walk over all tasks: ends idle invocations, adopts unknown tasks, and
    /// returns the live groups of functions.
    pub fn survey(&mut self) -> Result<Vec<LiveGroup>> {
        let mut text = Vec::new();
        Iter::new(&self.parts.survey)
            .context("cannot start the task iterator")?
            .read_to_end(&mut text)
            .context("cannot read the task iterator")?;
        Ok(text
            .chunks_exact(size_of::<intf::survey_row>())
            .filter_map(intf::survey_row::read)
            .map(|row| LiveGroup {
                pid: row.pid,
                cgroup_id: row.cgroup_id,
                function: known_function(row.function),
                runnable: row.nr_runnable,
                running: row.running != 0,
            })
            .collect())
    }

    /// What the kernel side has counted since it was loaded.
    pub fn counters(&self) -> Result<Counters> {
        let per_cpu = self
            .parts
            .counters
            .lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY)
            .context("cannot read the counters")?
            .unwrap_or_default();
        per_cpu
            .iter()
            .filter_map(|bytes| Counters::read(bytes))
            .reduce(Counters::plus)
            .context("the kernel has no counters")
    }
}

impl Counters {
    fn plus(mut self, other: Self) -> Self {
        self.invocations += other.invocations;
        self.invocations_lost += other.invocations_lost;
        self.notices_lost += other.notices_lost;
        self.tasks_untracked += other.tasks_untracked;
        self.idle_dispatches += other.idle_dispatches;
        self.handovers += other.handovers;
        self.queued += other.queued;
        self.preemptions += other.preemptions;
        self.requeued += other.requeued;
        self.kept += other.kept;
        self.stolen += other.stolen;
        self.graced += other.graced;
        self.rescued += other.rescued;
        self
    }
}

fn known_function(slot: u32) -> Option<FunctionId> {
    FunctionId::new(slot).filter(|&function| function != FunctionId::PRIOR)
}

fn open_rings(parts: &Parts, inbox: &Rc<RefCell<Inbox>>) -> Result<RingBuffer<'static>> {
    let mut builder = RingBufferBuilder::new();
    let finished = Rc::clone(inbox);
    builder.add(&parts.invocations, move |bytes| {
        if let Some(event) = intf::invocation_event::read(bytes) {
            let invocation = Invocation {
                function: known_function(event.function).unwrap_or(FunctionId::PRIOR),
                arrival_ns: event.arrival_ns,
                first_run_ns: event.first_run_ns,
                end_ns: event.end_ns,
                cpu_ns: event.cpu_ns,
                switches: event.switches,
            };
            finished.borrow_mut().finished.push(Finished {
                invocation,
                cgroup_id: event.cgroup_id,
            });
        }
        0
    })?;
    let notices = Rc::clone(inbox);
    builder.add(&parts.notices, move |bytes| {
        if let Some(notice) = decode_notice(bytes) {
            notices.borrow_mut().notices.push(notice);
        }
        0
    })?;
    builder.build().context("cannot open the ring buffers")
}

fn decode_notice(bytes: &[u8]) -> Option<Notice> {
    let head = intf::notice_head::read(bytes)?;
    let id = head.cgroup_id;
    match head.kind {
        intf::notice_kind_NOTICE_CGROUP_CREATED => {
            let path = bytes.get(size_of::<intf::notice_head>()..)?;
            let end = path.iter().position(|&byte| byte == 0)?;
            Some(Notice::CgroupCreated {
                id,
                path: String::from_utf8_lossy(&path[..end]).into_owned(),
            })
        }
        intf::notice_kind_NOTICE_CGROUP_REMOVED => Some(Notice::CgroupRemoved { id }),
        intf::notice_kind_NOTICE_EXEC => Some(Notice::ProcessChanged {
            pid: head.pid,
            cgroup_id: id,
        }),
        _ => None,
    }
}

/// Attach a program to what its section names.
fn attach(program: &ProgramMut<'_>) -> Result<Link> {
    program.attach().with_context(|| {
        let name = program.name().to_string_lossy();
        format!("cannot attach the BPF program {name}")
    })
}

impl Drop for Engine<'_> {
    fn drop(&mut self) {
        if self.is_enforcing() {
            info!("the kernel's own scheduler is back in force");
        }
    }
}
