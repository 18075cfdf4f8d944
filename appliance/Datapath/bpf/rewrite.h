/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Straight-line rewrite. What the IP header's own checksum covers is written in place: the sum over the header stays
 * the same, so skb->csum stays true. Transport checksums go through bpf_l4_csum_replace, which alone knows whether the
 * checksum is complete, partial (then only the pseudo header counts) or absent.
 */
#ifndef GENKAN_REWRITE_H
#define GENKAN_REWRITE_H

#include "flow.h"
#include "parse.h"

#ifndef BPF_F_IPV6
/* Since 6.16 and some stable kernels: the sum over an IPv6 packet does not change with its addresses. */
#define BPF_F_IPV6	(1ULL << 7)
#endif

static __always_inline __u32 fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum;
}

static __always_inline __u16 fold16(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 1624 section 3, equation 3. */
static __always_inline void replace_sum(__u16 *check, __u64 difference)
{
	*check = ~fold16(fold32((__u64)(__u16)~*check + difference));
}

static __always_inline void rewrite_macs(struct ethhdr *eth, struct action *a)
{
	if (a->rewrite & REWRITE_DMAC) {
		/* the action is on the stack, where every access must be aligned: dmac is at 26 */
		*(__u16 *)eth->h_dest = *(__u16 *)a->dmac;
		*(half_t *)(eth->h_dest + 2) = *(half_t *)(a->dmac + 2);
	}
	if (a->rewrite & REWRITE_SMAC) {
		*(half_t *)eth->h_source = *(half_t *)a->smac;
		*(__u16 *)(eth->h_source + 4) = *(__u16 *)(a->smac + 4);
	}
}

/* Gives the difference of the addresses, for the pseudo header. */
static __always_inline __u64 rewrite_ipv4(struct iphdr *ip, struct action *a, __be16 identification)
{
	__u64 addresses = 0, difference = 0;

	if (a->rewrite & REWRITE_SRC) {
		__u32 src = *(half_t *)a->src;

		addresses += (__u64)(__u32)~ip->saddr + src;
		ip->saddr = src;
		/* two hosts behind one address may have chosen the same for one destination (RFC 6864 section 5.3) */
		if (unlikely(identification)) {
			difference += (__u64)(__u16)~ip->id + identification;
			ip->id = identification;
		}
	}
	if (a->rewrite & REWRITE_DST) {
		__u32 dst = *(half_t *)a->dst;

		addresses += (__u64)(__u32)~ip->daddr + dst;
		ip->daddr = dst;
	}
	if (a->rewrite & REWRITE_HOP_LIMIT) {
		/* TTL is the first octet of its 16-bit word, the low one in a little-endian register */
		__u16 *word = (__u16 *)&ip->ttl, old = *word;

		ip->ttl -= a->hops;
		difference += (__u64)(__u16)~old + *word;
	}
	if (addresses | difference)
		replace_sum(&ip->check, addresses + difference);
	return addresses;
}

static __always_inline __u64 replace_ipv6(half_t *field, half_t *with)
{
	__u64 difference = 0;
	int i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		difference += (__u64)(__u32)~field[i] + with[i];
		field[i] = with[i];
	}
	return difference;
}

static __always_inline __u64 rewrite_ipv6(struct ipv6hdr *ip, struct action *a)
{
	__u64 difference = 0;

	if (a->rewrite & REWRITE_SRC)
		difference += replace_ipv6((half_t *)&ip->saddr, (half_t *)a->src);
	if (a->rewrite & REWRITE_DST)
		difference += replace_ipv6((half_t *)&ip->daddr, (half_t *)a->dst);
	if (a->rewrite & REWRITE_HOP_LIMIT)
		ip->hop_limit -= a->hops;
	return difference;
}

/* Ports, or the identifier of an ICMP echo; gives the difference. */
static __always_inline __u64 rewrite_ports(struct flow *f, void *l4, struct action *a)
{
	__u64 difference = 0;
	__u16 *field = l4;

	if (f->flags & FLOW_ICMP_ECHO) {
		__be16 identifier = a->rewrite & REWRITE_SPORT ? a->sport : a->dport;

		difference = (__u64)(__u16)~field[2] + identifier;
		field[2] = identifier;
		return difference;
	}
	if (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP)
		return 0;
	if (a->rewrite & REWRITE_SPORT) {
		difference += (__u64)(__u16)~field[0] + a->sport;
		field[0] = a->sport;
	}
	if (a->rewrite & REWRITE_DPORT) {
		difference += (__u64)(__u16)~field[1] + a->dport;
		field[1] = a->dport;
	}
	return difference;
}

