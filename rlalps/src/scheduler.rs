// SPDX-License-Identifier: GPL-2.0-only
//! The loop: take in who wants a CPU, ask the policy, send on who is best.
//!
//! It runs while tasks wait for it, so it must never wait for one of them: it
//! does not allocate, log or lock. All of its memory is there, and locked,
//! before it begins.

use std::ffi::c_char;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::Result;
use scx_alps::invocation::FunctionId;
use scx_alps::learn::BiasFactor;
use scx_alps::policies::{self, Policy, Standing};
use scx_utils::UserExitInfo;

use crate::bpf::{BpfScheduler, DispatchedTask, QueuedTask, RL_CPU_ANY};
use crate::cgroup::Reader;
use crate::clock::{Ahead, now_ns};
use crate::functions::{Functions, Place};
use crate::options::Options;
use crate::poker::Poker;
use crate::running::Running;
use crate::stats::{BOARD, add};
use crate::task::{Task, Visit, weighted};
use crate::tasks::Tasks;
use crate::waiting::{Waiting, WaitingRoom};

/// Who has waited so long goes in front: half the time after which the kernel
/// ends a scheduler of scx_rustland_core that leaves a task waiting.
const RESCUE_AFTER_NS: u64 = 2_500_000_000;

/// How often is looked for those.
const RESCUE_EVERY_NS: u64 = 250_000_000;

/// By names like this the benchmark tells what its processes will take.
const TOLD: &[u8] = b"cpu:";

/// All there is while it schedules.
pub struct Scheduler<'a> {
    bpf: BpfScheduler<'a>,
    order: Order<'a>,
    waiting: WaitingRoom,
    running: Running,
    poker: Option<Poker>,
    preempt_margin_ns: u64,
    rescue_at_ns: u64,
    faults_before: u64,
}

/// What a task's place in the order depends on.
struct Order<'a> {
    policy: &'static dyn Policy,
    bias_factor: BiasFactor,
    max_bias_ns: u64,
    idle_gap_ns: u64,
    default_slice_ns: u64,
    functions: &'a Functions,
    tasks: Tasks,
    cgroups: Reader,
    ahead: Ahead,
}

impl<'a> Scheduler<'a> {
    pub fn new(
        bpf: BpfScheduler<'a>,
        options: &Options,
        functions: &'a Functions,
        poker: Option<Poker>,
    ) -> Self {
        BOARD.functions.store(functions.len() as u64, Relaxed);
        Self {
            bpf,
            order: Order {
                policy: options.policy,
                bias_factor: options.bias_factor,
                max_bias_ns: options.max_bias.as_nanos() as u64,
                idle_gap_ns: options.idle_gap.as_nanos() as u64,
                default_slice_ns: options.slice.as_nanos() as u64,
                functions,
                tasks: Tasks::new(),
                cgroups: Reader::new(),
                ahead: Ahead::default(),
            },
            waiting: WaitingRoom::new(),
            running: Running::new(*scx_utils::NR_CPU_IDS),
            poker,
            preempt_margin_ns: options.preempt_margin.as_nanos() as u64,
            rescue_at_ns: 0,
            faults_before: page_faults(),
        }
    }

    /// Schedules until told to stop or ended by the kernel.
    pub fn run(&mut self) {
        while !self.bpf.exited() {
            let begin_ns = now_ns();
            // Who is taken off its CPU amidst its work must come back to it.
            *self.bpf.nr_scheduled_mut() = self.waiting.len() as u64 + 1;
            self.take_in();
            if begin_ns >= self.rescue_at_ns {
                self.look_around(begin_ns);
            }
            self.send_on();
            self.preempt();
            add(&BOARD.deciding_ns, now_ns().saturating_sub(begin_ns));
            add(&BOARD.rounds, 1);
            BOARD.waiting.store(self.waiting.len() as u64, Relaxed);
            self.bpf.notify_complete(self.waiting.len() as u64);
        }
    }

