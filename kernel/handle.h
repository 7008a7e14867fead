// Handles: how a process names objects. A handle is (object, rights, badge) in the process's table; its value is
// generation << 16 | index, positive as an i32, never 0, so that a stale value is refused instead of naming a successor.
// Lookup is one level: index to entry.
//
// Derivation: dup and give derive a handle from another, across processes. All handles of one origin form one list in
// preorder with depths: what follows a handle with greater depth, up to the first that is not deeper, is derived from
// it. A new one goes right behind its parent with depth max(parent + 1, depth of the next if that is the parent's
// descendant), so that insertion and removal are O(1) and revocation (stage 7) is a walk of what it revokes.
//
// Entries never move while the table lives (they are linked), tables grow by chunks. Needs the kernel lock.
#pragma once

#include "kernel/object.h"

struct handle {
    struct object *object;   // null: free
    struct list derivation;  // preorder list of one origin
    uint32_t depth;
    uint16_t generation;
    uint8_t rights;
    uint64_t badge; // free entries: index of the next free one
};

struct handle_table {
    struct handle **chunk; // HANDLE_CHUNK entries each; null until used
    uint32_t chunk_capacity;
    uint32_t used;      // handles alive
    uint32_t fresh;     // entries ever used; those beyond are untouched
    uint32_t free_head; // index of a free entry below fresh, 0 for none (index 0 is never given out)
};

// Put a new handle for object into the table. parent is what it derives from, null for an origin. On success the object
// has one more handle and reference. ERR_LIMIT at HANDLES_MAX, ERR_NO_MEMORY.
[[nodiscard]] status_t handle_insert(struct handle_table *table, struct object *object, uint32_t rights, uint64_t badge,
                                     struct handle *parent, handle_t *value);
// Find a handle. ERR_BAD_HANDLE.
[[nodiscard]] status_t handle_find(struct handle_table *table, handle_t value, struct handle **handle);
// Find a handle and check kind and rights, in that order: ERR_BAD_HANDLE, ERR_WRONG_KIND, ERR_RIGHTS. The object stays
// referenced by the handle only: take a reference before anything that can close it.
[[nodiscard]] status_t handle_get(struct handle_table *table, handle_t value, enum object_kind kind, uint32_t rights,
                                  struct object **object);
[[nodiscard]] status_t handle_close(struct handle_table *table, handle_t value);
// Visit handles: the first entry in use at or after *index, whose index is stored; null at the end.
struct handle *handle_next(struct handle_table *table, uint32_t *index);
handle_t handle_value(const struct handle *handle, uint32_t index);
// Close up to *budget handles; true when the table is empty and its memory returned.
[[nodiscard]] bool handle_table_destroy(struct handle_table *table, unsigned *budget);
