// The tree of ids against a sorted array, and its balance whatever is taken out.
#include <criterion/criterion.h>
#include <stdlib.h>

#include "kernel/id_tree.h"
#include "property.h"

enum { NODES = 64 };

static int check(struct property *p, const struct id_node *node, const struct id_node *parent, uint64_t low,
                 uint64_t high) {
    if (node == nullptr) {
        return 0;
    }
    property_check(p, node->parent == parent);
    property_check(p, node->id >= low && node->id <= high);
    int left = check(p, node->child[0], node, low, node->id - 1);
    int right = check(p, node->child[1], node, node->id + 1, high);
    property_check(p, left - right >= -1 && left - right <= 1);
    int height = (left > right ? left : right) + 1;
    property_equal(p, node->height, height);
    return height;
}

static void is_a_sorted_set(struct property *p) {
    static struct id_node nodes[NODES];
    bool present[NODES] = {};
    struct id_tree tree = {};
    while (property_more(p, 120)) {
        unsigned i = (unsigned)property_choose(p, "id", NODES);
        if (present[i]) {
            id_tree_remove(&tree, &nodes[i]);
        } else {
            nodes[i].id = i + 1;
            id_tree_insert(&tree, &nodes[i]);
        }
        present[i] = !present[i];
        check(p, tree.root, nullptr, 1, NODES);
        uint64_t from = property_choose(p, "from", NODES + 2);
        struct id_node *after = nullptr;
        for (uint64_t id = from + 1; id <= NODES && after == nullptr; id++) {
            after = present[id - 1] ? &nodes[id - 1] : nullptr;
        }
        property_check(p, id_tree_after(&tree, from) == after);
        property_check(p, id_tree_find(&tree, from) ==
                              (from >= 1 && from <= NODES && present[from - 1] ? &nodes[from - 1] : nullptr));
    }
}

Test(id_tree, is_a_sorted_set) {
    cr_assert(property_run("id_tree_is_a_sorted_set", 1000, is_a_sorted_set));
}

Test(id_tree, ids_in_order_leave_it_low) {
    enum { MANY = 100000 };
    struct id_node *nodes = calloc(MANY, sizeof *nodes);
    struct id_tree tree = {};
    for (uint64_t i = 0; i < MANY; i++) {
        nodes[i].id = i + 1;
        id_tree_insert(&tree, &nodes[i]);
    }
    cr_assert_leq(tree.root->height, 24); // 1.44 log2(n)
    for (uint64_t i = 0; i < MANY; i += 2) {
        id_tree_remove(&tree, &nodes[i]);
    }
    cr_assert_leq(tree.root->height, 23);
    uint64_t id = 0, seen = 0;
    for (struct id_node *node; (node = id_tree_after(&tree, id)) != nullptr; id = node->id) {
        seen++;
    }
    cr_assert_eq(seen, MANY / 2);
    free(nodes);
}
