/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy table: for each function a bias by attained service, and a slice.
 *
 * Two halves: the one that policy_version's lowest bit names is in force, the
 * other belongs to the daemon, which fills it and then raises the version.
 * A reader that finds the version changed after it read starts over, so it
 * never acts on an entry the daemon may have begun to overwrite.
 */
#ifndef ALPS_POLICY_BPF_H
#define ALPS_POLICY_BPF_H

/* Both halves, NR_FUNCTIONS slots each; mapped and written by the daemon only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * NR_FUNCTIONS);
	__type(key, u32);
	__type(value, struct policy_entry);
} policy SEC(".maps");

/* 0 until the first table is published; then only grows. */
volatile u64 policy_version;

/* Bias of one nanosecond of expected remaining service, in sixteenths. */
volatile u64 bias_factor_16 = 16 * 16;

/* No bias exceeds it: with it a waiting task's wait is bounded. */
const volatile u64 max_bias_ns = 16ULL * NSEC_PER_SEC;

/* The slice of a task whose function has none of its own. */
const volatile u64 default_slice_ns = 5ULL * NSEC_PER_MSEC;

/* Boundaries of bucket 0 are [0, 2^15); then two buckets an octave. */
static __always_inline u32 bucket_of(u64 attained_ns)
{
	u32 octave, index;

	if (attained_ns < (1ULL << FIRST_BUCKET_SHIFT))
		return 0;
	octave = log2_u64(attained_ns) - 1; /* it counts from 1 */
	index = 1 + 2 * (octave - FIRST_BUCKET_SHIFT) +
		((attained_ns >> (octave - 1)) & 1);
	return index < NR_BUCKETS ? index : NR_BUCKETS - 1;
}

static __always_inline u64 bucket_start_ns(u32 index)
{
	u64 octave;

	if (!index)
		return 0;
	octave = 1ULL << ((FIRST_BUCKET_SHIFT + (index - 1) / 2) & 63);
	return octave + (((index - 1) & 1) ? octave / 2 : 0);
}

static __always_inline const struct policy_entry *entry_at(u32 function,
							   u64 version)
{
	u32 slot = (version & 1) * NR_FUNCTIONS + function;

	return bpf_map_lookup_elem(&policy, &slot);
}

static __always_inline bool is_learned(u32 function, u64 version)
{
	const struct policy_entry *entry = entry_at(function, version);

	return function != FUNCTION_UNKNOWN && entry && entry->samples;
}

/* The entry of @function; of a function not learned yet, the prior's. */
static __always_inline const struct policy_entry *policy_of(u32 function,
							    u64 version)
{
	const struct policy_entry *entry = entry_at(function, version);

	if (!entry || entry->samples)
		return entry;
	return entry_at(FUNCTION_UNKNOWN, version);
}

/* The bias of @function at @attained_ns; for looks at other CPUs' tasks. */
static __always_inline u64 bias_at(u32 function, u64 attained_ns)
{
	const struct policy_entry *entry = policy_of(function, policy_version);
	u32 bucket = bucket_of(attained_ns);

	if (!entry || bucket >= NR_BUCKETS)
		return 0;
	return entry->bias_ns[bucket];
}

/*
 * What was read before is read before what is read after. On x86 all loads are
 * in order; elsewhere an atomic exchange sees to it.
 */
static __always_inline void read_in_order(void)
{
#if defined(__TARGET_ARCH_x86)
	barrier();
#else
	u64 nothing = 0;

	__sync_lock_test_and_set(&nothing, 1);
#endif
}

/* An invocation that took so many times what was predicted has overrun. */
#define OVERRUN 4

/*
 * Refresh what @g caches of its function's policy at @attained_ns. Where the
 * version changes with every try, what was cached stays until the next one.
 */
static __always_inline void policy_refresh(struct group_ctx *g, u64 attained_ns)
{
	u32 bucket = bucket_of(attained_ns);
	int tries;

	if (bucket >= NR_BUCKETS)
		return;

	for (tries = 0; tries < 3; tries++) {
		u64 version = policy_version, bias_ns, slice_ns;
		const struct policy_entry *entry;
		bool is_expected;

		read_in_order();
		entry = policy_of(g->function, version);
		if (!entry)
			return;
		bias_ns = READ_ONCE(entry->bias_ns[bucket]);
		slice_ns = READ_ONCE(entry->slice_ns);
		is_expected = is_learned(g->function, version) &&
			      attained_ns / OVERRUN < READ_ONCE(entry->predicted_ns);
		read_in_order();
		if (version != policy_version)
			continue;

		g->bias_ns = bias_ns;
		g->slice_ns = slice_ns;
		g->is_expected = is_expected;
		g->bias_from_ns = bucket_start_ns(bucket);
		g->bias_until_ns = bucket == NR_BUCKETS - 1 ? ~0ULL :
							      bucket_start_ns(bucket + 1);
		g->policy_version = version;
		return;
	}
}

#endif
