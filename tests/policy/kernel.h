/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side's headers have of the kernel, for programs made of them. */
#ifndef TESTS_POLICY_KERNEL_H
#define TESTS_POLICY_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/bpf/intf.h"

typedef long long s64;

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define SEC(name)
#define __uint(name, value) int name
#define __type(name, value) int name
#define barrier() __asm__ volatile("" ::: "memory")

/* Of the maps only the policy table is looked into. */
static struct policy_entry table[2 * NR_FUNCTIONS];

#define bpf_map_lookup_elem(map, key) ((void *)&table[*(const u32 *)(key) % (2 * NR_FUNCTIONS)])

static u32 log2_u64(u64 value)
{
	return 64 - __builtin_clzll(value);
}

#endif
