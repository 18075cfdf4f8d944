// SPDX-License-Identifier: GPL-2.0
/* A program that the verifier refuses: it reads the packet without a look at its end. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int refused(struct __sk_buff *skb)
{
	__u8 *data = (__u8 *)(long)skb->data;

	return data[3];
}

char LICENSE[] SEC("license") = "GPL";
