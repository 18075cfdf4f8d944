/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maximum segment size of a SYN or SYN-ACK (RFC 9293 section 3.7.1) is lowered to what the way carries, so that
 * TCP needs neither an ICMP error nor fragments. Never raised; where there is no option, 536 and 1220 hold anyway.
 */
#ifndef GENKAN_MSS_H
#define GENKAN_MSS_H

#include "flow.h"
#include "parse.h"

#define TCP_HEADER_OCTETS	20
#define TCP_CHECKSUM_AT		16
#define TCP_OPTIONS_MAX		40	/* octets, and so steps over NOPs */
#define OPTION_END		0
#define OPTION_NOP		1
#define OPTION_MSS		2
#define OPTION_MSS_OCTETS	4

static __always_inline __u32 port_mtu(__u32 slot)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);

	return port ? port->mtu : 0;
}

/* The MTU of the way out, 0 unknown. */
static __always_inline __u32 exit_mtu(__u32 index)
{
	struct nexthop *nh = bpf_map_lookup_elem(&nexthop, &index);

	if (!nh)
		return 0;
	switch (nh->kind) {
	case NEXTHOP_TUNNEL:
		return nh->mtu;
	case NEXTHOP_PORT:
		return port_mtu(nh->arg);
	case NEXTHOP_FIB_EXIT:
		return port_mtu(nh->port);
	default:
		return 0;
	}
}

static __always_inline void replace_mss(struct __sk_buff *skb, struct flow *f, __u32 at, __be16 old, __be16 new)
{
	int is_odd = (at - f->l4_at) & 1;

	if (bpf_skb_store_bytes(skb, at, &new, sizeof(new), 0) < 0)
		return;
	/* the sum is over words: an option behind a single NOP stands across two */
	bpf_l4_csum_replace(skb, f->l4_at + TCP_CHECKSUM_AT, is_odd ? __builtin_bswap16(old) : old,
			    is_odd ? __builtin_bswap16(new) : new, sizeof(new));
}

int clamp_mss(struct __sk_buff *skb, struct flow *f, __u32 mtu);

/* `mtu` 0: unknown. */
__attribute__((noinline)) int clamp_mss(struct __sk_buff *skb, struct flow *f, __u32 mtu)
{
	__u32 headers = TCP_HEADER_OCTETS, at, end, i;
	__u8 offset, option[OPTION_MSS_OCTETS];
	__be16 old;

	if (!f || !f->l4_at)
		return 0;
	headers += f->flags & FLOW_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	if (mtu <= headers || bpf_skb_load_bytes(skb, f->l4_at + TCP_OFFSET_AT, &offset, 1) < 0)
		return 0;
	at = f->l4_at + TCP_HEADER_OCTETS;
	end = f->l4_at + (offset >> 4) * 4;
	for (i = 0; i < TCP_OPTIONS_MAX; i++) {
		if (at + OPTION_MSS_OCTETS > end || bpf_skb_load_bytes(skb, at, option, sizeof(option)) < 0)
			return 0;
		if (option[0] == OPTION_END)
			return 0;
		if (option[0] == OPTION_NOP) {
			at++;
			continue;
		}
		if (option[1] < 2)
			return 0;
		old = option[2] | option[3] << 8;
		if (option[0] == OPTION_MSS && option[1] == OPTION_MSS_OCTETS && bpf_ntohs(old) > mtu - headers)
			replace_mss(skb, f, at + 2, old, bpf_htons(mtu - headers));
		at += option[1];
	}
	return 0;
}

int clamp_syn(struct __sk_buff *skb, struct flow *f);

/* To the narrower of where it came in and where it goes out (f->slot, f->nexthop): the answer comes the same way. */
__attribute__((noinline)) int clamp_syn(struct __sk_buff *skb, struct flow *f)
{
	__u32 in, out;

	if (!f)
		return 0;
	in = port_mtu(f->slot);
	out = exit_mtu(f->nexthop);
	return clamp_mss(skb, f, in && (!out || in < out) ? in : out);
}

#endif
