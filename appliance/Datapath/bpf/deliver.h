/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Out: to a port, through a tunnel, by the kernel's FIB, or to many. */
#ifndef GENKAN_DELIVER_H
#define GENKAN_DELIVER_H

#include "encap.h"
#include "flow.h"
#include "mss.h"
#include "parse.h"
#include "rewrite.h"
#include "stats.h"
#include "upcall.h"
#include "verdict.h"

#ifndef BPF_FIB_LOOKUP_TBID
#define BPF_FIB_LOOKUP_TBID	(1U << 3)
#endif
#define FAMILY_IPV6	10
#define TOS_MASK	0xfc	/* the FIB does not route by ECN */
#define MTU_ALWAYS	1280	/* what every link with IPv6 must carry (RFC 8200 section 5) */
#define MTU_LEAST	576	/* what every host must take (RFC 791 section 3.1): no network here has less */

enum packet_type { TYPE_HOST = 0, TYPE_BROADCAST = 1, TYPE_MULTICAST = 2, TYPE_OTHER_HOST = 3 };

static __always_inline void set_vlan(struct __sk_buff *skb, __u16 vlan)
{
	if (unlikely(skb->vlan_present))
		bpf_skb_vlan_pop(skb);
	if (unlikely(vlan))
		bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), vlan);
}

/*
 * bpf_redirect_peer does not look at the MAC again: the type still says whether the frame was for the interface where
 * it came in, and a stack drops what is for another host.
 */
static __always_inline void set_packet_type(struct __sk_buff *skb, struct port *port)
{
	__u8 *dmac = data_of(skb);
	__u32 type = TYPE_OTHER_HOST;

	if ((void *)dmac + ETH_ALEN > end_of(skb))
		return;
	if (dmac[0] & 1)
		type = *(half_t *)dmac == 0xffffffff && *(__u16 *)(dmac + 4) == 0xffff ? TYPE_BROADCAST :
											  TYPE_MULTICAST;
	else if (*(half_t *)dmac == *(half_t *)port->mac && *(__u16 *)(dmac + 4) == *(__u16 *)(port->mac + 4))
		type = TYPE_HOST;
	if (skb->pkt_type != type)
		bpf_skb_change_type(skb, type);
}

static __always_inline int output_port(struct __sk_buff *skb, __u32 slot)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);

	if (unlikely(!port || port->flags & PORT_F_ADMIN_DOWN))
		return -DROP_PORT_DOWN;
	if (unlikely(!port->ifindex))
		return -DROP_INTERFACE_GONE;
	set_vlan(skb, port->vlan);
	SHOW(skb, 4, port->vlan | slot << 16);
	count_tx(skb, slot);
	if (!(port->flags & PORT_F_PEER))
		return send_out(skb, OUTCOME_PORT, port->ifindex);
	set_packet_type(skb, port);
	return send_out(skb, OUTCOME_PEER, port->ifindex);
}

int enter_tunnel(struct __sk_buff *skb, struct flow *f, __u32 index, __u32 commit);

/* Gives the interface of the tunnel, or minus a drop reason. */
__attribute__((noinline)) int enter_tunnel(struct __sk_buff *skb, struct flow *f, __u32 index, __u32 commit)
{
	struct nexthop *nh = bpf_map_lookup_elem(&nexthop, &index);
	__u32 group_policy = GROUP_POLICY_OURS | (commit ? GROUP_POLICY_COMMIT : 0), zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);
	__u64 flags = BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT;
	struct bpf_tunnel_key key = {};

	if (unlikely(!f || !nh))
		return -DROP_INTERFACE_GONE;
	if (unlikely(f->flags & FLOW_FROM_TUNNEL))
		return -DROP_TUNNEL_LOOP;
	if (unlikely(!s || !s->vxlan_ifindex))
		return -DROP_INTERFACE_GONE;
	set_vlan(skb, 0);
	key.tunnel_id = nh->tunnel_key;
	key.tunnel_ttl = TUNNEL_TTL;
	if (nh->peer_is_ipv6) {
		__builtin_memcpy(key.remote_ipv6, nh->peer, sizeof(key.remote_ipv6));
		flags |= BPF_F_TUNINFO_IPV6;
	} else {
		key.remote_ipv4 = bpf_ntohl(*(half_t *)nh->peer);
	}
	/* The metadata belongs to this packet alone; without it the device would drop the packet and count it. */
	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags) < 0 ||
	    bpf_skb_set_tunnel_opt(skb, &group_policy, sizeof(group_policy)) < 0)
		return -DROP_INTERFACE_GONE;
	SHOW(skb, 0, group_policy << 16);
	SHOW(skb, 3, nh->tunnel_key);
	return s->vxlan_ifindex;
}

