/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Ingress of tenants' interfaces and of external L2 segments. */
#include "answer.h"
#include "deliver.h"
#include "flow.h"
#include "fragment.h"
#include "lookup.h"
#include "parse.h"
#include "upcall.h"
#include "verdict.h"

static __always_inline int port_packet(struct __sk_buff *skb, struct flow *f, struct port *port)
{
	struct action action;
	int rc;

	rc = parse_ethernet(skb, f);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(f->ethertype == bpf_htons(ETH_P_ARP))) {
		f->flags |= FLOW_CONTROL;
		rc = answer_arp(skb, f->slot);
		if (rc != NOT_ANSWERED)
			return rc;
	}
	rc = parse(skb, f, port->key_port, port->flags & PORT_F_L3_KEY);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(f->fragment)) {
		rc = pass_fragment(skb, f);
		if (rc)
			return rc;
	}
	if (f->proto == IPPROTO_UDP && unlikely(is_vxlan(f)))
		return -DROP_VXLAN_FROM_PORT;
	if (unlikely(f->flags & FLOW_ND)) {
		rc = answer_solicitation(skb, f->slot);
		if (rc != NOT_ANSWERED)
			return rc;
	}
	if (likely(find(skb, f, port->class_masks, &action) == FOUND_ACTION))
		return forward(skb, f, &action);
	return hand_up(skb, f, UPCALL_MISS);
}

SEC("tc")
int from_port(struct __sk_buff *skb)
{
	struct link_key at = { .ifindex = skb->ifindex };
	struct flow f = {};
	struct port *port;
	__u32 *slot;

	test_start(skb);
	/* VID 0 is a priority and no network: as if untagged (IEEE 802.1Q section 6.9) */
	if (skb->vlan_present)
		at.vlan = skb->vlan_tci & 0xfff;
	slot = bpf_map_lookup_elem(&link, &at);
	if (unlikely(!slot))
		return finish(skb, 0, at.vlan ? -DROP_VLAN_NOT_BOUND : -DROP_PORT_UNKNOWN);
	f.slot = *slot;
	port = bpf_map_lookup_elem(&ports, &f.slot);
	if (unlikely(!port))
		return finish(skb, 0, -DROP_PORT_UNKNOWN);
	if (unlikely(port->kind != PORT_TENANT)) {
		if (port->kind != PORT_L2_EXTERNAL)
			return finish(skb, 0, -DROP_PORT_UNKNOWN);
		f.flags = FLOW_L2_EXTERNAL;
	}
	count_rx(skb, f.slot);
	if (unlikely(port->flags & PORT_F_ADMIN_DOWN))
		return finish(skb, f.slot, -DROP_PORT_DOWN);
	f.budget = port->budget;
	return finish(skb, f.slot, port_packet(skb, &f, port));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
