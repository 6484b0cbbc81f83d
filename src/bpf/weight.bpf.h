/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nice and cpu.weight, as one number: what a task's virtual time is divided
 * by. Who weighs twice as much counts its service and its expected remainder
 * half, so that hogs share a CPU by their weights.
 *
 * Of the weights other than the default on a cgroup's path, be it the
 * container's, its pod's or its slice's, the smallest counts: what somebody was
 * given no cgroup of his own can undo. Multiplying them up would need to know who
 * competes on each level, and would count a pod twice whose only container was
 * given the same weight.
 */
#ifndef ALPS_WEIGHT_BPF_H
#define ALPS_WEIGHT_BPF_H

#define WEIGHT_DEFAULT 1024
#define NICE_0_WEIGHT 100
#define DEFAULT_SHARES (1024UL << 10)

/* Cgroups nested deeper are not looked at from below. */
#define MAX_WEIGHT_DEPTH 10

static __always_inline u64 shares_of(struct task_struct *p)
{
	unsigned long smallest = ~0UL;
	struct task_group *tg;
	int depth;

	if (!bpf_core_field_exists(p->sched_task_group->shares))
		return DEFAULT_SHARES;
	tg = p->sched_task_group;
	for (depth = 0; depth < MAX_WEIGHT_DEPTH && tg; depth++) {
		struct task_group *parent = tg->parent;

		/* The root's shares are nobody's choice. */
		if (!parent)
			break;
		if (tg->shares != DEFAULT_SHARES && tg->shares < smallest)
			smallest = tg->shares;
		tg = parent;
	}
	return smallest == ~0UL ? DEFAULT_SHARES : smallest;
}

/* In units of WEIGHT_DEFAULT, at least 1. */
static __always_inline u32 weight_of(struct task_struct *p)
{
	u64 nice = p->scx.weight, shares = shares_of(p), weight;

	if (nice == NICE_0_WEIGHT && shares == DEFAULT_SHARES)
		return WEIGHT_DEFAULT;
	weight = (shares >> 10) * nice / NICE_0_WEIGHT;
	return weight ?: 1;
}

static __always_inline u64 weighted(u64 ns, u32 weight)
{
	if (weight == WEIGHT_DEFAULT || !weight)
		return ns;
	return ns * WEIGHT_DEFAULT / weight;
}

#endif