/* Segments are the device's: it cuts them behind its headers, or has the NIC do it. */
static __always_inline int output_tunnel(struct __sk_buff *skb, struct flow *f, __u32 index, int commit)
{
	int rc = 0;

	if (!skb->gso_size)
		rc = encapsulate(skb, f, index, GROUP_POLICY_OURS | (commit ? GROUP_POLICY_COMMIT : 0));
	if (!rc)
		rc = enter_tunnel(skb, f, index, commit);
	return rc < 0 ? rc : send_out(skb, OUTCOME_TUNNEL, rc);
}

static __always_inline int fib_reason(long rc)
{
	switch (rc) {
	case BPF_FIB_LKUP_RET_BLACKHOLE:
		return DROP_ROUTE_BLACKHOLE;
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return DROP_ROUTE_REJECT;
	default:
		return DROP_NO_ROUTE;
	}
}

static __always_inline int fib_question(struct __sk_buff *skb, struct flow *f, struct bpf_fib_lookup *fib)
{
	void *l3 = data_of(skb) + L3_AT, *l4 = transport_of(skb, f->l4_at);
	struct iphdr *ip4 = l3;
	struct ipv6hdr *ip6 = l3;

	fib->l4_protocol = f->proto;
	if (f->flags & FLOW_IPV6) {
		if (l3 + sizeof(*ip6) > end_of(skb))
			return -DROP_TRUNCATED;
		fib->family = FAMILY_IPV6;
		fib->flowinfo = *(half_t *)ip6 & bpf_htonl(0x0fffffff);
		__builtin_memcpy(fib->ipv6_src, &ip6->saddr, 16);
		__builtin_memcpy(fib->ipv6_dst, &ip6->daddr, 16);
	} else {
		if (unlikely(!(f->flags & FLOW_IP)))
			return -DROP_ETHERTYPE;
		if (l3 + sizeof(*ip4) > end_of(skb))
			return -DROP_TRUNCATED;
		fib->family = FAMILY_IPV4;
		fib->tos = ip4->tos & TOS_MASK;
		fib->ipv4_src = ip4->saddr;
		fib->ipv4_dst = ip4->daddr;
	}
	/* Ports keep a flow on one of several equal routes. */
	if ((f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP) && f->l4_at && l4 + 4 <= end_of(skb)) {
		fib->sport = ((__u16 *)l4)[0];
		fib->dport = ((__u16 *)l4)[1];
	}
	return 0;
}

/* The route is known but its neighbour is not: the host veth's stack resolves it and sends; from_host takes over. */
static __always_inline int resolve_neighbour(struct __sk_buff *skb, struct bpf_fib_lookup *fib)
{
#ifdef GENKAN_TEST
	return send_out(skb, OUTCOME_NEIGHBOUR, fib->ifindex);
#else
	struct bpf_redir_neigh gateway = { .nh_family = fib->family };

	if (fib->family == FAMILY_IPV6)
		__builtin_memcpy(gateway.ipv6_nh, fib->ipv6_dst, 16);
	else
		gateway.ipv4_nh = fib->ipv4_dst;
	set_vlan(skb, 0);
	return bpf_redirect_neigh(fib->ifindex, &gateway, sizeof(gateway), 0);
#endif
}

int leaves_too_big(struct __sk_buff *skb, struct flow *f, __u32 uplink_slot, __u32 mtu);

/*
 * Only the route says how much the way out takes. The packet is rewritten already, so the agent's ICMP error goes back
 * as one from the outside would: to the public source, and from there through its connection.
 */
