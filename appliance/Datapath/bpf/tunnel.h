/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A frame that came through a tunnel: its key names what is left to do here. */
#ifndef GENKAN_TUNNEL_H
#define GENKAN_TUNNEL_H

#include "commit.h"
#include "deliver.h"
#include "flow.h"
#include "fragment.h"
#include "lookup.h"
#include "nat_owner.h"
#include "parse.h"
#include "upcall.h"
#include "verdict.h"

struct tunnel {
	__u32 key;
	__u32 group_policy;
	struct vtep_key from;
};

/* FLOOD and NAT-RETURN: this host's agent has the last word, under the name of the pseudo port. */
static __always_inline int look_up(struct __sk_buff *skb, struct flow *f, __u32 slot, int is_nat)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);
	struct action action;
	int rc;

	if (unlikely(!port || port->kind != PORT_PSEUDO))
		return -DROP_PORT_UNKNOWN;
	f->slot = slot;
	rc = parse(skb, f, slot, is_nat || port->flags & PORT_F_L3_KEY);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(f->fragment)) {
		if (is_nat)
			f->flags |= FLOW_NAT_RETURN;
		rc = pass_fragment(skb, f);
		if (rc)
			return rc;
	}
	rc = find(skb, f, port->class_masks, &action);
	if (likely(rc == FOUND_ACTION))
		return forward(skb, f, &action);
	if (f->ethertype == bpf_htons(ETH_P_ARP))
		f->flags |= FLOW_CONTROL;
	/* a stale connection is one that the agent knows; without any, only an error may belong to one */
	if (is_nat && rc == FOUND_NOTHING && !(f->flags & FLOW_ICMP_ERROR))
		return -DROP_NAT_NO_CONNECTION;
	return hand_up(skb, f, UPCALL_MISS);
}

static __always_inline int leave(struct __sk_buff *skb, struct flow *f, struct tunnel *t, struct delivery *d)
{
	__u32 slot = d->port;
	struct port *port = bpf_map_lookup_elem(&ports, &slot);
	int rc;

	if (unlikely(!port || port->kind != PORT_UPLINK))
		return -DROP_PORT_UNKNOWN;
	f->slot = slot;
	rc = parse(skb, f, port->key_port, 1);
	if (unlikely(rc < 0))
		return rc;
	if (unlikely(!(f->flags & FLOW_IP)))
		return -DROP_ETHERTYPE;
	if (!(f->flags & FLOW_IPV6) && unlikely(!is_owner(skb, f, &t->from)))
		return -DROP_NAT_NOT_OWNED;
	if (t->group_policy & GROUP_POLICY_COMMIT) {
		rc = commit(skb, f, port->key_port | COMMIT_L3_KEY);
		if (unlikely(rc < 0))
			return rc;
	}
	if (unlikely(f->tcp_seen & TCP_SEEN_SYN))
		clamp_mss(skb, f, port->mtu);
	return fib_exit(skb, f, d->arg, slot);
}

static __always_inline int reach_port(struct __sk_buff *skb, struct flow *f, struct tunnel *t, __u32 slot)
{
	struct port *port;
	int rc;

	f->slot = slot;
	if (t->group_policy & GROUP_POLICY_COMMIT) {
		port = bpf_map_lookup_elem(&ports, &slot);
		if (unlikely(!port))
			return -DROP_PORT_DOWN;
		rc = parse(skb, f, port->key_port, port->flags & PORT_F_L3_KEY);
		if (unlikely(rc < 0))
			return rc;
		rc = commit(skb, f, port->key_port | (port->flags & PORT_F_L3_KEY ? COMMIT_L3_KEY : 0));
		if (unlikely(rc < 0))
			return rc;
	}
	return output_port(skb, slot);
}

/* A frame without its outer headers, from a sender that the agent has told of. */
static __always_inline int tunnel_packet(struct __sk_buff *skb, struct flow *f, struct tunnel *t, struct vtep *sender)
{
	__u32 slot = t->key >> 8;
	struct delivery *d;
	int rc;

	__sync_fetch_and_add(&sender->packets, packets_of(skb));
	__sync_fetch_and_add(&sender->octets, skb->len);
	f->vtep_host = sender->host;
	f->budget = sender->budget;
	if (unlikely(!(t->group_policy & GROUP_POLICY_OURS)))
		return -DROP_NO_GROUP_POLICY;
	if (unlikely(skb->vlan_present))
		return -DROP_VLAN_NOT_BOUND;
	d = bpf_map_lookup_elem(&delivery, &slot);
	if (unlikely(!d || d->kind == DELIVERY_NONE))
		return -DROP_TUNNEL_KEY_UNKNOWN;
	if (unlikely(d->generation != (t->key & 0xff)))
		return -DROP_TUNNEL_KEY_STALE;
	rc = parse_ethernet(skb, f);
	if (unlikely(rc < 0))
		return rc;
	f->flags = FLOW_FROM_TUNNEL;
	f->upcall_flags = UPCALL_F_TUNNEL | (t->group_policy & GROUP_POLICY_COMMIT ? UPCALL_F_COMMIT : 0);
	switch (d->kind) {
	case DELIVERY_PORT:
		return reach_port(skb, f, t, d->arg);
	case DELIVERY_FIB_EXIT:
		return leave(skb, f, t, d);
	case DELIVERY_FLOOD:
	case DELIVERY_NAT_RETURN:
		return look_up(skb, f, d->arg, d->kind == DELIVERY_NAT_RETURN);
	default:
		return -DROP_TUNNEL_KEY_UNKNOWN;
	}
}

#endif
