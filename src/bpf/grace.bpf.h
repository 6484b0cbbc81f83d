/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An answer to lock-holder preemption.
 *
 * A task that is preempted inside a system call may hold a kernel lock that
 * everybody needs (a fork or an exit holds the cgroup lock for reading, say);
 * ranked behind a thousand short invocations it would stall them all. Such a
 * task is put in front of the queue for one short slice, so that it can leave
 * the kernel. A task that has just been forked counts as in a system call
 * until it first returns to user space, which is what we want.
 *
 * The grace a group can take is bounded: GRACE_FREE_NS, and beyond that a
 * thirty-second of its attained service, so that calling the kernel all the
 * time is no way to the front. Only a reader under RCU is let out whatever it
 * has taken: the kernel frees nothing until it is, and takes a scheduler out
 * that keeps it for 21 s. Such a section is short, and to be preempted just
 * there is luck one cannot build on.
 */
#ifndef ALPS_GRACE_BPF_H
#define ALPS_GRACE_BPF_H

#define GRACE_SLICE_NS (500ULL * NSEC_PER_USEC)
#define GRACE_FREE_NS (8ULL * NSEC_PER_MSEC)

/* Switched off only to show that it matters. */
const volatile bool grace_enabled = true;

static __always_inline bool in_system_call(struct task_struct *p)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs;
	long nr = -1;

	if (p->flags & PF_KTHREAD)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(p);
	bpf_probe_read_kernel(&nr, sizeof(nr), &regs->orig_ax);
	return nr >= 0;
#else
	return false;
#endif
}

/*
 * Not by its nesting count, which is never 0 here for the task that is being
 * switched out: this program is itself a reader in its name.
 */
static __always_inline bool is_preempted_rcu_reader(const struct task_struct *p)
{
	return bpf_core_field_exists(p->rcu_read_unlock_special) &&
	       p->rcu_read_unlock_special.b.blocked;
}

static __always_inline bool may_take_grace(struct task_struct *p,
					   struct group_ctx *g)
{
	if (!grace_enabled)
		return false;
	if (is_preempted_rcu_reader(p))
		return true;
	return g->grace_ns <= GRACE_FREE_NS + g->cpu_ns / 32 && in_system_call(p);
}

#endif
