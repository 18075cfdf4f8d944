/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Receiving end of the internal veth: frames that the agent sends, whole as it got them (segmentation and partial
 * checksums survive AF_PACKET with a virtio header). The mark says what to do; nothing goes back up from here but a
 * flow's first packet that is too big for its way out, which only now is known.
 */
#define GENKAN_FROM_AGENT
#include "deliver.h"
#include "flow.h"
#include "fragment.h"
#include "lookup.h"
#include "parse.h"
#include "uplink.h"
#include "verdict.h"

/* What came for a NAT address and waited, or was cut, in the agent: no connection of the uplink's has it. */
static __always_inline int steer_again(struct __sk_buff *skb, struct flow *f, __u32 key_port)
{
	struct action action;
	int rc = steer(skb, f, f->slot);

	if (f->fragment)
		settle_fragment(skb, f, key_port, -1);
	if (rc < 0 || (rc != STEER_DELIVER && rc != STEER_CLASS))
		return rc;
	if (rc != STEER_DELIVER)
		return -DROP_REINJECT_MISS;
	if (find_conn(skb, f, &action) != FOUND_ACTION)
		return -DROP_REINJECT_MISS;
	return forward(skb, f, &action);
}

static __always_inline int as_if_from_port(struct __sk_buff *skb, struct flow *f, __u32 slot)
{
	struct port *port = bpf_map_lookup_elem(&ports, &slot);
	struct action action;
	int rc;

	if (unlikely(!port || port->kind == PORT_UNUSED))
		return -DROP_PORT_UNKNOWN;
	f->slot = slot;
	f->budget = port->budget;
	f->flags |= FLOW_REINJECTED;
	/* what entered by a pseudo port came through a tunnel */
	if (port->kind == PORT_PSEUDO)
		f->flags |= FLOW_FROM_TUNNEL | (port->flags & PORT_F_L3_KEY ? FLOW_NAT_RETURN : 0);
	else if (port->kind == PORT_UPLINK)
		f->flags |= FLOW_OUTSIDE;
	rc = parse(skb, f, port->key_port, port->flags & PORT_F_L3_KEY);
	if (unlikely(rc < 0))
		return rc;
	if (f->fragment) {
		rc = on_fragment(skb, f);
		if (rc < 0)
			return rc;
	}
	rc = find(skb, f, port->class_masks, &action);
	if (rc == FOUND_NOTHING && port->kind == PORT_UPLINK)
		return steer_again(skb, f, port->key_port);
	return rc == FOUND_ACTION ? forward(skb, f, &action) : -DROP_REINJECT_MISS;
}

/* The agent has done all rewriting; a FIB exit needs to know the headers. */
static __always_inline int output_as_is(struct __sk_buff *skb, struct flow *f, __u32 argument)
{
	int rc = parse(skb, f, 0, 1);

	if (unlikely(rc < 0))
		return rc;
	return output(skb, f, argument & MARK_ARG_MASK, !!(argument & MARK_COMMIT));
}

static __always_inline int agent_packet(struct __sk_buff *skb, struct flow *f)
{
	__u32 mark = skb->mark;
	int rc;

	skb->mark = 0;
	f->flags = FLOW_FROM_AGENT;
	rc = parse_ethernet(skb, f);
	if (unlikely(rc < 0))
		return rc;
	switch (mark >> MARK_KIND_SHIFT) {
	case MARK_AS_IF_FROM_PORT:
		return as_if_from_port(skb, f, mark & MARK_ARG_MASK);
	case MARK_OUTPUT:
		return output_as_is(skb, f, mark);
	default:
		return -DROP_REINJECT_MISS;
	}
}

SEC("tc")
int from_agent(struct __sk_buff *skb)
{
	struct flow f = {};
	int rc;

	test_start(skb);
	rc = agent_packet(skb, &f);
	return finish(skb, f.slot, rc);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
