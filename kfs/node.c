#include "kfs/node.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "ipc/channel.h"
#include "kernel/include/arch.h"
#include "kernel/pages.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/slab.h"
#include "kernel/thread.h"
#include "kfs/path_cache.h"
#include "kfs/tree.h"

static_assert(sizeof(struct node) <= 256, "a node fills one slab object of 256 bytes");

// ---- the hash: linear hashing over chunks of buckets ----
//
// `buckets` is between `low` and 2 * low, low a power of two. Buckets below buckets - low have been split: they and
// their upper halves are addressed by one more bit of the hash. Chunks are one page each, and are never given back.

enum { CHUNK_BUCKETS = PAGE_SIZE / sizeof(struct node *), CHUNKS_MAX = 1024, BUCKETS_FIRST = CHUNK_BUCKETS };

static struct {
    struct node **chunk[CHUNKS_MAX];
    struct node *first[BUCKETS_FIRST]; // the buckets before any chunk: lookup works without memory
    uint64_t buckets, low;
    uint64_t secret, key; // so that nobody outside can choose names that fall into one bucket
    uint64_t next_id, next_cookie;
    struct node_stats stats;
} nodes;

static struct node **bucket_at(uint64_t index) {
    if (index < BUCKETS_FIRST) {
        return &nodes.first[index];
    }
    index -= BUCKETS_FIRST;
    return &nodes.chunk[index / CHUNK_BUCKETS][index % CHUNK_BUCKETS];
}

static struct node **bucket_of(uint64_t hash) {
    uint64_t index = hash & (2 * nodes.low - 1);
    return bucket_at(index < nodes.buckets ? index : index - nodes.low);
}

static uint64_t name_hash(const struct node *directory, const char *name, size_t length) {
    return hash_keyed(directory->id ^ nodes.secret, nodes.key, name, length);
}

// Split the next bucket if there are more nodes than buckets. Without memory, or at the greatest size, nothing happens.
static void hash_grow(void) {
    if (nodes.stats.linked <= nodes.buckets) {
        return;
    }
    uint64_t chunk = (nodes.buckets - BUCKETS_FIRST) / CHUNK_BUCKETS;
    if (chunk >= CHUNKS_MAX) {
        return;
    }
    if (nodes.chunk[chunk] == nullptr) {
        nodes.chunk[chunk] = slab_alloc(CHUNK_BUCKETS * sizeof(struct node *));
        if (nodes.chunk[chunk] == nullptr) {
            return;
        }
    }
    struct node **from = bucket_at(nodes.buckets - nodes.low);
    struct node **to = bucket_at(nodes.buckets); // empty: it has never been used
    while (*from != nullptr) {
        struct node *node = *from;
        if ((node->hash & nodes.low) == 0) {
            from = &node->chain;
            continue;
        }
        *from = node->chain;
        node->chain = *to;
        *to = node;
    }
    nodes.buckets++;
    if (nodes.buckets == 2 * nodes.low) {
        nodes.low = nodes.buckets;
    }
}

static void hash_insert(struct node *node) {
    node->hash = name_hash(node->parent, node->name, node->name_length);
    struct node **bucket = bucket_of(node->hash);
    node->chain = *bucket;
    *bucket = node;
    nodes.stats.linked++;
}

static void hash_remove(struct node *node) {
    struct node **at = bucket_of(node->hash);
    while (*at != node) {
        KASSERT(*at != nullptr);
        at = &(*at)->chain;
    }
    *at = node->chain;
    node->chain = nullptr;
    nodes.stats.linked--;
}

struct node *node_child(const struct node *directory, const char *name, size_t length) {
    uint64_t hash = name_hash(directory, name, length);
    nodes.stats.child_lookups++;
    for (struct node *node = *bucket_of(hash); node != nullptr; node = node->chain) {
        nodes.stats.child_steps++;
        if (node->hash == hash && node->parent == directory && node->name_length == length &&
            bytes_equal(node->name, name, length)) {
            return node;
        }
    }
    return nullptr;
}

// ---- the order of a directory: a treap by cookie, heap-ordered by a secret function of the cookie ----

static uint64_t treap_priority(const struct node *node) {
    return hash_u64(node->cookie ^ nodes.secret);
}

