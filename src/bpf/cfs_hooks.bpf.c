/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scx_alps, kernel side on kernels without sched_ext: observe as everywhere, and
 * enforce through the hooks in CFS that the patches in kernel/ add. There the
 * order is vruntime plus a bias that a hook is asked for, on each CPU for itself;
 * kernel/README.md has the contract. The parts are those of main.bpf.c but for
 * queue, place, grace and rescue, which are CFS's business here.
 *
 * All three hooks are called with rq->lock held: nothing here may create task
 * storage, wake anybody, or ask who the current task is.
 */
#include "kernel.bpf.h"
#include "intf.h"

char _license[] SEC("license") = "GPL";

#include "count.bpf.h"
#include "task.bpf.h"
#include "told.bpf.h"
#include "cpu.bpf.h"
#include "identify.bpf.h"
#include "weight.bpf.h"
#include "policy.bpf.h"
#include "credit.bpf.h"
#include "observe.bpf.h"
#include "survey.bpf.h"
#include "assign.bpf.h"
#include "rank.bpf.h"

/* From 5.18-rc1 to rc6 the state came before the tasks. */
SEC("tp_btf/sched_switch")
int BPF_PROG(observe_early_switch, bool preempt, unsigned int prev_state,
	     struct task_struct *prev, struct task_struct *next)
{
	note_switch(preempt, prev, next, prev_state);
	return 0;
}

/* What the patched kernel adds to an entity. */
struct sched_entity___hooks {
	u64 vbias;
} __attribute__((preserve_access_index));

/* The verdicts of the preemption hooks. */
enum {
	VERDICT_DEFAULT,
	VERDICT_PREEMPT,
	VERDICT_KEEP,
};

/* The kernel takes no larger bias, in microseconds. */
#define BIAS_MAX_US 4000000ULL

/* A bias is divided by it, so that the largest is the largest the kernel takes. */
const volatile u64 bias_divisor = 4;

/* A preemption must gain at least this much in virtual time to be worth a switch. */
const volatile u64 preempt_margin_ns = 2ULL * NSEC_PER_MSEC;

static __always_inline int to_hook(u64 bias_ns)
{
	u64 us = bias_ns / bias_divisor / NSEC_PER_USEC;

	return us < BIAS_MAX_US ? us : BIAS_MAX_US;
}

static __always_inline u64 from_hook(u64 vbias_ns)
{
	return vbias_ns * bias_divisor;
}

static __always_inline u64 vbias_of(struct sched_entity *se)
{
	return ((struct sched_entity___hooks *)se)->vbias;
}

/* How far @a is behind @b in the order; negative: ahead. */
static __always_inline s64 behind_ns(struct sched_entity *a, struct sched_entity *b)
{
	return a->vruntime + vbias_of(a) - (b->vruntime + vbias_of(b));
}

static __always_inline int task_bias(struct task_struct *p)
{
	struct task_ctx *tctx = task_ctx_of(p);
	struct group_ctx *g;
	u64 pending_ns, bias_ns;
	u32 weight;

	if (!tctx)
		return 0;
	g = group_of(p, tctx);
	if (!g)
		return 0;
	/* The tracepoint of a wake-up comes after the enqueue. */
	if (!tctx->runnable)
		became_runnable(p, tctx, g, bpf_ktime_get_ns());
	identify(p, g);
	if (serves_everybody(p))
		return 0;
	pending_ns = unaccounted_ns(p, tctx);
	bias_ns = expected_bias(tctx, g, g->cpu_ns + pending_ns, pending_ns);
	/* vruntime is divided by the weight, in units of 1/1024 of nice 0. */
	weight = p->se.load.weight >> 10;
	return to_hook(weighted(bias_ns, weight));
}

/*
 * A group is as urgent as its most urgent member: the first in its queue, or the
 * one that is running. Its function alone would not do, for a group can hold
 * several and others' groups, and one function's invocations differ by what they
 * have attained. The kernel asks for members first, so that this works its way
 * up through groups of groups.
 */
static __always_inline int group_bias(struct sched_entity *se)
{
	struct cfs_rq *members = se->my_q;
	struct sched_entity *running;
	struct rb_node *first;
	u64 bias_ns = ~0ULL;
	u32 weight;

	if (!members)
		return 0;
	first = members->tasks_timeline.rb_leftmost;
	if (first) {
		void *entity = (void *)first -
			       bpf_core_field_offset(struct sched_entity, run_node);
		struct sched_entity___hooks *hooks = entity;

		bpf_core_read(&bias_ns, sizeof(bias_ns), &hooks->vbias);
	}
	running = members->curr;
	if (running && running->on_rq && vbias_of(running) < bias_ns)
		bias_ns = vbias_of(running);
	if (bias_ns == ~0ULL)
		return 0;
	weight = members->tg->shares >> 10;
	return to_hook(weighted(from_hook(bias_ns), weight));
}

SEC("fmod_ret/bpf_cfs_entity_bias")
int BPF_PROG(bias_entity, struct sched_entity *se, struct task_struct *p)
{
	if (!p)
		return group_bias(se);
	count(queued);
	return task_bias(p);
}

/* Who has the CPU keeps it until somebody is ahead by the margin. */
SEC("fmod_ret/bpf_cfs_preempt_tick")
int BPF_PROG(preempt_at_tick, struct task_struct *p, struct sched_entity *curr,
	     struct sched_entity *left, u64 delta_exec)
{
	s64 behind;

	if (!left)
		return VERDICT_DEFAULT;
	behind = behind_ns(curr, left);
	if (behind > (s64)preempt_margin_ns) {
		count(requeued);
		return VERDICT_PREEMPT;
	}
	if (behind < 0) {
		count(kept);
		return VERDICT_KEEP;
	}
	return VERDICT_DEFAULT;
}

SEC("fmod_ret/bpf_cfs_preempt_wakeup")
int BPF_PROG(preempt_at_wakeup, struct task_struct *curr, struct task_struct *p,
	     struct sched_entity *se, struct sched_entity *pse)
{
	if (behind_ns(se, pse) <= (s64)preempt_margin_ns)
		return VERDICT_KEEP;
	count(preemptions);
	return VERDICT_PREEMPT;
}

/* Who is to be assigned, and to what; set before the program below is run. */
struct assignment assigning;

/*
 * Kernels of this age can look a process up by its id in no program that is run
 * on demand; so this one looks through all tasks.
 */
SEC("iter/task")
int assign_process(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct task_ctx *tctx;

	if (!p || p->pid != assigning.pid)
		return 0;
	tctx = task_ctx_of_preemptible(p, 0);
	if (tctx)
		assign(tctx, assigning.function);
	return 0;
}
