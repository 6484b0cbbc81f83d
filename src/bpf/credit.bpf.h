/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a task's virtual time may lie from the clock. */
#ifndef ALPS_CREDIT_BPF_H
#define ALPS_CREDIT_BPF_H

/*
 * Keep the virtual time of who gets to run near the clock.
 *
 * Where hogs want more than the machine has they wait without end, and with
 * all that credit they would pass everything that is new. So whoever has no
 * function, or has overrun what was predicted, keeps credit for half the
 * largest bias: it runs again within its bias, and short work still passes it.
 * An invocation that is as long as expected has earned its turn by waiting. It
 * keeps credit for all but CREDIT_TURN_NS times K of the largest bias, and so
 * comes round again after that time, K times what a turn by the tick gives it:
 * however much short work there is, it gets its K-th part.
 *
 * In the other direction, a light task's time runs ahead of the clock even
 * while nobody else wants the CPU; it must not be held against it for long.
 */
#define CREDIT_TURN_NS (4ULL * NSEC_PER_MSEC)

static __always_inline void limit_credit(struct task_ctx *tctx,
					 const struct group_ctx *g, u64 now)
{
	u64 lead = max_bias_ns / 2, turn = CREDIT_TURN_NS * bias_factor_16 / 16;
	u64 oldest, latest = now + max_bias_ns / 8;
	u64 base = tctx->base_ns;

	if (g->function != FUNCTION_GENERIC && g->is_expected && turn < lead)
		lead = turn;
	oldest = now - (max_bias_ns - lead);

	if ((s64)(base - oldest) < 0)
		base = oldest;
	else if ((s64)(base - latest) > 0)
		base = latest;
	tctx->key_ns += base - tctx->base_ns;
	tctx->base_ns = base;
}

#endif
