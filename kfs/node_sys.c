#include "abi/calls.h"
#include "base/memory.h"
#include "base/str.h"
#include "ipc/channel.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/argument.h"
#include "kfs/channel_node.h"
#include "kfs/entry.h"
#include "kfs/file.h"
#include "kfs/node.h"
#include "kfs/tree.h"
#include "kfs/walk.h"

enum {
    LIST_MAX = 16, // entries given by one call
    LINK_MODE = 0777,
    RIGHTS_CHANGE = RIGHT_READ | RIGHT_WRITE,
};

// Decode a directory handle and a path, and resolve it.
static status_t find(struct thread *self, handle_t dir, uint32_t rights, user_ptr_t path, uint64_t length,
                     unsigned flags, struct walk *walk) {
    struct file *start;
    struct handle *handle;
    status_t status = argument_file(self, dir, rights, &start, &handle);
    if (status < 0) {
        return status;
    }
    const char *text;
    status = argument_path(path, length, &text);
    if (status < 0) {
        return status;
    }
    return walk_path(start->node, self->process, text, length, flags, walk);
}

long sys_stat(struct thread *self, handle_t dir, user_ptr_t path, uint64_t path_len, user_ptr_t stat) {
    struct walk walk;
    status_t status = find(self, dir, RIGHT_READ, path, path_len, WALK_NOFOLLOW, &walk);
    if (status < 0) {
        return status;
    }
    struct abi_stat record;
    node_stat(walk.node, &record);
    walk_done(&walk);
    return user_copy_out(stat, &record, sizeof record);
}

// ---- list ----

// The entry after the cookie, referenced, and its own cookie. ERR_NOT_FOUND at the end.
static status_t next_entry(struct node *directory, const struct process *caller, uint64_t *cookie,
                           struct node **child) {
    if (directory->ops != nullptr) {
        return directory->ops->next(directory, caller, cookie, child);
    }
    struct node *node = node_after(directory, *cookie);
    if (node == nullptr) {
        return ERR_NOT_FOUND;
    }
    node_ref(node);
    *cookie = node->cookie;
    *child = node;
    return 0;
}

static status_t copy_entry(const struct node *node, uint64_t cookie, user_ptr_t to) {
    struct abi_dirent entry = {.cookie = cookie, .name_len = node->name_length};
    node_stat(node, &entry.stat);
    memcpy(entry.name, node->name, node->name_length);
    return user_copy_out(to, &entry, sizeof entry);
}

long sys_list(struct thread *self, handle_t dir, uint64_t cookie, user_ptr_t entries, uint32_t count) {
    if (count == 0) {
        return ERR_INVALID;
    }
    struct file *file;
    struct handle *handle;
    status_t status = argument_file(self, dir, 0, &file, &handle);
    if (status < 0) {
        return status;
    }
    struct node *directory = file->node;
    if (!node_is_directory(directory)) {
        return ERR_NOT_DIR;
    }
    if ((handle->rights & RIGHT_READ) == 0) {
        return ERR_RIGHTS;
    }
    if (directory->kind == NODE_DIR && !node_permits(directory, self->process, MODE_READ)) {
        return ERR_ACCESS;
    }
    if (directory->removed) {
        return ERR_REMOVED;
    }
    uint32_t given = 0;
    for (; given < count && given < LIST_MAX; given++) {
        struct node *child;
        status = next_entry(directory, self->process, &cookie, &child);
        if (status == ERR_NOT_FOUND) {
            break;
        }
        if (status == 0) {
            status = copy_entry(child, cookie, (user_ptr_t){entries.va + given * sizeof(struct abi_dirent)});
            node_unref(child);
        }
        if (status < 0) {
            return status;
        }
    }
    return given;
}

// ---- make ----

// A new directory or link, not linked yet.
static status_t new_node(const struct process *caller, uint32_t kind, uint32_t mode, const char *target,
                         size_t target_length, struct node **node) {
    struct node *new = node_new(kind, kind == NODE_LINK ? LINK_MODE : mode, caller->owner, caller->group);
    if (new == nullptr) {
        return ERR_NO_MEMORY;
    }
    if (kind == NODE_LINK) {
        status_t status = node_set_target(new, target, target_length);
        if (status < 0) {
            node_unref(new);
            return status;
        }
    }
    *node = new;
    return 0;
}

// A link's argument is path, NUL, target: cut it in two.
static status_t split_link(const char *text, uint64_t length, uint64_t *path_length) {
    uint64_t first = strnlen(text, length);
    uint64_t second = first < length ? length - first - 1 : 0;
    if (first == 0 || second == 0) {
        return ERR_INVALID;
    }
    if (first > PATH_LEN_MAX || second > PATH_LEN_MAX) {
        return ERR_NAME_TOO_LONG;
    }
    *path_length = first;
    return strnlen(text + first + 1, second) < second ? ERR_INVALID : 0;
}

static status_t make_at(const struct process *caller, const struct walk *walk, uint32_t kind, uint32_t mode,
                        const char *target, size_t target_length) {
    status_t status = entry_may_add(walk, caller);
    if (status < 0) {
        return status;
    }
    struct node *node;
    status = new_node(caller, kind, mode, target, target_length, &node);
    if (status < 0) {
        return status;
    }
    node_link(walk->parent, node, walk->name, walk->length);
    node_unref(node);
    return 0;
}

