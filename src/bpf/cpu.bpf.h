/* SPDX-License-Identifier: GPL-2.0-only */
/* What runs on each CPU right now, for others that look for one to preempt. */
#ifndef ALPS_CPU_BPF_H
#define ALPS_CPU_BPF_H

/*
 * Written by its own CPU when it switches, and by whoever is about to preempt
 * it, who leaves the newcomer's key so that the next one does not choose the
 * same victim. key_ns is 0 while nothing there may be preempted: idle, a task
 * of a higher scheduling class, or one that was rescued.
 */
struct cpu_state {
	u64 key_ns;
	u64 since_ns;		/* when the task was switched in */
	u64 attained_ns;	/* of its group at that time */
	u64 base_ns;
	u64 told_ns;		/* of its group, see told.bpf.h */
	u64 rescued_ns;		/* when it looked at the rescue queue last */
	u64 seen_empty_ns;	/* when it found its queue empty last, see place.bpf.h */
	u64 mean_burst_ns;	/* of the task, ~0 for none of ours */
	u32 handing_over;	/* until the next switch: pid of who gives it to a task it woke */
	u32 pid;		/* of the task, 0 while idle */
	u32 function;
	u32 weight;		/* of the task, see weight.bpf.h */
	u32 llc;		/* set by the daemon before it attaches */
} __attribute__((aligned(64)));

struct cpu_state cpus[MAX_CPUS];

/* CPU ids in use are below it; set when the scheduler is attached. */
volatile u32 nr_cpu_ids;

/* MAX_CPUS is a power of two, so the mask satisfies the verifier for nothing. */
static __always_inline struct cpu_state *cpu_state_of(s32 cpu)
{
	return &cpus[cpu & (MAX_CPUS - 1)];
}

static __always_inline void now_idle(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	state->pid = 0;
	state->key_ns = 0;
	state->mean_burst_ns = ~0ULL;
}

/* The rank of the task that runs on @state's CPU, as just made. */
static __always_inline void note_rank(struct cpu_state *state, const struct task_ctx *tctx,
				      const struct group_ctx *g)
{
	state->key_ns = tctx->key_ns;
	state->function = g->function;
}

static __always_inline void now_running(struct task_struct *p,
					struct task_ctx *tctx,
					struct group_ctx *g, s32 cpu, u64 now)
{
	struct cpu_state *state = cpu_state_of(cpu);

	state->key_ns = bpf_core_field_exists(p->scx) &&
			p->scx.flags & SCX_TASK_QUEUED ? tctx->key_ns : 0;
	state->pid = p->pid;
	state->since_ns = now;
	state->attained_ns = g->cpu_ns;
	state->base_ns = tctx->base_ns;
	state->function = g->function;
	state->weight = tctx->weight;
	state->mean_burst_ns = p->flags & PF_KTHREAD ? ~0ULL : tctx->mean_burst_ns;
	if (told_enabled)
		state->told_ns = g->told_ns;
}

#endif
