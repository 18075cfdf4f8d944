/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * VXLAN by our own hands (RFC 7348, group policy by draft-smith-vxlan-group-policy), for frames that are no segments
 * over an IPv4 underlay. The kernel's device does the same, but asks the routing tables and makes metadata for each
 * packet at three times the price; it takes everything that is not sure here.
 */
#ifndef GENKAN_ENCAP_H
#define GENKAN_ENCAP_H

#include "flow.h"
#include "parse.h"
#include "stats.h"

#define TUNNEL_TTL	64
#define ECN_MASK	3
#define ECN_ECT_0	2
#define ECN_CE		3
#define VXLAN_FLAGS	0x88	/* a VNI and a group policy */
#define FAMILY_IPV4	2
#define IP_DONT_FRAGMENT	0x4000
#ifndef BPF_F_ADJ_ROOM_DECAP_L3_IPV6
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV6	(1ULL << 8)
#endif

struct vxlan_gbp {
	__u8 flags;
	__u8 policy_flags;
	__be16 group_policy;
	__be32 vni;		/* upper 24 bits */
};

struct tunnel_frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct vxlan_gbp vxlan;
	struct ethhdr inner;
} __attribute__((packed, aligned(2)));

#define OVERHEAD	((int)(sizeof(struct tunnel_frame) - sizeof(struct ethhdr)))
_Static_assert(sizeof(struct tunnel_frame) == 64, "tunnel_frame");

static __always_inline __u16 header_checksum(__u32 tos, __u32 octets, __u32 source, __u32 target)
{
	__u64 sum = bpf_htons(0x4500 | tos) + bpf_htons(octets) + bpf_htons(IP_DONT_FRAGMENT) +
		    bpf_htons(TUNNEL_TTL << 8 | IPPROTO_UDP);

	sum += (source & 0xffff) + (source >> 16) + (target & 0xffff) + (target >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/*
 * RFC 3168 section 9.1.1, full functionality, as the kernel's device does it: congestion so far is the inner header's
 * to tell. Of RFC 6040 section 4.1 this is neither mode, but its decapsulation gives the same.
 */
static __always_inline __u32 outer_tos(struct __sk_buff *skb, struct flow *f)
{
	__u8 *ip = data_of(skb) + L3_AT;
	__u32 ecn;

	if ((void *)ip + 2 > end_of(skb))
		return 0;
	ecn = (f->flags & FLOW_IPV6 ? ip[1] >> 4 : ip[1]) & ECN_MASK;
	return ecn == ECN_CE ? ECN_ECT_0 : ecn;
}

/* The device's choice (udp_flow_src_port): segments, and what comes between them, must take one path. */
static __always_inline __u32 source_port(struct __sk_buff *skb, struct settings *s)
{
	__u32 hash = bpf_get_hash_recalc(skb);

	hash ^= hash << 16;
	return s->source_port_first + (__u32)((__u64)hash * s->source_port_count >> 32);
}

/*
 * What only we use, the kernel does not prove: a neighbour that went, or has another MAC, would never be noticed (RFC
 * 4861 section 7.3, the same for ARP). So one packet of a next hop in each tick is the device's.
 */
static __always_inline int is_devices_turn(struct nexthop *nh)
{
	__u32 tick = bpf_jiffies64() >> TICK_SHIFT;

	if (likely(READ_ONCE(nh->device_tick) == tick))
		return 0;
	*(volatile __u32 *)&nh->device_tick = tick;
	return 1;
}

struct outer {
	__be32 source;
	__be32 target;
	__u32 key;
	__u32 group_policy;
	__u16 source_port;
	__u16 vxlan_port;
	__u8 tos;
};

static __always_inline int write_outer(struct __sk_buff *skb, struct bpf_fib_lookup *fib, struct outer *o)
{
	__u32 octets = skb->len - sizeof(struct ethhdr);
	struct tunnel_frame *t = data_of(skb);

	if (unlikely((void *)(t + 1) > end_of(skb)))
		return -DROP_TRUNCATED;
	t->inner = t->eth;
	__builtin_memcpy(t->eth.h_dest, fib->dmac, ETH_ALEN);
	__builtin_memcpy(t->eth.h_source, fib->smac, ETH_ALEN);
	t->eth.h_proto = bpf_htons(ETH_P_IP);
	*(__u16 *)&t->ip = bpf_htons(0x4500 | o->tos);
	t->ip.tot_len = bpf_htons(octets);
	t->ip.id = 0; /* never cut: RFC 6864 section 4.1 */
	t->ip.frag_off = bpf_htons(IP_DONT_FRAGMENT);
	t->ip.ttl = TUNNEL_TTL;
	t->ip.protocol = IPPROTO_UDP;
	t->ip.saddr = o->source;
	t->ip.daddr = o->target;
	t->ip.check = header_checksum(o->tos, octets, o->source, o->target);
	t->udp.source = bpf_htons(o->source_port);
	t->udp.dest = bpf_htons(o->vxlan_port);
	t->udp.len = bpf_htons(octets - sizeof(struct iphdr));
	t->udp.check = 0;
	t->vxlan.flags = VXLAN_FLAGS;
	t->vxlan.policy_flags = 0;
	t->vxlan.group_policy = bpf_htons(o->group_policy);
	t->vxlan.vni = bpf_htonl(o->key << 8);
	return 0;
}

int encapsulate(struct __sk_buff *skb, struct flow *f, __u32 index, __u32 group_policy);

/* Gives the underlay's interface, 0 if the device must do it (the packet is untouched), or minus a drop reason. */
__attribute__((noinline)) int encapsulate(struct __sk_buff *skb, struct flow *f, __u32 index, __u32 group_policy)
{
	struct nexthop *nh = bpf_map_lookup_elem(&nexthop, &index);
	struct bpf_fib_lookup fib = { .family = FAMILY_IPV4, .l4_protocol = IPPROTO_UDP };
	struct outer o = { .group_policy = group_policy };
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);
	int rc;

	if (!f || !nh || !s || !s->underlay_ifindex || nh->peer_is_ipv6 || skb->gso_size || skb->vlan_present ||
	    !(f->flags & FLOW_IP) || f->flags & FLOW_FROM_TUNNEL || is_devices_turn(nh))
		return 0;
	o.source = s->underlay_ipv4;
	o.target = *(half_t *)nh->peer;
	o.key = nh->tunnel_key;
	o.vxlan_port = s->vxlan_port;
	o.source_port = source_port(skb, s);
	/* asked as if we forwarded from the device, which may; the underlay's interface need not and should not */
	fib.ifindex = s->vxlan_ifindex;
	fib.ipv4_src = o.source;
	fib.ipv4_dst = o.target;	/* becomes the gateway's */
	fib.sport = bpf_htons(o.source_port);
	fib.dport = bpf_htons(o.vxlan_port);
	fib.tot_len = skb->len + OVERHEAD - sizeof(struct ethhdr);
	if (bpf_fib_lookup(skb, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS ||
	    fib.ifindex != s->underlay_ifindex)
		return 0;
	o.tos = outer_tos(skb, f);
	if (bpf_skb_adjust_room(skb, OVERHEAD, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP |
				BPF_F_ADJ_ROOM_ENCAP_L2(sizeof(struct ethhdr)) | BPF_F_ADJ_ROOM_ENCAP_L2_ETH) < 0)
		return 0;
	/* as the device, which has one queue: else segments and others of a flow take two of the NIC's */
	skb->queue_mapping = 0;
	rc = write_outer(skb, &fib, &o);
	return rc < 0 ? rc : (int)s->underlay_ifindex;
}

#endif
