// Nodes: what the namespace is made of. A node has a kind, an owner, a mode, times, and is linked under at most one name
// in one directory. Two things hold a node: its link in the tree, and each open file or walk that names it; it goes with
// the last of them. A node taken out of the tree stays usable for whoever has it open.
//
// Children are found in O(1) by one hash over (directory, name). It grows by linear hashing: each insertion splits at
// most one bucket, so no operation ever rebuilds the table, and if there is no memory for a bigger one it stays as it is.
//
// Listing is in order of linking. Every link gets a cookie, larger than all before it; a directory keeps its children in
// a treap by cookie, so "the next after this cookie" is O(log n) whether or not the entry with that cookie still exists.
// Hence an entry that exists throughout a listing appears in it exactly once, whatever happens around it.
//
// Some nodes are not stored: a dynamic directory (tree.h) makes a node for each lookup. Such a node is never linked; it
// keeps its parent referenced, and its id is computed so that it is the same at each lookup.
//
// Needs the kernel lock.
#pragma once

#include "abi/abi.h"
#include "base/types.h"
#include "kernel/watch.h"

struct channel;
struct object;
struct pages;
struct process;
struct tree_ops;

// Where the ids of synthesised nodes begin: a channel's children (node id << 4), a process's directory (pid << 4).
enum : uint64_t { NODE_ID_CHANNEL = 1ull << 62, NODE_ID_PROCESS = 1ull << 63 };

struct node {
    uint64_t id;
    uint32_t references;
    uint32_t kind; // NODE_*
    uint32_t mode; // nine permission bits
    uint32_t owner, group;
    bool linked;      // in the tree, under parent and name
    bool removed;     // has been in the tree and is not any more
    bool fixed;       // part of the namespace's shape: neither removed nor renamed, but users may add to it
    bool sealed;      // belongs to the kernel: not changed, removed, or added to by users
    bool synthesised; // not stored: parent is referenced
    uint8_t name_length;
    uint32_t passed;            // by paths that the path cache knows: path_cache.h
    uint64_t created, modified; // nanoseconds since boot; modified: while it was not touched
    uint64_t opened, touched;   // stamps of the last time; 0: never
    struct node *parent;        // the directory; null for the root and for what was removed
    struct node *chain;         // next in its hash bucket
    struct node *left, *right;  // in its directory's treap
    uint64_t cookie;
    uint64_t hash;
    struct watched watched;     // see node_watched
    const struct tree_ops *ops; // kernel files, devices, dynamic directories, channels; else null
    union {
        struct {
            struct node *children; // root of the treap
            uint64_t count;
        } directory; // NODE_DIR
        struct {
            struct pages *pages; // null: no page was ever written
            uint64_t size;
        } file; // NODE_FILE
        struct {
            char *target; // zero-terminated
            size_t length;
        } link;                  // NODE_LINK
        struct channel *channel; // NODE_CHANNEL; referenced
        struct {
            struct object *held; // referenced, or null
            uint64_t key;
        } kernel; // NODE_KERNEL, NODE_DEVICE, and synthesised directories
    };
    char name[NAME_LEN_MAX + 1];
};

// A node that is not linked yet, with one reference. null: no memory.
[[nodiscard]] struct node *node_new(uint32_t kind, uint32_t mode, uint32_t owner, uint32_t group);
// A node of a dynamic directory, with one reference; parent and held get one each. held is null for a link, and only
// then.
[[nodiscard]] struct node *node_synthesise(struct node *parent, const char *name, uint32_t kind, uint32_t mode,
                                           uint32_t owner, uint32_t group, const struct tree_ops *ops, uint64_t id,
                                           struct object *held);
// Give a link its target. ERR_NO_MEMORY.
[[nodiscard]] status_t node_set_target(struct node *link, const char *target, size_t length);

static inline void node_ref(struct node *node) {
    node->references++;
}

void node_destroy(struct node *node); // node_unref's

// May free it; null is fine.
static inline void node_unref(struct node *node) {
    if (node != nullptr && --node->references == 0) {
        node_destroy(node);
    }
}

// Put a node under a name; the name is valid and free, and the directory is stored. The tree takes a reference. Cannot
// fail.
void node_link(struct node *directory, struct node *node, const char *name, size_t length);
// Take it out; a directory is empty. The tree's reference goes.
void node_unlink(struct node *node);
// Take it to another place, where node_link's conditions hold.
void node_move(struct node *node, struct node *directory, const char *name, size_t length);

// The child with this name, or null; of a stored directory. Not a new reference.
struct node *node_child(const struct node *directory, const char *name, size_t length);
// The first child with a greater cookie, or null; of a stored directory. Not a new reference.
struct node *node_after(const struct node *directory, uint64_t cookie);

// Whether names can be looked up below it.
static inline bool node_is_directory(const struct node *node) {
    return node->kind == NODE_DIR || node->kind == NODE_CHANNEL;
}
// Whether owner, group and mode let this process do it; want: MODE_* bits. The kernel (null) and user 0 may everything,
// but execute only what somebody may execute.
bool node_permits(const struct node *node, const struct process *caller, uint32_t want);
// Whether it may change the node itself: the owner and user 0.
bool node_owned(const struct node *node, const struct process *caller);
// Whether a name can be given to something: 1 to NAME_LEN_MAX bytes, neither "." nor "..", no slash, no control character.
bool node_name_valid(const char *name, size_t length);

void node_stat(const struct node *node, struct abi_stat *stat);
// The path from the root, zero-terminated; only the end of it, behind "...", if it does not fit.
void node_path(const struct node *node, char *text, size_t capacity);
void node_touch(struct node *node); // it was modified now
// Change who may do what with it.
void node_set_access(struct node *node, uint32_t owner, uint32_t group, uint32_t mode);
// What is watched by who watches the node: for a channel and what is below it, the channel; for what is below a process's
// directory, the process; else the node.
struct watched *node_watched(struct node *node);
// Tell those who watch it, which is stored. name may be null.
void node_raise_slow(struct node *node, uint32_t kind, uint64_t value, const char *name);
static inline void node_raise(struct node *node, uint32_t kind, uint64_t value, const char *name) {
    if (watched_is(&node->watched) || node->kind == NODE_CHANNEL) {
        node_raise_slow(node, kind, value, name);
    }
}

enum { NODE_KINDS = NODE_DEVICE + 1 };

struct node_stats {
    uint64_t alive[NODE_KINDS]; // by kind; synthesised ones while somebody has them
    uint64_t linked, created, destroyed;
    uint64_t buckets;
    uint64_t child_lookups, child_steps; // steps: nodes compared on the way
};
struct node_stats node_get_stats(void);
void node_init(void); // once, before the first node
