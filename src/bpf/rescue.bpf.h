/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last resort against stalls. The kernel throws a scheduler out that
 * leaves a runnable task waiting for 30 s, and with a long enough backlog no
 * order of whole invocations can avoid that. So tasks that have waited longer
 * than rescue_after_ns move to a queue of their own, and every CPU serves one
 * of them each RESCUE_PERIOD_NS for a short slice.
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

/* Tasks in the rescue queue, so that dispatch need not ask. */
volatile s32 nr_rescue_waiting;

/* When any CPU served the rescue queue last. */
volatile u64 last_rescue_ns;

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

		if (!tctx || now - tctx->queued_at_ns < rescue_after_ns)
			continue;
		scx_bpf_dsq_move_set_slice(BPF_FOR_EACH_ITER, RESCUE_SLICE_NS);
		if (scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, RESCUE_QUEUE, 0)) {
			__sync_fetch_and_add(&nr_rescue_waiting, 1);
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

static __always_inline bool take_rescued(u64 now)
{
	if (nr_rescue_waiting <= 0 || now - last_rescue_ns < RESCUE_PERIOD_NS)
		return false;
	last_rescue_ns = now;
	if (scx_bpf_dsq_move_to_local(RESCUE_QUEUE, 0)) {
		__sync_fetch_and_sub(&nr_rescue_waiting, 1);
		return true;
	}
	if (!scx_bpf_dsq_nr_queued(RESCUE_QUEUE))
		nr_rescue_waiting = 0;
	return false;
}

#endif
