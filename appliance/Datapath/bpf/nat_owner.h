/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who owns a port of a NAT address: the same table steers what comes back and checks what goes out. */
#ifndef GENKAN_NAT_OWNER_H
#define GENKAN_NAT_OWNER_H

#include "flow.h"
#include "parse.h"

static __always_inline __u32 *nat_owner_of(__be32 address, __u16 granule)
{
	struct nat_owner_key key = { .address = address, .granule = granule };

	return bpf_map_lookup_elem(&nat_owner, &key);
}

/*
 * Port of the packet that an ICMP error quotes, host order: what the host behind NAT sent or got carries its own port
 * as source if the error comes back to it, as destination if it sends the error itself. -1: no port can be told.
 */
static __always_inline int quoted_port(struct __sk_buff *skb, struct flow *f, int is_destination)
{
	__u32 at = f->l4_at + 8, header;
	struct iphdr ip;
	__be16 ports[4];

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) < 0 || ip.version != 4 || ip.ihl < 5 ||
	    ip.frag_off & bpf_htons(IP_OFFSET_MASK))
		return -1;
	header = ip.ihl * 4;
	if (bpf_skb_load_bytes(skb, at + header, ports, sizeof(ports)) < 0)
		return -1;
	if (ip.protocol == IPPROTO_ICMP)
		return bpf_ntohs(ports[2]);
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return -1;
	return bpf_ntohs(ports[is_destination]);
}

/*
 * May that VTEP send from this source? An address that is no NAT address has no blocks. A later fragment shows no port;
 * it is worth nothing without its first one, which is checked.
 */
static __always_inline int is_owner(struct __sk_buff *skb, struct flow *f, struct vtep_key *from)
{
	__be32 src = f->key[0] >> 32;
	struct nexthop *nh;
	__u32 *owner;
	int port;

	if (likely(!nat_owner_of(src, NAT_ADDRESS_ITSELF)) || f->fragment == FRAGMENT_LATER)
		return 1;
	if (f->flags & FLOW_ICMP_ERROR)
		port = quoted_port(skb, f, 1);
	else
		port = bpf_ntohs(f->key[1] >> 32);
	if (port < 0)
		return 0;
	owner = nat_owner_of(src, port >> NAT_GRANULE_SHIFT);
	if (!owner)
		return 0;
	if (*owner == NAT_FORWARDED)
		return 1;
	nh = bpf_map_lookup_elem(&nexthop, owner);
	if (!nh || nh->kind != NEXTHOP_TUNNEL || nh->peer_is_ipv6 != from->is_ipv6)
		return 0;
	return same_words(nh->peer, from->address, nh->peer_is_ipv6 ? 4 : 1);
}

#endif
