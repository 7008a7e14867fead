#include "kfs/entry.h"

#include "ipc/channel.h"
#include "kernel/panic.h"
#include "kfs/node.h"

// Bounded by ENTRY_DEPTH_MAX: where a directory lies deeper (after renames), nothing is added.
static bool too_deep(const struct node *directory) {
    for (unsigned depth = 1; depth < ENTRY_DEPTH_MAX; depth++) {
        if (directory->parent == nullptr) {
            return false;
        }
        directory = directory->parent;
    }
    return true;
}

static bool may_change(const struct node *directory, const struct process *caller) {
    return directory->kind != NODE_DIR || node_permits(directory, caller, MODE_WRITE | MODE_EXEC);
}

status_t entry_may_add(const struct walk *walk, const struct process *caller) {
    if (walk->node != nullptr) {
        return ERR_EXISTS;
    }
    if (walk->through_link) {
        return ERR_NOT_FOUND;
    }
    if (!may_change(walk->parent, caller)) {
        return ERR_ACCESS;
    }
    if (walk->parent->sealed || walk->parent->kind != NODE_DIR) {
        return ERR_READ_ONLY;
    }
    if (!node_name_valid(walk->name, walk->length)) {
        return ERR_INVALID;
    }
    return too_deep(walk->parent) ? ERR_NAME_TOO_LONG : 0;
}

status_t entry_may_take(const struct walk *walk, const struct process *caller) {
    if (walk->length == 0) {
        return ERR_BUSY;
    }
    if (!may_change(walk->parent, caller) || !node_owned(walk->node, caller)) {
        return ERR_ACCESS;
    }
    bool kernel = walk->node->sealed || walk->node->fixed;
    KASSERT(kernel || (!walk->parent->sealed && walk->parent->kind == NODE_DIR)); // below those, everything is sealed
    return kernel ? ERR_READ_ONLY : 0;
}

bool entry_encloses(const struct node *node, const struct node *directory) {
    for (unsigned depth = 0; directory != nullptr; depth++) {
        KASSERT(depth < ENTRY_DEPTH_MAX);
        if (directory == node) {
            return true;
        }
        directory = directory->parent;
    }
    return false;
}

void entry_remove(struct node *node) {
    if (node->kind == NODE_CHANNEL) {
        channel_set_removal(node->channel, nullptr, nullptr);
        channel_remove(node->channel);
    }
    node_unlink(node);
}
