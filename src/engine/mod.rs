// SPDX-License-Identifier: GPL-2.0-only
//! The kernel side, as the daemon sees it: load, observe, publish, enforce.

mod identification;
mod intf;
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

use anyhow::{Context, Result, bail};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, OpenObject, RingBuffer, RingBufferBuilder};
use log::{info, warn};
use scx_alps::invocation::{FunctionId, Invocation};
use scx_alps::policy::{PolicyEntry, PolicyTable};
use scx_utils::libbpf_clap_opts::LibbpfOpts;
use scx_utils::{UserExitInfo, compat, scx_ops_load, scx_ops_open, uei_read};

pub use identification::{Assignment, Identification};
use intf::FromKernel;
pub use intf::alps_counters as Counters;
use pins::Pins;
use published::Published;
use skel::{BpfSkel, BpfSkelBuilder};
use topology::CacheDomains;

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

/// The loaded BPF programs; observing as long as it lives, enforcing on demand.
pub struct Engine<'a> {
    skel: BpfSkel<'a>,
    enforcing: Option<Link>,
    /// Watches wake-ups where our own scheduler does not see them.
    wake_observer: Option<Link>,
    partial: bool,
    rings: RingBuffer<'static>,
    inbox: Rc<RefCell<Inbox>>,
    survey: Link,
    /// The half of the policy table in force is its lowest bit.
    policy_version: u64,
    published: Published,
    /// So many slots of each half may hold something.
    published_slots: [usize; 2],
    generation: u64,
    rules_epoch: u64,
    /// With the hotplug sequence they were read at.
    domains: Option<(Option<u64>, CacheDomains)>,
    _observers: Vec<Link>,
    _pins: Pins,
}

impl<'a> Engine<'a> {
    /// Load the programs and begin to observe.
    pub fn load(config: &EngineConfig, object: &'a mut MaybeUninit<OpenObject>) -> Result<Self> {
        requirements::check()?;
        requirements::check_cpu_count(*scx_utils::NR_CPU_IDS, intf::alps_limits_MAX_CPUS as usize)?;
        scx_utils::try_set_rlimit_infinity();

        let mut builder = BpfSkelBuilder::default();
        builder.obj_builder.debug(config.verbose);
        let open_opts = config.libbpf.clone().into_bpf_open_opts();
        let mut skel = scx_ops_open!(builder, object, alps_ops, open_opts)?;

        let ops = skel.struct_ops.alps_ops_mut();
        ops.exit_dump_len = config.exit_dump_len;
        // The engine attaches many times in its life and looks for CPUs that
        // came or went by itself: see enforce().
        ops.hotplug_seq = 0;
        ops.flags = *compat::SCX_OPS_ENQ_EXITING
            | *compat::SCX_OPS_KEEP_BUILTIN_IDLE
            | *compat::SCX_OPS_ENQ_MIGRATION_DISABLED
            | *compat::SCX_OPS_ALLOW_QUEUED_WAKEUP
            | if config.partial {
                *compat::SCX_OPS_SWITCH_PARTIAL
            } else {
                0
            };

        if compat::ksym_exists("scx_bpf_reenqueue_local___v2")?
            || compat::ksym_exists("scx_bpf_dsq_reenq")?
        {
            ops.cpu_release = std::ptr::null_mut();
        }

        let Some(rodata) = skel.maps.rodata_data.as_mut() else {
            bail!("the BPF object has no read-only data: the build is broken");
        };
        rodata.idle_gap_ns = config.idle_gap.as_nanos() as u64;
        rodata.default_slice_ns = config.default_slice.as_nanos() as u64;
        rodata.max_bias_ns = config.max_bias.as_nanos() as u64;
        rodata.preempt_margin_ns = config.preempt_margin.as_nanos() as u64;
        rodata.grace_enabled = config.grace;
        rodata.told_enabled = config.told;
        rodata.daemon_tgid = std::process::id();
        rodata.queueing = match config.queueing {
            Queueing::Llc => intf::alps_queueing_QUEUE_PER_LLC,
            Queueing::Cpu => intf::alps_queueing_QUEUE_PER_CPU,
        };

        if !config.told {
            // The kernel knows no map without room.
            skel.maps.told.set_max_entries(1)?;
        }

        let mut skel = scx_ops_load!(skel, alps_ops, uei)?;
        set_bias_factor(&mut skel, config.bias_factor)?;

        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let rings = open_rings(&skel, &inbox)?;
        let mut pinned = vec![
            ("policy", &mut skel.maps.policy),
            ("cgroup_functions", &mut skel.maps.cgroup_functions),
            ("counters", &mut skel.maps.counters),
        ];
        if config.told {
            pinned.push(("told", &mut skel.maps.told));
        }
        let pins = Pins::create(&mut pinned)?;
        let published = Published::map(skel.maps.policy.as_fd())?;

        let survey = skel
            .progs
            .survey
            .attach()
            .context("cannot attach the task iterator")?;
        let observers = attach_observers(&mut skel)?;

        let mut engine = Self {
            skel,
            enforcing: None,
            wake_observer: None,
            partial: config.partial,
            rings,
            inbox,
            survey,
            policy_version: 0,
            published,
            published_slots: [0; 2],
            generation: 0,
            rules_epoch: 0,
            domains: None,
            _observers: observers,
            _pins: pins,
        };
        engine.watch_wakeups()?;
        Ok(engine)
    }

    /// Whether our order is in force.
    pub fn is_enforcing(&self) -> bool {
        self.enforcing.is_some()
    }

