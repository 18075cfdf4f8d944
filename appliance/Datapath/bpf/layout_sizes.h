/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What C# counts on; the end of flow_types.h. */
#ifndef GENKAN_LAYOUT_SIZES_H
#define GENKAN_LAYOUT_SIZES_H

_Static_assert(sizeof(struct port) == 64, "port");
_Static_assert(sizeof(struct conn4_key) == 32, "conn4_key");
_Static_assert(sizeof(struct conn6_key) == 56, "conn6_key");
_Static_assert(sizeof(struct action) == 72, "action");
_Static_assert(sizeof(struct conn) == 128, "conn");
_Static_assert(offsetof(struct conn, tag_tail) == 120, "conn.tag_tail");
_Static_assert(sizeof(struct install) == 192, "install");
_Static_assert(offsetof(struct install, conn) == 64, "install.conn");
_Static_assert(sizeof(struct install_run) == 16, "install_run");
_Static_assert(sizeof(struct generation) == 16, "generation");
_Static_assert(sizeof(struct class_key) == 56, "class_key");
_Static_assert(sizeof(struct nexthop) == 40, "nexthop");
_Static_assert(sizeof(struct delivery) == 16, "delivery");
_Static_assert(sizeof(struct replication) == 132, "replication");
_Static_assert(sizeof(struct neighbour_key) == 24, "neighbour_key");
_Static_assert(sizeof(struct neighbour) == 8, "neighbour");
_Static_assert(sizeof(struct nat_owner_key) == 8, "nat_owner_key");
_Static_assert(sizeof(struct local_service_key) == 20, "local_service_key");
_Static_assert(sizeof(struct destination_key) == 24, "destination_key");
_Static_assert(sizeof(struct vtep_key) == 20, "vtep_key");
_Static_assert(sizeof(struct vtep) == 24, "vtep");
_Static_assert(sizeof(struct budget) == 136, "budget");
_Static_assert(offsetof(struct budget, control_arrival_ns) == 40, "budget lanes");
_Static_assert(offsetof(struct budget, copy_arrival_ns) == 80, "budget lanes");
_Static_assert(sizeof(struct flow_credit) == 16, "flow_credit");
_Static_assert(sizeof(struct upcall) == 64, "upcall");
_Static_assert(sizeof(struct fragment_key) == 48, "fragment_key");
_Static_assert(sizeof(struct fragment) == 1072, "fragment");
_Static_assert(sizeof(struct settings) == 48, "settings");
_Static_assert(offsetof(struct settings, layout_version) == 0, "settings.layout_version");
_Static_assert(offsetof(struct settings, compatible_version) == 4, "settings.compatible_version");
_Static_assert(sizeof(struct port_stats) == 48, "port_stats");

#endif