/* Where the transport checksum stands, 0 if there is none that follows from ports and addresses. */
static __always_inline __u32 checksum_at(struct flow *f)
{
	if (f->proto == IPPROTO_TCP)
		return f->l4_at + 16;
	/* UDP-Lite (RFC 3828 section 3.1) and DCCP (RFC 4340 section 9.1) leave out data, never the pseudo header */
	if (f->proto == IPPROTO_UDP || f->proto == IPPROTO_UDPLITE || f->proto == IPPROTO_DCCP)
		return f->l4_at + 6;
	if (f->proto == (f->flags & FLOW_IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return f->l4_at + 2;
	return 0;
}

/* In UDP zero says that there is none; UDP-Lite, where one must be, writes a sum of zero as all ones too. */
static __always_inline int is_zero_none(struct flow *f)
{
	return f->proto == IPPROTO_UDP || f->proto == IPPROTO_UDPLITE;
}

static __always_inline int has_no_checksum(struct __sk_buff *skb, __u32 at)
{
	__u16 *check = transport_of(skb, at);

	return (void *)(check + 1) <= end_of(skb) && !*check;
}

static __always_inline void fix_transport(struct __sk_buff *skb, struct flow *f, __u64 addresses, __u64 ports)
{
	__u64 flags = is_zero_none(f) ? BPF_F_MARK_MANGLED_0 : 0;
	__u32 at = checksum_at(f);

	/* the helper would find out, but a call costs more than the look */
	if (!at || (is_zero_none(f) && has_no_checksum(skb, at)))
		return;
	if (ports)
		bpf_l4_csum_replace(skb, at, 0, fold32(ports), flags);
	if (!addresses || (f->proto == IPPROTO_ICMP && !(f->flags & FLOW_IPV6)))
		return;
	flags |= BPF_F_PSEUDO_HDR;
	/* A kernel that does not know the flag says so and changes nothing. */
	if (!(f->flags & FLOW_IPV6) || bpf_l4_csum_replace(skb, at, 0, fold32(addresses), flags | BPF_F_IPV6) < 0)
		bpf_l4_csum_replace(skb, at, 0, fold32(addresses), flags);
}

#define REWRITE_TRANSPORT	(REWRITE_SPORT | REWRITE_DPORT)
#define REWRITE_ADDRESSES	(REWRITE_SRC | REWRITE_DST)

/* The hop limit is known to be greater than `hops`. */
static __always_inline int rewrite(struct __sk_buff *skb, struct flow *f, struct action *a)
{
	__u64 addresses = 0, ports = 0;
	void *data = data_of(skb);
	__u32 at = f->l4_at;

	if (f->flags & FLOW_IPV6) {
		if (unlikely(data + L3_AT + sizeof(struct ipv6hdr) > end_of(skb)))
			return -DROP_TRUNCATED;
		rewrite_macs(data, a);
		addresses = rewrite_ipv6(data + L3_AT, a);
	} else if (likely(f->flags & FLOW_IP)) {
		if (unlikely(data + L3_AT + sizeof(struct iphdr) > end_of(skb)))
			return -DROP_TRUNCATED;
		rewrite_macs(data, a);
		addresses = rewrite_ipv4(data + L3_AT, a, f->fragment_note);
	} else {
		if (unlikely(data + L3_AT > end_of(skb)))
			return -DROP_TRUNCATED;
		rewrite_macs(data, a);
		return 0;
	}
	if (likely(!(a->rewrite & (REWRITE_TRANSPORT | REWRITE_ADDRESSES))) || !at)
		return 0;
	if (a->rewrite & REWRITE_TRANSPORT) {
		void *l4 = transport_of(skb, at);

		if (unlikely(l4 + 8 > end_of(skb)))
			return -DROP_TRUNCATED;
		ports = rewrite_ports(f, l4, a);
	}
	fix_transport(skb, f, addresses, ports);
	return 0;
}

#endif
