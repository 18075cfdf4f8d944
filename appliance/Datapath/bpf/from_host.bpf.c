/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Far end of an uplink's host veth: what the host's own stack sends, and what it had to find a neighbour for, goes out
 * of the NIC. The MACs are right already: the host veth speaks with the uplink's.
 */
#include "deliver.h"
#include "flow.h"
#include "verdict.h"

SEC("tc")
int from_host(struct __sk_buff *skb)
{
	struct link_key at = { .ifindex = skb->ifindex };
	struct port *port;
	__u32 *slot;

	test_start(skb);
	slot = bpf_map_lookup_elem(&link, &at);
	if (unlikely(!slot))
		return finish(skb, 0, -DROP_PORT_UNKNOWN);
	port = bpf_map_lookup_elem(&ports, slot);
	if (unlikely(!port || port->kind != PORT_UPLINK))
		return finish(skb, 0, -DROP_PORT_UNKNOWN);
	return finish(skb, *slot, output_port(skb, *slot));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
