// SPDX-License-Identifier: GPL-2.0
/* A program that touches each kind of map that Genkan.Datapath binds, for the tests of the binding alone. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct setting {
	__u32 add;
	__u32 unused;
};

struct counts {
	__u64 packets;
	__u64 octets;
};

struct record {
	__u32 len;
	__u32 mark;
};

struct observation {
	__u32 len;
	__u32 mark;
	__u32 gso_size;
	__u32 gso_segs;
	__u8 octets[1536];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct setting);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 600);
	__type(key, __u32);
	__type(value, struct counts);
} statistics SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 256);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

/* Counts the packet, adds settings[0].add to marks[mark], and sends a record to ring 0 if there is one. */
SEC("tc")
int interop(struct __sk_buff *skb)
{
	__u32 zero = 0, mark = skb->mark;
	__u64 first = 0, *sum;
	struct setting *setting = bpf_map_lookup_elem(&settings, &zero);
	struct counts *counts = bpf_map_lookup_elem(&statistics, &zero);
	void *ring = bpf_map_lookup_elem(&rings, &zero);
	struct record *record;

	if (!setting || !counts)
		return TC_ACT_SHOT;
	counts->packets++;
	counts->octets += skb->len;
	bpf_map_update_elem(&marks, &mark, &first, BPF_NOEXIST);
	sum = bpf_map_lookup_elem(&marks, &mark);
	if (sum)
		__sync_fetch_and_add(sum, setting->add);
	if (ring) {
		record = bpf_ringbuf_reserve(ring, sizeof(*record), 0);
		if (record) {
			record->len = skb->len;
			record->mark = mark;
			bpf_ringbuf_submit(record, 0);
		}
	}
	skb->cb[0] = setting->add;
#ifdef GENKAN_TEST
	skb->cb[4] = 0x7e57;
#endif
	return TC_ACT_OK;
}

/* Sends ring 1 what it sees: marks, segmentation and the first octets; then lets nobody else have the packet. */
SEC("tc")
int observe(struct __sk_buff *skb)
{
	__u32 one = 1, len = skb->len;
	void *ring = bpf_map_lookup_elem(&rings, &one);
	struct observation *seen;

	if (!ring)
		return TC_ACT_SHOT;
	seen = bpf_ringbuf_reserve(ring, sizeof(*seen), 0);
	if (!seen)
		return TC_ACT_SHOT;
	seen->len = skb->len;
	seen->mark = skb->mark;
	seen->gso_size = skb->gso_size;
	seen->gso_segs = skb->gso_segs;
	if (len > sizeof(seen->octets))
		len = sizeof(seen->octets);
	if (len > 0 && bpf_skb_load_bytes(skb, 0, seen->octets, len) < 0)
		seen->len = 0;
	bpf_ringbuf_submit(seen, 0);
	return TC_ACT_SHOT;
}

/* Drops everything. */
SEC("tc")
int shot(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
