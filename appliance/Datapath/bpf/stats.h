/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counters a port and a reason, per CPU. Slot 0 stands for what no port can be blamed for. */
#ifndef GENKAN_STATS_H
#define GENKAN_STATS_H

#include "flow.h"

static __always_inline __u32 packets_of(struct __sk_buff *skb)
{
	return skb->gso_segs ?: 1;
}

/* A connection that is in use does not expire. */
static __always_inline void touch(struct conn *c)
{
	__u16 tick = bpf_jiffies64() >> TICK_SHIFT;

	if (unlikely(c->seen_tick != tick || !c->last_seen_ns)) {
		c->seen_tick = tick;
		c->last_seen_ns = bpf_ktime_get_coarse_ns();
	}
}

static __always_inline void count_rx(struct __sk_buff *skb, __u32 slot)
{
	struct port_stats *stats = bpf_map_lookup_elem(&port_stats, &slot);

	if (stats) {
		stats->rx_packets += packets_of(skb);
		stats->rx_octets += skb->len;
	}
}

static __always_inline void count_tx(struct __sk_buff *skb, __u32 slot)
{
	struct port_stats *stats = bpf_map_lookup_elem(&port_stats, &slot);

	if (stats) {
		stats->tx_packets += packets_of(skb);
		stats->tx_octets += skb->len;
	}
}

static __always_inline void count_reason(struct __sk_buff *skb, __u32 slot, __u32 reason)
{
	__u32 at = slot * DROP_REASON_MAX + reason;
	__u64 *count = bpf_map_lookup_elem(&drop_stats, &at);

	if (count)
		*count += packets_of(skb);
}

int drop(struct __sk_buff *skb, __u32 slot, __u32 reason);

__attribute__((noinline)) int drop(struct __sk_buff *skb, __u32 slot, __u32 reason)
{
	struct port_stats *stats;

	count_reason(skb, slot, reason);
	stats = bpf_map_lookup_elem(&port_stats, &slot);
	if (stats)
		stats->drop_packets += packets_of(skb);
	return TC_ACT_SHOT;
}

#endif
