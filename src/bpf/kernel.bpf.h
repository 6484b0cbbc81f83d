/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types and sched_ext's own helpers, without bpf_printk(): a
 * program with so much as one that is never reached has the kernel note, from
 * its loading until the next boot, the name of every task that switches or
 * wakes. A message in those helpers is all that would be printed.
 */
#ifndef ALPS_KERNEL_BPF_H
#define ALPS_KERNEL_BPF_H

#define BPF_NO_KFUNC_PROTOTYPES
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#undef bpf_printk
#define bpf_printk(...)

#include <scx/common.bpf.h>

#endif