// A new child has the greatest cookie of all: its place is on the right edge.
static void treap_append(struct node *directory, struct node *node) {
    node->cookie = ++nodes.next_cookie;
    struct node **at = &directory->directory.children;
    while (*at != nullptr && treap_priority(*at) >= treap_priority(node)) {
        at = &(*at)->right;
    }
    node->left = *at;
    node->right = nullptr;
    *at = node;
}

static void treap_remove(struct node *directory, struct node *node) {
    struct node **at = &directory->directory.children;
    while (*at != node) {
        KASSERT(*at != nullptr);
        at = node->cookie < (*at)->cookie ? &(*at)->left : &(*at)->right;
    }
    struct node *left = node->left;
    struct node *right = node->right;
    while (left != nullptr && right != nullptr) {
        if (treap_priority(left) >= treap_priority(right)) {
            *at = left;
            at = &left->right;
            left = left->right;
        } else {
            *at = right;
            at = &right->left;
            right = right->left;
        }
    }
    *at = left != nullptr ? left : right;
}

struct node *node_after(const struct node *directory, uint64_t cookie) {
    struct node *best = nullptr;
    for (struct node *node = directory->directory.children; node != nullptr;) {
        if (node->cookie > cookie) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

// ---- life ----

void node_init(void) {
    nodes.low = BUCKETS_FIRST;
    nodes.buckets = BUCKETS_FIRST;
    nodes.secret = hash_u64(arch_time_now() ^ (uintptr_t)&nodes);
    nodes.key = hash_u64(nodes.secret) | 1;
}

struct node *node_new(uint32_t kind, uint32_t mode, uint32_t owner, uint32_t group) {
    struct node *node = slab_alloc(sizeof *node);
    if (node == nullptr) {
        return nullptr;
    }
    node->id = ++nodes.next_id;
    node->references = 1;
    node->kind = kind;
    node->mode = mode;
    node->owner = owner;
    node->group = group;
    node->created = arch_time_now();
    node->modified = node->created;
    nodes.stats.alive[kind]++;
    nodes.stats.created++;
    return node;
}

struct node *node_synthesise(struct node *parent, const char *name, uint32_t kind, uint32_t mode, uint32_t owner,
                             uint32_t group, const struct tree_ops *ops, uint64_t id, struct object *held) {
    struct node *node = node_new(kind, mode, owner, group);
    if (node == nullptr) {
        return nullptr;
    }
    node->id = id;
    node->synthesised = true;
    node->sealed = true;
    node->ops = ops;
    node->parent = parent;
    node_ref(parent);
    node->name_length = (uint8_t)str_copy(node->name, sizeof node->name, name);
    KASSERT((held == nullptr) == (kind == NODE_LINK));
    if (held != nullptr) {
        node->kernel.held = held;
        object_ref(held);
    }
    return node;
}

status_t node_set_target(struct node *link, const char *target, size_t length) {
    char *copy = slab_alloc(length + 1);
    if (copy == nullptr) {
        return ERR_NO_MEMORY;
    }
    memcpy(copy, target, length);
    link->link.target = copy;
    link->link.length = length;
    return 0;
}

void node_destroy(struct node *node) {
    KASSERT(!node->linked);
    if (node->kind == NODE_FILE && node->file.pages != nullptr) {
        object_unref(&node->file.pages->object);
    } else if (node->kind == NODE_LINK) {
        slab_free(node->link.target, node->link.length + 1);
    } else if (node->kind == NODE_CHANNEL) {
        object_unref(channel_object(node->channel));
    } else if (node->synthesised) {
        object_unref(node->kernel.held);
    }
    if (node->synthesised) {
        node_unref(node->parent);
    }
    watched_gone(&node->watched);
    nodes.stats.alive[node->kind]--;
    nodes.stats.destroyed++;
    slab_free(node, sizeof *node);
}

static void node_attach(struct node *directory, struct node *node, const char *name, size_t length) {
    KASSERT(directory->kind == NODE_DIR && !directory->synthesised && length > 0 && length <= NAME_LEN_MAX);
    hash_grow();
    memcpy(node->name, name, length);
    node->name[length] = '\0';
    node->name_length = (uint8_t)length;
    node->parent = directory;
    node->linked = true;
    treap_append(directory, node);
    hash_insert(node);
    directory->directory.count++;
    node_touch(directory);
    node_raise(directory, EVENT_CREATED, node->id, node->name);
}

static void node_detach(struct node *node) {
    KASSERT(node->linked);
    path_cache_changes(node);
    struct node *directory = node->parent;
    hash_remove(node);
    treap_remove(directory, node);
    directory->directory.count--;
    node_touch(directory);
    node->linked = false;
    node->parent = nullptr;
    node_raise(directory, EVENT_DELETED, node->id, node->name);
}

void node_link(struct node *directory, struct node *node, const char *name, size_t length) {
    KASSERT(!node->linked && !node->removed);
    node_attach(directory, node, name, length);
    node_ref(node);
}

void node_unlink(struct node *node) {
    KASSERT(node->kind != NODE_DIR || node->directory.count == 0);
    node_detach(node);
    node->removed = true;
    if (node->kind != NODE_CHANNEL) { // a channel tells of its removal itself
        node_raise(node, EVENT_REMOVED, node->id, nullptr);
    }
    node_unref(node);
}

void node_move(struct node *node, struct node *directory, const char *name, size_t length) {
    node_detach(node);
    node_attach(directory, node, name, length);
}

// ---- what a node tells ----

bool node_permits(const struct node *node, const struct process *caller, uint32_t want) {
    if (caller == nullptr || caller->owner == 0) {
        bool executes = (want & MODE_EXEC) != 0 && node->kind != NODE_DIR;
        return !executes || (node->mode & 0111) != 0;
    }
    unsigned shift = caller->owner == node->owner ? 6 : caller->group == node->group ? 3 : 0;
    return (node->mode >> shift & want) == want;
}

bool node_owned(const struct node *node, const struct process *caller) {
    return caller->owner == 0 || caller->owner == node->owner;
}

bool node_name_valid(const char *name, size_t length) {
    if (length == 0 || length > NAME_LEN_MAX) {
        return false;
    }
    if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'))) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte < 0x20 || byte == 0x7f || byte == '/') {
            return false;
        }
    }
    return true;
}

