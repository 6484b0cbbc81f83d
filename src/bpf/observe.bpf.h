/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invocations, watched from tracepoints so that they are seen whichever
 * scheduler is in force.
 *
 * An invocation of a thread group begins at fork, or when the group wakes
 * after all its threads slept for idle_gap_ns, and ends at exit or at the
 * beginning of such a gap. The gap shows only when it is over: the next wake,
 * or the daemon's regular survey, then reports the end that was noted when
 * the last thread went to sleep.
 */
#ifndef ALPS_OBSERVE_BPF_H
#define ALPS_OBSERVE_BPF_H

#ifndef TASK_DEAD
#define TASK_DEAD 0x00000080
#endif

#ifndef MAX_RT_PRIO
#define MAX_RT_PRIO 100
#endif

/* Sleeping shorter than this is a pause within an invocation. */
const volatile u64 idle_gap_ns = 10ULL * NSEC_PER_MSEC;

/* Wake the daemon early when this many bytes wait in `invocations`. */
const volatile u64 invocations_high_water = 512 * 1024;

/* Finished invocations; drained by the daemon every round. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} invocations SEC(".maps");

/* What the daemon must hear of at once: new and removed cgroups, execs. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} notices SEC(".maps");

/* Execs are noticed only while there are rules that look at processes. */
volatile bool notice_execs;

/* Whether our scheduler is in force. */
volatile bool enforcing;

/* Report @g's invocation, once, whoever comes first. */
static __always_inline void finish_invocation(struct task_struct *p,
					      struct group_ctx *g, u64 end_ns)
{
	u64 arrival_ns = g->arrival_ns;
	struct invocation_event *event;
	u64 flags = BPF_RB_NO_WAKEUP;
	u64 first_run_ns, cpu_ns;
	u32 switches;

	if (!arrival_ns || g->function == FUNCTION_GENERIC)
		return;
	/* Read before it is closed: from then on the next one may begin. */
	first_run_ns = READ_ONCE(g->first_run_ns);
	cpu_ns = READ_ONCE(g->cpu_ns);
	switches = READ_ONCE(g->switches);
	if (__sync_val_compare_and_swap(&g->arrival_ns, arrival_ns, 0) != arrival_ns)
		return;

	event = bpf_ringbuf_reserve(&invocations, sizeof(*event), 0);
	if (!event) {
		count(invocations_lost);
		return;
	}
	event->arrival_ns = arrival_ns;
	event->first_run_ns = first_run_ns;
	event->end_ns = end_ns;
	event->cpu_ns = cpu_ns;
	event->cgroup_id = g->cgroup_id;
	event->function = g->function;
	event->switches = switches;
	event->pid = p->tgid;
	event->pad = 0;
	if (bpf_ringbuf_query(&invocations, BPF_RB_AVAIL_DATA) > invocations_high_water)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(event, flags);
	count(invocations);
}

static __always_inline void begin_invocation(struct group_ctx *g, u64 now)
{
	/* A pause longer than the gap leaves the rest of what was told. */
	if (told_enabled)
		g->told_ns -= g->cpu_ns < g->told_ns ? g->cpu_ns : g->told_ns;
	g->first_run_ns = 0;
	g->cpu_ns = 0;
	g->switches = 0;
	g->grace_ns = 0;
	g->bias_until_ns = 0;
	g->arrival_ns = now;
}

/* @p wants to run; harmless to say twice. */
static __always_inline void became_runnable(struct task_struct *p,
					    struct task_ctx *tctx,
					    struct group_ctx *g, u64 now)
{
	if (tctx->runnable || __sync_val_compare_and_swap(&tctx->runnable, 0, 1))
		return;
	restart_base(tctx, now);
	tctx->burst_ns = 0;

	if (__sync_fetch_and_add(&g->nr_runnable, 1) > 0)
		return;
	if (g->idle_since_ns && now - g->idle_since_ns < idle_gap_ns &&
	    !is_told(p->tgid))
		return;
	finish_invocation(p, g, g->idle_since_ns);
	begin_invocation(g, now);
	hear_told(p->tgid, g);
}

