/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * GCRA, virtual scheduling: a packet conforms if its theoretical arrival time is at most `burst_ns` away. An object's
 * budget stands below its tenant's total, that below the host's: the rates are the agent's (FairShare in C#).
 */
#ifndef GENKAN_BUDGET_H
#define GENKAN_BUDGET_H

#include "flow.h"

/* Rivals for one budget on other CPUs; who loses this often is over any budget that matters. */
#define BUDGET_TRIES	4

enum lane { LANE_FLOWS = 0, LANE_CONTROL = 1, LANE_COPIES = 2 };

/* One lane of struct budget. */
struct budget_lane { __u64 arrival_ns, interval_ns, burst_ns, admitted, refused; };

static __always_inline struct budget_lane *lane_of(struct budget *b, __u32 lane)
{
	if (lane == LANE_FLOWS)
		return (struct budget_lane *)&b->arrival_ns;
	return (struct budget_lane *)(lane == LANE_CONTROL ? &b->control_arrival_ns : &b->copy_arrival_ns);
}

static __always_inline int take_lane(struct budget_lane *l, __u64 now, __u32 cost)
{
	__u64 due, seen, interval = READ_ONCE(l->interval_ns);
	int i;

	if (!interval)
		goto admitted;
	for (i = 0; i < BUDGET_TRIES; i++) {
		seen = READ_ONCE(l->arrival_ns);
		due = seen > now ? seen : now;
		if (due - now > READ_ONCE(l->burst_ns))
			break;
		if (__sync_val_compare_and_swap(&l->arrival_ns, seen, due + interval * cost) == seen)
			goto admitted;
	}
	__sync_fetch_and_add(&l->refused, 1);
	return 0;
admitted:
	__sync_fetch_and_add(&l->admitted, cost);
	return 1;
}

/* The copy to the agent costs by its octets: a whole GSO frame is as much work as many small packets. */
static __always_inline __u32 upcall_cost(struct __sk_buff *skb)
{
	return 1 + skb->len / BUDGET_OCTETS;
}

/* What a total refuses was admitted below it already: there it is as if it had never been asked for. */
static __always_inline void refund(__u32 index, __u32 lane, __u32 cost, int levels)
{
	struct budget_lane *l;
	struct budget *b;
	__u64 back;
	int level;

	for (level = 1; level < BUDGET_LEVELS; level++) {
		if (level > levels)
			return;
		b = bpf_map_lookup_elem(&budget, &index);
		if (!b)
			return;
		l = lane_of(b, lane);
		back = READ_ONCE(l->interval_ns) * cost;
		/* the agent may have set another interval meanwhile: never below the beginning of time */
		if (READ_ONCE(l->arrival_ns) > back)
			__sync_fetch_and_sub(&l->arrival_ns, back);
		index = b->parent;
	}
}

/*
 * Gives 0, or the level that refused: 1 the budget's own, above it a total that it is part of. Inline, since the stack
 * of all calls together has 512 octets, and those who ask stand deep in it.
 */
static __always_inline int take_budget(__u32 index, __u32 lane, __u32 cost)
{
#ifdef GENKAN_FROM_AGENT
	return 0; /* what the agent sends was paid for when it came up */
#else
	__u64 now = bpf_ktime_get_ns();
	__u32 own = index;
	struct budget *b;
	int level;

	for (level = 1; level <= BUDGET_LEVELS; level++) {
		b = bpf_map_lookup_elem(&budget, &index);
		if (!b || !take_lane(lane_of(b, lane), now, cost)) {
			refund(own, lane, cost, level - 1);
			return level;
		}
		index = b->parent;
		if (!index)
			break;
	}
	return 0;
#endif
}

/* What a flood meets first: no look-up, no write but the count, nothing of anybody else's. */
static __always_inline int is_spent(__u32 index, __u64 now)
{
	struct budget *b = bpf_map_lookup_elem(&budget, &index);
	__u64 seen;

	if (!b || !b->interval_ns)
		return !b;
	seen = READ_ONCE(b->arrival_ns);
	if (seen <= now || seen - now <= b->burst_ns)
		return 0;
	__sync_fetch_and_add(&b->refused, 1);
	return 1;
}

#endif
