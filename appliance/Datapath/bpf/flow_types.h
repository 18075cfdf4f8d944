/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Keys, values and records shared with C# (appliance/Datapath/Layout). Sizes and offsets are asserted in layout_sizes.h
 * and again in Datapath.Tests. Network byte order where the field comes from a packet (__be*), host order elsewhere.
 * Before you change a layout, read layout.h.
 */
#ifndef GENKAN_FLOW_TYPES_H
#define GENKAN_FLOW_TYPES_H

#include <linux/types.h>
#include <stddef.h>
#include "drop_reasons.h"
#include "layout.h"

#define LAYOUT_VERSION		2
#define COMPATIBLE_VERSION	2	/* agents of this layout and later can take over what we write */

#define PORT_MAX		4096	/* ports of one host; slot 0 is never used */
#define NEXTHOP_MAX		65536	/* index 0 is never used */
#define DELIVERY_MAX		65536	/* slots of the 24-bit tunnel key: slot << 8 | generation */
#define CLASS_MAX		65536	/* flow classes; class 0 never goes stale */
#define REPLICATION_MAX		1024	/* replication lists */
#define REPLICATION_TARGETS_MAX	32
#define BUDGET_MAX		12288	/* one a port slot, then one a destination object, then totals */
#define BUDGET_DESTINATION_AT	4096	/* first destination object's budget */
#define BUDGET_TOTAL_AT		8192	/* first total: of the host, of tenants */
#define BUDGET_LEVELS		3	/* object, tenant, host */
#define BUDGET_OCTETS		2048	/* a packet to the agent costs 1, and 1 for each so many octets of it */
#define EXTENSION_HEADERS_MAX	6
#define PENDING_FOLLOWERS_MAX	8	/* packets of a flow that wait behind its first one */
#define PENDING_FRAGMENTS_MAX	48	/* a datagram of 64 KiB in fragments of 1,500 octets */
#define INSTALL_WORKERS		16	/* workers of the agent */
#define INSTALL_BATCH		128	/* entries that one of them adds in one call */
#define PENDING_NS		200000000ULL
#define FENCE_SECONDS		10	/* without a heartbeat for so long: nothing from segment to segment */
#define ANY_PORT		0	/* local_service: every port of the protocol */
#define NAT_GRANULE_SHIFT	6	/* NAT owner granule: 64 ports */
#define NAT_FORWARDED		0	/* nat_owner value of ports that are forwarded: no host owns them */
#define NAT_ADDRESS_ITSELF	0xffff	/* nat_owner granule that marks an address as a NAT address */

#define ETH_ALEN_		6

/* ---- ports ------------------------------------------------------------------------------------------------------ */

enum port_kind {
	PORT_UNUSED = 0,
	PORT_TENANT = 1,	/* VM tap or veth: conn keys carry MACs */
	PORT_UPLINK = 2,	/* faces an ISP: L3 keys without MACs, uplink order of look-up */
	PORT_L2_EXTERNAL = 3,	/* a physical segment: keys carry MACs, no anti-spoofing shortcuts */
	PORT_PSEUDO = 4,	/* no interface: FLOOD and NAT-RETURN deliveries use its slot in conn keys */
};

enum port_flags {
	PORT_F_ADMIN_DOWN = 1 << 0,
	PORT_F_PEER = 1 << 1,	/* veth whose other end is in another namespace: bpf_redirect_peer */
	PORT_F_L3_KEY = 1 << 2,	/* zero MACs in conn keys: uplinks, the pseudo port of NAT_RETURN */
};

