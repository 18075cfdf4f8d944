/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The last step of every program. The kernel's test run shows neither where a packet would go nor its tunnel key, and
 * bpf_clone_redirect really sends, so the test build (GENKAN_TEST) writes both into cb[] and sends nothing:
 *   cb[0] drop reason | outcome << 8 | group policy << 16    cb[1] next hop, or count of copies
 *   cb[2] ifindex                  cb[3] tunnel key          cb[4] VLAN | port slot << 16
 * It also takes as input what a test run cannot give: cb[0] tunnel key | 1 << 31 (a tunnel packet), cb[1] group policy
 * | 1 << 31 (present), cb[2] outer IPv4 source, and a tag in the frame is first taken out as the kernel's receive path
 * does.
 */
#ifndef GENKAN_VERDICT_H
#define GENKAN_VERDICT_H

#include "flow.h"
#include "stats.h"

enum outcome {
	OUTCOME_DROP = 1,
	OUTCOME_PORT = 2,
	OUTCOME_PEER = 3,
	OUTCOME_TUNNEL = 4,
	OUTCOME_NEIGHBOUR = 5,	/* bpf_redirect_neigh on the host veth */
	OUTCOME_REPLICATE = 6,
	OUTCOME_LOCAL = 7,	/* into the host's own stack */
	OUTCOME_UPCALL = 8,
	OUTCOME_ANSWER = 9,
};

/*
 * By hand: the compiler likes to keep a pointer to cb[], and the verifier takes only offsets from the context
 * itself.
 */
#define CB(at)	"i"(offsetof(struct __sk_buff, cb) + 4 * (at))
#define CB_GET(skb, at) ({ __u32 cb_; \
	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(cb_) : "r"(skb), CB(at)); cb_; })
#define CB_SET(skb, at, value) ({ __u64 cb_ = (value); \
	asm volatile("*(u32 *)(%0 + %2) = %1" : : "r"(skb), "r"(cb_), CB(at)); })

#ifdef GENKAN_TEST
#define SHOW(skb, at, value)	CB_SET(skb, at, value)
#else
#define SHOW(skb, at, value)	do { } while (0)
#endif

static __always_inline void show_outcome(struct __sk_buff *skb, __u32 outcome, __u32 reason)
{
#ifdef GENKAN_TEST
	CB_SET(skb, 0, (CB_GET(skb, 0) & 0xffff0000) | outcome << 8 | reason);
#endif
}

/* Every way out of a program: counts a drop. */
static __always_inline int finish(struct __sk_buff *skb, __u32 slot, int rc)
{
	if (likely(rc >= 0))
		return rc;
	show_outcome(skb, OUTCOME_DROP, -rc);
	return drop(skb, slot, -rc);
}

static __always_inline int send_out(struct __sk_buff *skb, __u32 outcome, __u32 ifindex)
{
#ifdef GENKAN_TEST
	show_outcome(skb, outcome, 0);
	CB_SET(skb, 2, ifindex);
	return TC_ACT_REDIRECT;
#else
	if (outcome == OUTCOME_PEER)
		return bpf_redirect_peer(ifindex, 0);
	return bpf_redirect(ifindex, outcome == OUTCOME_LOCAL ? BPF_F_INGRESS : 0);
#endif
}

/* Start of a program in the test build: cb[] holds input, see above, and a tag is still in the frame. */
static __always_inline void test_start(struct __sk_buff *skb)
{
#ifdef GENKAN_TEST
	__u16 tag[2];

	CB_SET(skb, 0, 0);
	CB_SET(skb, 1, 0);
	CB_SET(skb, 2, 0);
	CB_SET(skb, 3, 0);
	CB_SET(skb, 4, 0);
	if (skb->vlan_present || skb->protocol != bpf_htons(ETH_P_8021Q) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN - 2, tag, sizeof(tag)) < 0)
		return;
	bpf_skb_vlan_pop(skb);
	bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), bpf_ntohs(tag[1]));
#endif
}

#endif
