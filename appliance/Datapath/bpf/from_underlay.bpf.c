/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ingress of the interface that has the underlay's address: takes the outer headers off what is surely ours. All else
 * goes to the stack as it came: it is the host's, or the tunnel device and from_tunnel have the last word on it.
 */
#include <linux/tcp.h>
#include "encap.h"
#include "flow.h"
#include "tunnel.h"
#include "verdict.h"

#define TCP_ACK_FLAG	0x10
#define TCP_ECN_FLAGS	0xc0	/* CWR, ECE: RFC 3168 */

/* Whole if its sum, with its checksum, is all ones (RFC 1071). */
static __always_inline int is_whole(const half_t *words)
{
	__u64 sum = (__u64)words[0] + words[1] + words[2] + words[3] + words[4];

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The outer headers, if nothing in them asks for more than to be taken off. */
static __always_inline struct tunnel_frame *plain_tunnel(struct __sk_buff *skb, struct settings *s)
{
	struct tunnel_frame *t;

	if (skb->gso_size || skb->vlan_present || skb->protocol != bpf_htons(ETH_P_IP) || !s->underlay_ifindex ||
	    s->underlay_ifindex != skb->ifindex || skb->pkt_type != TYPE_HOST)
		return 0;
	pull(skb, sizeof(*t) + sizeof(struct iphdr) + sizeof(struct tcphdr));
	t = data_of(skb);
	if ((void *)(t + 1) > end_of(skb))
		return 0;
	if (*(__u8 *)&t->ip != 0x45 || t->ip.protocol != IPPROTO_UDP || t->udp.dest != bpf_htons(s->vxlan_port) ||
	    t->ip.daddr != s->underlay_ipv4 || t->ip.frag_off & bpf_htons(IP_FLAG_MORE | IP_OFFSET_MASK))
		return 0;
	if (!is_whole((void *)t + L3_AT))
		return 0;
	/* without padding, or trimming would be ours to do too; a checksum is the stack's to prove */
	if (bpf_ntohs(t->ip.tot_len) + sizeof(struct ethhdr) != skb->len ||
	    bpf_ntohs(t->udp.len) + sizeof(struct iphdr) != bpf_ntohs(t->ip.tot_len) || t->udp.check)
		return 0;
	if (t->vxlan.flags != VXLAN_FLAGS || t->vxlan.policy_flags || t->vxlan.vni & bpf_htonl(0xff))
		return 0;
	return t;
}

/*
 * The device delivers a little later than we do, and segments are the device's. So of a TCP connection it gets
 * everything but bare acknowledgements, which may overtake data: they say nothing of what comes after it.
 */
static __always_inline int is_bare_ack(void *tcp, void *end, __u32 octets)
{
	__u8 *header = tcp;

	return tcp + sizeof(struct tcphdr) <= end && octets == (header[TCP_OFFSET_AT] >> 4) * 4u &&
	       (header[TCP_OFFSET_AT + 1] & ~TCP_ECN_FLAGS) == TCP_ACK_FLAG;
}

/* What else comes as segments is not worth a look: of extension headers, GRE or SCTP the device gets everything. */
static __always_inline int is_never_segments(__u8 proto)
{
	return proto == IPPROTO_UDP || proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 || proto == IPPROTO_ESP;
}

/* Congestion on the way comes in (RFC 6040 section 4.2); what is not well-formed in that is for the device to judge. */
static __always_inline int is_ecn_plain(__u32 outer, __u32 inner)
{
	return !(outer & 1) || outer == inner || (outer == ECN_CE && inner);
}

/* Whether the frame inside is ours to take; gives its ECN. */
static __always_inline int is_ours(struct tunnel_frame *t, void *end, __u8 *ecn)
{
	struct iphdr *ip4 = (void *)(t + 1);
	struct ipv6hdr *ip6 = (void *)(t + 1);

	*ecn = t->ip.tos & ECN_MASK;
	if (t->inner.h_proto == bpf_htons(ETH_P_IP)) {
		if ((void *)(ip4 + 1) > end || !is_ecn_plain(*ecn, ip4->tos & ECN_MASK))
			return 0;
		if (is_never_segments(ip4->protocol))
			return 1;
		return ip4->protocol == IPPROTO_TCP && *(__u8 *)ip4 == 0x45 &&
		       !(ip4->frag_off & bpf_htons(IP_FLAG_MORE | IP_OFFSET_MASK)) &&
		       is_bare_ack(ip4 + 1, end, bpf_ntohs(ip4->tot_len) - (__u32)sizeof(*ip4));
	}
	if (t->inner.h_proto != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > end ||
	    !is_ecn_plain(*ecn, ((__u8 *)ip6)[1] >> 4 & ECN_MASK))
		return 0;
	return is_never_segments(ip6->nexthdr) ||
	       (ip6->nexthdr == IPPROTO_TCP && is_bare_ack(ip6 + 1, end, bpf_ntohs(ip6->payload_len)));
}

/* The room goes between the MAC header and the inner packet: the inner MAC header is put back by hand. */
static __always_inline int decapsulate(struct __sk_buff *skb, struct ethhdr *inner)
{
	__u64 flags = inner->h_proto == bpf_htons(ETH_P_IPV6) ? BPF_F_ADJ_ROOM_DECAP_L3_IPV6 : 0;
	struct ethhdr *eth;

	if (bpf_skb_adjust_room(skb, -OVERHEAD, BPF_ADJ_ROOM_MAC, flags) < 0)
		return 0;
	eth = data_of(skb);
	if ((void *)(eth + 1) > end_of(skb))
		return -DROP_TRUNCATED;
	*eth = *inner;
	return 1;
}

SEC("tc")
int from_underlay(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);
	struct tunnel_frame *outer;
	struct tunnel t = {};
	struct ethhdr inner;
	struct flow f = {};
	struct vtep *sender;
	__u8 ecn;
	int rc;

	test_start(skb);
	outer = s ? plain_tunnel(skb, s) : 0;
	if (!outer)
		return TC_ACT_UNSPEC;
	*(half_t *)t.from.address = outer->ip.saddr;
	t.key = bpf_ntohl(outer->vxlan.vni) >> 8;
	t.group_policy = bpf_ntohs(outer->vxlan.group_policy);
	inner = outer->inner;
	if (!is_ours(outer, end_of(skb), &ecn))
		return TC_ACT_UNSPEC;
	sender = bpf_map_lookup_elem(&vtep, &t.from);
	if (!sender)
		return TC_ACT_UNSPEC;
	rc = decapsulate(skb, &inner);
	if (!rc)
		return TC_ACT_UNSPEC;
	if (unlikely(ecn == ECN_CE))
		bpf_skb_ecn_set_ce(skb);
	if (likely(rc > 0))
		rc = tunnel_packet(skb, &f, &t, sender);
	return finish(skb, f.slot, rc);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
