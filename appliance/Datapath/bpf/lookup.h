/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* From a key to an action: the exact table, then the masked one. */
#ifndef GENKAN_LOOKUP_H
#define GENKAN_LOOKUP_H

#include "flow.h"
#include "parse.h"
#include "upcall.h"

enum found {
	FOUND_NOTHING = 0,
	FOUND_STATE = 1,	/* an entry, but the agent decides: it is stale or holds state only */
	FOUND_ACTION = 2,
};

/*
 * An element of a preallocated map may become another flow's while we read it. Both tags are the same only if the copy
 * in between belongs to the key that we asked for.
 */
static __always_inline int take(struct conn *c, __u32 digest, struct action *action)
{
	__u64 tail = READ_ONCE(c->tag_tail);
	int i;

	barrier();
#pragma unroll
	for (i = 0; i < (int)(sizeof(*action) / 8); i++)
		((word_t *)action)[i] = ((volatile word_t *)&c->action)[i];
	barrier();
	return READ_ONCE(c->tag_head) == tail && tail >> 32 == digest;
}

/*
 * Hard generation: the entry is worth its state only. Soft: it serves on, and one packet of its class tells the
 * agent.
 */
static __always_inline int is_current(struct __sk_buff *skb, struct flow *f, struct action *action)
{
	struct generation *now;

	if (!action->class_id)
		return 1;
	now = bpf_map_lookup_elem(&generation, &action->class_id);
	if (unlikely(!now || READ_ONCE(now->hard) != action->generation))
		return 0;
	if (unlikely(READ_ONCE(now->soft) != action->soft && !now->revalidate && !(f->flags & FLOW_FROM_AGENT))) {
		now->revalidate = 1;
		f->class_id = action->class_id;
		f->state = action->state;
		if (upcall(skb, f, UPCALL_REVALIDATE) == -DROP_RING_FULL)
			now->revalidate = 0;
	}
	return 1;
}

/*
 * A reset whose sender goes on was not his (RFC 5961 section 3, RFC 7857 section 2), and a SYN begins another
 * connection under the same name. Two processors may lose a flag to each other; the next packet has its own. Without a
 * branch: the verifier walks each of them once more for each way to here.
 */
static __always_inline __u32 seen_with(__u32 seen, __u32 now)
{
	/* SYN stands below FIN, RST above */
	__u32 over = (~now & TCP_SEEN_RST) | (now << 1 & ~(now >> 1) & TCP_SEEN_FIN);

	return (seen & ~over) | now;
}

static __always_inline void count_flow(struct __sk_buff *skb, struct flow *f, struct conn *c)
{
	__u32 seen;

	__sync_fetch_and_add(&c->packets, packets_of(skb));
	__sync_fetch_and_add(&c->octets, skb->len);
	touch(c);
	seen = seen_with(c->tcp_seen, f->tcp_seen);
	if (seen != c->tcp_seen)
		c->tcp_seen = seen;
}

static __always_inline int judge(struct __sk_buff *skb, struct flow *f, struct conn *c, __u32 digest,
				 struct action *action)
{
	if (unlikely(!take(c, digest, action)))
		return FOUND_NOTHING;
	f->state = action->state;
	if (unlikely(action->verdict == VERDICT_UPCALL || !is_current(skb, f, action)))
		return FOUND_STATE;
	count_flow(skb, f, c);
	return FOUND_ACTION;
}

static __always_inline int find_conn(struct __sk_buff *skb, struct flow *f, struct action *action)
{
	struct conn *c;

	if (unlikely(!(f->flags & FLOW_IP)))
		return FOUND_NOTHING;
	if (f->flags & FLOW_IPV6)
		c = bpf_map_lookup_elem(&conn6, f->key);
	else
		c = bpf_map_lookup_elem(&conn4, f->key);
	if (!c)
		return FOUND_NOTHING;
	return judge(skb, f, c, f->digest, action);
}

/*
 * The key of one mask, from the words of the conn key. In words: port | ethertype, mask, proto; dport, fragment, pad,
 * dmac; smac, pad .. see struct class_key: MACs at 12 and 18, addresses at 24 and 40.
 */
static __always_inline void class_key_of(struct flow *f, __u32 mask, __u64 *key)
{
	int v6 = !!(f->flags & FLOW_IPV6), l4 = mask == MASK_L4_DST;
	__u64 low = v6 ? f->key[5] : f->key[2], high = v6 ? f->key[6] : f->key[3];
	__u64 ports = f->key[v6 ? 4 : 1] >> 32;
	int i;

	key[0] = (__u32)f->key[0] | (__u64)f->ethertype << 32 | (__u64)mask << 48 | (__u64)(l4 ? f->proto : 0) << 56;
	key[1] = l4 ? ports >> 16 | (__u64)(f->fragment & FRAGMENT_LATER) << 16 : 0;
#pragma unroll
	for (i = 2; i < CLASS_WORDS; i++)
		key[i] = 0;
	if (mask == MASK_ETHERTYPE)
		return;
	key[1] |= low & 0xffffffff00000000ULL;
	key[2] = high;
	if (mask == MASK_L2 || !(f->flags & FLOW_IP))
		return;
	if (v6) {
		key[5] = f->key[2] >> 32 | f->key[3] << 32;
		key[6] = f->key[3] >> 32 | f->key[4] << 32;
	} else {
		key[5] = (__u32)f->key[1];
	}
	if (mask == MASK_L3_DST)
		return;
	if (v6) {
		key[3] = f->key[0] >> 32 | f->key[1] << 32;
		key[4] = f->key[1] >> 32 | f->key[2] << 32;
	} else {
		key[3] = f->key[0] >> 32;
	}
}

/* `masks` says which kinds of class the port has at all, so a port without classes pays nothing. */
static __attribute__((noinline)) int find_class(struct __sk_buff *skb, struct flow *f, __u32 masks,
						struct action *action)
{
	__u64 key[CLASS_WORDS], digest;
	__u32 mask;
	struct conn *c;
	int i, found;

	for (mask = 0; mask < CLASS_MASKS; mask++) {
		if (!(masks & 1 << mask) || (mask > MASK_L2 && !(f->flags & FLOW_IP)))
			continue;
		class_key_of(f, mask, key);
		c = bpf_map_lookup_elem(&class, key);
		if (!c)
			continue;
		digest = digest_seed();
#pragma unroll
		for (i = 0; i < CLASS_WORDS; i++)
			digest = mix(digest, key[i]);
		found = judge(skb, f, c, digest, action);
		if (found == FOUND_ACTION)
			return found;
	}
	return FOUND_NOTHING;
}

static __always_inline int find(struct __sk_buff *skb, struct flow *f, __u32 masks, struct action *action)
{
	int found = find_conn(skb, f, action);

	if (likely(found != FOUND_NOTHING) || likely(!masks))
		return found;
	return find_class(skb, f, masks, action);
}

#endif
