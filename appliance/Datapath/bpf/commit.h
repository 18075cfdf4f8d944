/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The commit bit: the sender's host has admitted this packet as one of a connection's originator, so the way back must
 * be known here before the first reply comes in. The entry holds state alone; the agent decides about the reply itself.
 */
#ifndef GENKAN_COMMIT_H
#define GENKAN_COMMIT_H

#include "flow.h"
#include "parse.h"
#include "stats.h"

#define ERROR_TOO_BIG	-7	/* E2BIG: the table is at max_entries */
#define ERROR_NO_MEMORY	-12
#define COMMIT_L3_KEY	0x80000000	/* beside the key_port: MACs are zero in the key */

/* A conn is too large for the stack of a nested call. */
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1);
	 __type(key, __u32); __type(value, struct conn); } scratch SEC(".maps");

/* Source and destination swapped; of an echo, request and reply. */
static __always_inline __u32 reply_ports(struct flow *f, __u32 ports)
{
	__u32 type = ports >> 16 & 0xff;

	if (!(f->flags & FLOW_ICMP_ECHO))
		return ports >> 16 | ports << 16;
	if (f->flags & FLOW_IPV6)
		type ^= ICMP6_ECHO_REQUEST ^ ICMP6_ECHO_REPLY;
	else
		type ^= ICMP_ECHO_REQUEST ^ ICMP_ECHO_REPLY;
	return (ports & 0xff00ffff) | type << 16;
}

static __always_inline int reply_macs(struct __sk_buff *skb, __u64 *low, __u64 *high)
{
	void *data = data_of(skb);

	if (data + ETH_HLEN > end_of(skb))
		return -DROP_TRUNCATED;
	*low |= (__u64)*(half_t *)(data + 6) << 32;
	*high = *(__u16 *)(data + 10) | (__u64)*(half_t *)data << 16 | (__u64)*(__u16 *)(data + 4) << 48;
	return 0;
}

static __always_inline void reply_key4(struct flow *f, __u32 key_port, __u64 *key)
{
	key[0] = key_port | f->key[1] << 32;
	key[1] = f->key[0] >> 32 | (__u64)reply_ports(f, f->key[1] >> 32) << 32;
	key[2] = f->proto;
	key[3] = 0;
}

static __always_inline void reply_key6(struct flow *f, __u32 key_port, __u64 *key)
{
	__u64 src0 = f->key[0] >> 32 | f->key[1] << 32, src1 = f->key[1] >> 32 | f->key[2] << 32;
	__u64 dst0 = f->key[2] >> 32 | f->key[3] << 32, dst1 = f->key[3] >> 32 | f->key[4] << 32;

	key[0] = key_port | dst0 << 32;
	key[1] = dst0 >> 32 | dst1 << 32;
	key[2] = dst1 >> 32 | src0 << 32;
	key[3] = src0 >> 32 | src1 << 32;
	key[4] = src1 >> 32 | (__u64)reply_ports(f, f->key[4] >> 32) << 32;
	key[5] = f->proto;
	key[6] = 0;
}

/* Unsigned distance: `made` runs around. */
static __always_inline int has_credit(__u32 made, __u32 limit)
{
	return !limit || (int)(limit - made) > 0;
}

static __always_inline int may_add(struct flow_credit *credit, struct flow *f)
{
	return f->flags & FLOW_IPV6 ? has_credit(credit->made6, credit->limit6)
				    : has_credit(credit->made4, credit->limit4);
}

static __always_inline int add_state(void *table, __u64 *key, __u32 digest, __u64 now, __u64 how, __u32 *made,
				     __u32 *made_total)
{
	__u32 zero = 0;
	struct conn *c = bpf_map_lookup_elem(&scratch, &zero);
	long rc;

	if (!c)
		return 0;
	c->action.verdict = VERDICT_UPCALL;
	c->action.state = STATE_REPLY;
	c->created_ns = now;
	c->last_seen_ns = now;
	c->tag_head = (__u64)digest << 32 | (__u32)now;
	c->tag_tail = c->tag_head;
	rc = bpf_map_update_elem(table, key, c, how);
	if (!rc && how == BPF_NOEXIST) {
		__sync_fetch_and_add(made, 1);
		__sync_fetch_and_add(made_total, 1);
	}
	/* other failures are of the moment, and the connection's next packet tries again */
	return rc == ERROR_TOO_BIG || rc == ERROR_NO_MEMORY ? -DROP_CONN_TABLE_FULL : 0;
}

/*
 * A packet of the same tuple that came before the connection was refused as a stranger's. That verdict must not meet
 * the answers: state takes its place, and the agent decides anew.
 */
static __always_inline int hides_state(struct action *a)
{
	return a->verdict == VERDICT_DROP && a->state != STATE_REPLY;
}

int commit(struct __sk_buff *skb, struct flow *f, __u32 key_port);

/* Needs a parsed flow. Errors and later fragments start no connection. */
__attribute__((noinline)) int commit(struct __sk_buff *skb, struct flow *f, __u32 key_port)
{
	__u64 key[KEY6_WORDS], digest, now, how = BPF_NOEXIST;
	struct flow_credit *credit, *total;
	__u32 slot, all = 0;
	struct conn *c;
	int i, rc;

	if (!f || !(f->flags & FLOW_IP) || f->flags & (FLOW_ICMP_ERROR | FLOW_ND) || f->fragment == FRAGMENT_LATER)
		return 0;
	if (f->flags & FLOW_IPV6)
		reply_key6(f, key_port & ~COMMIT_L3_KEY, key);
	else
		reply_key4(f, key_port & ~COMMIT_L3_KEY, key);
	if (!(key_port & COMMIT_L3_KEY)) {
		rc = f->flags & FLOW_IPV6 ? reply_macs(skb, &key[5], &key[6]) : reply_macs(skb, &key[2], &key[3]);
		if (rc < 0)
			return rc;
	}
	c = f->flags & FLOW_IPV6 ? bpf_map_lookup_elem(&conn6, key) : bpf_map_lookup_elem(&conn4, key);
	if (likely(c)) {
		if (likely(!hides_state(&c->action))) {
			touch(c);
			return 0;
		}
		how = BPF_ANY;
	}
	slot = key_port & ~COMMIT_L3_KEY;
	credit = bpf_map_lookup_elem(&flow_credit, &slot);
	total = bpf_map_lookup_elem(&flow_credit, &all);
	if (!credit || !total)
		return -DROP_PORT_UNKNOWN;
	if (how == BPF_NOEXIST && !(may_add(credit, f) && may_add(total, f)))
		return -DROP_FLOW_QUOTA;
	now = bpf_ktime_get_coarse_ns();
	digest = digest_seed();
#pragma unroll
	for (i = 0; i < KEY4_WORDS; i++)
		digest = mix(digest, key[i]);
	if (!(f->flags & FLOW_IPV6))
		return add_state(&conn4, key, digest, now, how, &credit->made4, &total->made4);
#pragma unroll
	for (i = KEY4_WORDS; i < KEY6_WORDS; i++)
		digest = mix(digest, key[i]);
	return add_state(&conn6, key, digest, now, how, &credit->made6, &total->made6);
}

#endif
