/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Datagrams in pieces (RFC 791 section 3.2, RFC 8200 section 4.5). The first fragment leaves its ports in `fragment`;
 * a later one takes them from there, so that it has the conn key of its first one and meets the same entry. What comes
 * before its first one waits in the agent. Of each datagram every unit of 8 octets passes once: at the first overlap
 * the rest of it is dropped (RFC 5722), exact copies too, since only octets could tell them apart.
 */
#ifndef GENKAN_FRAGMENT_H
#define GENKAN_FRAGMENT_H

#include "flow.h"
#include "parse.h"
#include "upcall.h"

#define FRAGMENT_AWAIT	0x120	/* answer of on_fragment() beside 0 and drop reasons: nobody knows the first one yet */
#define UNIT_OCTETS	8

/* Where in its datagram a fragment stands. */
struct place {
	__u32 from;		/* units */
	__u32 octets;
	__u32 before;		/* octets that the whole datagram's length counts beside its payload */
	__u32 more;		/* more fragments follow */
	__u32 id;
};

/* Only its header is ever written, so its units stay zero. */
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1);
	 __type(key, __u32); __type(value, struct fragment); } fragment_blank SEC(".maps");

static __always_inline int read_place4(struct __sk_buff *skb, struct place *p)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, L3_AT, &ip, sizeof(ip)) < 0)
		return -DROP_TRUNCATED;
	p->id = bpf_ntohs(ip.id);
	p->from = bpf_ntohs(ip.frag_off) & IP_OFFSET_MASK;
	p->more = ip.frag_off & bpf_htons(IP_FLAG_MORE);
	p->before = ip.ihl * 4;
	p->octets = bpf_ntohs(ip.tot_len) - p->before;
	return 0;
}

static __always_inline int read_place6(struct __sk_buff *skb, struct flow *f, struct place *p)
{
	struct { __u8 next, reserved; __be16 place; __be32 id; } header;
	__u32 at = f->fragment_note;
	__be16 payload;

	if (bpf_skb_load_bytes(skb, at, &header, sizeof(header)) < 0 ||
	    bpf_skb_load_bytes(skb, L3_AT + offsetof(struct ipv6hdr, payload_len), &payload, sizeof(payload)) < 0)
		return -DROP_TRUNCATED;
	p->id = bpf_ntohl(header.id);
	p->from = bpf_ntohs(header.place) / UNIT_OCTETS;
	p->more = header.place & bpf_htons(1);
	p->before = at - L3_AT - sizeof(struct ipv6hdr);
	p->octets = bpf_ntohs(payload) - p->before - sizeof(header);
	return 0;
}

/*
 * All but the last hold whole units, and none reaches beyond the longest datagram: a total length of 65,535 octets (RFC
 * 791 section 3.1), a payload length of as many (RFC 8200 section 4.5).
 */
static __always_inline int read_place(struct __sk_buff *skb, struct flow *f, struct place *p)
{
	int rc = f->flags & FLOW_IPV6 ? read_place6(skb, f, p) : read_place4(skb, p);

	if (rc < 0)
		return rc;
	if (!p->octets || p->octets > 0xffff || p->from * UNIT_OCTETS + p->octets + p->before > 0xffff ||
	    (p->more && p->octets % UNIT_OCTETS))
		return -DROP_MALFORMED;
	return 0;
}

/* struct fragment_key in words, from those of the conn key; alike before and after join(). */
static __always_inline void fragment_words(struct flow *f, __u32 key_port, __u32 id, __u64 *key)
{
	key[0] = key_port | (__u64)id << 32;
	if (f->flags & FLOW_IPV6) {
		key[1] = f->key[0] >> 32 | f->key[1] << 32;
		key[2] = f->key[1] >> 32 | f->key[2] << 32;
		key[3] = f->key[2] >> 32 | f->key[3] << 32;
		key[4] = f->key[3] >> 32 | f->key[4] << 32;
		key[5] = 1 << 8;
	} else {
		key[1] = f->key[0] >> 32;
		key[2] = 0;
		key[3] = (__u32)f->key[1];
		key[4] = 0;
		key[5] = f->proto;
	}
}