/* ports[slot], mmapable. The agent writes everything but nothing per packet lives here. */
struct port {
	OTHER_FIELD(__u64 other_first)
	__u64 object_id;	/*  0: ObjectId of the virtual port; how a new agent recognises its slots */
	__u32 ifindex;		/*  8: 0 while the interface is absent */
	__u32 nexthop;		/* 12: uplink: the nexthop of its host veth; else 0 */
	__u16 key_port;		/* 16: slot used in conn keys (uplinks of one group share one) */
	__u16 vlan;		/* 18: 802.1Q VID that frames on the wire carry, 0 untagged */
	__u8 kind;		/* 20: enum port_kind */
	__u8 flags;		/* 21: enum port_flags */
	OTHER_WIDE(__u16, __u32) class_masks; /* 22: bit m set: class table may hold entries of mask m for this port */
	__u32 bridge;		/* 24: key of the neighbour table, 0 none */
	__u32 budget;		/* 28: index in budgets */
	__u8 mac[6];		/* 32: tenant: the VM's MAC; uplink: MAC of the host veth, used on the wire */
	__u16 mtu;		/* 38: tenant: of its network; uplink: of its wire; 0 unknown. MSS is clamped to it */
	__u32 ipv4;		/* 40: __be32 first IPv4 address of the port (ARP answers check the sender), 0 none */
	__u32 host_ifindex;	/* 44: uplink: host veth that stands for the router; else 0 */
	__u8 ipv6[16];		/* 48: first global IPv6 address */
};

/*
 * An uplink's slot stands here three times: for its NIC, for its host veth (the device that the FIB names) and for the
 * host veth's other end (where the host's own packets come out), the latter two with VLAN 0.
 */
struct link_key {
	__u32 ifindex;
	__u32 vlan;		/* VID, 0 untagged */
};

/* Per CPU, index = port slot. Octets are of the frame; packets count segments of a GSO frame. */
struct port_stats {
	OTHER_FIELD(__u64 other_first)
	__u64 rx_packets, rx_octets, tx_packets, tx_octets, drop_packets, upcall_packets;
};

/* ---- connections ------------------------------------------------------------------------------------------------ */

enum fragment_kind { FRAGMENT_NONE = 0, FRAGMENT_FIRST = 1, FRAGMENT_LATER = 2 };

/*
 * Ports: TCP, UDP, SCTP their ports. ICMP echo: sport = identifier, dport = type << 8 | code (as two octets on the
 * wire). Other ICMP: sport 0, dport type and code. MACs are zero where the port has PORT_F_L3_KEY. All fragments of a
 * datagram have the key of the whole one, `fragment` 0; FRAGMENT_LATER, ports 0, stands in the key of a later one only
 * as long as its first one is not known, and no entry has it.
 */
struct conn4_key {
	__u32 port;		/*  0: key_port of the port where the packet enters */
	__be32 src, dst;	/*  4, 8 */
	__be16 sport, dport;	/* 12, 14 */
	__u8 proto;		/* 16 */
	__u8 fragment;		/* 17: enum fragment_kind */
	__u16 pad;		/* 18 */
	__u8 dmac[6], smac[6];	/* 20, 26 */
};

struct conn6_key {
	__u32 port;		/*  0 */
	__u8 src[16], dst[16];	/*  4, 20 */
	__be16 sport, dport;	/* 36, 38 */
	__u8 proto;		/* 40 */
	__u8 fragment;		/* 41 */
	__u16 pad;		/* 42 */
	__u8 dmac[6], smac[6];	/* 44, 50 */
};

enum verdict {
	VERDICT_UPCALL = 0,	/* state only: the agent decides */
	VERDICT_FORWARD = 1,
	VERDICT_DROP = 2,
};

enum conn_state {
	STATE_NONE = 0,		/* stateless */
	STATE_FORWARD = 1,	/* packets of the connection's originator */
	STATE_REPLY = 2,
};

enum rewrite {
	REWRITE_DMAC = 1 << 0,
	REWRITE_SMAC = 1 << 1,
	REWRITE_HOP_LIMIT = 1 << 2,	/* subtract `hops` */
	REWRITE_SRC = 1 << 3,
	REWRITE_DST = 1 << 4,
	REWRITE_SPORT = 1 << 5,		/* ICMP echo: the identifier, whichever of sport and dport is set */
	REWRITE_DPORT = 1 << 6,
};

enum conn_flags {
	CONN_F_COMMIT = 1 << 0,		/* set the commit bit on the tunnel: the receiver makes the reverse entry */
};

/*
 * Reading the clock costs as much as a look-up, reading jiffies nothing: last_seen_ns is written when jiffies >>
 * TICK_SHIFT has moved on, so it may be up to 640 ms old (64 jiffies of 10 ms).
 */
#define TICK_SHIFT	6

enum tcp_seen {
	TCP_SEEN_SYN = 1,
	TCP_SEEN_FIN = 2,
	TCP_SEEN_RST = 4,
	TCP_SEEN_ACK = 8,
	TCP_SEEN_BEYOND_SYN = 16,	/* an ACK in a packet without SYN and RST: its sender is past its own SYN */
};

