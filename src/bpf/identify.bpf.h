/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which function is a task? Its cgroup says so: the daemon keeps a map from
 * cgroup ids to functions, and nothing here reads a name.
 */
#ifndef ALPS_IDENTIFY_BPF_H
#define ALPS_IDENTIFY_BPF_H

/*
 * Cgroup id to function, written by the daemon only. A cgroup that is absent
 * is not known yet; the survey reports its tasks.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_CGROUPS);
	__type(key, u64);
	__type(value, u32);
} cgroup_functions SEC(".maps");

/* Raised by the daemon after it changed cgroup_functions. */
volatile u64 function_generation;

/* Raised when rules are replaced: what older ones assigned has lost its force. */
volatile u64 rules_epoch;

/* Whether a rule on processes decided what @g is, whatever its cgroup. */
static __always_inline bool is_assigned(const struct group_ctx *g)
{
	return g->assigned != FUNCTION_UNKNOWN && g->assigned_epoch == rules_epoch;
}

static __always_inline u64 cgroup_id_of(struct task_struct *p)
{
	return p->cgroups->dfl_cgrp->kn->id;
}

/*
 * Bring @g up to date with the cgroup @p is in now. Cheap when nothing
 * changed, so that every ranking can begin with it: a move between cgroups
 * and a reload of the rules both take effect at the next tick at the latest.
 */
static __always_inline void identify(struct task_struct *p, struct group_ctx *g)
{
	u64 generation = function_generation;
	u64 id;
	u32 *known, function;

	if (p->flags & PF_KTHREAD) {
		g->function = FUNCTION_GENERIC;
		return;
	}

	id = cgroup_id_of(p);
	if (g->cgroup_id == id && g->generation == generation)
		return;

	known = bpf_map_lookup_elem(&cgroup_functions, &id);
	function = known ? *known : FUNCTION_UNKNOWN;
	if (is_assigned(g))
		function = g->assigned;
	if (function != g->function)
		g->policy_version = 0;
	g->function = function;
	g->cgroup_id = id;
	g->generation = generation;
}

#endif
