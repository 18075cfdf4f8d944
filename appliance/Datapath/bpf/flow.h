/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a program knows of the packet in its hands, and the conventions of all programs here:
 * - a function gives a TC action (>= 0), or minus a drop reason, which finish() counts;
 * - packet pointers never cross a function that may change the packet: each step takes them anew;
 * - cold steps are global functions (noinline, not static): the verifier checks them once, on their own.
 */
#ifndef GENKAN_FLOW_H
#define GENKAN_FLOW_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "flow_maps.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys are put together from little-endian words");

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))

#define L3_AT		ETH_HLEN	/* the one tag that we accept is never in the frame */
#define L4_AT_MAX	1023		/* extension headers beyond this are not sane; all ones: it is a mask too */
#define KEY4_WORDS	4
#define KEY6_WORDS	7
#define CLASS_WORDS	7

#define IP_FLAG_MORE	0x2000
#define IP_OFFSET_MASK	0x1fff
#define TCP_OFFSET_AT	12		/* octet whose upper half is the header length in words */
#define ICMP_ECHO_REPLY		0
#define ICMP_ECHO_REQUEST	8
#define ICMP6_ECHO_REQUEST	128
#define ICMP6_ECHO_REPLY	129
#define ICMP6_MLD_FIRST		130	/* MLD, ND and redirect are 130 to 137, MLDv2 143 */
#define ICMP6_ND_FIRST		133	/* router solicitation */
#define ICMP6_NEIGHBOUR_SOLICITATION	135
#define ICMP6_NEIGHBOUR_ADVERTISEMENT	136
#define ICMP6_ND_LAST		137
#define ICMP6_MLD2_REPORT	143

/* Words may alias anything: keys are read and written as words. */
typedef __u64 __attribute__((may_alias)) word_t;
typedef __u32 __attribute__((may_alias)) half_t;

enum flow_flags {
	FLOW_IPV6 = 1 << 0,
	FLOW_IP = 1 << 1,		/* has a key of conn4 or conn6 */
	FLOW_CONTROL = 1 << 2,		/* goes to the agent as control if it goes */
	FLOW_ICMP_ERROR = 1 << 3,
	FLOW_ICMP_ECHO = 1 << 4,
	FLOW_FROM_TUNNEL = 1 << 5,	/* must not be tunnelled again */
	FLOW_FROM_AGENT = 1 << 6,	/* never goes back up, but for REINJECTED */
	FLOW_ND = 1 << 7,
	FLOW_OUTSIDE = 1 << 8,		/* came in by an uplink, from anybody */
	FLOW_NAT_RETURN = 1 << 9,	/* came back to a NAT address, from anybody */
	FLOW_REINJECTED = 1 << 10,	/* from the agent as it came in: it may be found too big only now */
	FLOW_L2_EXTERNAL = 1 << 11,	/* came in by an external segment, see fence() */
};

struct flow {
	__u64 key[KEY6_WORDS];	/* struct conn4_key or conn6_key */
	__u64 digest;
	__u32 slot;		/* port where it entered; a pseudo port for FLOOD and NAT-RETURN */
	__u32 budget;		/* that its upcalls are paid from */
	__u32 l4_at;		/* offset of the transport header, 0 none */
	__u32 vtep_host;
	__u32 mtu;		/* for UPCALL_TOO_BIG */
	__u32 nexthop;		/* of the entry found */
	__u32 class_id;
	__u16 fragment_note;	/* IPv6: offset of the Fragment header; IPv4: new identification (__be16), 0 none */
	__be16 ethertype;
	__u16 flags;		/* enum flow_flags */
	__u8 hop_limit;
	__u8 tcp_seen;
	__u8 proto;
	__u8 fragment;
	__u8 state;		/* enum conn_state of the entry found */
	__u8 upcall_flags;	/* enum upcall_flags */
};

/* See fragment.h. */
#define HELD_CUT	0x10000
int settle_fragment(struct __sk_buff *skb, struct flow *f, __u32 key_port, int held);

#endif
