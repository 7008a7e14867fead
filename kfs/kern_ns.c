// /kern/ns/stats/{nodes,lookups,opens}: the namespace itself. See kfs/doc/ns.md.
#include "abi/abi.h"
#include "kernel/object.h"
#include "kfs/node.h"
#include "kfs/open.h"
#include "kfs/path_cache.h"
#include "kfs/text.h"
#include "kfs/tree.h"
#include "kfs/walk.h"

static void nodes_snapshot(const struct node *, const struct process *, struct text *text) {
    struct node_stats stats = node_get_stats();
    text_header(text, "linked", "created", "destroyed", "dirs", "files", "kernel", "channels", "links", "mounts",
                "devices", "buckets");
    text_numbers(text, stats.linked, stats.created, stats.destroyed, stats.alive[NODE_DIR], stats.alive[NODE_FILE],
                 stats.alive[NODE_KERNEL], stats.alive[NODE_CHANNEL], stats.alive[NODE_LINK], stats.alive[NODE_MOUNT],
                 stats.alive[NODE_DEVICE], stats.buckets);
}

static void lookups_snapshot(const struct node *, const struct process *, struct text *text) {
    struct walk_stats walks = walk_get_stats();
    struct node_stats nodes = node_get_stats();
    struct path_cache_stats cache = path_cache_get_stats();
    text_header(text, "paths", "failed", "components", "links", "child_lookups", "child_steps", "cache_found",
                "cache_added", "cache_voided");
    text_numbers(text, walks.walks, walks.failures, walks.components, walks.links, nodes.child_lookups,
                 nodes.child_steps, cache.found, cache.added, cache.voided);
}

static void opens_snapshot(const struct node *, const struct process *, struct text *text) {
    struct open_stats stats = open_get_stats();
    text_header(text, "opened", "failed", "created", "open");
    text_numbers(text, stats.opens, stats.failures, stats.creations, object_count(OBJECT_FILE));
}

static const struct tree_ops nodes_ops = {.snapshot = nodes_snapshot};
static const struct tree_ops lookups_ops = {.snapshot = lookups_snapshot};
static const struct tree_ops opens_ops = {.snapshot = opens_snapshot};

static const struct tree_entry entries[] = {
    {"kern/ns/stats/nodes", NODE_KERNEL, 0444, &nodes_ops},
    {"kern/ns/stats/lookups", NODE_KERNEL, 0444, &lookups_ops},
    {"kern/ns/stats/opens", NODE_KERNEL, 0444, &opens_ops},
};

status_t kern_ns_build(struct node *root) {
    return tree_build(root, entries, sizeof entries / sizeof entries[0]);
}
