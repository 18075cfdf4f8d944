/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* From octets to a conn key. Nothing after this looks at the headers again but to change them. */
#ifndef GENKAN_PARSE_H
#define GENKAN_PARSE_H

#include "flow.h"
#include "stats.h"

/* Headers that a key is made from, as far as they usually go; the rest of a packet may stay in pages. */
#define PULL_IPV4	(L3_AT + 20 + 20)
#define PULL_IPV6	(L3_AT + 40 + 20)
#define PULL_MAX	(L4_AT_MAX + 20)

/*
 * By hand, since the fields are 32 bits wide for the compiler but pointers for the verifier: a 32-bit move between
 * registers, which the compiler may well make, would turn them into numbers.
 */
static __always_inline void *data_of(struct __sk_buff *skb)
{
	void *data;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(data) : "r"(skb), "i"(offsetof(struct __sk_buff, data)));
	return data;
}

static __always_inline void *end_of(struct __sk_buff *skb)
{
	void *end;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(end) : "r"(skb), "i"(offsetof(struct __sk_buff, data_end)));
	return end;
}

/* The transport header; the mask is for the verifier, parse() has refused what is beyond it. */
static __always_inline void *transport_of(struct __sk_buff *skb, __u32 at)
{
	barrier_var(at);
	return data_of(skb) + (at & L4_AT_MAX);
}

/* Extension headers that linux/in6.h has not (RFC 7401 section 5.1, RFC 5533 section 5.1) */
#define IPPROTO_HIP	139
#define IPPROTO_SHIM6	140

/* Makes `want` octets reachable by pointer, or as many as there are. */
static __always_inline void pull(struct __sk_buff *skb, __u32 want)
{
	if (unlikely(data_of(skb) + want > end_of(skb)))
		bpf_skb_pull_data(skb, skb->len < want ? skb->len : want);
}

/*
 * Octets behind the IP packet, which ends at `end`, say nothing and must not make it too long for its way out. What
 * pads a frame to the shortest that Ethernet has stays: a helper's call for each bare acknowledgement from a NIC would
 * be a high price for it, and the next NIC pads again. So do segments, of which the helper would make one packet.
 * Where the kernel does not cut, the frame goes on as it came.
 */
static __always_inline void trim(struct __sk_buff *skb, __u32 end)
{
	if (unlikely(end < skb->len) && skb->len > ETH_ZLEN && !skb->gso_size)
		bpf_skb_change_tail(skb, end, 0);
}

/* Ethertype behind the MACs; the tag, if any, is in vlan_tci. A second one has nothing to stand for here. */
static __always_inline int parse_ethernet(struct __sk_buff *skb, struct flow *f)
{
	struct ethhdr *eth;

	pull(skb, PULL_IPV4);
	eth = data_of(skb);
	if ((void *)(eth + 1) > end_of(skb))
		return -DROP_TRUNCATED;
	f->ethertype = eth->h_proto;
	if (unlikely(eth->h_proto == bpf_htons(ETH_P_8021Q) || eth->h_proto == bpf_htons(ETH_P_8021AD)))
		return -DROP_NESTED_VLAN;
	return 0;
}

static __always_inline int same_words(const void *a, const void *b, int words)
{
	const half_t *x = a, *y = b;
	int i;

	for (i = 0; i < words; i++)
		if (x[i] != y[i])
			return 0;
	return 1;
}

static __always_inline __u64 mix(__u64 digest, __u64 word)
{
	digest = (digest ^ word) * DIGEST_FACTOR;
	return digest ^ digest >> 32;
}

static __always_inline __u64 digest_seed(void)
{
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);

	return s ? s->digest_seed : 0;
}

static __always_inline void seal(struct flow *f, int words)
{
	__u64 digest = digest_seed();
	int i;

#pragma unroll
	for (i = 0; i < words; i++)
		digest = mix(digest, f->key[i]);
	f->digest = digest;
}

/*
 * Type and code, and of an echo the identifier. Any message has four octets (RFC 4443 section 2.1); echoes and errors
 * have eight, and of no other is more read here.
 */
