/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Small tables in two layouts, and a program that counts in them: what a migration must carry over, without the time
 * that the verifier takes for the real programs.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __uint(map_flags, BPF_F_MMAPABLE);
	 __type(key, __u32); __type(value, struct settings); } settings SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 2048);
	 __type(key, struct flow_key); __type(value, struct conn); } conn4 SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 4);
	 __type(key, __u32); __type(value, struct counters); } port_stats SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4);
	 __type(key, __u32); __type(value, __u64); } shared SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 16);
	 __type(key, struct flow_key); __type(value, __u64); } pending SEC(".maps");

SEC("tc")
int count(struct __sk_buff *skb)
{
	struct flow_key key = { .port = 1 };
	__u32 zero = 0;
	struct counters *counters = bpf_map_lookup_elem(&port_stats, &zero);
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);
	__u64 *both = bpf_map_lookup_elem(&shared, &zero), one = 1;
	struct conn *c = bpf_map_lookup_elem(&conn4, &key);

	if (!s || !s->digest_seed)
		return TC_ACT_OK;
	if (counters)
		counters->rx_packets++;
	if (both)
		__sync_fetch_and_add(both, 1);
	if (c) {
		__sync_fetch_and_add(&c->packets, 1);
		c->last_seen_ns = bpf_ktime_get_ns();
	}
	bpf_map_update_elem(&pending, &key, &one, BPF_ANY);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
