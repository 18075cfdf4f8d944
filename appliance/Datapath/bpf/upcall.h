/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * To the agent. In this order, so that a flood costs as little as may be: is the budget spent (two loads), is the
 * flow's queue full (one look-up), take from the budget and the totals above it (a compare-and-swap each), and only
 * then room in the ring and the copy.
 */
#ifndef GENKAN_UPCALL_H
#define GENKAN_UPCALL_H

#include "flow.h"
#include "budget.h"
#include "stats.h"
#include "verdict.h"

/* bpf_ringbuf_reserve takes only constants, so records come in sizes. */
#define RECORD_SMALL	256
#define RECORD_FRAME	2048
#define RECORD_JUMBO	16384
#define RECORD_GSO	(68 * 1024)
#define HEADERS_ONLY	(RECORD_SMALL - sizeof(struct upcall))

static __always_inline void fill(struct __sk_buff *skb, struct flow *f, struct upcall *u, __u32 kind, __u32 captured)
{
	u->time_ns = bpf_ktime_get_ns();
	u->port = f->slot;
	u->length = skb->len;
	u->captured = captured;
	u->kind = kind;
	u->state = f->state;
	u->flags = f->upcall_flags | (captured < skb->len ? UPCALL_F_TRUNCATED : 0);
	u->gso_size = skb->gso_size;
	u->gso_segs = skb->gso_segs;
	u->vlan_tci = skb->vlan_present ? skb->vlan_tci | 0x10000 : 0;
	u->vtep_host = f->vtep_host;
	u->class_id = f->class_id;
	u->flow_digest = f->digest;
	u->mtu = f->mtu;
	u->nexthop = f->nexthop;
	u->budget = f->budget;
	u->pad = 0;
}

static __always_inline int record(struct __sk_buff *skb, struct flow *f, void *ring, __u32 kind, __u32 captured,
				  const __u32 size)
{
	struct upcall *u = bpf_ringbuf_reserve(ring, size, 0);

	if (!u)
		return -DROP_RING_FULL;
	barrier_var(captured);
	if (captured == 0 || captured > size - sizeof(*u)) {
		bpf_ringbuf_discard(u, BPF_RB_NO_WAKEUP);
		return -DROP_UPCALL_TOO_BIG;
	}
	fill(skb, f, u, kind, captured);
	if (bpf_skb_load_bytes(skb, 0, u + 1, captured) < 0) {
		bpf_ringbuf_discard(u, BPF_RB_NO_WAKEUP);
		return -DROP_TRUNCATED;
	}
	bpf_ringbuf_submit(u, 0);
	return 0;
}

static __always_inline int send_record(struct __sk_buff *skb, struct flow *f, __u32 kind, int control)
{
	__u32 cpu = bpf_get_smp_processor_id(), captured = skb->len;
	void *ring = control ? bpf_map_lookup_elem(&upcall_control, &cpu) : bpf_map_lookup_elem(&upcall_data, &cpu);

	if (!ring)
		return -DROP_RING_FULL;
	if (kind == UPCALL_REVALIDATE && captured > HEADERS_ONLY)
		captured = HEADERS_ONLY;
	if (captured <= RECORD_SMALL - sizeof(struct upcall))
		return record(skb, f, ring, kind, captured, RECORD_SMALL);
	if (captured <= RECORD_FRAME - sizeof(struct upcall))
		return record(skb, f, ring, kind, captured, RECORD_FRAME);
	if (captured <= RECORD_JUMBO - sizeof(struct upcall))
		return record(skb, f, ring, kind, captured, RECORD_JUMBO);
	return record(skb, f, ring, kind, captured, RECORD_GSO);
}

/* `pending` values: time << 8 | followers. The time wraps after two years, so ages are taken modulo 2^56. */
static __always_inline int is_pending(__u64 *waiting, __u64 now)
{
	return waiting && (now << 8) - (*waiting & ~0xffULL) < PENDING_NS << 8;
}

static __always_inline int budget_reason(struct flow *f, int level)
{
	if (level > 1)
		return -DROP_BUDGET_TENANT;
	return f->budget >= BUDGET_DESTINATION_AT ? -DROP_BUDGET_DESTINATION : -DROP_BUDGET_PORT;
}

static __always_inline int upcall_first(struct __sk_buff *skb, struct flow *f)
{
	__u64 now = bpf_ktime_get_ns(), digest = f->digest, value = now << 8, *waiting;
	int rc, is_follower;

	if (is_spent(f->budget, now))
		return budget_reason(f, 1);
	waiting = bpf_map_lookup_elem(&pending, &digest);
	is_follower = is_pending(waiting, now);
	if (is_follower && (*waiting & 0xff) >= (f->fragment ? PENDING_FRAGMENTS_MAX : PENDING_FOLLOWERS_MAX))
		return -DROP_PENDING;
	rc = take_budget(f->budget, LANE_FLOWS, upcall_cost(skb));
	if (rc)
		return budget_reason(f, rc);
	if (is_follower) {
		__sync_fetch_and_add(waiting, 1);
		return send_record(skb, f, UPCALL_FOLLOWER, 0);
	}
	bpf_map_update_elem(&pending, &digest, &value, BPF_ANY);
	rc = send_record(skb, f, UPCALL_MISS, 0);
	/* nobody will simulate this one, so nobody should wait for it */
	if (rc)
		bpf_map_delete_elem(&pending, &digest);
	return rc;
}

/* Waits in the agent, which has a queue for each port; or says that others need not wait any more. */
static __always_inline int upcall_fragment(struct __sk_buff *skb, struct flow *f)
{
	int rc = take_budget(f->budget, LANE_FLOWS, upcall_cost(skb));

	return rc ? budget_reason(f, rc) : send_record(skb, f, UPCALL_FRAGMENT, 0);
}

/*
 * The control time of an uplink's own budget is for ARP and ND to the host alone: whoever sends ICMP errors or packets
 * with a short hop limit from far away must not be able to silence the neighbours.
 */
static __always_inline __u32 control_lane(struct flow *f)
{
	return !(f->flags & FLOW_OUTSIDE) || f->budget >= BUDGET_DESTINATION_AT ? LANE_CONTROL : LANE_FLOWS;
}

int upcall(struct __sk_buff *skb, struct flow *f, __u32 kind);

/* Gives TC_ACT_SHOT if the agent has it now, or minus the reason why not. */
__attribute__((noinline)) int upcall(struct __sk_buff *skb, struct flow *f, __u32 kind)
{
	struct port_stats *stats;
	__u32 slot;
	int rc;

	if (!f)
		return -DROP_RING_FULL;
	if ((kind == UPCALL_MISS && !(f->flags & FLOW_CONTROL)) || kind == UPCALL_FRAGMENT) {
		rc = kind == UPCALL_MISS ? upcall_first(skb, f) : upcall_fragment(skb, f);
	} else if (kind == UPCALL_REVALIDATE) {
		rc = send_record(skb, f, kind, 1);
	} else if (take_budget(f->budget, control_lane(f), upcall_cost(skb))) {
		rc = -DROP_BUDGET_CONTROL;
	} else {
		rc = send_record(skb, f, kind == UPCALL_MISS ? UPCALL_CONTROL : kind, 1);
	}
	if (rc)
		return rc;
	show_outcome(skb, OUTCOME_UPCALL, 0);
	slot = f->slot;
	stats = bpf_map_lookup_elem(&port_stats, &slot);
	if (stats)
		stats->upcall_packets += packets_of(skb);
	return TC_ACT_SHOT;
}

#endif