long sys_make(struct thread *self, handle_t dir, user_ptr_t path, uint64_t path_len, uint32_t kind, uint32_t mode) {
    bool link = kind == NODE_LINK;
    if ((kind != NODE_DIR && !link) || (!link && mode > 0777) || path_len == 0) {
        return ERR_INVALID;
    }
    struct file *start;
    struct handle *handle;
    status_t status = argument_file(self, dir, RIGHTS_CHANGE, &start, &handle);
    if (status < 0) {
        return status;
    }
    char text[2 * PATH_LEN_MAX + 1];
    if (path_len > (link ? sizeof text : PATH_LEN_MAX)) {
        return ERR_NAME_TOO_LONG;
    }
    status = user_copy_in(text, path, path_len);
    if (status < 0) {
        return status;
    }
    uint64_t length = path_len;
    status = link ? split_link(text, path_len, &length) : strnlen(text, length) < length ? ERR_INVALID : 0;
    if (status < 0) {
        return status;
    }
    struct walk walk;
    status = walk_path(start->node, self->process, text, length, WALK_NOFOLLOW | WALK_PARENT, &walk);
    if (status < 0) {
        return status;
    }
    const char *target = link ? text + length + 1 : nullptr;
    status = make_at(self->process, &walk, kind, mode, target, link ? path_len - length - 1 : 0);
    walk_done(&walk);
    return status;
}

// ---- remove, rename ----

long sys_remove(struct thread *self, handle_t dir, user_ptr_t path, uint64_t path_len) {
    if (path_len == 0) {
        return ERR_INVALID;
    }
    struct walk walk;
    status_t status = find(self, dir, RIGHTS_CHANGE, path, path_len, WALK_NOFOLLOW, &walk);
    if (status < 0) {
        return status;
    }
    status = entry_may_take(&walk, self->process);
    if (status == 0 && walk.node->kind == NODE_DIR && walk.node->directory.count > 0) {
        status = ERR_NOT_EMPTY;
    }
    if (status == 0) {
        entry_remove(walk.node);
    }
    walk_done(&walk);
    return status;
}

static status_t move(const struct process *caller, const struct walk *from, const struct walk *to) {
    KASSERT(!from->node->removed); // resolving the other path has removed nothing
    status_t status = entry_may_take(from, caller);
    if (status < 0) {
        return status;
    }
    status = entry_may_add(to, caller);
    if (status < 0) {
        return status;
    }
    if (to->wants_directory && from->node->kind != NODE_DIR) {
        return ERR_NOT_DIR;
    }
    if (from->node->kind == NODE_DIR && entry_encloses(from->node, to->parent)) {
        return ERR_LOOP;
    }
    node_move(from->node, to->parent, to->name, to->length);
    if (from->node->kind == NODE_CHANNEL) {
        channel_node_changed(from->node);
    }
    return 0;
}

long sys_rename(struct thread *self, handle_t dir, user_ptr_t from, uint64_t from_len, user_ptr_t to, uint64_t to_len) {
    if (from_len == 0 || to_len == 0) {
        return ERR_INVALID;
    }
    struct walk old;
    status_t status = find(self, dir, RIGHTS_CHANGE, from, from_len, WALK_NOFOLLOW, &old);
    if (status < 0) {
        return status;
    }
    struct walk new;
    status = find(self, dir, RIGHTS_CHANGE, to, to_len, WALK_NOFOLLOW | WALK_PARENT, &new);
    if (status == 0) {
        status = move(self->process, &old, &new);
        walk_done(&new);
    }
    walk_done(&old);
    return status;
}

// ---- setattr ----

static status_t may_set(const struct node *node, const struct process *caller, uint32_t mask) {
    if (!node_owned(node, caller)) {
        return ERR_ACCESS;
    }
    if ((mask & (ATTR_OWNER | ATTR_GROUP)) != 0 && caller->owner != 0) {
        return ERR_ACCESS;
    }
    return node->sealed ? ERR_READ_ONLY : 0;
}

long sys_setattr(struct thread *self, handle_t dir, user_ptr_t path, uint64_t path_len, uint32_t mask, uint32_t mode,
                 uint64_t owner_group) {
    if ((mask & ~(ATTR_MODE | ATTR_OWNER | ATTR_GROUP)) != 0 || ((mask & ATTR_MODE) != 0 && mode > 0777)) {
        return ERR_INVALID;
    }
    struct walk walk;
    status_t status = find(self, dir, RIGHTS_CHANGE, path, path_len, 0, &walk);
    if (status < 0) {
        return status;
    }
    struct node *node = walk.node;
    status = may_set(node, self->process, mask);
    if (status == 0) {
        node_set_access(node, (mask & ATTR_OWNER) != 0 ? (uint32_t)owner_group : node->owner,
                        (mask & ATTR_GROUP) != 0 ? (uint32_t)(owner_group >> 32) : node->group,
                        (mask & ATTR_MODE) != 0 ? mode : node->mode);
        node_touch(node);
        node_raise(node, EVENT_ATTRIBUTE, node->mode, nullptr);
        if (node->kind == NODE_CHANNEL) {
            channel_node_changed(node);
        }
    }
    walk_done(&walk);
    return status;
}
