// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keys of src/bpf/rank.bpf.h and credit.bpf.h, for tasks of one thread that
 * are called into being, put on a CPU, looked at and taken off it again.
 *
 * Reads a line each, times in nanoseconds:
 *
 *	k SIXTEENTHS				the bias factor
 *	p SLOT SAMPLES PREDICTED BIAS...	an entry of the table
 *	a TASK SLOT NOW				becomes runnable
 *	i TASK NOW				is put on a CPU
 *	t TASK RAN				is looked at, having run since then
 *	o TASK RAN				is taken off, having run since then
 *
 * and after each of the last four prints the task's key.
 */
#include "kernel.h"

#define BPF_F_NO_PREALLOC 0
#define PF_KTHREAD 0x00200000

struct task_group {
	struct task_group *parent;
	unsigned long shares;
};

struct task_struct {
	struct task_struct *group_leader;
	struct task_group *sched_task_group;
	int pid, tgid;
	u32 flags;
	struct {
		u64 sum_exec_runtime;
	} se;
	struct {
		u64 weight;
	} scx;
};

#define NR_TASKS 16

#define bpf_map_delete_elem(map, key) ((void)(key))
#define bpf_task_storage_get(map, task, value, flags) ((void *)NULL)
#define bpf_ksym_exists(name) false
#define bpf_core_field_exists(field) true
#define bpf_ktime_get_ns() 0ULL /* asked for light tasks only */
#define bpf_preempt_disable() ((void)0)
#define bpf_preempt_enable() ((void)0)

#pragma clang diagnostic ignored "-Wunused-function"
#include "../../src/bpf/task.bpf.h"
#include "../../src/bpf/told.bpf.h"
#include "../../src/bpf/weight.bpf.h"
#include "../../src/bpf/policy.bpf.h"
#include "../../src/bpf/credit.bpf.h"

static void identify(struct task_struct *p, struct group_ctx *g)
{
}

#include "../../src/bpf/rank.bpf.h"

static struct task_group root = { .shares = DEFAULT_SHARES };

static struct task_struct process(u32 task)
{
	return (struct task_struct){
		.sched_task_group = &root,
		.pid = task + 1,
		.tgid = task + 1,
		.scx.weight = NICE_0_WEIGHT,
	};
}

int main(void)
{
	static struct task_ctx tasks[NR_TASKS];
	char what;

	policy_version = 1;
	while (scanf(" %c", &what) == 1) {
		struct policy_entry *entry;
		struct task_struct p;
		struct task_ctx *tctx;
		u64 number, ran = 0;
		u32 task, slot;

		if (what == 'k') {
			if (scanf("%llu", &number) != 1)
				return EXIT_FAILURE;
			bias_factor_16 = number;
			continue;
		}
		if (scanf("%u", &task) != 1)
			return EXIT_FAILURE;
		if (what == 'p') {
			entry = &table[NR_FUNCTIONS + task % NR_FUNCTIONS];
			if (scanf("%u %llu", &entry->samples, &entry->predicted_ns) != 2)
				return EXIT_FAILURE;
			for (int bucket = 0; bucket < NR_BUCKETS; bucket++)
				if (scanf("%llu", &entry->bias_ns[bucket]) != 1)
					return EXIT_FAILURE;
			continue;
		}

		tctx = &tasks[task % NR_TASKS];
		p = process(task);
		if (what == 'a') {
			if (scanf("%u %llu", &slot, &number) != 2)
				return EXIT_FAILURE;
			*tctx = (struct task_ctx){ .base_ns = number };
			tctx->group.function = slot;
			rank(&p, tctx, &tctx->group, 0);
		} else if (scanf("%llu", &number) != 1) {
			return EXIT_FAILURE;
		} else if (what == 'i') {
			limit_credit(tctx, &tctx->group, number);
		} else {
			ran = number;
			if (what == 'o') {
				tctx->base_ns = base_after(tctx, ran, tctx->weight);
				tctx->group.cpu_ns += ran;
				ran = 0;
			}
			rank(&p, tctx, &tctx->group, ran);
		}
		printf("%llu\n", tctx->key_ns);
	}
	return EXIT_SUCCESS;
}