/* A burst counts an eighth of the mean. */
static __always_inline void note_burst(struct task_ctx *tctx)
{
	u64 mean = tctx->mean_burst_ns, burst = tctx->burst_ns;

	tctx->mean_burst_ns = mean - mean / 8 + burst / 8;
}

static __always_inline void went_to_sleep(struct task_struct *p,
					  struct task_ctx *tctx,
					  struct group_ctx *g, u64 now, bool dead)
{
	if (!tctx->runnable)
		return;
	tctx->runnable = 0;
	note_burst(tctx);

	g->idle_since_ns = now;
	if (__sync_fetch_and_sub(&g->nr_runnable, 1) > 1)
		return;
	if (dead && !p->signal->live.counter) {
		identify(p, g);
		finish_invocation(p, g, now);
	}
}

static __always_inline void account(struct task_struct *p, struct task_ctx *tctx,
				    struct group_ctx *g)
{
	u64 ran = unaccounted_ns(p, tctx);

	tctx->exec_seen_ns += ran;
	tctx->base_ns = base_after(tctx, ran, tctx->weight);
	tctx->burst_ns += ran;
	if (p->pid == p->tgid && p->signal->nr_threads == 1) {
		g->cpu_ns += ran;
		g->switches++;
	} else {
		__sync_fetch_and_add(&g->cpu_ns, ran);
		__sync_fetch_and_add(&g->switches, 1);
	}
}

/*
 * To sleep, or for good. Who is preempted is accounted when it queues, or by
 * another scheduler's doing when it goes on.
 */
static __always_inline void switched_out(struct task_struct *p, u64 now, bool dead)
{
	struct task_ctx *tctx = task_ctx_of(p);
	struct group_ctx *g;

	if (!tctx)
		return;
	g = group_of(p, tctx);
	if (!g)
		return;
	account(p, tctx, g);
	went_to_sleep(p, tctx, g, now, dead);
}

static __always_inline void switched_in(struct task_struct *p, s32 cpu, u64 now)
{
	struct task_ctx *tctx = task_ctx_of(p);
	struct group_ctx *g = tctx ? group_of(p, tctx) : NULL;

	if (!g) {
		now_idle(cpu);
		return;
	}
	became_runnable(p, tctx, g, now);
	if (unaccounted_ns(p, tctx))
		account(p, tctx, g);
	limit_credit(tctx, g, now);
	tctx->waiting_since_ns = 0;
	tctx->cpu = cpu;
	if (!g->first_run_ns)
		g->first_run_ns = now;
	now_running(p, tctx, g, cpu, now);
}

static __always_inline void note_switch(bool preempt, struct task_struct *prev,
					struct task_struct *next,
					unsigned int prev_state)
{
	u64 now = bpf_ktime_get_ns();
	s32 cpu = bpf_get_smp_processor_id();

	cpu_state_of(cpu)->handing_over = 0;
	if (prev->pid && !preempt && prev_state)
		switched_out(prev, now, prev_state & TASK_DEAD);
	if (next->pid)
		switched_in(next, cpu, now);
	else
		now_idle(cpu);
	if (next->prio < MAX_RT_PRIO && prev->prio >= MAX_RT_PRIO && enforcing)
		scx_bpf_reenqueue_local_from_anywhere();
}

SEC("tp_btf/sched_switch")
int BPF_PROG(observe_switch, bool preempt, struct task_struct *prev,
	     struct task_struct *next, unsigned int prev_state)
{
	note_switch(preempt, prev, next, prev_state);
	return 0;
}

/* Not attached while the scheduler's own callbacks note every wake-up. */
SEC("tp_btf/sched_wakeup")
int BPF_PROG(observe_wakeup, struct task_struct *p)
{
	struct task_ctx *tctx;
	struct group_ctx *g;

	tctx = task_ctx_of(p);
	if (!tctx || tctx->runnable)
		return 0;
	g = group_of(p, tctx);
	if (!g)
		return 0;
	became_runnable(p, tctx, g, bpf_ktime_get_ns());
	identify(p, g);
	return 0;
}