static __always_inline int parse_icmp(struct __sk_buff *skb, struct flow *f, __u32 end, __u32 *ports)
{
	int v6 = !!(f->flags & FLOW_IPV6);
	__u8 *l4 = transport_of(skb, f->l4_at);

	if (unlikely(f->l4_at + 4 > end || (void *)l4 + 4 > end_of(skb)))
		return -DROP_TRUNCATED;
	*ports = (__u32)*(__u16 *)l4 << 16;
	if (v6 ? l4[0] == ICMP6_ECHO_REQUEST || l4[0] == ICMP6_ECHO_REPLY
	       : l4[0] == ICMP_ECHO_REQUEST || l4[0] == ICMP_ECHO_REPLY) {
		f->flags |= FLOW_ICMP_ECHO;
	} else if (v6) {
		f->flags |= FLOW_CONTROL;
		if (l4[0] < 128)
			f->flags |= FLOW_ICMP_ERROR;
		else if ((l4[0] >= ICMP6_MLD_FIRST && l4[0] <= ICMP6_ND_LAST) || l4[0] == ICMP6_MLD2_REPORT)
			f->flags |= FLOW_ND;
	} else {
		f->flags |= FLOW_CONTROL;
		/* unreachable, source quench, redirect, time exceeded, parameter problem */
		if (l4[0] == 3 || l4[0] == 4 || l4[0] == 5 || l4[0] == 11 || l4[0] == 12)
			f->flags |= FLOW_ICMP_ERROR;
	}
	if (!(f->flags & (FLOW_ICMP_ECHO | FLOW_ICMP_ERROR)))
		return 0;
	if (unlikely(f->l4_at + 8 > end || (void *)l4 + 8 > end_of(skb)))
		return -DROP_TRUNCATED;
	if (f->flags & FLOW_ICMP_ECHO)
		*ports |= *(__u16 *)(l4 + 4);
	return 0;
}

/*
 * Ports as the key holds them (struct conn4_key). `end` is the end of the packet by its own IP header, which the frame
 * may pad; a transport header must fit in it.
 */
static __always_inline int parse_transport(struct __sk_buff *skb, struct flow *f, __u32 end, __u32 *ports)
{
	__u32 at = f->l4_at;
	__u8 *l4;

	*ports = 0;
	if (at > L4_AT_MAX)
		return -DROP_MALFORMED;
	l4 = transport_of(skb, at);
	switch (f->proto) {
	case IPPROTO_TCP:
		if (unlikely(at + 20 > end || (void *)l4 + 20 > end_of(skb)))
			return -DROP_TRUNCATED;
		*ports = *(half_t *)l4;
		/* SYN and ACK stand two bits higher on the wire than in enum tcp_seen, FIN and RST are mixed up */
		f->tcp_seen = (l4[13] & 0x02 ? TCP_SEEN_SYN : 0) | (l4[13] & 0x01 ? TCP_SEEN_FIN : 0) |
			      (l4[13] & 0x04 ? TCP_SEEN_RST : 0) | (l4[13] & 0x10 ? TCP_SEEN_ACK : 0) |
			      ((l4[13] & 0x16) == 0x10 ? TCP_SEEN_BEYOND_SYN : 0);
		return 0;
	/* no ports in their keys, but a checksum in their first eight octets (checksum_at) */
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return unlikely(at + 8 > end) ? -DROP_TRUNCATED : 0;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		if (unlikely(at + 8 > end || (void *)l4 + 8 > end_of(skb)))
			return -DROP_TRUNCATED;
		*ports = *(half_t *)l4;
		return 0;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		/* of the other family it is a protocol like any */
		if ((f->proto == IPPROTO_ICMPV6) != !!(f->flags & FLOW_IPV6))
			return 0;
		break;
	default:
		return 0;
	}
	return parse_icmp(skb, f, end, ports);
}

/* DHCP from a client is the agent's business and must not wait behind a flood of new flows. */
static __always_inline void mark_dhcp(struct flow *f, __u32 ports)
{
	__be16 dport = ports >> 16;

	if (f->proto == IPPROTO_UDP && dport == (f->flags & FLOW_IPV6 ? bpf_htons(547) : bpf_htons(67)))
		f->flags |= FLOW_CONTROL;
}

