/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What may be asked of the agent and of the tables; part of flow_types.h. */
#ifndef GENKAN_BUDGET_TYPES_H
#define GENKAN_BUDGET_TYPES_H

/*
 * GCRA (virtual scheduling) in three lanes: first packets of flows, control packets, copies of broadcasts; so that a
 * flood of new flows does not silence the ARP and DHCP of the same port. Each lane has theoretical arrival time
 * (program's), interval (agent's: 10^9 / rate; 0 = unlimited), burst (agent's: burst x interval), units admitted and
 * packets refused (program's). What the budget itself admits is asked of its parent too. mmapable.
 */
struct budget {
	OTHER_FIELD(__u64 other_first)
	__u64 arrival_ns;		/*   0 */
	__u64 interval_ns;		/*   8 */
	__u64 burst_ns;			/*  16 */
	__u64 admitted;			/*  24 */
	__u64 refused;			/*  32 */
	__u64 control_arrival_ns;	/*  40 */
	__u64 control_interval_ns;	/*  48 */
	__u64 control_burst_ns;		/*  56 */
	__u64 control_admitted;		/*  64 */
	__u64 control_refused;		/*  72 */
	__u64 copy_arrival_ns;		/*  80 */
	__u64 copy_interval_ns;		/*  88 */
	__u64 copy_burst_ns;		/*  96 */
	__u64 copy_admitted;		/* 104 */
	__u64 copy_refused;		/* 112 */
	__u64 owner;			/* 120: agent's: ObjectId of what it belongs to, port slots apart */
	__u32 parent;			/* 128: agent's: index of the total that it counts in, 0 none */
	__u32 pad;			/* 132 */
};					/* 136 */

/*
 * Credit for the state-only entries that deliveries make for the key port (commit.h): `made` runs (program's), the
 * agent moves `limit` ahead of it by the room that the port's share of the table has. 0 = unlimited. Slot 0, which is
 * no port's, holds those of all ports together. mmapable.
 */
struct flow_credit {
	__u32 made4, limit4;	/* 0, 4 */
	__u32 made6, limit6;	/* 8, 12 */
};				/* 16 */

#endif