/*
 * Digest of a key: h = settings.digest_seed; for each 64-bit little-endian word w of the key: h = (h ^ w) *
 * DIGEST_FACTOR, h ^= h >> 32. Tags and upcalls hold the lower half, `pending` the whole.
 */
#define DIGEST_FACTOR	0x9e3779b97f4a7c15ULL

/* What is done with a packet; 72 octets, copied as words. */
struct action {
	__u32 class_id;		/*  0 */
	__u32 generation;	/*  4: must equal generation[class_id].hard, else a miss */
	__u32 soft;		/*  8: differs from generation[class_id].soft: forward, and ask for revalidation once */
	__u32 nexthop;		/* 12 */
	__u8 verdict;		/* 16 */
	__u8 drop_reason;	/* 17 */
	__u8 rewrite;		/* 18: enum rewrite */
	__u8 hops;		/* 19: routers passed */
	__u8 flags;		/* 20: enum conn_flags */
	__u8 state;		/* 21: enum conn_state */
	__be16 sport, dport;	/* 22, 24 */
	__u8 dmac[6], smac[6];	/* 26, 32 */
	__u16 mtu;		/* 38: of the network behind a router, 0 none: what is longer goes to the agent */
	__u8 src[16];		/* 40: IPv4 in the first four octets */
	__u8 dst[16];		/* 56 */
} __attribute__((aligned(8)));	/* 72 */

/*
 * Value of conn4, conn6 and class. The two tags are equal and hold (digest of the key) << 32 | sequence. An element of
 * a preallocated hash map can be reused while a program still reads it; the reader takes tag_tail, copies the action,
 * then takes tag_head, and treats a difference, or a digest that is not its own key's, as a miss.
 */
struct conn {
	__u64 tag_head;		/*   0 */
	struct action action;	/*   8 */
	OTHER_FIELD(__u64 other_middle)
	__u64 packets;		/*  80 */
	__u64 octets;		/*  88 */
	__u64 last_seen_ns;	/*  96: CLOCK_MONOTONIC, coarse */
	__u64 created_ns;	/* 104 */
	OTHER_WIDE(__u8, __u32) tcp_seen; /* 112: enum tcp_seen */
	OTHER_WIDE(__u8, __u16) pad;	/* 113 */
	__u16 seen_tick;	/* 114: program's: when last_seen_ns was last written, see TICK_SHIFT */
	__u32 zone;		/* 116: low half of the ObjectId of the router that translated, 0 none */
	__u64 tag_tail;		/* 120 */
};

/* ---- fragments -------------------------------------------------------------------------------------------------- */

#define FRAGMENT_UNITS		8192	/* of 8 octets: the payload of the longest datagram */
#define FRAGMENT_WORDS		(FRAGMENT_UNITS / 64)
#define FRAGMENT_NS		30000000000ULL	/* a datagram that is not whole by then never will be */
#define FRAGMENT_SHARE		128	/* datagrams that a port may have begun; whole ones are given back */
#define FRAGMENT_SHARE_NS	15625000ULL	/* and one more after so long */
#define FRAGMENT_SOURCES	16384	/* shares of what comes from anybody, by source */
#define FRAGMENT_IDS		1024	/* counters of new identifications, by destination and protocol */

/*
 * One datagram in pieces, as it comes in at one port: RFC 791 section 3.2, RFC 8200 section 4.5. MACs are no part of
 * it: those of each fragment are in its own conn key.
 */
struct fragment_key {
	__u32 port;		/*  0: key_port of the port where it enters */
	__u32 id;		/*  4: host order; 16 bits of IPv4, 32 of IPv6 */
	__u8 src[16];		/*  8: IPv4 in the first four octets */
	__u8 dst[16];		/* 24 */
	__u8 proto;		/* 40: IPv4; 0 of IPv6, where only the first one's counts */
	__u8 is_ipv6;		/* 41 */
	__u8 pad[6];		/* 42 */
};				/* 48 */

