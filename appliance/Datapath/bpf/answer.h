/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ARP requests (RFC 826) and neighbour solicitations (RFC 4861) for known addresses, answered where they came in, so
 * that a VM keeps its neighbours while the agent is away. What is not plain goes to the agent.
 */
#ifndef GENKAN_ANSWER_H
#define GENKAN_ANSWER_H

#include "flow.h"
#include "parse.h"
#include "rewrite.h"
#include "stats.h"
#include "verdict.h"

#define NOT_ANSWERED	0	/* TC_ACT_OK, which no answer gives */
#define BRIDGE_OF_UPLINK	0x80000000

struct arp_ipv4 {
	__be16 hardware, protocol;
	__u8 hardware_octets, protocol_octets;
	__be16 operation;
	__u8 sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
} __attribute__((packed));

/* With exactly one option, the link-layer address, as stacks send it. */
struct neighbour_message {
	__u8 type, code;
	__be16 checksum;
	__be32 flags;
	__u8 target[16];
	__u8 option, option_words;	/* 1 source or 2 target link-layer address, 1 */
	__u8 mac[6];
};

static __always_inline int same_mac(const void *a, const void *b)
{
	return ((__u16 *)a)[0] == ((__u16 *)b)[0] && ((__u16 *)a)[1] == ((__u16 *)b)[1] &&
	       ((__u16 *)a)[2] == ((__u16 *)b)[2];
}

static __always_inline void copy_mac(void *to, const void *from)
{
	((__u16 *)to)[0] = ((__u16 *)from)[0];
	((__u16 *)to)[1] = ((__u16 *)from)[1];
	((__u16 *)to)[2] = ((__u16 *)from)[2];
}

static __always_inline int send_answer(struct __sk_buff *skb, __u32 slot)
{
	count_reason(skb, slot, DROP_ANSWERED);
	count_tx(skb, slot);
	return send_out(skb, OUTCOME_ANSWER, skb->ifindex);
}

/* Who may be answered here: a tenant speaks only for itself, an uplink's neighbours for anybody. */
static __always_inline int may_answer(struct port *port, struct neighbour_key *key)
{
	key->bridge = port->kind == PORT_UPLINK ? port->key_port | BRIDGE_OF_UPLINK : port->bridge;
	return port->kind == PORT_UPLINK || (port->kind == PORT_TENANT && port->bridge);
}

int answer_arp(struct __sk_buff *skb, __u32 slot);

__attribute__((noinline)) int answer_arp(struct __sk_buff *skb, __u32 slot)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);
	struct neighbour_key key = {};
	struct neighbour *known;
	struct arp_ipv4 *arp;
	struct ethhdr *eth;
	__u32 sender, target;
	const __u8 *mac;

	eth = data_of(skb);
	arp = (void *)(eth + 1);
	if (!port || !may_answer(port, &key) || (void *)(arp + 1) > end_of(skb))
		return NOT_ANSWERED;
	if (arp->hardware != bpf_htons(1) || arp->protocol != bpf_htons(ETH_P_IP) || arp->hardware_octets != ETH_ALEN ||
	    arp->protocol_octets != 4 || arp->operation != bpf_htons(1))
		return NOT_ANSWERED;
	sender = *(half_t *)arp->sender_ip;
	target = *(half_t *)arp->target_ip;
	/* an announcement, or a tenant's probe (sender 0), may be about the asker's own address: the agent knows */
	if (!same_mac(arp->sender_mac, eth->h_source) || sender == target)
		return NOT_ANSWERED;
	if (port->kind == PORT_TENANT && (!same_mac(arp->sender_mac, port->mac) || sender != port->ipv4))
		return NOT_ANSWERED;
	*(half_t *)key.address = target;
	known = bpf_map_lookup_elem(&neighbour, &key);
	if (!known)
		return NOT_ANSWERED;
	mac = port->kind == PORT_UPLINK ? port->mac : known->mac;
	copy_mac(eth->h_dest, arp->sender_mac);
	copy_mac(eth->h_source, mac);
	arp->operation = bpf_htons(2);
	copy_mac(arp->target_mac, arp->sender_mac);
	*(half_t *)arp->target_ip = sender;
	copy_mac(arp->sender_mac, mac);
	*(half_t *)arp->sender_ip = target;
	return send_answer(skb, slot);
}

