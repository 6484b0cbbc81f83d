/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules on processes say, as the daemon hands it over. */
#ifndef ALPS_ASSIGN_BPF_H
#define ALPS_ASSIGN_BPF_H

static __always_inline void assign(struct task_ctx *tctx, u32 function)
{
	tctx->group.assigned = function;
	tctx->group.assigned_epoch = rules_epoch;
	tctx->group.cgroup_id = 0;
}

#endif
