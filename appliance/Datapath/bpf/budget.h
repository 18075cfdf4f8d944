/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* GCRA, virtual scheduling: a packet conforms if its theoretical arrival time is at most `burst_ns` away. */
#ifndef GENKAN_BUDGET_H
#define GENKAN_BUDGET_H

#include "flow.h"

/* Rivals for one budget on other CPUs; who loses this often is over any budget that matters. */
#define BUDGET_TRIES	4

static __always_inline int take_budget(__u32 index, int control)
{
	struct budget *b = bpf_map_lookup_elem(&budget, &index);
	__u64 now, due, seen, *arrival;
	int i;

	if (!b)
		return 0;
	if (!b->interval_ns)
		return 1;
	arrival = control ? &b->control_arrival_ns : &b->arrival_ns;
	now = bpf_ktime_get_ns();
	for (i = 0; i < BUDGET_TRIES; i++) {
		seen = READ_ONCE(*arrival);
		due = seen > now ? seen : now;
		if (due - now > b->burst_ns)
			break;
		if (__sync_val_compare_and_swap(arrival, seen, due + b->interval_ns) == seen)
			return 1;
	}
	__sync_fetch_and_add(&b->refused, 1);
	return 0;
}

#endif