    /// Gives the machine back; why it ended.
    ///
    /// # Errors
    /// When the kernel has ended it for an error.
    pub fn end(mut self) -> Result<UserExitInfo> {
        self.bpf.shutdown_and_report()
    }

    /// Gives a place to everybody who has come.
    fn take_in(&mut self) {
        // An error is as good as nobody; the next round tries again.
        while let Ok(Some(task)) = self.bpf.dequeue_task() {
            let now_ns = now_ns();
            let (key_ns, slice_ns) = self.order.place(&task, now_ns);
            let waiting = Waiting::new(&task, key_ns, slice_ns, now_ns);
            add(&BOARD.decisions, 1);
            if task.exec_runtime > 0 {
                self.running.ended(task.cpu);
            }
            if self.waiting.is_full() {
                add(&BOARD.overflowed, 1);
                self.send(&waiting, RL_CPU_ANY);
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    /// Sends on the best: one for the CPU this runs on, which is about to be
    /// free, and one for each that is idle. The others stay, for who comes next
    /// may be better.
    fn send_on(&mut self) {
        let running = *self.bpf.nr_running_mut();
        let free = self.bpf.nr_online_cpus_mut().saturating_sub(running);
        // SAFETY: has no preconditions.
        let own = unsafe { libc::sched_getcpu() };
        let mut has_own = false;
        let mut left = free.max(1);
        while left > 0
            && let Some(next) = self.waiting.pop()
        {
            if !self.order.tasks.leave(next.pid, next.visits) {
                add(&BOARD.outdated, 1);
                continue;
            }
            let cpu = if next.is_pinned {
                next.cpu
            } else if !has_own {
                has_own = true;
                if next.is_confined { RL_CPU_ANY } else { own }
            } else {
                self.bpf.select_cpu(next.pid, next.cpu, next.flags)
            };
            if cpu < 0 || !self.send(&next, cpu) {
                self.order.tasks.stay(next.pid);
                self.waiting.push(next);
                break;
            }
            // Who may run on one CPU only does not keep others from theirs.
            if !next.is_pinned {
                left -= 1;
            }
        }
    }

    /// Aims at the last in the order, for the next newcomer to take its place;
    /// and if the best of those that wait is far better, takes it now.
    fn preempt(&mut self) {
        let Some(poker) = &mut self.poker else { return };
        let Some((cpu, key_ns)) = self.running.last() else {
            return;
        };
        poker.aim(cpu);
        let best_ns = self.waiting.best_key_ns();
        // SAFETY: has no preconditions.
        let own = unsafe { libc::sched_getcpu() };
        if best_ns.is_some_and(|best| best.saturating_add(self.preempt_margin_ns) < key_ns)
            && usize::try_from(own) != Ok(cpu)
        {
            poker.poke();
            self.running.ended(cpu as i32);
            add(&BOARD.preemptions, 1);
        }
    }

    /// Whether there was room for it.
    fn send(&mut self, waiting: &Waiting, cpu: i32) -> bool {
        self.running.began(cpu, waiting.key_ns);
        let task = DispatchedTask {
            pid: waiting.pid,
            cpu,
            flags: waiting.flags,
            slice_ns: waiting.slice_ns,
            vtime: waiting.key_ns,
            enq_cnt: waiting.visits,
        };
        self.bpf.dispatch_task(&task).is_ok()
    }

    /// What need not be done in every round.
    fn look_around(&mut self, now_ns: u64) {
        self.rescue_at_ns = now_ns + RESCUE_EVERY_NS;
        let rescued = self.waiting.rescue(now_ns.saturating_sub(RESCUE_AFTER_NS));
        add(&BOARD.rescued, rescued as u64);
        let bpf = &mut self.bpf;
        for (figure, value) in [
            (&BOARD.user_dispatches, *bpf.nr_user_dispatches_mut()),
            (&BOARD.kernel_dispatches, *bpf.nr_kernel_dispatches_mut()),
            (&BOARD.cancelled, *bpf.nr_cancel_dispatches_mut()),
            (&BOARD.bounced, *bpf.nr_bounce_dispatches_mut()),
            (&BOARD.congested, *bpf.nr_sched_congested_mut()),
            (&BOARD.page_faults, page_faults() - self.faults_before),
        ] {
            figure.store(value, Relaxed);
        }
    }
}

impl Order<'_> {
    /// A task's key and slice.
    fn place(&mut self, queued: &QueuedTask, now_ns: u64) -> (u64, u64) {
        self.ahead.note(now_ns, queued.stop_ts.max(queued.start_ts));
        let visit = Visit {
            now_ns,
            burst_ns: queued.exec_runtime,
            off_cpu_ns: (queued.stop_ts > 0).then(|| self.ahead.since_ns(now_ns, queued.stop_ts)),
        };
        let found = self
            .tasks
            .visit(queued.pid, queued.enq_cnt, || Task::new(&visit));
        if found.has_evicted {
            add(&BOARD.forgotten, 1);
        }
        let task = found.task;
        if found.is_new {
            task.told_ns = told_ns(&queued.comm);
        }
        let credit_ns = self.max_bias_ns / 2;
        task.visit(&visit, self.idle_gap_ns, credit_ns, queued.weight);
        if task.is_to_be_looked_up(now_ns) {
            add(&BOARD.looked_up, 1);
            if let Some(path) = self.cgroups.path(queued.pid) {
                task.place = self.functions.at(path);
            }
        }

        if task.place == Place::Function(FunctionId::PRIOR) {
            add(&BOARD.unknown, 1);
        }
        let at = standing(task, self.functions);
        let bias_ns = self
            .bias_factor
            .bias_ns(self.policy.distance_ns(&at), self.max_bias_ns);
        let bias_ns = weighted(bias_ns, queued.weight).min(self.max_bias_ns);
        let slice_ns = policies::slice_ns(self.policy, &at).unwrap_or(self.default_slice_ns);
        (task.base_ns.saturating_add(bias_ns), slice_ns)
    }
}

/// What the policy is told of a task.
fn standing(task: &Task, functions: &Functions) -> Standing {
    let by_its_bursts = Standing {
        attained_ns: task.burst_ns(),
        remaining_ns: task.remaining_burst_ns(),
        expected_ns: task.mean_burst_ns(),
        told_ns: None,
    };
    let expected = match task.place {
        Place::Generic => by_its_bursts,
        Place::Function(function) => functions.entry(function).map_or(by_its_bursts, |entry| {
            Standing::expected(entry, task.attained_ns())
        }),
    };
    Standing {
        told_ns: task.told_ns,
        ..expected
    }
}

/// What a process's name tells of its CPU time.
fn told_ns(comm: &[c_char]) -> Option<u64> {
    let mut bytes = comm.iter().map(|&byte| byte as u8);
    let is_told = TOLD.iter().all(|&byte| bytes.next() == Some(byte));
    let mut digits = bytes.take_while(|&byte| byte != 0).peekable();
    digits.peek()?;
    let number = digits.try_fold(0u64, |number, byte| {
        let digit = char::from(byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    });
    number.filter(|_| is_told)
}

/// Of this thread, so far.
fn page_faults() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the place is as large as the answer, which zeros are one of.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    (usage.ru_minflt + usage.ru_majflt) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comm(name: &str) -> [c_char; 16] {
        let mut comm = [0; 16];
        for (to, from) in comm.iter_mut().zip(name.bytes()) {
            *to = from as c_char;
        }
        comm
    }

    #[test]
    fn names_tell_what_is_in_them() {
        assert_eq!(told_ns(&comm("cpu:1500000000")), Some(1_500_000_000));
        for name in ["", "cpu:", "cpu:-1", "cpu:1x", "resize", "xcpu:1"] {
            assert_eq!(told_ns(&comm(name)), None, "{name}");
        }
        // Without the zero byte at its end.
        assert_eq!(told_ns(&comm("cpu:999999999999")), Some(999_999_999_999));
    }
}
