/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#include <linux/types.h>

struct settings { __u32 layout_version, compatible_version; __u64 digest_seed; __u32 only_in_b; __u64 heartbeat_ns; };
struct flow_key { __u32 zone; __u16 port, pad; };
struct inner { __s64 signed_number; __u32 small; __u8 mac[6]; __u16 pad; __u64 list[4]; };
struct conn {
	__u64 tag_tail;
	__u32 packets;
	__u32 tcp_seen;
	__u64 only_in_b, created_ns, last_seen_ns;
	struct inner action;
	__u64 tag_head;
};
struct counters { __u64 other; __u64 tx_packets; __u32 rx_packets; };

#include "generation.h"
