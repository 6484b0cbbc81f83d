/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's regular walk over all tasks: it adopts those that were there
 * before us, reports invocations whose idle gap is over, and prints the live
 * groups of functions.
 */
#ifndef ALPS_SURVEY_BPF_H
#define ALPS_SURVEY_BPF_H

#ifndef TASK_NEW
#define TASK_NEW 0x00000800
#endif

/*
 * A task from before our time. Its invocation's start was not seen, so
 * arrival_ns stays 0 and this first invocation is not reported.
 */
static __always_inline struct task_ctx *adopt(struct task_struct *p)
{
	struct task_ctx fresh = { .exec_seen_ns = p->se.sum_exec_runtime };
	struct task_ctx *tctx;
	struct group_ctx *g;

	stay_on_cpu();
	tctx = bpf_task_storage_get(&task_ctxs, p, &fresh,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	may_leave_cpu();
	if (!tctx) {
		count(tasks_untracked);
		return NULL;
	}
	stay_on_cpu();
	g = group_of(p, tctx);
	may_leave_cpu();
	if (!g)
		return NULL;

	identify(p, g);
	if (!p->__state && !__sync_val_compare_and_swap(&tctx->runnable, 0, 1)) {
		tctx->base_ns = bpf_ktime_get_ns();
		__sync_fetch_and_add(&g->nr_runnable, 1);
	} else if (!g->idle_since_ns) {
		g->idle_since_ns = bpf_ktime_get_ns();
	}
	return tctx;
}

SEC("iter/task")
int survey(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct survey_row row = {};
	struct task_ctx *tctx;
	struct group_ctx *g;
	u64 now;

	if (!p)
		return 0;
	tctx = task_ctx_of_preemptible(p, 0);
	if (!tctx && p->__state != TASK_NEW) /* observe_fork() is about to see that one */
		tctx = adopt(p);
	if (!tctx || p->pid != p->tgid)
		return 0;
	g = &tctx->group;
	identify(p, g);
	if (g->function == FUNCTION_GENERIC)
		return 0;

	now = bpf_ktime_get_ns();
	if (g->nr_runnable <= 0) {
		if (g->arrival_ns && now - g->idle_since_ns >= idle_gap_ns)
			finish_invocation(p, g, g->idle_since_ns);
		/* An assigned group holds its function's slot even asleep. */
		if (g->function != FUNCTION_UNKNOWN && !is_assigned(g))
			return 0;
	}

	row.cgroup_id = cgroup_id_of(p);
	row.arrival_ns = g->arrival_ns;
	row.cpu_ns = g->cpu_ns;
	row.now_ns = now;
	row.pid = p->tgid;
	row.function = g->function;
	row.nr_runnable = g->nr_runnable > 0 ? g->nr_runnable : 0;
	row.running = cpu_state_of(tctx->cpu)->pid == p->pid;
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

#endif
