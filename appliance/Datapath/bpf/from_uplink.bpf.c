/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Ingress of an uplink NIC. Whoever is out there may send anything at any rate, so the agent is the last resort. */
#include "answer.h"
#include "deliver.h"
#include "flow.h"
#include "fragment.h"
#include "lookup.h"
#include "parse.h"
#include "upcall.h"
#include "uplink.h"
#include "verdict.h"

static __always_inline int is_for_us(struct __sk_buff *skb, struct port *port)
{
	struct ethhdr *eth = data_of(skb);

	if ((void *)(eth + 1) > end_of(skb))
		return 0;
	return eth->h_dest[0] & 1 || same_mac(eth->h_dest, port->mac);
}

/*
 * What came for a whole link but names one station: a router does not pass it on (RFC 1812 section 5.3.4), as each of
 * the link would, and over and over where two of them have a route to each other. Of IPv6 alike.
 */
static __always_inline int is_unicast_in_group_frame(struct __sk_buff *skb, struct flow *f)
{
	half_t first = f->flags & FLOW_IPV6 ? f->key[2] >> 32 : f->key[1];
	struct ethhdr *eth = data_of(skb);

	if ((void *)(eth + 1) > end_of(skb) || likely(!(eth->h_dest[0] & 1)))
		return 0;
	if (f->flags & FLOW_IPV6)
		return (first & bpf_htonl(0xff000000)) != bpf_htonl(0xff000000);
	return (first & bpf_htonl(0xf0000000)) != bpf_htonl(0xe0000000) && first != 0xffffffff;
}

/* Answered for the addresses that tenants publish; the host's own are its stack's business. */
static __always_inline int neighbour_packet(struct __sk_buff *skb, struct flow *f, int is_arp)
{
	int rc = is_arp ? answer_arp(skb, f->slot) : answer_solicitation(skb, f->slot);

	return rc == NOT_ANSWERED ? to_host(skb, f->slot, f->budget) : rc;
}

/*
 * No router passes these on: of ND the hop limit proves it (RFC 4861 section 11.2), of group membership the source (RFC
 * 3810 section 5, RFC 4291 section 2.5.6). What comes from farther away must not spend the neighbours' budget.
 */
static __always_inline int link_packet(struct __sk_buff *skb, struct flow *f)
{
	__u8 type = f->key[4] >> 48;
	half_t first = f->key[0] >> 32;

	if (type >= ICMP6_ND_FIRST && type <= ICMP6_ND_LAST) {
		if (f->hop_limit != 255)
			return -DROP_MALFORMED;
	} else if ((first & bpf_htonl(0xffc00000)) != bpf_htonl(0xfe800000) &&
		   (first || f->key[1] || (half_t)f->key[2])) {
		return -DROP_MARTIAN;
	}
	return neighbour_packet(skb, f, 0);
}

static __always_inline int overlay_packet(struct __sk_buff *skb, struct flow *f, struct port *port)
{
	struct action action;
	int found, rc, is_nat = 0;
	__u32 kind = UPCALL_MISS;

	f->flags |= FLOW_OUTSIDE;
	if (unlikely(f->fragment)) {
		rc = on_fragment(skb, f);
		if (rc < 0)
			return rc;
		if (rc == FRAGMENT_AWAIT)
			kind = UPCALL_FRAGMENT;
	}
	found = find_conn(skb, f, &action);
	if (found == FOUND_NOTHING) {
		rc = steer(skb, f, f->slot);
		if (unlikely(f->fragment) && rc != STEER_CLASS)
			settle_fragment(skb, f, port->key_port, 0);
		if (rc == STEER_DELIVER) {
			is_nat = 1;
			/* under this name too, by which the agent will send it on */
			rc = unlikely(f->fragment) ? pass_fragment(skb, f) : 0;
			if (rc)
				return rc;
			found = find_conn(skb, f, &action);
		} else if (rc != STEER_CLASS) {
			return rc;
		} else if (port->class_masks && kind == UPCALL_MISS) {
			found = find_class(skb, f, port->class_masks, &action);
		}
	}
	if (likely(found == FOUND_ACTION))
		return forward(skb, f, &action);
	if (is_nat && found == FOUND_NOTHING && !(f->flags & FLOW_ICMP_ERROR))
		return -DROP_NAT_NO_CONNECTION;
	/* an address of source NAT pays for the errors that are about it, where it has a row */
	rc = charge_destination(f);
	if (rc < 0 && !is_nat)
		return rc;
	return hand_up(skb, f, kind);
}

static __always_inline int uplink_packet(struct __sk_buff *skb, struct flow *f, struct port *port)
{
	int rc;

	rc = parse_ethernet(skb, f);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(!is_for_us(skb, port)))
		return -DROP_MAC_UNKNOWN;
	if (unlikely(f->ethertype == bpf_htons(ETH_P_ARP)))
		return neighbour_packet(skb, f, 1);
	if (unlikely(f->ethertype != bpf_htons(ETH_P_IP) && f->ethertype != bpf_htons(ETH_P_IPV6)))
		return -DROP_ETHERTYPE;
	rc = parse(skb, f, port->key_port, 1);
	if (unlikely(rc < 0))
		return rc;
	if (f->proto == IPPROTO_UDP && unlikely(is_vxlan(f)))
		return -DROP_VXLAN_FROM_PORT;
	if (unlikely(is_unicast_in_group_frame(skb, f)))
		return -DROP_MAC_UNKNOWN;
	if (unlikely(f->flags & FLOW_ND))
		return link_packet(skb, f);
	return overlay_packet(skb, f, port);
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	struct link_key at = { .ifindex = skb->ifindex };
	struct flow f = {};
	struct port *port;
	__u32 *slot;
	int rc;

	test_start(skb);
	/* VID 0 is a priority and no network: as if untagged (IEEE 802.1Q section 6.9) */
	if (skb->vlan_present)
		at.vlan = skb->vlan_tci & 0xfff;
	slot = bpf_map_lookup_elem(&link, &at);
	if (unlikely(!slot))
		return finish(skb, 0, at.vlan ? -DROP_VLAN_NOT_BOUND : -DROP_PORT_UNKNOWN);
	f.slot = *slot;
	port = bpf_map_lookup_elem(&ports, &f.slot);
	if (unlikely(!port || port->kind != PORT_UPLINK))
		return finish(skb, 0, -DROP_PORT_UNKNOWN);
	count_rx(skb, f.slot);
	if (unlikely(port->flags & PORT_F_ADMIN_DOWN))
		return finish(skb, f.slot, -DROP_PORT_DOWN);
	f.budget = port->budget;
	rc = uplink_packet(skb, &f, port);
	return finish(skb, f.slot, rc);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