static __always_inline __u64 digest_of(const __u64 *key)
{
	__u64 digest = digest_seed();
	int i;

#pragma unroll
	for (i = 0; i < (int)sizeof(struct fragment_key) / 8; i++)
		digest = mix(digest, key[i]);
	return digest;
}

static __always_inline int is_foreign(struct flow *f)
{
	return f->flags & (FLOW_OUTSIDE | FLOW_NAT_RETURN);
}

static __always_inline struct fragment *find_fragment(struct flow *f, __u64 *key)
{
	if (is_foreign(f))
		return bpf_map_lookup_elem(&fragment_outside, key);
	return bpf_map_lookup_elem(&fragment, key);
}

/*
 * Whose share of the table it is: the port's, or from anybody the source's (of IPv6 the network's, within which one
 * may have any address). Sources of one hash share; which ones do cannot be known outside.
 */
static __always_inline __u64 *share_of(struct flow *f)
{
	__u64 source = f->key[0] >> 32;
	__u32 at = f->key[0];

	if (!is_foreign(f))
		return bpf_map_lookup_elem(&fragment_share, &at);
	if (f->flags & FLOW_IPV6)
		source |= f->key[1] << 32;
	at = mix(digest_seed(), source) % FRAGMENT_SOURCES;
	return bpf_map_lookup_elem(&fragment_source, &at);
}

static __always_inline int take_share(struct flow *f, __u64 now)
{
	__u64 *arrival = share_of(f), due;

	if (!arrival)
		return 0;
	due = READ_ONCE(*arrival);
	/* signed: what was given back need not have been taken here, in a share that is younger than its datagrams */
	if ((__s64)(due - now) < 0)
		__sync_val_compare_and_swap(arrival, due, now);
	else if (due - now > (FRAGMENT_SHARE - 1) * FRAGMENT_SHARE_NS)
		return 0;
	__sync_fetch_and_add(arrival, FRAGMENT_SHARE_NS);
	return 1;
}

static __always_inline void give_back(struct flow *f)
{
	__u64 *arrival = share_of(f);

	if (arrival)
		__sync_fetch_and_add(arrival, -FRAGMENT_SHARE_NS);
}

/*
 * Unique for a while among all that leave this host for one destination and protocol (RFC 6864 section 4.3), whoever
 * sent it: counters that begin where nobody can guess.
 */
static __always_inline __be16 new_identification(struct flow *f)
{
	__u64 hash = mix(mix(digest_seed(), (__u32)f->key[1]), f->proto);
	__u32 at = hash % FRAGMENT_IDS, *counter = bpf_map_lookup_elem(&fragment_id, &at);
	__u16 id = counter ? __sync_fetch_and_add(counter, 1) + (hash >> 32) : 0;

	return id ?: 0xffff;
}

static __always_inline struct fragment *begin(struct flow *f, __u64 *key, __u64 tag, __u32 flags, int exists)
{
	__u32 zero = 0;
	struct fragment *blank = bpf_map_lookup_elem(&fragment_blank, &zero);
	__u64 how = exists ? BPF_ANY : BPF_NOEXIST;

	if (!blank)
		return NULL;
	blank->tag_head = tag;
	blank->tag_tail = tag;
	blank->created_ns = bpf_ktime_get_coarse_ns();
	blank->flags = flags;
	blank->id = f->flags & FLOW_IPV6 ? 0 : new_identification(f);
	/* one that came meanwhile on another CPU is as good */
	if (is_foreign(f))
		bpf_map_update_elem(&fragment_outside, key, blank, how);
	else
		bpf_map_update_elem(&fragment, key, blank, how);
	return find_fragment(f, key);
}

