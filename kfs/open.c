#include "kfs/open.h"

#include "abi/abi.h"
#include "kernel/object.h"
#include "kernel/pages.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kfs/entry.h"
#include "kfs/file.h"
#include "kfs/node.h"
#include "kfs/ramfile.h"
#include "kfs/tree.h"

enum {
    OPEN_ACCESS = OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_SERVE | OPEN_ADMIN,
    OPEN_ALL = OPEN_ACCESS | OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_APPEND | OPEN_DIR | OPEN_NOFOLLOW,
    OPEN_EXCLUDING =
        OPEN_EXCLUSIVE | OPEN_TRUNCATE | OPEN_APPEND | OPEN_DIR | OPEN_SERVE, // that do not go with all others
    RIGHTS_ALONG = RIGHT_WATCH | RIGHT_GRANT,
};

static struct open_stats stats;

status_t open_check(uint32_t flags, uint32_t mode) {
    bool create = (flags & OPEN_CREATE) != 0;
    if ((flags & ~OPEN_ALL) != 0 || (flags & OPEN_ACCESS) == 0 || mode > 0777) {
        return ERR_INVALID;
    }
    if ((flags & OPEN_EXCLUDING) == 0) {
        return 0;
    }
    if ((flags & OPEN_EXCLUSIVE) != 0 && !create) {
        return ERR_INVALID;
    }
    if ((flags & (OPEN_TRUNCATE | OPEN_APPEND)) != 0 && (flags & OPEN_WRITE) == 0) {
        return ERR_INVALID;
    }
    if ((flags & OPEN_DIR) != 0 && (flags & (OPEN_CREATE | OPEN_TRUNCATE | OPEN_APPEND | OPEN_SERVE)) != 0) {
        return ERR_INVALID;
    }
    if ((flags & OPEN_SERVE) != 0 && (flags & (OPEN_CREATE | OPEN_TRUNCATE | OPEN_APPEND | OPEN_EXEC)) != 0) {
        return ERR_INVALID;
    }
    return 0;
}

uint32_t open_asks(uint32_t flags) {
    constexpr uint32_t alike = OPEN_READ | OPEN_WRITE;
    static_assert(OPEN_READ == 1 && RIGHT_READ == 1 && OPEN_WRITE == 2 && RIGHT_WRITE == 2);
    uint32_t rights = flags & alike;
    rights |= (flags & OPEN_EXEC) != 0 ? RIGHT_EXEC : 0;
    rights |= (flags & OPEN_ADMIN) != 0 ? RIGHT_ADMIN : 0;
    return rights;
}

uint32_t open_needs(uint32_t flags, uint32_t asked) {
    uint32_t rights = RIGHT_READ | asked;
    rights |= (flags & OPEN_CREATE) != 0 ? RIGHT_WRITE : 0;
    rights |= (flags & OPEN_SERVE) != 0 ? RIGHT_WRITE | RIGHT_EXEC : 0;
    return rights;
}

// Owner, group and mode permit what the flags ask for.
static status_t check_mode(const struct node *node, const struct opening *opening) {
    uint32_t want = 0;
    want |= (opening->flags & OPEN_READ) != 0 ? MODE_READ : 0;
    want |= (opening->flags & OPEN_WRITE) != 0 ? MODE_WRITE : 0;
    want |= (opening->flags & (OPEN_EXEC | OPEN_SERVE)) != 0 ? MODE_EXEC : 0;
    if (!node_permits(node, opening->caller, want)) {
        return ERR_ACCESS;
    }
    return (opening->flags & OPEN_ADMIN) != 0 && !node_owned(node, opening->caller) ? ERR_ACCESS : 0;
}

static status_t finish(struct node *node, struct opening *opening, uint32_t along) {
    struct file *file;
    status_t status = file_new(node, opening->caller, opening->flags, &file);
    if (status < 0) {
        return status;
    }
    opening->object = &file->object;
    opening->rights = (opening->asked | along) & opening->bound;
    return 0;
}

// Watching tells names and message ids: it is for who may read them.
static uint32_t watch_right(const struct node *node, const struct opening *opening) {
    return node_permits(node, opening->caller, MODE_READ) ? RIGHT_WATCH : 0;
}

// ---- one function per kind ----

static status_t open_directory(struct node *node, struct opening *opening) {
    uint32_t changes = OPEN_WRITE | OPEN_EXEC | OPEN_CREATE;
    if ((opening->flags & OPEN_DIR) == 0 && (opening->flags & changes) != 0) {
        return ERR_IS_DIR;
    }
    if ((opening->flags & OPEN_ADMIN) != 0 && !node_owned(node, opening->caller)) {
        return ERR_ACCESS;
    }
    return finish(node, opening, watch_right(node, opening) | RIGHT_GRANT | RIGHT_MAP | RIGHT_CALL);
}

static status_t open_ordinary(struct node *node, struct opening *opening) {
    status_t status = check_mode(node, opening);
    if (status < 0) {
        return status;
    }
    bool truncate = (opening->flags & OPEN_TRUNCATE) != 0;
    if (truncate && node->file.pages != nullptr && node->file.pages->mapped > 0) {
        return ERR_BUSY;
    }
    return finish(node, opening, RIGHTS_ALONG);
}

