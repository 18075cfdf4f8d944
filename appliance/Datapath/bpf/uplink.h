/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an uplink packet is for, if it belongs to no connection: the host itself, an owner of NAT ports, a tenant's
 * object.
 */
#ifndef GENKAN_UPLINK_H
#define GENKAN_UPLINK_H

#include "budget.h"
#include "deliver.h"
#include "flow.h"
#include "nat_owner.h"
#include "verdict.h"

/* Answers of steer() beside TC actions and drop reasons. */
#define STEER_DELIVER	0x100	/* NAT return to this host: f->key names the pseudo port now */
#define STEER_CLASS	0x101	/* none of the host's business: classes, then the agent */

static __always_inline int to_host(struct __sk_buff *skb, __u32 slot, __u32 budget)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);

	if (!port || !port->host_ifindex)
		return -DROP_INTERFACE_GONE;
	if (take_budget(budget, LANE_CONTROL, 1))
		return -DROP_BUDGET_CONTROL;
	set_vlan(skb, 0);
	return send_out(skb, OUTCOME_LOCAL, port->host_ifindex);
}

static __always_inline void copy_destination(struct flow *f, __u8 *address)
{
	half_t *to = (half_t *)address;

	if (f->flags & FLOW_IPV6) {
		to[0] = f->key[2] >> 32;
		to[1] = f->key[3];
		to[2] = f->key[3] >> 32;
		to[3] = f->key[4];
	} else {
		to[0] = f->key[1];
	}
}

static __always_inline __be16 destination_port(struct flow *f)
{
	return f->key[f->flags & FLOW_IPV6 ? 4 : 1] >> 48;
}

static __always_inline int has_ports(struct flow *f)
{
	return f->fragment != FRAGMENT_LATER &&
	       (f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP || f->proto == IPPROTO_SCTP);
}

/* The port that names the owner of what comes back to a NAT address, host order; -1 none. */
static __always_inline int returned_port(struct __sk_buff *skb, struct flow *f)
{
	__u32 ports = f->key[1] >> 32;

	if (f->fragment == FRAGMENT_LATER)
		return -1;
	if (f->flags & FLOW_ICMP_ECHO)
		return (ports >> 16 & 0xff) == ICMP_ECHO_REPLY ? (int)bpf_ntohs(ports) : -1;
	if (f->flags & FLOW_ICMP_ERROR)
		return quoted_port(skb, f, 0);
	return f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP ? (int)bpf_ntohs(ports >> 16) : -1;
}

static __always_inline int to_owner(struct __sk_buff *skb, struct flow *f, __u32 index)
{
	struct nexthop *nh = bpf_map_lookup_elem(&nexthop, &index);
	int rc;

	if (!nh || (nh->kind != NEXTHOP_DELIVER && nh->kind != NEXTHOP_TUNNEL))
		return -DROP_NAT_NO_OWNER;
	if (nh->kind == NEXTHOP_DELIVER) {
		f->slot = nh->arg;
		f->key[0] = (f->key[0] & 0xffffffff00000000ULL) | nh->arg;
		seal(f, KEY4_WORDS);
		return STEER_DELIVER;
	}
	f->nexthop = index;
	if (unlikely(is_long(skb)) && is_too_big(skb, f, 0))
		return too_big(skb, f);
	if (f->tcp_seen & TCP_SEEN_SYN)
		clamp_syn(skb, f);
	SHOW(skb, 1, index);
	rc = enter_tunnel(skb, f, index, 0);
	return rc < 0 ? rc : send_out(skb, OUTCOME_TUNNEL, rc);
}

/* A NAT address without an owner for that port. Echo requests and later fragments name no owner and go on. */
static __always_inline int unowned(struct flow *f)
{
	__u8 type = f->key[1] >> 48;

	if (f->fragment == FRAGMENT_LATER || (f->flags & FLOW_ICMP_ECHO && type == ICMP_ECHO_REQUEST))
		return STEER_CLASS;
	return -DROP_NAT_NO_OWNER;
}

int steer(struct __sk_buff *skb, struct flow *f, __u32 slot);

/* Order: local service by port, owner of the NAT block, local service by protocol, the host's own address. */
__attribute__((noinline)) int steer(struct __sk_buff *skb, struct flow *f, __u32 slot)
{
	struct local_service_key key = {};
	struct local_service *service;
	__u32 *owner;
	int port;

	if (!f)
		return -DROP_NO_DESTINATION;
	copy_destination(f, key.address);
	key.is_ipv6 = !!(f->flags & FLOW_IPV6);
	key.proto = f->proto;
	if (has_ports(f)) {
		key.port = destination_port(f);
		service = bpf_map_lookup_elem(&local_service, &key);
		if (service)
			return to_host(skb, slot, service->budget);
		key.port = ANY_PORT;
	}
	if (!(f->flags & FLOW_IPV6)) {
		port = returned_port(skb, f);
		owner = port < 0 ? NULL : nat_owner_of(f->key[1], port >> NAT_GRANULE_SHIFT);
		if (owner)
			return *owner == NAT_FORWARDED ? STEER_CLASS : to_owner(skb, f, *owner);
	}
	service = bpf_map_lookup_elem(&local_service, &key);
	if (service)
		return to_host(skb, slot, service->budget);
	if (!(f->flags & FLOW_IPV6) && nat_owner_of(f->key[1], NAT_ADDRESS_ITSELF))
		return unowned(f);
	key.proto = 0;
	service = bpf_map_lookup_elem(&local_service, &key);
	if (!service)
		return STEER_CLASS;
	return f->fragment == FRAGMENT_LATER ? to_host(skb, slot, service->budget) : -DROP_NOT_LOCAL_SERVICE;
}

/* What nobody here has asked for costs the agent nothing; the rest is paid for by the object that it is sent to. */
static __always_inline int charge_destination(struct flow *f)
{
	__u64 address[2] = {}, key[sizeof(struct destination_key) / 8];
	int v6 = !!(f->flags & FLOW_IPV6);
	struct destination *found;

	/*
	 * struct destination_key in words: the address starts at its sixth octet, where the stack takes no wide
	 * store
	 */
	copy_destination(f, (__u8 *)address);
	key[0] = (8 + (v6 ? 128 : 32)) | (__u64)v6 << 32 | address[0] << 40;
	key[1] = address[0] >> 24 | address[1] << 40;
	key[2] = address[1] >> 24;
	found = bpf_map_lookup_elem(&destination, key);
	if (!found)
		return -DROP_NO_DESTINATION;
	f->budget = found->budget;
	return 0;
}

#endif