enum fragment_flags {
	FRAGMENT_F_FIRST = 1 << 0,	/* the first one has come: ports and proto are known */
	FRAGMENT_F_AWAITED = 1 << 1,	/* the agent holds later ones: the first one is told to it */
	FRAGMENT_F_OVERLAP = 1 << 2,	/* two overlapped: nothing more of the datagram passes */
	FRAGMENT_F_WHOLE = 1 << 3,	/* all units have come: the next fragment begins another datagram, and the
					 * entry goes when the last one has gone its way */
	FRAGMENT_F_AGENT = 1 << 4,	/* pieces of a packet that the agent has cut: units are not watched */
};

/* Tags as in struct conn: the map is an LRU map, whose elements may become another datagram's at any time. */
struct fragment {
	__u64 tag_head;		/*  0: digest of the key */
	__u64 created_ns;	/*  8: CLOCK_MONOTONIC, coarse */
	__be16 sport, dport;	/* 16, 18: as in the conn key */
	__u32 flags;		/* 20: enum fragment_flags, ORed */
	__u8 proto;		/* 24 */
	__u8 pad;		/* 25 */
	__be16 id;		/* 26: new IPv4 identification where the source is translated (RFC 6864) */
	__u32 held;		/* 28: fragments that the agent has in hand; HELD_CUT for what it cuts */
	__u64 tag_tail;		/* 32 */
	__u32 seen;		/* 40: units that have come */
	__u32 total;		/* 44: units of the datagram, 0 until its last fragment has come */
	__u64 units[FRAGMENT_WORDS];	/* 48: one bit a unit that has come */
};				/* 1072 */

/* install[worker * INSTALL_BATCH + i], mmapable: what a worker of the agent adds in one call of `install_new`. */
struct install {
	__s32 error;		/*   0: program's: 0 or -errno */
	__u32 pad;		/*   4 */
	__u8 key[56];		/*   8: struct conn4_key or conn6_key */
	struct conn conn;	/*  64 */
};				/* 192 */

struct install_run {
	__u32 first, end;	/* indexes in install */
	__u32 is_ipv6;
	__u32 pad;
};

struct generation {
	OTHER_FIELD(__u64 other_first)
	__u32 hard;
	__u32 soft;
	__u32 revalidate;	/* program sets 1 with the one event; the agent clears it */
	__u32 pad;
};

/* ---- classes: masked, a fixed set ------------------------------------------------------------------------------- */

enum class_mask {
	MASK_ETHERTYPE = 0,	/* port, ethertype */
	MASK_L2 = 1,		/* port, smac, dmac, ethertype */
	MASK_L3_DST = 2,	/* port, smac, dmac, ethertype, dst */
	MASK_L3 = 3,		/* port, smac, dmac, ethertype, src, dst */
	MASK_L4_DST = 4,	/* port, smac, dmac, ethertype, src, dst, proto, dport, fragment */
	CLASS_MASKS = 5,
};

struct class_key {
	__u32 port;		/*  0 */
	__be16 ethertype;	/*  4 */
	__u8 mask;		/*  6: enum class_mask */
	__u8 proto;		/*  7 */
	__be16 dport;		/*  8 */
	__u8 fragment;		/* 10 */
	__u8 pad;		/* 11 */
	__u8 dmac[6], smac[6];	/* 12, 18 */
	__u8 src[16];		/* 24 */
	__u8 dst[16];		/* 40 */
};				/* 56 */

/* ---- next hops and delivery ------------------------------------------------------------------------------------- */

enum nexthop_kind {
	NEXTHOP_NONE = 0,	/* drop_reason says why */
	NEXTHOP_PORT = 1,	/* arg = port slot */
	NEXTHOP_TUNNEL = 2,	/* peer, tunnel_key */
	NEXTHOP_FIB_EXIT = 3,	/* arg = FIB table, port = an uplink's slot (its host veth asks the FIB) */
	NEXTHOP_REPLICATE = 4,	/* arg = replication list */
	NEXTHOP_DELIVER = 5,	/* local pseudo port: look up conn again with key_port = arg (NAT return on the
				 * owner itself); only nat_owner may name it, elsewhere it is DROP_DEVICE_LOOP */
};