__attribute__((noinline)) int leaves_too_big(struct __sk_buff *skb, struct flow *f, __u32 uplink_slot, __u32 mtu)
{
	if (!f || (f->flags & FLOW_FROM_AGENT && !(f->flags & FLOW_REINJECTED)))
		return -DROP_TOO_BIG;
	f->slot = uplink_slot;
	f->mtu = mtu;
	f->upcall_flags |= UPCALL_F_LEAVING;
	return upcall(skb, f, UPCALL_TOO_BIG);
}

int fib_exit(struct __sk_buff *skb, struct flow *f, __u32 table, __u32 uplink_slot);

/* The hop limit is the ingress host's work: action.hops counts the router of the exit too. */
__attribute__((noinline)) int fib_exit(struct __sk_buff *skb, struct flow *f, __u32 table, __u32 uplink_slot)
{
	struct port *uplink = bpf_map_lookup_elem(&ports, &uplink_slot);
	struct bpf_fib_lookup fib = {};
	struct link_key device = {};
	struct ethhdr *eth;
	__u32 *slot, mtu = 0;
	long rc;

	if (unlikely(!f || !uplink || !uplink->host_ifindex))
		return -DROP_INTERFACE_GONE;
	rc = fib_question(skb, f, &fib);
	if (unlikely(rc < 0))
		return rc;
	fib.ifindex = uplink->host_ifindex;
	fib.tbid = table;
	/* a length is compared with the route's MTU, and spares the helper a search for the device */
	if (likely(!skb->gso_size))
		fib.tot_len = skb->len - L3_AT;
	else if (bpf_check_mtu(skb, fib.ifindex, &mtu, 0, BPF_MTU_CHK_SEGS) > 0)
		return leaves_too_big(skb, f, uplink_slot, mtu);
	rc = bpf_fib_lookup(skb, &fib, sizeof(fib), BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_TBID);
	if (unlikely(rc == BPF_FIB_LKUP_RET_FRAG_NEEDED))
		return leaves_too_big(skb, f, uplink_slot, fib.mtu_result);
	if (unlikely(rc != BPF_FIB_LKUP_RET_SUCCESS && rc != BPF_FIB_LKUP_RET_NO_NEIGH))
		return -fib_reason(rc);
	if (unlikely(fib.ifindex != uplink->host_ifindex)) {
		/*
		 * The routes prefer another uplink than the one that was asked about. Another device is none of the
		 * tenants': the host may have its underlay or its management in the same table.
		 */
		device.ifindex = fib.ifindex;
		slot = bpf_map_lookup_elem(&link, &device);
		if (!slot)
			return -DROP_PORT_UNKNOWN;
		uplink_slot = *slot;
		uplink = bpf_map_lookup_elem(&ports, &uplink_slot);
		if (!uplink || uplink->kind != PORT_UPLINK || uplink->host_ifindex != fib.ifindex)
			return -DROP_PORT_UNKNOWN;
	}
	if (rc == BPF_FIB_LKUP_RET_NO_NEIGH)
		return resolve_neighbour(skb, &fib);
	eth = data_of(skb);
	if (unlikely((void *)(eth + 1) > end_of(skb)))
		return -DROP_TRUNCATED;
	__builtin_memcpy(eth->h_dest, fib.dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, fib.smac, ETH_ALEN);
	return output_port(skb, uplink_slot);
}

int fence(__u32 slot);

/*
 * Where another bridge joins two segments that we join too, only an agent sees the loop and opens it. Without one
 * nothing goes from segment to segment; tenants are not concerned.
 */
__attribute__((noinline)) int fence(__u32 slot)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);

	if (!port || port->kind != PORT_L2_EXTERNAL)
		return 0;
	/* signed: the agent may beat between our two looks */
	if (s && (__s64)(bpf_ktime_get_ns() - READ_ONCE(s->heartbeat_ns)) <= FENCE_SECONDS * 1000000000LL)
		return 0;
	return -DROP_FENCED;
}