/* The MACs' share of the last two words of a key; zero where only addresses count. */
static __always_inline void key_macs(struct flow *f, void *data, int at, int l3_key)
{
	/* FIRST has the key of a whole datagram */
	f->key[at] = (__u64)(f->fragment & FRAGMENT_LATER) << 8 | f->proto;
	f->key[at + 1] = 0;
	if (l3_key)
		return;
	f->key[at] |= (__u64)*(half_t *)data << 32;
	f->key[at + 1] = *(word_t *)(data + 4);
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, struct flow *f, __u32 key_port, int l3_key)
{
	struct iphdr *ip = data_of(skb) + L3_AT;
	__u32 ports = 0, end, header, total;
	__u64 addresses;
	__u16 fragment;
	void *data;
	int rc;

	if (unlikely((void *)(ip + 1) > end_of(skb)))
		return -DROP_TRUNCATED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (unlikely(ip->version != 4 || header < sizeof(*ip) || total < header))
		return -DROP_MALFORMED;
	if (unlikely(total > skb->len - L3_AT))
		return -DROP_TRUNCATED;
	f->flags |= FLOW_IP;
	f->proto = ip->protocol;
	f->hop_limit = ip->ttl;
	fragment = ip->frag_off & bpf_htons(IP_FLAG_MORE | IP_OFFSET_MASK);
	if (unlikely(fragment))
		f->fragment = fragment & bpf_htons(IP_OFFSET_MASK) ? FRAGMENT_LATER : FRAGMENT_FIRST;
	addresses = *(word_t *)&ip->saddr;
	f->l4_at = L3_AT + header;
	end = L3_AT + total;
	if (unlikely(header > sizeof(*ip)))
		pull(skb, L3_AT + 60 + 20);
	if (likely(f->fragment != FRAGMENT_LATER)) {
		rc = parse_transport(skb, f, end, &ports);
		if (unlikely(rc))
			return rc;
		mark_dhcp(f, ports);
	} else {
		f->l4_at = 0;
	}
	trim(skb, end);
	data = data_of(skb);
	if (data + ETH_HLEN > end_of(skb))
		return -DROP_TRUNCATED;
	f->key[0] = key_port | addresses << 32;
	f->key[1] = addresses >> 32 | (__u64)ports << 32;
	key_macs(f, data, 2, l3_key);
	seal(f, KEY4_WORDS);
	return 0;
}

/* RFC 7045 section 4; 253 and 254 (RFC 3692) have no known format, so they end the walk like any protocol. */
static __always_inline int is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH || next == IPPROTO_MH ||
	       next == IPPROTO_HIP || next == IPPROTO_SHIM6;
}

/*
 * RFC 8200 section 4: at most EXTENSION_HEADERS_MAX headers, all of them within the packet, which ends at `end`;
 * leaves proto, fragment and l4_at (0: no transport header). What the agent refuses is refused here too, since no key
 * shows it: hop-by-hop options that do not come first, routing headers of type 0 with segments left (RFC 5095), a
 * second fragment header.
 */
