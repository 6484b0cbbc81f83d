/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rank of a task, a virtual time; the smallest runs first:
 *
 *	key = (became runnable + service since then) + K * E[remaining service]
 *
 * The sum in brackets is now minus the time spent waiting, so a task that
 * waits gains on every newcomer and, K being finite, passes them all in the
 * end; and tasks whose expected remainder no longer changes (hogs) take turns
 * by their waiting time. Service and remainder count by weight.
 *
 * What a task gains by waiting is limited, see credit.bpf.h.
 */
#ifndef ALPS_RANK_BPF_H
#define ALPS_RANK_BPF_H

/* The daemon's process, which everybody's order depends on. */
const volatile u32 daemon_tgid;

/*
 * Kernel threads work for everybody, and while they wait so may all: an RCU
 * grace period, say, ends only when its thread gets to run. They go before
 * everybody else until they have run for SERVICE_BURST_NS without a pause.
 */
#define SERVICE_BURST_NS (10ULL * NSEC_PER_MSEC)

static __always_inline bool serves_everybody(const struct task_struct *p)
{
	return p->flags & PF_KTHREAD || p->tgid == daemon_tgid;
}

/*
 * Without a function, a task is expected to run as long as its recent bursts
 * did, and once past that as long again as it already has.
 */
static __always_inline u64 generic_bias(const struct task_ctx *tctx, u64 burst_ns)
{
	u64 mean = tctx->mean_burst_ns;
	u64 remaining = burst_ns < mean / 2 ? mean - burst_ns :
			burst_ns > mean / 2 ? burst_ns : mean / 2;
	u64 bias;

	if (remaining > NSEC_PER_SEC * 3600)
		remaining = NSEC_PER_SEC * 3600;
	bias = remaining * bias_factor_16 / 16;
	return bias < max_bias_ns ? bias : max_bias_ns;
}

static __always_inline u64 service_key(const struct task_ctx *tctx, u64 pending_ns)
{
	u64 base = tctx->base_ns + pending_ns;

	if (tctx->burst_ns + pending_ns >= SERVICE_BURST_NS)
		return base;
	return base > max_bias_ns ? base - max_bias_ns : 1;
}

/* K * E[remaining service] of a task whose group has attained @attained_ns. */
static __always_inline u64 expected_bias(const struct task_ctx *tctx,
					 struct group_ctx *g, u64 attained_ns,
					 u64 pending_ns)
{
	if (g->function == FUNCTION_GENERIC)
		return generic_bias(tctx, tctx->burst_ns + pending_ns);
	if (told_enabled && g->told_ns)
		return told_bias(g->told_ns, attained_ns);
	if (g->policy_version != policy_version ||
	    attained_ns >= g->bias_until_ns || attained_ns < g->bias_from_ns)
		policy_refresh(g, attained_ns);
	return g->bias_ns;
}

/*
 * A bias by weight. Where biases bend towards the largest (three quarters of it,
 * see BiasFactor::bias_ns()) are the hogs, whose remainder is as good as beyond
 * all bounds: among them only service counts, and no weight puts who is shorter
 * among them. And what is told has no bound.
 */
static __always_inline u64 weighted_bias(u64 bias_ns, u32 weight)
{
	u64 bend = max_bias_ns / 4 * 3;

	if (bias_ns >= bend)
		return bias_ns;
	bias_ns = weighted(bias_ns, weight);
	return bias_ns < bend ? bias_ns : bend;
}

/* Rank @p anew from what is known of it now; @pending_ns is unaccounted service. */
static __always_inline u64 rank(struct task_struct *p, struct task_ctx *tctx,
				struct group_ctx *g, u64 pending_ns)
{
	u64 attained_ns = g->cpu_ns + pending_ns;
	u32 weight = weight_of(p);
	u64 bias_ns;

	identify(p, g);
	tctx->weight = weight;
	if (serves_everybody(p)) {
		tctx->key_ns = service_key(tctx, pending_ns);
		return tctx->key_ns;
	}
	bias_ns = weighted_bias(expected_bias(tctx, g, attained_ns, pending_ns), weight);
	tctx->key_ns = base_after(tctx, pending_ns, weight) + bias_ns;
	return tctx->key_ns;
}

static __always_inline u64 slice_of(const struct group_ctx *g)
{
	if (g->function == FUNCTION_GENERIC || !g->slice_ns)
		return default_slice_ns;
	return g->slice_ns;
}

#endif