/* Gives 1 if a unit has come before. */
static __attribute__((noinline)) int mark_units(struct fragment *e, __u32 from, __u32 end)
{
	__u32 word = from / 64, i;
	__u64 mask;

	for (i = 0; i < FRAGMENT_WORDS; i++, word++) {
		if (word * 64 >= end)
			return 0;
		mask = ~0ULL;
		if (word == from / 64)
			mask <<= from % 64;
		if (end - word * 64 < 64)
			mask &= (1ULL << end % 64) - 1;
		if (__sync_fetch_and_or(&e->units[word % FRAGMENT_WORDS], mask) & mask)
			return 1;
	}
	return 0;
}

/* Notes what has come; the last fragment says how much there is. */
static __always_inline int watch(struct flow *f, struct fragment *e, struct place *p)
{
	__u32 end = p->from + (p->octets + UNIT_OCTETS - 1) / UNIT_OCTETS, total = READ_ONCE(e->total), seen;

	if (!p->more)
		total = __sync_val_compare_and_swap(&e->total, 0, end) ?: end;
	if (e->flags & FRAGMENT_F_OVERLAP || (total && (end > total || (!p->more && end != total))) ||
	    mark_units(e, p->from, end)) {
		__sync_fetch_and_or(&e->flags, FRAGMENT_F_OVERLAP);
		return -DROP_FRAGMENT_OVERLAP;
	}
	seen = __sync_fetch_and_add(&e->seen, end - p->from) + end - p->from;
	if (READ_ONCE(e->total) == seen)
		__sync_fetch_and_or(&e->flags, FRAGMENT_F_WHOLE);
	return 0;
}

/* The key of the whole datagram; transport headers stay where they are not (l4_at 0). */
static __always_inline int join(struct flow *f, __u32 ports, __u8 proto)
{
	__u8 type = ports >> 16;
	int v6 = !!(f->flags & FLOW_IPV6);

	f->fragment = FRAGMENT_FIRST;
	f->proto = proto;
	if (proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		/* what else ICMP says fits into one piece, and is read as one */
		if (v6 ? type != ICMP6_ECHO_REQUEST && type != ICMP6_ECHO_REPLY
		       : type != ICMP_ECHO_REQUEST && type != ICMP_ECHO_REPLY)
			return -DROP_FRAGMENT;
		f->flags |= FLOW_ICMP_ECHO;
	}
	if (v6) {
		f->key[4] = (__u32)f->key[4] | (__u64)ports << 32;
		f->key[5] = (f->key[5] & ~0xffffULL) | proto;
		seal(f, KEY6_WORDS);
	} else {
		f->key[1] = (__u32)f->key[1] | (__u64)ports << 32;
		f->key[2] = (f->key[2] & ~0xffffULL) | proto;
		seal(f, KEY4_WORDS);
	}
	return 0;
}

static __always_inline int first_fragment(struct __sk_buff *skb, struct flow *f, struct fragment *e)
{
	__u32 ports = f->key[f->flags & FLOW_IPV6 ? 4 : 1] >> 32;

	if (!(f->flags & FLOW_IPV6))
		f->fragment_note = e->id;
	*(half_t *)&e->sport = ports;
	e->proto = f->proto;
	if (__sync_fetch_and_or(&e->flags, FRAGMENT_F_FIRST) & FRAGMENT_F_AWAITED && !(f->flags & FLOW_FROM_AGENT))
		upcall(skb, f, UPCALL_FRAGMENT);
	return 0;
}

static __always_inline int later_fragment(struct flow *f, struct fragment *e, __u64 tag)
{
	__u64 tail = READ_ONCE(e->tag_tail);
	__u32 flags, ports;
	__be16 id;
	__u8 proto;

	barrier();
	flags = READ_ONCE(e->flags);
	ports = *(volatile half_t *)&e->sport;
	proto = READ_ONCE(e->proto);
	id = READ_ONCE(e->id);
	barrier();
	if (tail != tag || READ_ONCE(e->tag_head) != tag || !(flags & FRAGMENT_F_FIRST)) {
		if (f->flags & FLOW_FROM_AGENT)
			return -DROP_REINJECT_MISS;
		/* if the first one comes right now: the agent looks here again before it lets this one wait */
		__sync_fetch_and_or(&e->flags, FRAGMENT_F_AWAITED);
		return FRAGMENT_AWAIT;
	}
	if (!(f->flags & FLOW_IPV6))
		f->fragment_note = id;
	return join(f, ports, proto);
}

