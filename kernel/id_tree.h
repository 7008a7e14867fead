// Things found by a number that was given out once: an ordered, balanced (AVL) tree whose nodes are embedded. Insertion,
// removal and both searches take O(log n) steps whatever numbers are in it, and need no memory. No locking.
#pragma once

#include "base/types.h"

struct id_node {
    struct id_node *child[2];
    struct id_node *parent;
    uint64_t id;
    int height; // of a leaf: 1
};

struct id_tree {
    struct id_node *root;
};

void id_tree_insert(struct id_tree *tree, struct id_node *node); // node->id is set and not in the tree
void id_tree_remove(struct id_tree *tree, struct id_node *node);
struct id_node *id_tree_find(const struct id_tree *tree, uint64_t id);  // or null
struct id_node *id_tree_after(const struct id_tree *tree, uint64_t id); // the next higher id, or null
