/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pinned tables outlive the agent, so the next one may have been built from another state of flow_types.h. The
 * kernel keeps the names of all fields (BTF), and Migration/TableMigration carries entries over by name, up and down.
 * That works as long as:
 * - a field whose meaning or unit changes gets a new name; so does a map whose array index changes its meaning;
 * - zero in a new field means "as before", since that is what an entry gets that was written without it;
 * - no name is used again for something else; order, offset and width are free, bit fields are not carried over.
 * Only what cannot be said by names (the digest, the meaning of all entries) raises LAYOUT_VERSION, and
 * COMPATIBLE_VERSION with it if agents before that must not take such tables over.
 */
#ifndef GENKAN_LAYOUT_H
#define GENKAN_LAYOUT_H

/*
 * Tests build all programs a second time with tables of another layout, and switch a host to and fro under traffic.
 * Fields are added, which moves those behind them, and widened. Keys that programs put together from words
 * stay, and struct action, which lies on the programs' stack: they have none to spare.
 */
#ifdef GENKAN_LAYOUT_OTHER
#define OTHER_FIELD(field)	field;
#define OTHER_WIDE(narrow, wide)	wide
#else
#define OTHER_FIELD(field)
#define OTHER_WIDE(narrow, wide)	narrow
#endif

#endif