    /// Take over from the kernel's own scheduler. Nothing to do when already on.
    pub fn enforce(&mut self) -> Result<()> {
        if self.enforcing.is_some() {
            return Ok(());
        }
        // CPUs may come or go while the topology is read and the scheduler
        // attached; then begin again with the new ones.
        for _ in 0..10 {
            requirements::check_no_other_scheduler()?;
            let before = requirements::hotplug_sequence();
            self.write_topology(before)?;
            self.clear_exit();
            let link = self
                .skel
                .maps
                .alps_ops
                .attach_struct_ops()
                .context("the kernel refused the scheduler (dmesg says why)")?;
            if requirements::hotplug_sequence() == before {
                self.enforcing = Some(link);
                if !self.partial {
                    self.wake_observer = None;
                }
                return Ok(());
            }
            warn!("CPUs came or went while the scheduler was attached; attaching again");
        }
        bail!("CPUs come and go too fast to attach the scheduler")
    }

    /// Give the machine back to the kernel's own scheduler; observing goes on.
    pub fn release(&mut self) -> Result<()> {
        self.enforcing = None;
        self.watch_wakeups()
    }

    fn watch_wakeups(&mut self) -> Result<()> {
        if self.wake_observer.is_none() {
            let link = self
                .skel
                .progs
                .observe_wakeup
                .attach()
                .context("cannot attach the BPF program observe_wakeup")?;
            self.wake_observer = Some(link);
        }
        Ok(())
    }

    /// Why the kernel ended the scheduler, if it did.
    pub fn take_exit(&mut self) -> Result<Option<UserExitInfo>> {
        if self.enforcing.is_none() {
            return Ok(None);
        }
        let exited = self.skel.maps.data_data.as_ref().is_some_and(|data| {
            // SAFETY: the kernel writes it concurrently; a volatile read of an
            // aligned integer sees the old or the new value.
            unsafe { std::ptr::read_volatile(&raw const data.uei.kind) != 0 }
        });
        if !exited {
            return Ok(None);
        }
        self.release()?;
        Ok(Some(uei_read!(&self.skel, uei)))
    }

    fn clear_exit(&mut self) {
        if let Some(data) = self.skel.maps.data_data.as_mut() {
            data.uei.kind = 0;
        }
    }

    /// Reading the topology takes longer than attaching, so it is done only
    /// when CPUs came or went since.
    fn write_topology(&mut self, sequence: Option<u64>) -> Result<()> {
        if matches!(&self.domains, Some((read_at, _)) if *read_at == sequence) {
            return Ok(());
        }
        let (_, domains) = self.domains.insert((sequence, CacheDomains::read()?));
        let (Some(bss), Some(data)) = (
            self.skel.maps.bss_data.as_mut(),
            self.skel.maps.data_data.as_mut(),
        ) else {
            bail!("the BPF object has no data sections: the build is broken");
        };
        for &(cpu, domain) in &domains.cpus {
            if let Some(state) = bss.cpus.get_mut(cpu) {
                state.llc = domain;
            }
        }
        data.nr_llcs = domains.count;
        Ok(())
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
        self.published.finish();
        let Some(bss) = self.skel.maps.bss_data.as_mut() else {
            bail!("the BPF object has no data section: the build is broken");
        };
        // SAFETY: an aligned integer that BPF programs read concurrently.
        unsafe { std::ptr::write_volatile(&raw mut bss.policy_version, next) };
        self.policy_version = next;
        Ok(())
    }

    /// Set the bias of generic tasks' expected remaining service, which is in
    /// force at once; functions have theirs in the policy table.
    pub fn set_bias_factor(&mut self, factor: f64) -> Result<()> {
        set_bias_factor(&mut self.skel, factor)
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
        Iter::new(&self.survey)
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
            .skel
            .maps
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

fn set_bias_factor(skel: &mut BpfSkel<'_>, factor: f64) -> Result<()> {
    let Some(data) = skel.maps.data_data.as_mut() else {
        bail!("the BPF object has no data section: the build is broken");
    };
    let sixteenths = (factor * 16.0).round().max(1.0) as u64;
    // SAFETY: an aligned integer that BPF programs read concurrently.
    unsafe { std::ptr::write_volatile(&raw mut data.bias_factor_16, sixteenths) };
    Ok(())
}

fn open_rings(skel: &BpfSkel<'_>, inbox: &Rc<RefCell<Inbox>>) -> Result<RingBuffer<'static>> {
    let mut builder = RingBufferBuilder::new();
    let finished = Rc::clone(inbox);
    builder.add(&skel.maps.invocations, move |bytes| {
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
    builder.add(&skel.maps.notices, move |bytes| {
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

fn attach_observers(skel: &mut BpfSkel<'_>) -> Result<Vec<Link>> {
    let progs = &mut skel.progs;
    [
        &mut progs.scx_lib_init_probe,
        &mut progs.observe_switch,
        &mut progs.observe_fork,
        &mut progs.observe_wakeup_new,
        &mut progs.observe_exec,
        &mut progs.observe_cgroup_attach,
        &mut progs.observe_cgroup_mkdir,
        &mut progs.observe_cgroup_rmdir,
    ]
    .into_iter()
    .map(|program| {
        let name = program.name().to_string_lossy().into_owned();
        program
            .attach()
            .with_context(|| format!("cannot attach the BPF program {name}"))
    })
    .collect()
}

impl Drop for Engine<'_> {
    fn drop(&mut self) {
        if self.enforcing.take().is_some() {
            info!("the kernel's own scheduler is back in force");
        }
    }
}