struct nexthop {
	OTHER_FIELD(__u64 other_first)
	__u8 kind;		/*  0 */
	__u8 drop_reason;	/*  1 */
	__u8 peer_is_ipv6;	/*  2 */
	__u8 pad;		/*  3 */
	__u32 arg;		/*  4 */
	__u32 tunnel_key;	/*  8: slot << 8 | generation */
	__u32 port;		/* 12 */
	__u8 peer[16];		/* 16: outer destination: VTEP; IPv4 in the first four octets */
	__u32 mtu;		/* 32: TUNNEL: longest packet of a tenant that reaches the peer, 0 the device's */
	__u32 device_tick;	/* 36: TUNNEL: jiffies >> TICK_SHIFT when a packet last took the device, see encap.h */
};				/* 40 */

enum delivery_kind {
	DELIVERY_NONE = 0,
	DELIVERY_PORT = 1,	/* arg = port slot */
	DELIVERY_FLOOD = 2,	/* arg = pseudo port slot: conn look-up, miss goes up */
	DELIVERY_FIB_EXIT = 3,	/* arg = FIB table, port = uplink port slot */
	DELIVERY_NAT_RETURN = 4,/* arg = pseudo port slot: conn look-up, miss is a drop (ICMP errors go up) */
};

struct delivery {
	OTHER_FIELD(__u32 other_first)
	__u8 kind;		/* 0 */
	__u8 generation;	/* 1 */
	__u16 pad;		/* 2 */
	__u32 arg;		/* 4 */
	__u32 port;		/* 8 */
	__u32 pad2;		/* 12 */
};

/* A target that is the port where the packet entered is left out, so that the ports of a bridge share one list. */
struct replication {
	__u32 count;
	__u32 nexthop[REPLICATION_TARGETS_MAX];
};

/* The 16 group-policy bits of our VXLAN packets. */
#define GROUP_POLICY_COMMIT	0x8000	/* delivery makes the reverse entry */
#define GROUP_POLICY_OURS	0x4000	/* always set: a packet without it is not ours */

/* ---- answers, uplink, VTEPs ------------------------------------------------------------------------------------- */

struct neighbour_key {
	__u32 bridge;		/*  0: struct port.bridge; for an uplink its key_port | 0x80000000 */
	__u32 is_ipv6;		/*  4 */
	__u8 address[16];	/*  8 */
};
struct neighbour {
	OTHER_FIELD(__u64 other_first)
	__u8 mac[6];
	__u8 is_router;		/* R flag of the neighbour advertisement */
	__u8 pad;
};

struct nat_owner_key {
	__be32 address;		/* IPv4 */
	__u16 granule;		/* port >> NAT_GRANULE_SHIFT, or NAT_ADDRESS_ITSELF */
	__u16 pad;
};				/* value: __u32 nexthop (TUNNEL with a NAT-RETURN key, or DELIVER), or NAT_FORWARDED */

/*
 * Protocol 0, ANY_PORT marks an address as the host's own: what no service takes is dropped, later fragments are let in
 * under the marker's budget. Order: {protocol, port}, owner of the NAT block, {protocol, ANY_PORT}, marker.
 */
struct local_service_key {
	__u8 address[16];	/* IPv4 in the first four octets */
	__be16 port;		/* ANY_PORT */
	__u8 proto;
	__u8 is_ipv6;
};
struct local_service {
	OTHER_FIELD(__u64 other_first)
	__u32 budget;		/* index in budgets: control-plane policing */
	__u32 pad;
};

/* LPM: what uplink packets may be sent to; the value names the destination object's budget. */
struct destination_key {
	__u32 prefix_bits;	/* of the 17 octets: 8 + length */
	__u8 is_ipv6;
	__u8 address[16];
	__u8 pad[3];
};
struct destination {
	OTHER_FIELD(__u64 other_first)
	__u32 budget;
	__u32 flags;		/* 0 */
};

struct vtep_key { __u8 is_ipv6; __u8 pad[3]; __u8 address[16]; };
struct vtep { OTHER_FIELD(__u64 other_first) __u64 packets; __u64 octets; __u32 host; __u32 budget; };

#include "budget_types.h"

/* ---- upcalls ---------------------------------------------------------------------------------------------------- */

