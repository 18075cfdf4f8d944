/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ingress of the collect-metadata VXLAN device. The sender has simulated and rewritten the packet; its key names what
 * is left to do here.
 */
#include "flow.h"
#include "tunnel.h"
#include "verdict.h"

static __always_inline int read_outer(struct __sk_buff *skb, struct tunnel *t)
{
	struct bpf_tunnel_key key = {};
	__u32 group_policy = 0;

	if (likely(bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0) == 0)) {
		*(half_t *)t->from.address = bpf_htonl(key.remote_ipv4);
	} else {
		if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6) < 0)
			return -DROP_VTEP_UNKNOWN;
		t->from.is_ipv6 = 1;
		__builtin_memcpy(t->from.address, key.remote_ipv6, sizeof(t->from.address));
	}
	t->key = key.tunnel_id;
	/* struct vxlan_metadata: the policy in the lower 16 bits; there is none without the extension */
	if (bpf_skb_get_tunnel_opt(skb, &group_policy, sizeof(group_policy)) == sizeof(group_policy))
		t->group_policy = group_policy;
	return 0;
}

static __always_inline int read_tunnel(struct __sk_buff *skb, struct tunnel *t)
{
#ifdef GENKAN_TEST
	if (CB_GET(skb, 0) & 0x80000000) {
		t->key = CB_GET(skb, 0) & 0xffffff;
		t->group_policy = CB_GET(skb, 1) & 0x80000000 ? CB_GET(skb, 1) & 0xffff : 0;
		*(half_t *)t->from.address = CB_GET(skb, 2);
		return 0;
	}
#endif
	return read_outer(skb, t);
}

SEC("tc")
int from_tunnel(struct __sk_buff *skb)
{
	struct tunnel t = {};
	struct flow f = {};
	struct vtep *sender;
	int rc;

	rc = read_tunnel(skb, &t);
	test_start(skb);
	if (unlikely(rc < 0))
		return finish(skb, 0, rc);
	sender = bpf_map_lookup_elem(&vtep, &t.from);
	if (unlikely(!sender))
		return finish(skb, 0, -DROP_VTEP_UNKNOWN);
	rc = tunnel_packet(skb, &f, &t, sender);
	return finish(skb, f.slot, rc);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
