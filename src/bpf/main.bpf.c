/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scx_alps, kernel side: observe invocations, and enforce the order that was
 * learned from them. The parts, in the order they build on each other:
 *
 *	task, cpu	what is remembered of tasks and CPUs
 *	told		how long an invocation will run, where somebody says so
 *	identify	which function a task is
 *	weight		what nice and cpu.weight make of its virtual time
 *	observe, survey	invocations, reported to user space
 *	assign		what rules on processes say
 *	policy, rank	the published table, and the key made from it
 *	credit		how far a virtual time may lie from the clock
 *	queue, place	where a task waits, and which CPU it takes
 *	grace, rescue	the two exceptions from the order
 */
#include "kernel.bpf.h"
#include "intf.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

#include "count.bpf.h"
#include "task.bpf.h"
#include "told.bpf.h"
#include "cpu.bpf.h"
#include "identify.bpf.h"
#include "weight.bpf.h"
#include "policy.bpf.h"
#include "credit.bpf.h"
#include "observe.bpf.h"
#include "survey.bpf.h"
#include "assign.bpf.h"
#include "rank.bpf.h"
#include "queue.bpf.h"
#include "place.bpf.h"
#include "grace.bpf.h"
#include "rescue.bpf.h"

/* Say which function a process is, by a rule on its name or command line. */
SEC("syscall")
int assign_process(struct assignment *args)
{
	struct task_struct *p = bpf_task_from_pid(args->pid);
	struct task_ctx *tctx;

	if (!p)
		return -ESRCH;
	bpf_rcu_read_lock();
	tctx = task_ctx_of_preemptible(p, 0);
	if (tctx)
		assign(tctx, args->function);
	bpf_rcu_read_unlock();
	bpf_task_release(p);
	return tctx ? 0 : -ENOENT;
}

/* Let @p run for another slice. */
static __always_inline void keep_running(struct task_struct *p, u64 slice_ns)
{
	scx_bpf_task_set_slice(p, slice_ns);
	count(kept);
}

/*
 * Place a waking task on an idle CPU, or on the one it will preempt, so that
 * the enqueue that follows happens on the right CPU's run queue.
 */
s32 BPF_STRUCT_OPS(alps_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu, this_cpu = bpf_get_smp_processor_id();
	struct task_ctx *tctx = task_ctx_of(p);
	struct group_ctx *g;
	u64 now, key;

	if (!tctx)
		return prev_cpu;
	g = group_of(p, tctx);
	if (!g)
		return prev_cpu;

	now = bpf_ktime_get_ns();
	became_runnable(p, tctx, g, now);

	if (wake_flags & SCX_WAKE_SYNC && is_allowed(p, this_cpu) &&
	    hands_over(p, tctx, this_cpu, now)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, HANDOVER_SLICE_NS, SCX_ENQ_PREEMPT);
		return this_cpu;
	}

	key = rank(p, tctx, g, 0);
	cpu = pick_idle(p, prev_cpu, wake_flags, true);
	if (cpu >= 0) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_of(g), 0);
		count(idle_dispatches);
		return cpu;
	}

	cpu = find_victim(p, prev_cpu, key, now);
	return cpu >= 0 ? cpu : prev_cpu;
}

void BPF_STRUCT_OPS(alps_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 victim, cpu = scx_bpf_task_cpu(p);
	struct cpu_state *state = cpu_state_of(cpu);
	u64 key, slice_ns, pending_ns, base_ns, now;
	struct task_ctx *tctx;
	struct group_ctx *g;

	if (state->handing_over == p->pid) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, default_slice_ns, enq_flags);
		return;
	}
	tctx = task_ctx_of(p);
	if (!tctx || !(g = group_of(p, tctx))) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, default_slice_ns, enq_flags);
		return;
	}
	now = bpf_ktime_get_ns();
	became_runnable(p, tctx, g, now);

	if (p->nr_cpus_allowed == 1 && enq_flags & SCX_ENQ_WAKEUP &&
	    cpu == bpf_get_smp_processor_id() && hands_over(p, tctx, cpu, now)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, HANDOVER_SLICE_NS,
				   enq_flags | SCX_ENQ_PREEMPT);
		return;
	}

	/* Whoever follows it here, it must not preempt. */
	if (state->pid == p->pid)
		state->key_ns = 0;

	pending_ns = unaccounted_ns(p, tctx);
	base_ns = tctx->base_ns;
	if (pending_ns)
		account(p, tctx, g);
	key = rank(p, tctx, g, 0);
	slice_ns = slice_of(g);

	/* Turned out by a real-time task, it waits where it is not in the way. */
	if (must_run_here(p) && !(enq_flags & SCX_ENQ_REENQ)) {
		if (enq_flags & SCX_ENQ_WAKEUP)
			enq_flags |= SCX_ENQ_PREEMPT;
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}

	if (pending_ns && may_take_grace(p, g)) {
		g->grace_ns += GRACE_SLICE_NS;
		slice_ns = GRACE_SLICE_NS;
		if (base_ns < key)
			key = base_ns;
		tctx->key_ns = key;
		count(graced);
	}

	/*
	 * Even who preempts goes through the queue. In the CPU's local queue it
	 * could be overtaken in its turn, and a CPU whose local queue never runs
	 * empty would never look at the others.
	 */
	victim = find_victim(p, cpu, key, now);
	if (!tctx->waiting_since_ns)
		tctx->waiting_since_ns = scx_bpf_now();
	scx_bpf_dsq_insert_vtime(p, queue_of(victim < 0 ? cpu : victim), slice_ns, key,
				 enq_flags);
	count(queued);

	/* A CPU may have gone idle since select_cpu looked, or it was not asked. */
	cpu = pick_idle(p, cpu, 0, false);
	if (cpu >= 0) {
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	if (victim >= 0) {
		claim(victim, key);
		scx_bpf_kick_cpu(victim, SCX_KICK_PREEMPT);
		count(preemptions);
	}
}

