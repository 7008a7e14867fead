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
    text_header(text, "linked created destroyed dirs files kernel channels links mounts devices buckets");
    text_u64(text, stats.linked);
    text_u64(text, stats.created);
    text_u64(text, stats.destroyed);
    text_u64(text, stats.alive[NODE_DIR]);
    text_u64(text, stats.alive[NODE_FILE]);
    text_u64(text, stats.alive[NODE_KERNEL]);
    text_u64(text, stats.alive[NODE_CHANNEL]);
    text_u64(text, stats.alive[NODE_LINK]);
    text_u64(text, stats.alive[NODE_MOUNT]);
    text_u64(text, stats.alive[NODE_DEVICE]);
    text_u64(text, stats.buckets);
}

static void lookups_snapshot(const struct node *, const struct process *, struct text *text) {
    struct walk_stats walks = walk_get_stats();
    struct node_stats nodes = node_get_stats();
    struct path_cache_stats cache = path_cache_get_stats();
    text_header(text, "paths failed components links child_lookups child_steps cache_found cache_added cache_voided");
    text_u64(text, walks.walks);
    text_u64(text, walks.failures);
    text_u64(text, walks.components);
    text_u64(text, walks.links);
    text_u64(text, nodes.child_lookups);
    text_u64(text, nodes.child_steps);
    text_u64(text, cache.found);
    text_u64(text, cache.added);
    text_u64(text, cache.voided);
}

static void opens_snapshot(const struct node *, const struct process *, struct text *text) {
    struct open_stats stats = open_get_stats();
    text_header(text, "opened failed created open");
    text_u64(text, stats.opens);
    text_u64(text, stats.failures);
    text_u64(text, stats.creations);
    text_u64(text, object_count(OBJECT_FILE));
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
