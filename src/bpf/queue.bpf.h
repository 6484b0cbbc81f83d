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

/* The smallest key in @queue, ~0 when it is empty. */
static __always_inline u64 head_key_of(u64 queue)
{
	struct task_struct *head;
	u64 key = ~0ULL;

	bpf_rcu_read_lock();
	head = __COMPAT_scx_bpf_dsq_peek(queue);
	if (head)
		key = head->scx.dsq_vtime;
	bpf_rcu_read_unlock();
	return key;
}

/* The queue with the smallest head, @cpu's own where they are equal. */
static __always_inline u64 best_queue(s32 cpu, u64 *key)
{
	u64 own = queue_of(cpu), best = own;
	u32 id;

	*key = head_key_of(own);
	bpf_for(id, 0, nr_queues()) {
		u64 head_key;

		if (id == own)
			continue;
		head_key = head_key_of(id);
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