/* One copy; the packet itself stays as it was but for its tag and tunnel key, which every copy sets anew. */
static __always_inline int send_copy(struct __sk_buff *skb, struct flow *f, __u32 index, int commit)
{
	struct nexthop *nh = bpf_map_lookup_elem(&nexthop, &index);
	__u32 slot;
	struct port *port;
	int ifindex;

	if (!nh)
		return -DROP_INTERFACE_GONE;
	slot = nh->arg;
	if (nh->kind == NEXTHOP_TUNNEL) {
		ifindex = enter_tunnel(skb, f, index, commit);
		if (ifindex < 0)
			return ifindex;
	} else if (nh->kind == NEXTHOP_PORT) {
		if (slot == f->slot)
			return 0;
		if (unlikely(f->flags & FLOW_L2_EXTERNAL && fence(slot) < 0))
			return -DROP_FENCED;
		port = bpf_map_lookup_elem(&ports, &slot);
		if (!port || port->flags & PORT_F_ADMIN_DOWN)
			return -DROP_PORT_DOWN;
		if (!port->ifindex)
			return -DROP_INTERFACE_GONE;
		ifindex = port->ifindex;
		set_vlan(skb, port->vlan);
		count_tx(skb, slot);
	} else {
		return -DROP_DEVICE_LOOP;
	}
#ifdef GENKAN_TEST
	CB_SET(skb, 1, CB_GET(skb, 1) + 1);
	CB_SET(skb, 2, ifindex);
#else
	bpf_clone_redirect(skb, ifindex, 0);
#endif
	return 0;
}

int replicate(struct __sk_buff *skb, struct flow *f, __u32 list_index, __u32 commit);

__attribute__((noinline)) int replicate(struct __sk_buff *skb, struct flow *f, __u32 list_index, __u32 commit)
{
	struct replication *list = bpf_map_lookup_elem(&replication, &list_index);
	__u32 i;
	int rc;

	if (!list || !f)
		return -DROP_NO_LIST;
	if (take_budget(f->budget, LANE_COPIES, list->count))
		return -DROP_BUDGET_BROADCAST;
	SHOW(skb, 1, 0);
	for (i = 0; i < REPLICATION_TARGETS_MAX; i++) {
		if (i >= list->count)
			break;
		rc = send_copy(skb, f, list->nexthop[i], commit);
		if (rc < 0)
			count_reason(skb, f->slot, -rc);
	}
	show_outcome(skb, OUTCOME_REPLICATE, 0);
	/* every target had a copy of its own */
	return TC_ACT_SHOT;
}

static __always_inline int output(struct __sk_buff *skb, struct flow *f, __u32 index, int commit)
{
	struct nexthop *nh = bpf_map_lookup_elem(&nexthop, &index);

	if (unlikely(!nh))
		return -DROP_INTERFACE_GONE;
	SHOW(skb, 1, index);
	switch (nh->kind) {
	case NEXTHOP_PORT:
		if (unlikely(f->flags & FLOW_L2_EXTERNAL && fence(nh->arg) < 0))
			return -DROP_FENCED;
		return output_port(skb, nh->arg);
	case NEXTHOP_TUNNEL:
		return output_tunnel(skb, f, index, commit);
	case NEXTHOP_FIB_EXIT:
		return fib_exit(skb, f, nh->arg, nh->port);
	case NEXTHOP_REPLICATE:
		return replicate(skb, f, nh->arg, commit);
	case NEXTHOP_DELIVER:
		return -DROP_DEVICE_LOOP;
	default:
		return -(nh->drop_reason ?: DROP_INTERFACE_GONE);
	}
}

/* The interface whose MTU counts, 0 none: lists are for broadcast, whose senders know the network's MTU. */
static __always_inline __u32 exit_interface(struct nexthop *nh)
{
	__u32 slot = nh->kind == NEXTHOP_PORT ? nh->arg : nh->port, zero = 0;
	struct settings *s;
	struct port *port;

	if (nh->kind == NEXTHOP_TUNNEL) {
		s = bpf_map_lookup_elem(&settings, &zero);
		return s ? s->vxlan_ifindex : 0;
	}
	if (nh->kind != NEXTHOP_PORT && nh->kind != NEXTHOP_FIB_EXIT)
		return 0;
	port = bpf_map_lookup_elem(&ports, &slot);
	if (!port)
		return 0;
	return nh->kind == NEXTHOP_PORT ? port->ifindex : port->host_ifindex;
}

