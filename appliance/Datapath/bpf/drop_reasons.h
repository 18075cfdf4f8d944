/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why a packet was dropped. One number for C, C#, metric, CLI and REST: Genkan.Overlay.Flows.DropReason holds the same
 * names in PascalCase, and a convention test compares the two lists. Append only: numbers are kept in pinned tables.
 */
#ifndef GENKAN_DROP_REASONS_H
#define GENKAN_DROP_REASONS_H

enum drop_reason {
	DROP_NONE = 0,

	/* the packet itself */
	DROP_TRUNCATED = 1,		/* headers end before their own length */
	DROP_MALFORMED = 2,		/* version, header length, total length or extension header is wrong */
	DROP_BAD_CHECKSUM = 3,		/* IPv4 header or transport checksum, seen by the agent */
	DROP_MARTIAN = 4,		/* source or destination that may not be on a wire */
	DROP_NESTED_VLAN = 5,		/* more than one 802.1Q tag */
	DROP_VLAN_NOT_BOUND = 6,	/* tag without a port on this interface */
	DROP_FRAGMENT = 7,		/* later fragment that no first one vouches for */
	DROP_HOP_LIMIT = 8,		/* TTL or hop limit reached zero */
	DROP_TOO_BIG = 9,		/* longer than the MTU of the way out, DF set */
	DROP_FRAGMENT_OVERLAP = 10,	/* a fragment that overlaps another, and all that come after it */
	DROP_FRAGMENT_WAIT = 11,	/* its first fragment did not come in time, or the queue was full */
	DROP_FRAGMENT_BUDGET = 12,	/* share of datagrams in pieces (port, source outside), or of packets to cut */

	/* port and tunnel */
	DROP_PORT_UNKNOWN = 16,		/* interface is not bound to a port */
	DROP_PORT_DOWN = 17,		/* administratively down, or its interface is gone */
	DROP_VTEP_UNKNOWN = 18,		/* outer source is no host of ours */
	DROP_NO_GROUP_POLICY = 19,	/* VXLAN without the group-policy extension */
	DROP_TUNNEL_KEY_UNKNOWN = 20,	/* no delivery action in that slot */
	DROP_TUNNEL_KEY_STALE = 21,	/* the slot's generation has moved on */
	DROP_VXLAN_FROM_PORT = 22,	/* UDP to the VTEP port on a port that is not underlay */
	DROP_TUNNEL_LOOP = 23,		/* a packet from a tunnel would be tunnelled again */
	DROP_INTERFACE_GONE = 24,	/* next hop's interface does not exist */
	DROP_FENCED = 25,		/* from one external segment to another while no agent lives */

	/* slow path */
	DROP_BUDGET_PORT = 32,		/* first packets of new flows over the port's budget */
	DROP_BUDGET_DESTINATION = 33,	/* the same from outside, over the budget of the address they are for */
	DROP_BUDGET_CONTROL = 34,	/* ARP, ND, DHCP, ICMP for the agent, or control-plane policing */
	DROP_PENDING = 35,		/* the flow's first packet is still being simulated and its queue is full */
	DROP_RING_FULL = 36,		/* the agent does not keep up, or the kernel does not take back what it sends */
	DROP_CONN_TABLE_FULL = 37,	/* no room for the connection */
	DROP_REINJECT_MISS = 38,	/* re-injected packet found no flow: changed meanwhile */
	DROP_UPCALL_TOO_BIG = 39,	/* longer than the largest record, or than the agent writes */
	DROP_BUDGET_TENANT = 40,	/* new flows of all the tenant's ports are over its share of the agent */
	DROP_FLOW_QUOTA = 41,		/* port, tenant, source outside, or other hosts hold their share of the table */
	DROP_BUDGET_BROADCAST = 42,	/* copies of broadcast and multicast over the port's budget */

	/* uplink */
	DROP_NO_DESTINATION = 48,	/* from outside to no object of ours; multicast to nobody, or a bridge's own */
	DROP_NAT_NO_OWNER = 49,		/* NAT address, but no host owns that port block */
	DROP_NAT_NO_CONNECTION = 50,	/* NAT return without a connection here */
	DROP_NAT_NOT_OWNED = 51,	/* outgoing source (address, block) that the sending VTEP does not own */
	DROP_NOT_LOCAL_SERVICE = 52,	/* to the gateway's own address, but no such service */
	DROP_NO_ROUTE = 53,		/* FIB or virtual router has no route */
	DROP_ROUTE_BLACKHOLE = 54,
	DROP_ROUTE_REJECT = 55,
	DROP_NO_GATEWAY = 56,		/* no usable gateway host for the outside */
	DROP_NO_NEIGHBOUR = 57,		/* no port has that address of the network */

	/* decided by simulation */
	DROP_SECURITY_GROUP = 64,
	DROP_SPOOFED_MAC = 65,		/* not the port's, or that no station has */
	DROP_SPOOFED_ADDRESS = 66,
	DROP_SPOOFED_ARP = 67,		/* ARP sender is not the port's */
	DROP_SPOOFED_ND = 68,		/* ND target or source is not the port's */
	DROP_DHCP_SERVER = 69,		/* DHCP server message from a tenant port */
	DROP_ROUTER_ADVERTISEMENT = 70,	/* RA or redirect from a tenant port */
	DROP_RULE = 71,			/* a chain's drop rule */
	DROP_RULE_REJECT = 72,
	DROP_MAC_UNKNOWN = 73,		/* unicast to a MAC that is not known, or on an uplink in a frame to a group */
	DROP_DEVICE_LOOP = 74,		/* more devices than the limit */
	DROP_NAT_PORTS_EXHAUSTED = 75,
	DROP_NAT_QUOTA = 76,		/* the source holds its quota of ports */
	DROP_ETHERTYPE = 77,		/* not IPv4, IPv6 or ARP, and port security is on */
	DROP_NOT_FOR_US = 78,		/* unicast to a router's own address that no service takes */
	DROP_INGRESS_IS_EGRESS = 79,	/* destination is where it came from */
	DROP_INVALID_STATE = 80,	/* reply or ICMP error without a connection */
	DROP_NETWORK_DOWN = 81,		/* device administratively down */
	DROP_NO_LIST = 82,		/* too many replication lists or members */
	DROP_ANSWERED = 83,		/* consumed: answered (ARP, DHCP, ping); counted apart, never an error */
	DROP_NAT_PROTOCOL = 84,		/* source NAT does not translate it, or its sender has no public address */

	DROP_REASON_MAX = 96		/* size of the counters, not a reason */
};

#endif