static __always_inline void notice_head(u64 cgroup_id, u32 pid, enum notice_kind kind)
{
	struct notice_head *head;

	head = bpf_ringbuf_reserve(&notices, sizeof(*head), 0);
	if (!head) {
		count(notices_lost);
		return;
	}
	head->cgroup_id = cgroup_id;
	head->kind = kind;
	head->pid = pid;
	bpf_ringbuf_submit(head, 0);
}

/* Rules on processes may see another in @p from now on. */
static __always_inline void notice_process(struct task_struct *p)
{
	if (notice_execs)
		notice_head(cgroup_id_of(p), p->tgid, NOTICE_EXEC);
}

static __always_inline void forked(struct task_struct *parent,
				   struct task_struct *child)
{
	struct task_ctx *tctx, *of_parent;
	struct group_ctx *g;
	u64 now;

	tctx = task_ctx_of_preemptible(child, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!tctx) {
		count(tasks_untracked);
		return;
	}
	g = group_of(child, tctx);
	if (!g)
		return;

	now = bpf_ktime_get_ns();
	of_parent = task_ctx_of(parent);
	if (of_parent)
		tctx->mean_burst_ns = of_parent->mean_burst_ns;
	if (child->pid == child->tgid) {
		struct group_ctx *from = of_parent ? group_of(parent, of_parent) : NULL;

		if (from && cgroup_id_of(parent) == cgroup_id_of(child)) {
			g->assigned = from->assigned;
			g->assigned_epoch = from->assigned_epoch;
		} else {
			notice_process(child);
		}
		identify(child, g);
		g->idle_since_ns = 0;
	}
	became_runnable(child, tctx, g, now);
	hear_told(parent->tgid, g);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(observe_fork, struct task_struct *parent, struct task_struct *child)
{
	forked(parent, child);
	return 0;
}

/*
 * A fork that was not seen: from Linux 7 on observe_fork() may be preempted,
 * and meanwhile the kernel skips it on that CPU. Nothing preempts this one.
 */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(observe_wakeup_new, struct task_struct *p)
{
	if (!task_ctx_of(p))
		forked(bpf_get_current_task_btf(), p);
	return 0;
}

/*
 * An exec by another thread than the leader makes that thread the leader, and
 * the group's invocation goes on in its context from here.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(observe_exec, struct task_struct *p, pid_t old_pid)
{
	struct task_ctx *tctx;

	if (old_pid != p->pid) {
		tctx = task_ctx_of(p);
		if (tctx && !tctx->group.nr_runnable) {
			tctx->group.nr_runnable = 1;
			tctx->runnable = 1;
			identify(p, &tctx->group);
			begin_invocation(&tctx->group, bpf_ktime_get_ns());
		}
	}
	notice_process(p);
	return 0;
}

/* Ids are unique within a hierarchy, and ours are the unified one's. */
static __always_inline bool is_unified(const struct cgroup *cgrp)
{
	return !cgrp->root->hierarchy_id;
}

/* A rule on cgroups that stands before those on processes may hold there. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(observe_cgroup_attach, struct cgroup *cgrp, const char *path,
	     struct task_struct *p, bool threadgroup)
{
	if (p->pid == p->tgid && notice_execs && is_unified(cgrp))
		notice_head(cgrp->kn->id, p->tgid, NOTICE_EXEC);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(observe_cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	struct notice *notice;

	if (!is_unified(cgrp))
		return 0;
	notice = bpf_ringbuf_reserve(&notices, sizeof(*notice), 0);
	if (!notice) {
		count(notices_lost);
		return 0;
	}
	notice->kind = NOTICE_CGROUP_CREATED;
	notice->pid = 0;
	notice->cgroup_id = cgrp->kn->id;
	if (bpf_probe_read_kernel_str(notice->path, sizeof(notice->path), path) < 0)
		notice->path[0] = 0;
	bpf_ringbuf_submit(notice, 0);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(observe_cgroup_rmdir, struct cgroup *cgrp, const char *path)
{
	if (is_unified(cgrp))
		notice_head(cgrp->kn->id, 0, NOTICE_CGROUP_REMOVED);
	return 0;
}

#endif