void BPF_STRUCT_OPS(alps_dispatch, s32 cpu, struct task_struct *prev)
{
	bool prev_runnable = prev && prev->scx.flags & SCX_TASK_QUEUED;
	struct task_ctx *tctx = NULL;
	struct group_ctx *g = NULL;
	u64 queue, head_key, now = scx_bpf_now();

	rescue_all_stalled(now);
	if (take_rescued_in_turn(cpu, now))
		return;

	if (prev_runnable) {
		tctx = task_ctx_of(prev);
		if (tctx)
			g = group_of(prev, tctx);
	} else if (nr_queues() == 1) {
		if (!scx_bpf_dsq_move_to_local(0, 0))
			take_rescued();
		return;
	}

	queue = best_queue(cpu, PASS_OVER_ALL, &head_key);
	if (g && rank(prev, tctx, g, unaccounted_ns(prev, tctx)) <= head_key) {
		note_rank(cpu_state_of(cpu), tctx, g);
		keep_running(prev, slice_of(g));
		return;
	}
	if (scx_bpf_dsq_move_to_local(queue, 0) || take_any(cpu)) {
		/* Nobody is preempted here until the next one runs, least of all by @prev. */
		cpu_state_of(cpu)->key_ns = 0;
		if (prev_runnable)
			count(requeued);
		return;
	}
	if (take_rescued())
		return;
	if (g)
		keep_running(prev, slice_of(g));
}

/*
 * A real-time task takes the CPU, maybe for long: whoever was to run there
 * looks for another. Kernels from 6.19 on do it in observe_switch() instead,
 * and the daemon leaves this callback out.
 */
void BPF_STRUCT_OPS(alps_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	cpu_state_of(cpu)->key_ns = 0;
	scx_bpf_reenqueue_local();
}

/*
 * A task queued between this CPU's last look and its going idle would wait for
 * the next event with an idle CPU beside it; so look once more.
 */
void BPF_STRUCT_OPS(alps_update_idle, s32 cpu, bool idle)
{
	if (idle && (rescue_pending || is_anything_queued()))
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

/*
 * A running task ages: rank it anew, and yield to who is better by now, to who
 * must run here and nowhere else, and to the rescued in their turn. One of those
 * has its slice.
 */
void BPF_STRUCT_OPS(alps_tick, struct task_struct *p)
{
	s32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *state = cpu_state_of(cpu);
	struct task_ctx *tctx = task_ctx_of(p);
	struct group_ctx *g;
	u64 key, head_key;

	if (!tctx || !state->key_ns)
		return;
	g = group_of(p, tctx);
	if (!g)
		return;

	key = rank(p, tctx, g, unaccounted_ns(p, tctx));
	note_rank(state, tctx, g);
	best_queue(cpu, MAX_PASSED_OVER_AT_TICK, &head_key);
	if ((head_key < key && key - head_key > preempt_margin_ns) ||
	    !is_local_queue_empty() ||
	    is_turn_of_rescued(state, scx_bpf_now()))
		scx_bpf_task_set_slice(p, 0);
}

/*
 * Who yields waits behind all that want to run now: it gives up what it has
 * waited before, or it would be the best-ranked again.
 */
bool BPF_STRUCT_OPS(alps_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_ctx *tctx = task_ctx_of(from);

	if (to)
		return false;
	/* What it has run and is not accounted for yet is added later. */
	if (tctx)
		restart_base(tctx, bpf_ktime_get_ns() -
				   weighted(unaccounted_ns(from, tctx), tctx->weight));
	scx_bpf_task_set_slice(from, 0);
	return false;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(alps_init)
{
	enforcing = true;
	rescue_pending = 0;
	nr_cpu_ids = scx_bpf_nr_cpu_ids();
	return create_queues();
}

void BPF_STRUCT_OPS(alps_exit, struct scx_exit_info *ei)
{
	struct notice *notice;

	enforcing = false;
	UEI_RECORD(uei, ei);
	notice = bpf_ringbuf_reserve(&notices, sizeof(*notice), 0);
	if (!notice)
		return;
	notice->kind = NOTICE_SCHEDULER_EXIT;
	notice->path[0] = 0;
	bpf_ringbuf_submit(notice, BPF_RB_FORCE_WAKEUP);
}

SCX_OPS_DEFINE(alps_ops,
	       .select_cpu		= (void *)alps_select_cpu,
	       .enqueue			= (void *)alps_enqueue,
	       .dispatch		= (void *)alps_dispatch,
	       .cpu_release		= (void *)alps_cpu_release,
	       .update_idle		= (void *)alps_update_idle,
	       .tick			= (void *)alps_tick,
	       .yield			= (void *)alps_yield,
	       .init			= (void *)alps_init,
	       .exit			= (void *)alps_exit,
	       .timeout_ms		= 30000,
	       .name			= "alps");
