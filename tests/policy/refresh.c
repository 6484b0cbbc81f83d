// SPDX-License-Identifier: GPL-2.0-only
/*
 * src/bpf/policy.bpf.h run by threads of a process: one publishes tables as the
 * daemon does, as fast as it can, the others read. In each table every number
 * of a function's entry is the table's version, so half an update shows.
 */
#include <pthread.h>
#include <time.h>

#include "kernel.h"

/* What policy_refresh() knows of a thread group. */
struct group_ctx {
	u32 function;
	u64 policy_version;
	u64 bias_ns;
	u64 bias_from_ns;
	u64 bias_until_ns;
	u64 slice_ns;
	bool is_expected;
};

#include "../../src/bpf/policy.bpf.h"

#define FUNCTION 7
#define READERS 2

static volatile bool stop;
static volatile u64 torn, refreshed;

static void publish(u64 version)
{
	volatile struct policy_entry *entry =
		&table[(version & 1) * NR_FUNCTIONS + FUNCTION];

	for (int bucket = 0; bucket < NR_BUCKETS; bucket++)
		entry->bias_ns[bucket] = version;
	entry->samples = 1;
	entry->predicted_ns = version;
	entry->slice_ns = version;
	__atomic_store_n(&policy_version, version, __ATOMIC_RELEASE);
}

static void *publisher(void *unused)
{
	for (u64 version = 1; !stop; version++)
		publish(version);
	return unused;
}

static void *reader(void *unused)
{
	while (!stop) {
		struct group_ctx group = { .function = FUNCTION };

		policy_refresh(&group, 1 << 20);
		if (!group.policy_version)
			continue;
		__atomic_fetch_add(&refreshed, 1, __ATOMIC_RELAXED);
		if (group.bias_ns != group.policy_version ||
		    group.slice_ns != group.policy_version)
			__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

int main(void)
{
	struct timespec while_they_run = { .tv_sec = 2 };
	pthread_t threads[1 + READERS];

	publish(1);
	pthread_create(&threads[0], NULL, publisher, NULL);
	for (int i = 1; i <= READERS; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	nanosleep(&while_they_run, NULL);
	stop = true;
	for (int i = 0; i <= READERS; i++)
		pthread_join(threads[i], NULL);
	printf("%llu refreshed, %llu of them torn\n", refreshed, torn);
	return refreshed > 1000 && !torn ? EXIT_SUCCESS : EXIT_FAILURE;
}
