/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters, one copy a CPU so that counting shares no cache line. */
#ifndef ALPS_COUNT_BPF_H
#define ALPS_COUNT_BPF_H

/* Summed over CPUs by the daemon; fields only grow. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct alps_counters);
} counters SEC(".maps");

#define count(field)							\
	do {								\
		u32 __zero = 0;						\
		struct alps_counters *__c =				\
			bpf_map_lookup_elem(&counters, &__zero);	\
									\
		if (__c)						\
			__c->field++;					\
	} while (0)

#endif
