// Handles: how a process names objects. A handle is (object, rights, badge) in the process's table; its value is
// generation << 16 | index, positive as an i32, never 0, so that a stale value is refused instead of naming a successor.
// Lookup is one level: index to entry.
//
// Derivation: dup and give derive a handle from another, across processes. A handle that takes part has a place in the
// tree of its origin (struct lineage): below a place lies what was derived from it, so that revocation (stage 7) is a walk
// of what it revokes. When a handle goes while others derive from it, its place stays as long as it joins two or more;
// with one below, that one takes the place over. So closing is O(1), never makes a handle the descendant of one that it
// was not derived from, and no more places stand empty than handles are alive. A table keeps the place of one handle that was
// closed, so that opening and closing by turns allocates none.
//
// Entries never move while the table lives (places point to them), tables grow by chunks. Needs the kernel lock.
#pragma once

#include "kernel/object.h"

struct handle;

enum { HANDLE_VISIT_MAX = 256, HANDLE_CHUNK = 32 };

// What can be done with a handle, as far as fast paths ask. What has a byte of its own is found by a comparison with 0.
enum { HANDLE_CALL = 1, HANDLE_SERVE = 1 << 8, HANDLE_SEND = 1 << 16, HANDLE_SIGNAL = 1 << 24, HANDLE_TAKE = 2 << 24 };

struct lineage {
    struct handle *handle;  // null: gone, the place joins those below
    struct lineage *parent; // null: the origin
    struct list children;   // of struct lineage.siblings
    struct list siblings;
};

struct handle {
    struct object *object;      // null: free
    struct lineage *lineage;    // null: an origin from which nothing derives
    struct handle_table *table; // it is in
    struct list holder;         // in object->holders
    uint64_t badge;             // free entries: index + 1 of the next free one, 0 for none
    uint64_t value;             // free entries: what no handle with this index can have
    uint16_t generation;        // 1 to 0x7fff
    uint8_t rights;
    union {                 // what kind and rights say together; for the fast paths, who find the value first
        uint32_t abilities; // HANDLE_*
        uint8_t ability[4];
    };
};

// Whether it has this one, a constant.
[[gnu::always_inline]] static inline bool handle_can(const struct handle *handle, uint32_t ability) {
    switch (ability) {
    case HANDLE_CALL:
        return handle->ability[0] != 0;
    case HANDLE_SERVE:
        return handle->ability[1] != 0;
    case HANDLE_SEND:
        return handle->ability[2] != 0;
    default:
        return (handle->abilities & ability) != 0;
    }
}

struct handle_table {
    struct handle **chunk; // HANDLE_CHUNK entries each; null until used
    uint32_t chunk_capacity;
    uint32_t used;         // handles alive
    uint32_t fresh;        // entries ever used; those beyond are untouched
    uint32_t free_head;    // index + 1 of a free entry below fresh, 0 for none
    struct lineage *spare; // the place of a handle that was closed, for the next one that is derived; or null
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
// Visit handles: the first entry in use at or after *index, whose index is stored; null at the end, or after
// HANDLE_VISIT_MAX unused ones, when *index is where to go on: it is below table->fresh.
struct handle *handle_next(struct handle_table *table, uint32_t *index);
handle_t handle_value(const struct handle *handle, uint32_t index);
extern const struct handle handle_none; // has no value that anybody could name
// Close handles as far as *budget goes; true when the table is empty and its memory returned.
[[nodiscard]] bool handle_table_destroy(struct handle_table *table, unsigned *budget);
uint64_t handle_count(void); // alive, in all tables
