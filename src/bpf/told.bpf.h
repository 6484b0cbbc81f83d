/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle, for measurements only: who starts an invocation tells how much
 * CPU time it will take, and its rank is made from that instead of from the
 * function's curve. What comes out is clairvoyant SRPT with this scheduler's
 * own mechanisms, the best that any learner can reach.
 *
 * It is told in a map before the invocation begins, so no rank is ever made
 * without it: under the id of the process that forks next, or under that of a
 * waiting process that is woken next. Whoever hears it takes it out.
 */
#ifndef ALPS_TOLD_BPF_H
#define ALPS_TOLD_BPF_H

/* Constant while the programs are verified, so that without it all this is gone. */
const volatile bool told_enabled = false;

/*
 * Waiting a second weighs as much as a millisecond of remaining service: as
 * good as nothing, and yet a key that can be compared with everybody else's.
 */
#define TOLD_BIAS_FACTOR 1024ULL

#define TOLD_MAX_NS (24ULL * 3600 * NSEC_PER_SEC)

/* Thread group id to the CPU time of its next invocation; written by who measures. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u64);
} told SEC(".maps");

/* Take what was told under @tgid, if anything, for @g's invocation, which begins. */
static __always_inline void hear_told(u32 tgid, struct group_ctx *g)
{
	u64 *cpu_ns;

	if (!told_enabled)
		return;
	cpu_ns = bpf_map_lookup_elem(&told, &tgid);
	if (!cpu_ns)
		return;
	g->told_ns = *cpu_ns < TOLD_MAX_NS ? *cpu_ns : TOLD_MAX_NS;
	bpf_map_delete_elem(&told, &tgid);
}

/* Whether something is told that nobody has heard yet. */
static __always_inline bool is_told(u32 tgid)
{
	return told_enabled && bpf_map_lookup_elem(&told, &tgid);
}

/* Bias of an invocation that needs @told_ns in all. */
static __always_inline u64 told_bias(u64 told_ns, u64 attained_ns)
{
	return attained_ns < told_ns ?
		       (told_ns - attained_ns) * TOLD_BIAS_FACTOR : 0;
}

#endif
