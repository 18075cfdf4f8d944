/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Run by the agent itself, once a batch: adds the connections that stand in its share of `install` to the tables. The
 * kernel's own batched update knows no BPF_NOEXIST, and copies each entry from user memory on its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "flow_maps.h"

struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, INSTALL_WORKERS * INSTALL_BATCH);
	 __uint(map_flags, BPF_F_MMAPABLE); __type(key, __u32); __type(value, struct install); } install SEC(".maps");

/* Gives the number of entries added; the one after them was refused for its `error`, if it is not the end. */
SEC("syscall")
int install_new(struct install_run *run)
{
	__u32 i, at;

	for (i = 0; i < INSTALL_BATCH; i++) {
		struct install *entry;

		at = run->first + i;
		if (at >= run->end)
			break;
		entry = bpf_map_lookup_elem(&install, &at);
		if (!entry)
			break;
		if (run->is_ipv6)
			entry->error = bpf_map_update_elem(&conn6, entry->key, &entry->conn, BPF_NOEXIST);
		else
			entry->error = bpf_map_update_elem(&conn4, entry->key, &entry->conn, BPF_NOEXIST);
		if (entry->error)
			break;
	}
	return i;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
