/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs and the daemon agree on: sizes, events, maps' values. */
#ifndef ALPS_INTF_H
#define ALPS_INTF_H

#ifndef __VMLINUX_H__
typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
#endif

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL

enum alps_limits {
	MAX_CPUS = 1024,
	MAX_LLCS = 64,
	MAX_CGROUPS = 32768,
	MAX_PATH_LEN = 512,

	/* Slots of one half of the policy table; slot 0 is the prior. */
	NR_FUNCTIONS = 4096,
	/* Buckets of attained service: see bucket_of() for the boundaries. */
	NR_BUCKETS = 48,
	FIRST_BUCKET_SHIFT = 15,
};

/* Values of a task's function beside the slots of the policy table. */
enum alps_function {
	FUNCTION_UNKNOWN = 0,		/* not identified yet: the prior applies */
	FUNCTION_GENERIC = 0xffffffff,	/* no function: ranked by its own bursts */
};

/* Where waiting tasks queue. */
enum alps_queueing {
	QUEUE_PER_LLC,
	QUEUE_PER_CPU,
};

/* One slot of one half of the policy table. */
struct policy_entry {
	u64 bias_ns[NR_BUCKETS];
	u64 slice_ns;
	u64 predicted_ns;
	u32 rank;
	u32 samples;
};

/* A finished invocation, in the ring buffer `invocations`. */
struct invocation_event {
	u64 arrival_ns;
	u64 first_run_ns;
	u64 end_ns;
	u64 cpu_ns;
	u64 cgroup_id;
	u32 function;
	u32 switches;
	u32 pid;
	u32 pad;
};

enum notice_kind {
	NOTICE_CGROUP_CREATED,
	NOTICE_CGROUP_REMOVED,
	NOTICE_EXEC,			/* or whatever makes a process another */
	NOTICE_SCHEDULER_EXIT,
};

/*
 * Something identification needs to know at once, in the ring buffer
 * `notices`. The path is that of a new cgroup and is empty otherwise.
 */
struct notice {
	u64 cgroup_id;
	u32 kind;
	u32 pid;
	char path[MAX_PATH_LEN];
};

/* The beginning of a notice, and all of one without a path. */
struct notice_head {
	u64 cgroup_id;
	u32 kind;
	u32 pid;
};

/* One live thread group of a function, as the iterator `survey` prints it. */
struct survey_row {
	u64 cgroup_id;
	u64 arrival_ns;
	u64 cpu_ns;
	u64 now_ns;
	u32 pid;
	u32 function;
	u32 nr_runnable;
	u32 running;
};

/* Arguments of the program `assign_process`. */
struct assignment {
	u32 pid;
	u32 function;
};

/* What the kernel side counts; every field only grows. */
struct alps_counters {
	u64 invocations;		/* finished and reported */
	u64 invocations_lost;		/* finished, ring buffer full */
	u64 notices_lost;		/* notices ring buffer full */
	u64 tasks_untracked;		/* no memory for a task's context */
	u64 idle_dispatches;		/* placed on an idle CPU */
	u64 handovers;			/* given the CPU of the task that woke it */
	u64 queued;			/* put into a queue */
	u64 preemptions;		/* a worse running task was preempted */
	u64 requeued;			/* gave way at a tick or a slice's end */
	u64 kept;			/* kept running past a slice's end */
	u64 stolen;			/* taken from another domain's queue */
	u64 graced;			/* preempted in a system call, put in front */
	u64 rescued;			/* moved past the order to stop a stall */
};

#endif
