#include "kfs/tree.h"

#include "base/memory.h"
#include "base/str.h"
#include "kernel/panic.h"
#include "kfs/node.h"

enum { KERNEL_DIRECTORY_MODE = 0555 };

// The child with this name, made if it is missing. null: no memory.
static struct node *add_child(struct node *parent, const char *name, size_t length, uint32_t kind, uint32_t mode,
                              const struct tree_ops *ops) {
    struct node *child = node_child(parent, name, length);
    if (child != nullptr) {
        KASSERT(kind == NODE_DIR && child->kind == NODE_DIR);
        return child;
    }
    child = node_new(kind, mode, 0, 0);
    if (child == nullptr) {
        return nullptr;
    }
    child->sealed = true;
    child->ops = ops;
    node_link(parent, child, name, length);
    node_unref(child); // the tree's reference remains: nothing of the kernel's is ever removed
    return child;
}

static status_t add_entry(struct node *root, const struct tree_entry *entry) {
    struct node *at = root;
    const char *name = entry->path;
    for (;;) {
        const char *end = name;
        while (*end != '/' && *end != '\0') {
            end++;
        }
        bool last = *end == '\0';
        at = last ? add_child(at, name, (size_t)(end - name), entry->kind, entry->mode, entry->ops)
                  : add_child(at, name, (size_t)(end - name), NODE_DIR, KERNEL_DIRECTORY_MODE, nullptr);
        if (at == nullptr || last) {
            return at == nullptr ? ERR_NO_MEMORY : 0;
        }
        name = end + 1;
    }
}

status_t tree_build(struct node *root, const struct tree_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        status_t status = add_entry(root, &entries[i]);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

size_t tree_index(const char *const *names, size_t count, const char *name, size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            return i;
        }
    }
    return count;
}
