/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where waiting tasks queue, ordered by key: one queue per cache domain, or
 * one per CPU. Either way a CPU that looks for work takes the best-ranked
 * task it may run: of its domain's queue, or of all queues' heads.
 */
#ifndef ALPS_QUEUE_BPF_H
#define ALPS_QUEUE_BPF_H

/* One of enum alps_queueing. */
const volatile u32 queueing = QUEUE_PER_LLC;

/* Cache domains in use are below it; set before the scheduler is attached. */
volatile u32 nr_llcs = 1;

/* Queue ids: domains and CPUs from 0; the rescue queue is apart. */
#define RESCUE_QUEUE (1ULL << 20)

static __always_inline bool is_allowed(const struct task_struct *p, s32 cpu)
{
	return p->nr_cpus_allowed == nr_cpu_ids ||
	       bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
}

static __always_inline u64 queue_of(s32 cpu)
{
	return queueing == QUEUE_PER_CPU ? cpu : cpu_state_of(cpu)->llc;
}

static __always_inline u32 nr_queues(void)
{
	return queueing == QUEUE_PER_CPU ? nr_cpu_ids : nr_llcs;
}

static __always_inline int create_queues(void)
{
	u32 id;
	int err;

	bpf_for(id, 0, nr_queues()) {
		err = scx_bpf_create_dsq(id, -1);
		if (err)
			return err;
	}
	return scx_bpf_create_dsq(RESCUE_QUEUE, -1);
}

static __always_inline bool is_anything_queued(void)
{
	u32 id;

	bpf_for(id, 0, nr_queues()) {
		if (scx_bpf_dsq_nr_queued(id))
			return true;
	}
	return false;
}

/* Whether nobody waits where only this CPU takes tasks from. */
static __always_inline bool is_local_queue_empty(void)
{
	const struct rq *rq = bpf_this_cpu_ptr(&runqueues);

	return !rq->scx.local_dsq.nr;
}

/*
 * Of tasks at a queue's head that may not run here, so many are passed over: all
 * when it is decided who runs, few when a tick asks whether to decide. (The
 * verifier follows a count to its end, and a loop without one not at all.)
 */
#define PASS_OVER_ALL 0
#define MAX_PASSED_OVER_AT_TICK 32

/*
 * The smallest key in @queue of a task @cpu may run, ~0 where there is none.
 * Where more than @most, if any, stand before it, it is no smaller than what is
 * returned.
 */
static __always_inline u64 key_for(u64 queue, s32 cpu, u32 most)
{
	struct task_struct *p;
	u32 passed = 0;

	bpf_for_each(scx_dsq, p, queue, 0) {
		if (is_allowed(p, cpu) || (most && ++passed > most))
			return p->scx.dsq_vtime;
	}
	return ~0ULL;
}

/* The same; quick where the first is such a task, as it mostly is. */
static __always_inline u64 head_key_of(u64 queue, s32 cpu, u32 most)
{
	struct task_struct *head;
	bool is_for_us = true;
	u64 key = ~0ULL;

	bpf_rcu_read_lock();
	head = __COMPAT_scx_bpf_dsq_peek(queue);
	if (head) {
		key = head->scx.dsq_vtime;
		is_for_us = is_allowed(head, cpu);
	}
	bpf_rcu_read_unlock();
	return is_for_us ? key : key_for(queue, cpu, most);
}

/* The queue with the smallest head, @cpu's own where they are equal. */
static __always_inline u64 best_queue(s32 cpu, u32 most, u64 *key)
{
	u64 own = queue_of(cpu), best = own;
	u32 id;

	*key = head_key_of(own, cpu, most);
	bpf_for(id, 0, nr_queues()) {
		u64 head_key;

		if (id == own)
			continue;
		head_key = head_key_of(id, cpu, most);
		if (head_key < *key) {
			*key = head_key;
			best = id;
		}
	}
	return best;
}

/* Take a task for @cpu from anywhere, its own queue first. */
static __always_inline bool take_any(s32 cpu)
{
	u64 own = queue_of(cpu);
	u32 i, nr = nr_queues();

	bpf_for(i, 0, nr) {
		u64 id = own + i;

		if (id >= nr)
			id -= nr;
		if (scx_bpf_dsq_move_to_local(id, 0)) {
			if (i)
				count(stolen);
			return true;
		}
	}
	return false;
}

#endif
