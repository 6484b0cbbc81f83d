/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPU: an idle one first, else the one that runs the worst rank. */
#ifndef ALPS_PLACE_BPF_H
#define ALPS_PLACE_BPF_H

/* A preemption must gain at least this much in rank to be worth a switch. */
const volatile u64 preempt_margin_ns = 2ULL * NSEC_PER_MSEC;

/* Tasks whose bursts are shorter on average take short turns. */
const volatile u64 short_burst_ns = 100ULL * NSEC_PER_USEC;

/* More CPUs than this, beginning with its own, are not looked at for one preemption. */
#define MAX_VICTIMS 128

static __always_inline bool is_pinned(const struct task_struct *p)
{
	return p->nr_cpus_allowed == 1 || is_migration_disabled(p);
}

/* Kernel threads bound to a CPU, and tasks the kernel holds in place. */
static __always_inline bool must_run_here(const struct task_struct *p)
{
	return (p->nr_cpus_allowed == 1 && p->flags & PF_KTHREAD) ||
	       (p->nr_cpus_allowed > 1 && is_migration_disabled(p));
}

/*
 * The key of what runs on @cpu as it would be now: it has aged since it was
 * switched in. A function of its own, so that the verifier need not follow it
 * through a loop over CPUs.
 */
__noinline u64 aged_key(s32 cpu, u64 now)
{
	const struct cpu_state *state = cpu_state_of(cpu);
	u32 function = state->function;
	u64 ran, attained_ns, bias_ns, key = state->key_ns;

	if (function >= NR_FUNCTIONS || now < state->since_ns)
		return key;
	ran = now - state->since_ns;
	attained_ns = state->attained_ns + ran;
	bias_ns = told_enabled && state->told_ns ?
			  told_bias(state->told_ns, attained_ns) :
			  bias_at(function, attained_ns);
	key = state->base_ns + weighted(ran, state->weight) +
	      weighted_bias(bias_ns, state->weight);
	return key < state->key_ns ? key : state->key_ns;
}

/* The CPU that runs the worst-ranked task @p may preempt, or -1. */
static __always_inline s32 find_victim(struct task_struct *p, s32 home, u64 key,
				       u64 now)
{
	struct cpu_state *state;
	u64 worst = key + preempt_margin_ns;
	s32 victim = -1;
	u32 i, nr = nr_cpu_ids < MAX_VICTIMS ? nr_cpu_ids : MAX_VICTIMS;

	if (is_pinned(p)) {
		state = cpu_state_of(home);
		return state->key_ns && aged_key(home, now) > worst ? home : -1;
	}

	bpf_for(i, 0, nr) {
		s32 cpu = home + i;
		u64 aged;

		if (cpu >= nr_cpu_ids)
			cpu -= nr_cpu_ids;
		state = cpu_state_of(cpu);
		if (state->key_ns <= worst || !is_allowed(p, cpu))
			continue;
		aged = aged_key(cpu, now);
		if (aged <= worst)
			continue;
		worst = aged;
		victim = cpu;
	}
	return victim;
}

/* Announce @key on @cpu, so that the next newcomer sees it taken. */
static __always_inline void claim(s32 cpu, u64 key)
{
	struct cpu_state *state = cpu_state_of(cpu);

	state->key_ns = key;
	state->function = FUNCTION_GENERIC;
}

/*
 * Whether the running task should hand its CPU to @p, which it has just woken,
 * and go on when @p sleeps. Two tasks that work for each other in short turns
 * are fastest on one CPU, and the waker need not even sleep before its answer
 * is there; but that only while nobody else waits, and when both have kept
 * their turns short so far. Should this turn be longer, the waker, which sits
 * where no other CPU finds it, goes on after HANDOVER_SLICE_NS.
 */
#define HANDOVER_SLICE_NS (500ULL * NSEC_PER_USEC)

/* Finding the queue costs as much as the rest, so a look holds for so long. */
#define EMPTY_LOOK_NS (100ULL * NSEC_PER_USEC)

static __always_inline bool is_queue_empty(struct cpu_state *state, s32 cpu, u64 now)
{
	if (now - state->seen_empty_ns < EMPTY_LOOK_NS)
		return true;
	if (scx_bpf_dsq_nr_queued(queue_of(cpu)))
		return false;
	state->seen_empty_ns = now;
	return true;
}

static __always_inline bool hands_over(struct task_struct *p, struct task_ctx *tctx,
				       s32 this_cpu, u64 now)
{
	struct cpu_state *state = cpu_state_of(this_cpu);
	struct task_struct *waker;

	if (tctx->mean_burst_ns >= short_burst_ns ||
	    state->mean_burst_ns >= short_burst_ns)
		return false;
	waker = bpf_get_current_task_btf();
	if (waker->flags & PF_EXITING || !(waker->scx.flags & SCX_TASK_QUEUED) ||
	    !is_local_queue_empty() || !is_queue_empty(state, this_cpu, now))
		return false;
	state->handing_over = waker->pid;
	tctx->key_ns = tctx->base_ns;
	count(handovers);
	return true;
}

/* An idle CPU for @p, claimed, or a negative value. */
static __always_inline s32 pick_idle(struct task_struct *p, s32 prev_cpu,
				     u64 wake_flags, bool from_select_cpu)
{
	bool is_idle = false;
	s32 cpu;

	if (is_pinned(p)) {
		cpu = scx_bpf_task_cpu(p);
		return scx_bpf_test_and_clear_cpu_idle(cpu) ? cpu : -1;
	}
	if (__COMPAT_HAS_scx_bpf_select_cpu_and)
		return scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, 0);
	if (!from_select_cpu)
		return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	return is_idle ? cpu : -1;
}

#endif