static __always_inline int is_link_local_of(const half_t *address, const __u8 *mac)
{
	/* fe80::/64 with the modified EUI-64 identifier (RFC 4291 appendix A) */
	return address[0] == bpf_htonl(0xfe800000) && !address[1] &&
	       address[2] == bpf_htonl((__u32)(mac[0] ^ 2) << 24 | mac[1] << 16 | mac[2] << 8 | 0xff) &&
	       address[3] == bpf_htonl(0xfe000000 | mac[3] << 16 | mac[4] << 8 | mac[5]);
}

/* RFC 8200 section 8.1: the sum of pseudo header and message, 0xffff if the message holds its right checksum. */
static __always_inline __u16 sum_of(const struct ipv6hdr *ip, const struct neighbour_message *nd)
{
	struct {
		half_t src[4], dst[4];
		__be32 length, next;
		half_t message[8];
	} sum;
	int i;

#pragma unroll
	for (i = 0; i < 4; i++) {
		sum.src[i] = ((const half_t *)&ip->saddr)[i];
		sum.dst[i] = ((const half_t *)&ip->daddr)[i];
	}
	sum.length = bpf_htonl(sizeof(*nd));
	sum.next = bpf_htonl(IPPROTO_ICMPV6);
#pragma unroll
	for (i = 0; i < 8; i++)
		sum.message[i] = ((const half_t *)nd)[i];
	return fold16(bpf_csum_diff(0, 0, (__be32 *)&sum, sizeof(sum), 0));
}

/* RFC 4861 section 7.2.4; solicited, override, and router where the neighbour is one. */
static __always_inline void advertise(struct ethhdr *eth, struct ipv6hdr *ip, struct neighbour_message *nd,
				      const __u8 *mac, __u8 is_router)
{
	int i;

	copy_mac(eth->h_dest, eth->h_source);
	copy_mac(eth->h_source, mac);
#pragma unroll
	for (i = 0; i < 4; i++) {
		((half_t *)&ip->daddr)[i] = ((half_t *)&ip->saddr)[i];
		((half_t *)&ip->saddr)[i] = ((half_t *)nd->target)[i];
	}
	ip->hop_limit = 255;
	nd->type = ICMP6_NEIGHBOUR_ADVERTISEMENT;
	nd->checksum = 0;
	nd->flags = bpf_htonl((is_router ? 0x80000000 : 0) | 0x60000000);
	nd->option = 2;
	copy_mac(nd->mac, mac);
	nd->checksum = ~sum_of(ip, nd);
}

int answer_solicitation(struct __sk_buff *skb, __u32 slot);

__attribute__((noinline)) int answer_solicitation(struct __sk_buff *skb, __u32 slot)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);
	struct neighbour_key key = { .is_ipv6 = 1 };
	struct neighbour *known;
	struct neighbour_message *nd;
	struct ipv6hdr *ip;
	struct ethhdr *eth;

	pull(skb, L3_AT + sizeof(*ip) + sizeof(*nd));
	eth = data_of(skb);
	ip = (void *)(eth + 1);
	nd = (void *)(ip + 1);
	if (!port || !may_answer(port, &key) || (void *)(nd + 1) > end_of(skb))
		return NOT_ANSWERED;
	if (ip->nexthdr != IPPROTO_ICMPV6 || ip->payload_len != bpf_htons(sizeof(*nd)) || ip->hop_limit != 255 ||
	    nd->type != ICMP6_NEIGHBOUR_SOLICITATION || nd->code || nd->option != 1 || nd->option_words != 1)
		return NOT_ANSWERED;
	if (!same_mac(nd->mac, eth->h_source) || same_words(&ip->saddr, nd->target, 4))
		return NOT_ANSWERED;
	/* RFC 4861 section 7.1.1: the unspecified address (no other begins with zeroes) comes without an option */
	if (!*(half_t *)&ip->saddr || sum_of(ip, nd) != 0xffff)
		return NOT_ANSWERED;
	if (port->kind == PORT_TENANT && (!same_mac(nd->mac, port->mac) ||
	    (!same_words(&ip->saddr, port->ipv6, 4) &&
	     !is_link_local_of((half_t *)&ip->saddr, port->mac))))
		return NOT_ANSWERED;
	__builtin_memcpy(key.address, nd->target, sizeof(key.address));
	known = bpf_map_lookup_elem(&neighbour, &key);
	if (!known)
		return NOT_ANSWERED;
	advertise(eth, ip, nd, port->kind == PORT_UPLINK ? port->mac : known->mac, known->is_router);
	return send_answer(skb, slot);
}

#endif
