#include "kernel/id_tree.h"

#include "kernel/panic.h"

static int height(const struct id_node *node) {
    return node == nullptr ? 0 : node->height;
}

static void height_set(struct id_node *node) {
    int left = height(node->child[0]);
    int right = height(node->child[1]);
    node->height = (left > right ? left : right) + 1;
}

// Put `to`, which may be null, where `from` hangs.
static void replace(struct id_tree *tree, struct id_node *from, struct id_node *to) {
    struct id_node *parent = from->parent;
    if (parent == nullptr) {
        tree->root = to;
    } else {
        parent->child[parent->child[1] == from] = to;
    }
    if (to != nullptr) {
        to->parent = parent;
    }
}

static void adopt(struct id_node *parent, int side, struct id_node *node) {
    parent->child[side] = node;
    if (node != nullptr) {
        node->parent = parent;
    }
}

// Lift node's child on this side into its place; returns the child.
static struct id_node *lift(struct id_tree *tree, struct id_node *node, int side) {
    struct id_node *child = node->child[side];
    replace(tree, node, child);
    adopt(node, side, child->child[!side]);
    adopt(child, !side, node);
    height_set(node);
    height_set(child);
    return child;
}

// Heights below node changed by at most one, and its own is what it was before: restore the balance from here up to where
// nothing changes.
static void rebalance(struct id_tree *tree, struct id_node *node) {
    for (; node != nullptr; node = node->parent) {
        int before = node->height;
        int lean = height(node->child[1]) - height(node->child[0]);
        if (lean >= -1 && lean <= 1) {
            height_set(node);
        } else {
            int side = lean > 0;
            struct id_node *child = node->child[side];
            if (height(child->child[!side]) > height(child->child[side])) {
                lift(tree, child, !side);
            }
            node = lift(tree, node, side);
        }
        if (node->height == before) {
            return;
        }
    }
}

void id_tree_insert(struct id_tree *tree, struct id_node *node) {
    struct id_node *parent = nullptr;
    struct id_node **place = &tree->root;
    while (*place != nullptr) {
        parent = *place;
        KASSERT(parent->id != node->id);
        place = &parent->child[node->id > parent->id];
    }
    node->child[0] = node->child[1] = nullptr;
    node->parent = parent;
    node->height = 1;
    *place = node;
    rebalance(tree, parent);
}

void id_tree_remove(struct id_tree *tree, struct id_node *node) {
    struct id_node *changed = node->parent; // the lowest node whose subtrees changed
    if (node->child[0] == nullptr || node->child[1] == nullptr) {
        replace(tree, node, node->child[node->child[0] == nullptr]);
    } else {
        struct id_node *next = node->child[1];
        while (next->child[0] != nullptr) {
            next = next->child[0];
        }
        changed = next;
        if (next != node->child[1]) {
            changed = next->parent;
            replace(tree, next, next->child[1]);
            adopt(next, 1, node->child[1]);
        }
        replace(tree, node, next);
        adopt(next, 0, node->child[0]);
        next->height = node->height;
    }
    node->parent = node->child[0] = node->child[1] = nullptr;
    rebalance(tree, changed);
}

struct id_node *id_tree_find(const struct id_tree *tree, uint64_t id) {
    struct id_node *node = tree->root;
    while (node != nullptr && node->id != id) {
        node = node->child[id > node->id];
    }
    return node;
}

struct id_node *id_tree_after(const struct id_tree *tree, uint64_t id) {
    struct id_node *after = nullptr;
    for (struct id_node *node = tree->root; node != nullptr;) {
        if (node->id > id) {
            after = node;
            node = node->child[0];
        } else {
            node = node->child[1];
        }
    }
    return after;
}