int on_fragment(struct __sk_buff *skb, struct flow *f);

/* Needs a parsed flow. Gives 0 if it has the key of the whole datagram now, FRAGMENT_AWAIT, or minus a drop reason. */
__attribute__((noinline)) int on_fragment(struct __sk_buff *skb, struct flow *f)
{
	__u64 key[sizeof(struct fragment_key) / 8], tag, now = bpf_ktime_get_coarse_ns();
	int from_agent, exists, rc;
	struct place p = {};
	struct fragment *e;

	if (!f)
		return -DROP_FRAGMENT;
	rc = read_place(skb, f, &p);
	if (rc < 0)
		return rc;
	from_agent = f->flags & FLOW_FROM_AGENT;
	fragment_words(f, f->key[0], p.id, key);
	tag = digest_of(key);
	e = find_fragment(f, key);
	exists = !!e;
	/* signed: another CPU may have begun it after our look at the clock */
	if (e && ((__s64)(now - e->created_ns) > (__s64)FRAGMENT_NS ||
		  (!from_agent && e->flags & (FRAGMENT_F_WHOLE | FRAGMENT_F_AGENT))))
		e = NULL;
	if (!e) {
		if (from_agent && p.from)
			return -DROP_REINJECT_MISS;
		if (!from_agent && !take_share(f, now))
			return -DROP_FRAGMENT_BUDGET;
		e = begin(f, key, tag, from_agent ? FRAGMENT_F_AGENT : 0, exists);
		if (!e)
			return -DROP_FRAGMENT_BUDGET;
	}
	if (!from_agent) {
		rc = watch(f, e, &p);
		if (rc < 0)
			return rc;
	}
	return p.from ? later_fragment(f, e, tag) : first_fragment(skb, f, e);
}

/*
 * `held` counts what of a datagram the agent has in hand, as a number of fragments that may come down again: the entry
 * must be there for them. What is whole, and of which the agent has nothing, leaves the table, and the share is free.
 */
__attribute__((noinline)) int settle_fragment(struct __sk_buff *skb, struct flow *f, __u32 key_port, int held)
{
	__u64 key[sizeof(struct fragment_key) / 8];
	struct place p = {};
	struct fragment *e;

	if (!f || read_place(skb, f, &p) < 0)
		return 0;
	fragment_words(f, key_port, p.id, key);
	e = find_fragment(f, key);
	if (!e || e->flags & FRAGMENT_F_AGENT)
		return 0;
	if (held)
		__sync_fetch_and_add(&e->held, held);
	if (READ_ONCE(e->held) || !(READ_ONCE(e->flags) & FRAGMENT_F_WHOLE))
		return 0;
	if (!(is_foreign(f) ? bpf_map_delete_elem(&fragment_outside, key) : bpf_map_delete_elem(&fragment, key)))
		give_back(f);
	return 0;
}

/* To the agent, from where it may come down again. */
static __always_inline int hand_up(struct __sk_buff *skb, struct flow *f, __u32 kind)
{
	int rc;

	if (likely(!f->fragment))
		return upcall(skb, f, kind);
	settle_fragment(skb, f, f->key[0], 1);
	rc = upcall(skb, f, kind);
	if (rc < 0)
		settle_fragment(skb, f, f->key[0], -1);
	return rc;
}

/* Of what comes in by a port or a tunnel: 0 to go on, else it is answered for. */
static __always_inline int pass_fragment(struct __sk_buff *skb, struct flow *f)
{
	int rc = on_fragment(skb, f);

	return rc == FRAGMENT_AWAIT ? hand_up(skb, f, UPCALL_FRAGMENT) : rc;
}

#endif
