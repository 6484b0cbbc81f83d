/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a task's virtual time may lie from the clock. */
#ifndef ALPS_CREDIT_BPF_H
#define ALPS_CREDIT_BPF_H

/*
 * From now on it has not waited; but what a light task has had too much of
 * already, no pause makes up for.
 */
static __always_inline void restart_base(struct task_ctx *tctx, u64 now)
{
	if ((s64)(now - tctx->base_ns) > 0)
		tctx->base_ns = now;
}

/* No virtual time is further ahead of the clock than the largest bias by that. */
#define LARGEST_LEAD 16

/*
 * A task's virtual time after @ns more of service. A light one's runs ahead of
 * the clock even while nobody else wants the CPU, which must not be held
 * against it for long: the lead is bounded.
 */
static __always_inline u64 base_after(const struct task_ctx *tctx, u64 ns, u32 weight)
{
	u64 latest, base = tctx->base_ns + weighted(ns, weight);

	if (!weight || weight >= WEIGHT_DEFAULT)
		return base;
	latest = bpf_ktime_get_ns() + max_bias_ns / LARGEST_LEAD;
	return (s64)(base - latest) > 0 ? latest : base;
}

/*
 * Limit what the one that gets to run has gained by waiting.
 *
 * Where hogs want more than the machine has they wait without end, and with
 * all that credit they would pass everything that is new. So whoever has no
 * function, or has overrun what was predicted, keeps credit for half the
 * largest bias: it runs again within its bias, and short work still passes it.
 * An invocation that is as long as expected has earned its turn by waiting. It
 * keeps credit for all but CREDIT_TURN_NS times K of the largest bias, and so
 * comes round again after that time, K times what a turn by the tick gives it:
 * however much short work there is, it gets its K-th part.
 */
#define CREDIT_TURN_NS (4ULL * NSEC_PER_MSEC)

static __always_inline void limit_credit(struct task_ctx *tctx,
					 const struct group_ctx *g, u64 now)
{
	u64 lead = max_bias_ns / 2, turn = CREDIT_TURN_NS * bias_factor_16 / 16;
	u64 oldest;

	/* As mostly: it has not even waited for what everybody has credit for. */
	if ((s64)(now - tctx->base_ns) <= (s64)(max_bias_ns / 2))
		return;
	if (g->function != FUNCTION_GENERIC && g->is_expected && turn < lead)
		lead = turn;
	oldest = now - (max_bias_ns - lead);
	if ((s64)(tctx->base_ns - oldest) >= 0)
		return;
	if (tctx->key_ns)
		tctx->key_ns += oldest - tctx->base_ns;
	tctx->base_ns = oldest;
}

#endif