// Kernel files and devices. Cutting and appending mean nothing to them, so that a shell can redirect into them.
static status_t open_provided(struct node *node, struct opening *opening) {
    status_t status = check_mode(node, opening);
    if (status < 0) {
        return status;
    }
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what the kernel provides has operations
    bool writable = node->ops->command != nullptr || node->ops->write != nullptr;
    if ((opening->flags & OPEN_WRITE) != 0 && !writable && node->ops->open == nullptr) {
        return ERR_READ_ONLY;
    }
    if (node->ops->open == nullptr) {
        // Watching a file of a channel is watching the channel, as with its directory. Who reads may watch what it reads.
        bool of_channel = node->parent->kind == NODE_CHANNEL;
        uint32_t watch = !of_channel && (opening->flags & OPEN_READ) != 0
                             ? RIGHT_WATCH
                             : watch_right(of_channel ? node->parent : node, opening);
        return finish(node, opening, RIGHT_GRANT | watch);
    }
    uint32_t asked = opening->asked | RIGHTS_ALONG;
    status = node->ops->open(node, opening->caller, opening->flags, asked, &opening->object, &opening->rights);
    opening->rights &= opening->bound;
    return status;
}

// The link itself, with OPEN_NOFOLLOW: its target can be read.
static status_t open_link(struct node *node, struct opening *opening) {
    status_t status = check_mode(node, opening);
    if (status < 0) {
        return status;
    }
    return (opening->flags & OPEN_WRITE) != 0 ? ERR_READ_ONLY : finish(node, opening, RIGHTS_ALONG);
}

// Whether the node is what the flags say it must be.
static status_t check_kind(const struct node *node, uint32_t flags) {
    if ((flags & OPEN_EXCLUSIVE) != 0) {
        return ERR_EXISTS;
    }
    if ((flags & OPEN_DIR) != 0 && !node_is_directory(node)) {
        return ERR_NOT_DIR;
    }
    bool serves = node->ops != nullptr && node->ops->open != nullptr;
    return (flags & OPEN_SERVE) != 0 && !serves ? ERR_WRONG_KIND : 0;
}

static status_t open_existing(struct node *node, struct opening *opening) {
    if ((opening->flags & OPEN_EXCLUDING) != 0) {
        status_t status = check_kind(node, opening->flags);
        if (status < 0) {
            return status;
        }
    }
    switch (node->kind) {
    case NODE_DIR:
    case NODE_CHANNEL:
        return open_directory(node, opening);
    case NODE_FILE:
        return open_ordinary(node, opening);
    case NODE_KERNEL:
    case NODE_DEVICE:
        return open_provided(node, opening);
    default:
        KASSERT(node->kind == NODE_LINK); // nothing makes a mount yet
        return open_link(node, opening);
    }
}

// A new file's mode binds those who open it later, not its creator's first handle.
static status_t open_new(struct opening *opening) {
    status_t status = entry_may_add(&opening->walk, opening->caller);
    if (status < 0) {
        return status;
    }
    if (opening->walk.wants_directory) {
        return ERR_IS_DIR;
    }
    const struct process *caller = opening->caller;
    opening->created = node_new(NODE_FILE, opening->mode, caller->owner, caller->group);
    if (opening->created == nullptr) {
        return ERR_NO_MEMORY;
    }
    return finish(opening->created, opening, RIGHTS_ALONG);
}

status_t open_prepare(struct node *start, const char *path, size_t length, struct opening *opening) {
    opening->created = nullptr;
    opening->object = nullptr;
    opening->rights = 0;
    unsigned how = (opening->flags & OPEN_CREATE) != 0 ? WALK_PARENT : 0;
    how |= (opening->flags & (OPEN_NOFOLLOW | OPEN_EXCLUSIVE)) != 0 ? WALK_NOFOLLOW : 0;
    status_t status = walk_path(start, opening->caller, path, length, how, &opening->walk);
    if (status < 0) {
        stats.failures++;
        return status;
    }
    struct node *node = opening->walk.node;
    status = node != nullptr ? open_existing(node, opening) : open_new(opening);
    if (status < 0) {
        open_abandon(opening);
    }
    return status;
}

void open_commit(struct opening *opening) {
    stats.opens++;
    if (opening->created != nullptr) {
        stats.creations++;
        node_link(opening->walk.parent, opening->created, opening->walk.name, opening->walk.length);
        node_unref(opening->created);
    } else if ((opening->flags & OPEN_TRUNCATE) != 0 && opening->walk.node->kind == NODE_FILE) {
        ramfile_truncate(opening->walk.node);
    }
    walk_done(&opening->walk);
}

void open_abandon(struct opening *opening) {
    stats.failures++;
    if (opening->object != nullptr) {
        object_unref(opening->object);
    }
    node_unref(opening->created);
    walk_done(&opening->walk);
}

struct open_stats open_get_stats(void) {
    return stats;
}