enum upcall_kind {
	UPCALL_MISS = 0,
	UPCALL_CONTROL = 1,	/* ARP, ND, DHCP, ICMP error: not queued behind `pending` */
	UPCALL_FOLLOWER = 2,	/* same flow as a packet that is on its way to the agent */
	UPCALL_REVALIDATE = 3,	/* soft generation moved: headers only, the packet itself was forwarded */
	UPCALL_HOP_LIMIT = 4,	/* flow found, but TTL ran out: answer time exceeded */
	UPCALL_TOO_BIG = 5,
	UPCALL_FRAGMENT = 6,	/* later: waits for its first one; first: later ones wait for it, it has gone its way */
};

enum upcall_flags {
	UPCALL_F_TRUNCATED = 1 << 0,	/* captured < length */
	UPCALL_F_COMMIT = 1 << 1,	/* from a tunnel with the commit bit */
	UPCALL_F_TUNNEL = 1 << 2,
	UPCALL_F_LEAVING = 1 << 3,	/* TOO_BIG: rewritten already, at the uplink `port` where it was to leave */
};

/* Header of a ring record; `captured` octets of the frame follow. The 802.1Q tag, if any, is only in vlan_tci. */
struct upcall {
	OTHER_FIELD(__u64 other_first)
	__u64 time_ns;		/*  0: CLOCK_MONOTONIC */
	__u32 port;		/*  8: port slot where it entered (pseudo port for FLOOD, NAT-RETURN) */
	__u32 length;		/* 12: octets of the frame */
	__u32 captured;		/* 16 */
	__u8 kind;		/* 20: enum upcall_kind */
	__u8 state;		/* 21: enum conn_state of the entry found, stale or state-only */
	__u16 flags;		/* 22 */
	__u32 gso_size;		/* 24 */
	__u32 gso_segs;		/* 28 */
	__u32 vlan_tci;		/* 32: 0 none, else TCI | 0x10000 */
	__u32 vtep_host;	/* 36: struct vtep.host of the sender, 0 none */
	__u32 class_id;		/* 40: of the entry found, REVALIDATE */
	__u32 flow_digest;	/* 44: of conn key: equal for packets of one flow */
	__u32 mtu;		/* 48: TOO_BIG: of the way out */
	__u32 nexthop;		/* 52: of the entry found, TOO_BIG and HOP_LIMIT; 0 none */
	__u32 budget;		/* 56: that paid for it, 0 none */
	__u32 pad;		/* 60 */
};				/* 64 */

/* skb->mark of a frame that the agent sends on the internal veth: kind in the top 4 bits, argument below. */
#define MARK_KIND_SHIFT		28
#define MARK_ARG_MASK		0x07ffffff
#define MARK_COMMIT		0x08000000	/* with MARK_OUTPUT: set the commit bit on the tunnel */
enum mark_kind {
	MARK_AS_IF_FROM_PORT = 1,	/* arg = port slot: normal look-up; a miss is DROP_REINJECT_MISS */
	MARK_OUTPUT = 2,		/* arg = nexthop */
};

/* ---- settings --------------------------------------------------------------------------------------------------- */

/*
 * One element, mmapable, the agent writes it. The first two fields stay where they are in all versions to come: an
 * agent reads them before it knows anything else of the tables. Version 1 had no compatible_version.
 */
struct settings {
	__u32 layout_version;	/*  0: 0 while the first agent makes the tables */
	__u32 compatible_version; /*  4: lowest LAYOUT_VERSION of an agent that may take over */
	__u32 vxlan_ifindex;	/*  8 */
	__u32 agent_ifindex;	/* 12: internal veth's receiving end */
	OTHER_FIELD(__u64 other_middle)
	__u16 vxlan_port;	/* 16: host order */
	__u16 mtu_always;	/* 18: octets of the longest packet that every way out takes, 0: MTU_ALWAYS */
	__u16 source_port_first; /* 20: of outer source ports, host order, as the tunnel device picks them */
	__u16 source_port_count; /* 22 */
	__u64 heartbeat_ns;	/* 24: CLOCK_MONOTONIC of the agent's last turn, see FENCE_SECONDS */
	__u64 digest_seed;	/* 32 */
	__u32 underlay_ifindex;	/* 40: where we put outer headers on and take them off ourselves, 0 nowhere */
	__be32 underlay_ipv4;	/* 44: our own address there */
};				/* 48 */

#if defined(__BPF__) && !defined(GENKAN_LAYOUT_OTHER)
#include "layout_sizes.h"
#endif

#endif
