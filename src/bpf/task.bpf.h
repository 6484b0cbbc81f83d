/* SPDX-License-Identifier: GPL-2.0-only */
/* What is remembered of every task and of its thread group. */
#ifndef ALPS_TASK_BPF_H
#define ALPS_TASK_BPF_H

/*
 * A thread group's current invocation. Threads of the group change it
 * concurrently: counts move by atomics, and whoever swaps arrival_ns to 0
 * owns the right to report the invocation.
 */
struct group_ctx {
	u64 arrival_ns;		/* 0: none open, or its start was not seen */
	u64 first_run_ns;
	u64 idle_since_ns;	/* valid while nr_runnable is 0 */
	u64 cpu_ns;		/* attained service, as far as it is accounted */
	u32 switches;
	s32 nr_runnable;	/* threads whose task_ctx.runnable is set */

	u64 cgroup_id;		/* of the last identification */
	u64 generation;		/* of the function map at that time */
	u32 function;
	u32 assigned;		/* by process rule; FUNCTION_UNKNOWN: none */
	u64 assigned_epoch;	/* of the rules that assigned it */

	/* The policy of this function at this attained service, cached. */
	u64 policy_version;
	u64 bias_ns;
	u64 bias_from_ns;
	u64 bias_until_ns;
	u64 slice_ns;
	bool is_expected;	/* learned, and not run much longer than predicted */

	u64 grace_ns;		/* grace taken so far, see grace.bpf.h */
	u64 told_ns;		/* CPU time it will take, see told.bpf.h; 0: not told */
};

/* A task; the group's part is used in the leader's context only. */
struct task_ctx {
	u64 exec_seen_ns;	/* sum_exec_runtime accounted so far */
	u64 base_ns;		/* when it became runnable, plus weighted service */
	u64 burst_ns;		/* service since it last slept */
	u64 mean_burst_ns;	/* of its bursts, exponentially weighted */
	u64 key_ns;		/* its last rank, smaller is sooner; 0 once rescued */
	u64 waiting_since_ns;	/* first queued after it last ran; 0 once it runs */
	u32 runnable;
	s32 cpu;		/* where it ran last, and what runs there now is in cpu.bpf.h */
	u32 weight;		/* at its last ranking, 0 before; see weight.bpf.h */
	u32 pad;
	struct group_ctx group;
};

/* Entries live as long as their task; made at fork or by the survey. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctxs SEC(".maps");

static __always_inline struct task_ctx *task_ctx_of(struct task_struct *p)
{
	return bpf_task_storage_get(&task_ctxs, p, 0, 0);
}

/*
 * The kernel's own of these came after the oldest one we run on, where a program
 * is preempted only if the kernel is built for that.
 */
static __always_inline void stay_on_cpu(void)
{
	if (bpf_ksym_exists(bpf_preempt_disable))
		bpf_preempt_disable();
}

static __always_inline void may_leave_cpu(void)
{
	if (bpf_ksym_exists(bpf_preempt_enable))
		bpf_preempt_enable();
}

/*
 * For programs that may be preempted. The kernel refuses a tracepoint's look
 * at task storage while another is under way on its CPU; if that one were
 * preempted halfway, all that happens there meanwhile would be missed.
 */
static __always_inline struct task_ctx *task_ctx_of_preemptible(struct task_struct *p,
								u64 flags)
{
	struct task_ctx *tctx;

	stay_on_cpu();
	tctx = bpf_task_storage_get(&task_ctxs, p, 0, flags);
	may_leave_cpu();
	return tctx;
}

static __always_inline struct group_ctx *group_of(struct task_struct *p,
						  struct task_ctx *tctx)
{
	struct task_ctx *leader;

	if (p->pid == p->tgid)
		return &tctx->group;

	leader = bpf_task_storage_get(&task_ctxs, p->group_leader, 0, 0);
	return leader ? &leader->group : NULL;
}

/* Service that is not accounted yet; right while @p waits and on the CPU that runs it. */
static __always_inline u64 unaccounted_ns(const struct task_struct *p,
					  const struct task_ctx *tctx)
{
	return p->se.sum_exec_runtime - tctx->exec_seen_ns;
}

#endif
