/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#include <linux/types.h>

struct settings { __u32 layout_version, compatible_version; __u64 heartbeat_ns, digest_seed; };
struct flow_key { __u32 port, zone; };
struct inner { __u8 mac[6]; __u16 small; __u32 list[3]; __s32 signed_number; };
struct conn {
	__u64 tag_head;
	struct inner action;
	__u64 packets, last_seen_ns, created_ns;
	__u32 only_in_a;
	__u8 tcp_seen;
	__u64 tag_tail;
};
struct counters { __u64 rx_packets, tx_packets; };

#include "generation.h"