static uint64_t node_size(const struct node *node) {
    switch (node->kind) {
    case NODE_DIR:
        return node->synthesised ? 0 : node->directory.count;
    case NODE_FILE:
        return node->file.size;
    case NODE_LINK:
        return node->link.length;
    case NODE_CHANNEL: {
        struct channel_info info;
        channel_get_info(node->channel, &info);
        return info.inbound.queued + info.outbound.queued;
    }
    default:
        return 0;
    }
}

void node_stat(const struct node *node, struct abi_stat *stat) {
    *stat = (struct abi_stat){
        .id = node->id,
        .size = node_size(node),
        .created = node->created,
        .modified = node->touched != 0 ? arch_stamp_time(node->touched) : node->modified,
        .accessed = node->opened != 0 ? arch_stamp_time(node->opened) : node->created,
        .kind = node->kind,
        .mode = node->mode,
        .owner = node->owner,
        .group = node->group,
    };
}

void node_path(const struct node *node, char *text, size_t capacity) {
    KASSERT(capacity >= 8);
    size_t at = capacity - 1;
    text[at] = '\0';
    if (node->parent == nullptr) {
        str_copy(text, capacity, node->removed ? "(removed)" : "/");
        return;
    }
    for (; node->parent != nullptr; node = node->parent) {
        if (at < node->name_length + 4u) {
            at -= 3;
            memcpy(text + at, "...", 3);
            break;
        }
        at -= node->name_length;
        memcpy(text + at, node->name, node->name_length);
        text[--at] = '/';
    }
    memmove(text, text + at, capacity - at);
}

void node_touch(struct node *node) {
    node->touched = arch_stamp();
}

void node_set_access(struct node *node, uint32_t owner, uint32_t group, uint32_t mode) {
    path_cache_changes(node);
    node->owner = owner;
    node->group = group;
    node->mode = mode;
}

struct watched *node_watched(struct node *node) {
    if (node->kind == NODE_CHANNEL) {
        return &channel_object(node->channel)->watched;
    }
    bool stands_for = node->synthesised && node->kind != NODE_LINK;
    return stands_for ? &node->kernel.held->watched : &node->watched;
}

void node_raise_slow(struct node *node, uint32_t kind, uint64_t value, const char *name) {
    KASSERT(!node->synthesised);
    struct watched *watched = node_watched(node);
    if (watched_is(watched)) {
        watch_raise(watched, &(struct event){.kind = kind, .pid = thread_current_pid(), .value = value, .name = name});
    }
}

struct node_stats node_get_stats(void) {
    nodes.stats.buckets = nodes.buckets;
    return nodes.stats;
}
