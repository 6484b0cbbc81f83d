/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last resort against stalls. The kernel throws a scheduler out that
 * leaves a runnable task waiting for 30 s, and with a long enough backlog no
 * order of whole invocations can avoid that. So tasks that have waited longer
 * than rescue_after_ns move to a queue of their own, and every CPU serves one
 * of them each RESCUE_PERIOD_NS for a short slice: 50 a second on each, so that
 * more than 1,250 a CPU that stall at once are beyond it. The slice is theirs
 * whatever comes, or a stall could end without their having run.
 */
#ifndef ALPS_RESCUE_BPF_H
#define ALPS_RESCUE_BPF_H

#define RESCUE_PERIOD_NS (20ULL * NSEC_PER_MSEC)
#define RESCUE_SLICE_NS (1ULL * NSEC_PER_MSEC)

/*
 * Long before the kernel's 30 s, and before the 21 s after which RCU complains
 * of a reader that was preempted and does not get to run.
 */
const volatile u64 rescue_after_ns = 5ULL * NSEC_PER_SEC;

/*
 * 0 only while the rescue queue is empty, so that dispatch need not look: it is
 * raised after a task was moved there, and who lowers it looks again. Written by
 * exchange, or the look could come before the lowering is seen.
 */
volatile u32 rescue_pending;

/* When any CPU looked for stalled tasks last. */
volatile u64 last_scan_ns;

#define SCAN_PERIOD_NS (500ULL * NSEC_PER_MSEC)

/*
 * Move the stalled tasks of @queue. Done from dispatch rather than by the
 * daemon, which may be what is stalled.
 */
static __always_inline void rescue_stalled(u64 queue, u64 now)
{
	struct task_struct *p;

	bpf_for_each(scx_dsq, p, queue, 0) {
		struct task_ctx *tctx = task_ctx_of(p);

		/* Another CPU's clock may be ahead of ours. */
		if (!tctx || (s64)(now - tctx->waiting_since_ns) < (s64)rescue_after_ns)
			continue;
		scx_bpf_dsq_move_set_slice(BPF_FOR_EACH_ITER, RESCUE_SLICE_NS);
		if (scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, RESCUE_QUEUE, 0)) {
			tctx->key_ns = 0;
			__sync_lock_test_and_set(&rescue_pending, 1);
			count(rescued);
		}
	}
}

static __always_inline void rescue_all_stalled(u64 now)
{
	u64 last = last_scan_ns;
	u32 id;

	if (now - last < SCAN_PERIOD_NS ||
	    __sync_val_compare_and_swap(&last_scan_ns, last, now) != last)
		return;
	bpf_for(id, 0, nr_queues())
		rescue_stalled(id, now);
}

/* Take a rescued task, for a CPU that has nothing else to do. */
static __always_inline bool take_rescued(void)
{
	if (!rescue_pending)
		return false;
	if (scx_bpf_dsq_move_to_local(RESCUE_QUEUE, 0))
		return true;
	if (!scx_bpf_dsq_nr_queued(RESCUE_QUEUE)) {
		__sync_lock_test_and_set(&rescue_pending, 0);
		if (scx_bpf_dsq_nr_queued(RESCUE_QUEUE))
			__sync_lock_test_and_set(&rescue_pending, 1);
	}
	return false;
}

/* Whether a rescued task comes before all others, once each period. */
static __always_inline bool is_turn_of_rescued(const struct cpu_state *state, u64 now)
{
	return rescue_pending && (s64)(now - state->rescued_ns) >= (s64)RESCUE_PERIOD_NS;
}

/* Take one if it does. */
static __always_inline bool take_rescued_in_turn(s32 cpu, u64 now)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (!is_turn_of_rescued(state, now))
		return false;
	state->rescued_ns = now;
	return take_rescued();
}

#endif