/* Octets of the IP packet; of several in one, those of each. */
static __always_inline __u32 packet_octets(struct __sk_buff *skb, struct flow *f)
{
	__u32 header = sizeof(struct udphdr);
	__u8 offset;

	if (!skb->gso_size)
		return skb->len - L3_AT;
	if (f->proto == IPPROTO_TCP && bpf_skb_load_bytes(skb, f->l4_at + TCP_OFFSET_AT, &offset, 1) == 0)
		header = (offset >> 4) * 4;
	return f->l4_at + header + skb->gso_size - L3_AT;
}

int is_too_big(struct __sk_buff *skb, struct flow *f, __u32 network_mtu);

/*
 * Asked before the rewrite: the agent's ICMP error must quote the packet that the sender knows. `network_mtu`: of the
 * network where a router sends it, perhaps on another host, 0 none.
 */
__attribute__((noinline)) int is_too_big(struct __sk_buff *skb, struct flow *f, __u32 network_mtu)
{
	__u32 index, ifindex, mtu = 0;
	struct nexthop *nh;

	if (!f)
		return 0;
	if (network_mtu && packet_octets(skb, f) > network_mtu) {
		f->mtu = network_mtu;
		return 1;
	}
	index = f->nexthop;
	nh = bpf_map_lookup_elem(&nexthop, &index);
	if (nh && nh->kind == NEXTHOP_TUNNEL && nh->mtu) {
		f->mtu = nh->mtu;
		return packet_octets(skb, f) > f->mtu;
	}
	ifindex = nh ? exit_interface(nh) : 0;
	if (!ifindex || bpf_check_mtu(skb, ifindex, &mtu, 0, BPF_MTU_CHK_SEGS) <= 0)
		return 0;
	f->mtu = mtu;
	return 1;
}

/*
 * Only long packets ask how much their way out takes: longer than MTU_ALWAYS, or than the narrowest network, wire or
 * path, which the agent knows. What is no longer than MTU_LEAST does not even ask for that.
 */
static __always_inline int is_long(struct __sk_buff *skb)
{
	__u32 zero = 0, octets = MTU_ALWAYS;
	struct settings *s;

	if (likely(skb->len <= L3_AT + MTU_LEAST))
		return 0;
	s = bpf_map_lookup_elem(&settings, &zero);
	if (s && unlikely(s->mtu_always))
		octets = s->mtu_always;
	return skb->len > L3_AT + octets;
}

/* What was in the agent's hands has left them. */
static __always_inline void passed(struct __sk_buff *skb, struct flow *f)
{
	if (unlikely(f->fragment))
		settle_fragment(skb, f, f->key[0], f->flags & FLOW_FROM_AGENT ? -1 : 0);
}

/* The agent makes several of it, or none. */
static __always_inline int too_big(struct __sk_buff *skb, struct flow *f)
{
	if (f->fragment)
		settle_fragment(skb, f, f->key[0], HELD_CUT);
	return upcall(skb, f, UPCALL_TOO_BIG);
}

static __always_inline int forward(struct __sk_buff *skb, struct flow *f, struct action *a)
{
	int rc;

	f->nexthop = a->nexthop;
	if (unlikely(a->verdict == VERDICT_DROP)) {
		passed(skb, f);
		return -(a->drop_reason ?: DROP_RULE);
	}
	if (unlikely(is_long(skb)) && is_too_big(skb, f, a->mtu))
		return too_big(skb, f);
	passed(skb, f);
	if (a->rewrite & REWRITE_HOP_LIMIT && unlikely(f->hop_limit <= a->hops))
		return f->flags & FLOW_FROM_AGENT ? -DROP_HOP_LIMIT : upcall(skb, f, UPCALL_HOP_LIMIT);
	if (unlikely(f->tcp_seen & TCP_SEEN_SYN))
		clamp_syn(skb, f);
	rc = rewrite(skb, f, a);
	if (unlikely(rc < 0))
		return rc;
	return output(skb, f, a->nexthop, a->flags & CONN_F_COMMIT);
}

#endif