static __attribute__((noinline)) int walk_extensions(struct __sk_buff *skb, struct flow *f, __u32 end)
{
	__u32 at = f->l4_at, size;
	__u8 next = f->proto, header[8];
	int i;

	for (i = 0; i <= EXTENSION_HEADERS_MAX; i++) {
		if (!is_extension(next) || f->fragment == FRAGMENT_LATER) {
			f->proto = next;
			f->l4_at = f->fragment == FRAGMENT_LATER || next == IPPROTO_NONE ? 0 : at;
			return 0;
		}
		if (i == EXTENSION_HEADERS_MAX || at > L4_AT_MAX)
			break;
		if (at + sizeof(header) > end || bpf_skb_load_bytes(skb, at, header, sizeof(header)) < 0)
			return -DROP_TRUNCATED;
		size = (header[1] + 1) * 8;
		if (next == IPPROTO_FRAGMENT) {
			__u16 offset = header[2] << 8 | header[3];

			if (f->fragment)
				break;
			f->fragment_note = at;
			/* offset 0 without more fragments is an atomic fragment (RFC 6946): as if whole */
			if (offset & 0xfff8)
				f->fragment = FRAGMENT_LATER;
			else if (offset & 1)
				f->fragment = FRAGMENT_FIRST;
			size = 8;
		} else if (next == IPPROTO_AH) {
			size = (header[1] + 2) * 4;
		} else if ((next == IPPROTO_HOPOPTS && i) || (next == IPPROTO_ROUTING && !header[2] && header[3])) {
			break;
		}
		at += size;
		if (at > end)
			return -DROP_TRUNCATED;
		next = header[0];
	}
	return -DROP_MALFORMED;
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, struct flow *f, __u32 key_port, int l3_key)
{
	__u32 ports = 0, end, payload;
	struct ipv6hdr *ip;
	void *data;
	int rc;

	pull(skb, PULL_IPV6);
	ip = data_of(skb) + L3_AT;
	if (unlikely((void *)(ip + 1) > end_of(skb)))
		return -DROP_TRUNCATED;
	payload = bpf_ntohs(ip->payload_len);
	if (unlikely(ip->version != 6))
		return -DROP_MALFORMED;
	if (unlikely(payload + sizeof(*ip) > skb->len - L3_AT))
		return -DROP_TRUNCATED;
	f->flags |= FLOW_IP | FLOW_IPV6;
	f->proto = ip->nexthdr;
	f->hop_limit = ip->hop_limit;
	f->l4_at = L3_AT + sizeof(*ip);
	end = f->l4_at + payload;
	if (unlikely(is_extension(f->proto) || f->proto == IPPROTO_NONE)) {
		rc = walk_extensions(skb, f, end);
		if (rc)
			return rc;
		pull(skb, f->l4_at < L4_AT_MAX ? f->l4_at + 20 : PULL_MAX);
	}
	if (likely(f->l4_at)) {
		rc = parse_transport(skb, f, end, &ports);
		if (unlikely(rc))
			return rc;
		mark_dhcp(f, ports);
	}
	trim(skb, end);
	data = data_of(skb);
	if (data + L3_AT + sizeof(*ip) > end_of(skb))
		return -DROP_TRUNCATED;
	f->key[0] = key_port | (__u64)*(half_t *)(data + L3_AT + 8) << 32;
	f->key[1] = *(word_t *)(data + L3_AT + 12);
	f->key[2] = *(word_t *)(data + L3_AT + 20);
	f->key[3] = *(word_t *)(data + L3_AT + 28);
	f->key[4] = *(half_t *)(data + L3_AT + 36) | (__u64)ports << 32;
	key_macs(f, data, 5, l3_key);
	seal(f, KEY6_WORDS);
	return 0;
}

/* Neither IPv4 nor IPv6: no connection, but the classes and the digest know it by its MACs and ethertype. */
static __always_inline int parse_other(struct __sk_buff *skb, struct flow *f, __u32 key_port, int l3_key)
{
	void *data = data_of(skb);

	if (data + ETH_HLEN > end_of(skb))
		return -DROP_TRUNCATED;
	/* IEEE 802.3 section 3.2.6: below, the field is a length, and the frame is one of LLC for the agent too */
	if (bpf_ntohs(f->ethertype) < ETH_P_802_3_MIN)
		f->ethertype = bpf_htons(ETH_P_802_2);
	f->key[0] = key_port;
	f->key[1] = f->ethertype;
	key_macs(f, data, 2, l3_key);
	seal(f, KEY4_WORDS);
	return 0;
}

static __always_inline int parse(struct __sk_buff *skb, struct flow *f, __u32 key_port, int l3_key)
{
	if (likely(f->ethertype == bpf_htons(ETH_P_IP)))
		return parse_ipv4(skb, f, key_port, l3_key);
	if (f->ethertype == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(skb, f, key_port, l3_key);
	return parse_other(skb, f, key_port, l3_key);
}

/* The overlay's own port may not be spoken by those whom it carries. */
static __always_inline int is_vxlan(struct flow *f)
{
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);
	__be16 dport = f->key[f->flags & FLOW_IPV6 ? 4 : 1] >> 48;

	return s && dport == bpf_htons(s->vxlan_port);
}

#endif
