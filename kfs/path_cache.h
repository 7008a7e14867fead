// The path cache: which directory the paths used lately led to, so that the next path into it need not go there name by
// name. What is kept is the way to the directory that a path's last component is looked up in: from this directory, for
// this owner and group, these bytes lead there. The last component itself is always looked up, so files come and go,
// change their modes, and are found or missed, without the cache knowing.
//
// An entry depends on the nodes that were passed on the way: that each stands where it stood and permits what it
// permitted. Whoever resolves a path marks them (path_cache_pass), and whoever takes a node from its place or changes its
// owner, group or mode says so (path_cache_changes): if the node is marked, all entries are void. A new name changes
// nothing, since nothing is ever put over an existing one. Ways through links are not kept, nor those through what is made
// for one lookup (node_synthesise) and may differ for the next.
//
// Entries hold no references: a node that ceases to be was taken from its place before, and the directory that a path
// begins at is not asked for once it is removed. There are few, each at the one place that its hash tells: a lookup and
// an addition are O(1). Needs the kernel lock.
#pragma once

#include "base/types.h"
#include "kfs/node.h"

enum { PATH_CACHE_LENGTH_MAX = 88 };

// What is looked for: 1 to PATH_CACHE_LENGTH_MAX bytes of path, behind which seven more can be read.
struct path_cache_key {
    const struct node *start;
    const struct process *caller;
    const char *bytes;
    size_t length;
};

struct path_cache_entry {
    uint64_t generation; // in which it was made: it is valid in no other
    const struct node *start;
    uint64_t who; // owner and group
    struct node *directory;
    uint16_t length;
    uint16_t components;                           // looked up on the way
    uint64_t tail;                                 // the last one to eight bytes of the path, uppermost
    uint64_t words[PATH_CACHE_LENGTH_MAX / 8 - 1]; // those before
};

extern uint64_t path_cache_generation;

// The entry, or null.
const struct path_cache_entry *path_cache_find(const struct path_cache_key *key);
// Keep it, in place of another perhaps. Start, directory, and all that was passed between them are stored and marked.
void path_cache_add(const struct path_cache_key *key, struct node *directory, unsigned components);

static inline void path_cache_pass(struct node *node) {
    node->passed = (uint32_t)path_cache_generation;
}

static inline void path_cache_changes(const struct node *node) {
    if (node->passed == (uint32_t)path_cache_generation) {
        path_cache_generation++;
    }
}

struct path_cache_stats {
    uint64_t found, added, voided;
};
struct path_cache_stats path_cache_get_stats(void);
