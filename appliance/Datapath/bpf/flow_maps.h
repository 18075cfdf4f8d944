/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The tables. Names are the pins' names. max_entries marked * are set by the loader from the host's memory. */
#ifndef GENKAN_FLOW_MAPS_H
#define GENKAN_FLOW_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "flow_types.h"

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct settings); } settings SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8192);
	 __type(key, struct link_key); __type(value, __u32); } link SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, PORT_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct port); } ports SEC(".maps");

/* * */
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 131072);
	 __type(key, struct conn4_key); __type(value, struct conn); } conn4 SEC(".maps");

/* * */
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 65536);
	 __type(key, struct conn6_key); __type(value, struct conn); } conn6 SEC(".maps");

/* * */
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 32768);
	 __type(key, struct class_key); __type(value, struct conn); } class SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, CLASS_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct generation); } generation SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, NEXTHOP_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct nexthop); } nexthop SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, DELIVERY_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct delivery); } delivery SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, REPLICATION_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct replication); } replication SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 65536);
	 __type(key, struct neighbour_key); __type(value, struct neighbour); } neighbour SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 262144); __uint(map_flags, BPF_F_NO_PREALLOC);
	 __type(key, struct nat_owner_key); __type(value, __u32); } nat_owner SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1024);
	 __type(key, struct local_service_key); __type(value, struct local_service); } local_service SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(max_entries, 65536); __uint(map_flags, BPF_F_NO_PREALLOC);
	 __type(key, struct destination_key); __type(value, struct destination); } destination SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16384);
	 __type(key, struct vtep_key); __type(value, struct vtep); } vtep SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, BUDGET_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct budget); } budget SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, PORT_MAX); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct flow_credit); } flow_credit SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, PORT_MAX);
	 __type(key, __u32); __type(value, struct port_stats); } port_stats SEC(".maps");

/* index = port slot * DROP_REASON_MAX + reason; slot 0 = no port (tunnel, agent) */
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, PORT_MAX * DROP_REASON_MAX);
	 __type(key, __u32); __type(value, __u64); } drop_stats SEC(".maps");

/* The same of what the agent decided; it alone writes. */
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, PORT_MAX * DROP_REASON_MAX);
	 __uint(map_flags, BPF_F_MMAPABLE); __type(key, __u32); __type(value, __u64); } agent_drops SEC(".maps");

/*
 * A cache: losing an entry costs one more simulation. Key: digest of the conn key; value: time << 8 | followers. Only
 * what a budget has admitted is written, and budgets admit fewer than this in PENDING_NS: nobody's is pushed out.
 */
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 65536);
	 __type(key, __u64); __type(value, __u64); } pending SEC(".maps");

/* Holds nothing: its BTF tells the next agent how the records look that the rings still hold. */
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);
	 __type(key, __u32); __type(value, struct upcall); } upcall_record SEC(".maps");

/*
 * Datagrams in pieces. A cache: losing an entry costs a datagram that is still on its way. What comes from anybody (by
 * an uplink, or back to a NAT address) has a map of its own, so that it cannot push out the tenants'; among those each
 * port has a share, among the others each source. Whole datagrams leave. *
 */
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 8192);
	 __type(key, struct fragment_key); __type(value, struct fragment); } fragment SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 8192);
	 __type(key, struct fragment_key); __type(value, struct fragment); } fragment_outside SEC(".maps");

/* GCRA of FRAGMENT_SHARE: theoretical arrival time by port slot, and by a secret hash of who sent it from outside. */
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, PORT_MAX);
	 __type(key, __u32); __type(value, __u64); } fragment_share SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, FRAGMENT_SOURCES);
	 __type(key, __u32); __type(value, __u64); } fragment_source SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, FRAGMENT_IDS);
	 __type(key, __u32); __type(value, __u32); } fragment_id SEC(".maps");

/*
 * One ring a CPU; the loader makes the inner maps: `upcall_control` gets ARP, ND, DHCP, ICMP errors, `upcall_data`
 * the rest.
 */
struct upcall_ring { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 262144); };

struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 256); __type(key, __u32);
	 __array(values, struct upcall_ring); } upcall_control SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 256); __type(key, __u32);
	 __array(values, struct upcall_ring); } upcall_data SEC(".maps");

#endif
