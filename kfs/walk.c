#include "kfs/walk.h"

#include "base/memory.h"
#include "base/word.h"
#include "kernel/panic.h"
#include "kfs/node.h"
#include "kfs/tree.h"

// What is still to be resolved stands at the end of one buffer; a link's target is put in front of it. Each link adds its
// target and a slash, so this much always suffices. One buffer, because only one path is resolved at a time. A word of
// slashes stands behind it, so that every component ends in one.
enum { PENDING_SIZE = PATH_LEN_MAX + LINK_DEPTH_MAX * (PATH_LEN_MAX + 1) };
static char pending[PENDING_SIZE + WORD_BYTES];

static struct walk_stats stats;

struct position {
    struct node *start;
    struct node *at; // referenced
    const struct process *caller;
    size_t next;      // in pending
    size_t own;       // what stands from here on is the caller's path, what is before it comes from links
    const char *name; // the component taken last, in pending
    size_t length;
    bool slash; // behind it
    unsigned links;
    unsigned flags;
    status_t (*told)(void *context, struct node *directory, const char *name, size_t length); // null: nobody asks
    void *context;
};

static void move_to(struct position *position, struct node *node) {
    node_unref(position->at);
    position->at = node;
}

// The parent, but the starting directory is its own. Compared by id: synthesised nodes are made anew at each lookup.
static void move_up(struct position *position) {
    struct node *at = position->at;
    if (at->id == position->start->id) {
        return;
    }
    struct node *parent = at->parent;
    KASSERT(parent != nullptr); // it was reached from the start downwards
    node_ref(parent);
    move_to(position, parent);
}

static status_t lookup(struct position *position, struct node **child) {
    struct node *at = position->at;
    const char *name = position->name;
    size_t length = position->length;
    stats.components++;
    if (at->ops != nullptr) {
        status_t status = at->ops->lookup(at, position->caller, name, length, child);
        return status == ERR_NOT_FOUND && position->told != nullptr ? ERR_WRONG_KIND : status;
    }
    if (position->told != nullptr) {
        status_t status = position->told(position->context, at, name, length);
        if (status < 0) {
            return status;
        }
    }
    struct node *node = node_child(at, name, length);
    if (node == nullptr) {
        return ERR_NOT_FOUND;
    }
    node_ref(node);
    *child = node;
    return 0;
}

// Names below it may be looked up by the caller. A channel's mode speaks of messages, not of looking: it never forbids.
static status_t may_pass(const struct position *position) {
    if (!node_is_directory(position->at)) {
        return ERR_NOT_DIR;
    }
    if (position->at->kind == NODE_DIR && !node_permits(position->at, position->caller, MODE_EXEC)) {
        return ERR_ACCESS;
    }
    return 0;
}

static status_t follow(struct position *position, struct node *link) {
    stats.links++;
    if (++position->links > LINK_DEPTH_MAX) {
        return ERR_LOOP;
    }
    size_t length = link->link.length;
    if (position->own < position->next) {
        position->own = position->next;
    }
    KASSERT(length > 0 && length <= PATH_LEN_MAX && position->next >= length);
    if (position->next < PENDING_SIZE) {
        pending[--position->next] = '/';
    }
    position->next -= length;
    memcpy(pending + position->next, link->link.target, length);
    if (pending[position->next] == '/') {
        node_ref(position->start);
        move_to(position, position->start);
    }
    return 0;
}

static void skip_slashes(struct position *position) {
    while (position->next < PENDING_SIZE && pending[position->next] == '/') {
        position->next++;
    }
}

// Where the component that begins here ends: at the next slash.
static size_t component_end(size_t at) {
    uint64_t slashes;
    while ((slashes = word_matches(word_load(pending + at), '/')) == 0) {
        at += WORD_BYTES;
    }
    return at + word_first(slashes);
}

// Take the next component, where no slash stands, and the slashes behind it. False if there is none.
static bool take_component(struct position *position, status_t *status) {
    size_t begin = position->next;
    size_t end = component_end(begin);
    position->name = pending + begin;
    position->length = end - begin;
    if (position->length > NAME_LEN_MAX) {
        *status = ERR_NAME_TOO_LONG;
        return false;
    }
    position->slash = end < PENDING_SIZE;
    position->next = end + position->slash;
    skip_slashes(position);
    return position->length > 0;
}

// The last component led to child, or to nothing.
static void arrive(struct position *position, struct node *child, bool slash, struct walk *walk) {
    walk->node = child;
    walk->parent = position->at;
    memcpy(walk->name, position->name, position->length);
    walk->name[position->length] = '\0';
    walk->length = position->length;
    walk->through_link = position->name < pending + position->own;
    walk->wants_directory = slash;
    position->at = nullptr;
}

// The path ended in no name: it means where we are.
static void arrive_here(struct position *position, struct walk *walk) {
    walk->node = position->at;
    walk->parent = nullptr;
    walk->name[0] = '\0';
    walk->length = 0;
    walk->through_link = false;
    walk->wants_directory = true;
    position->at = nullptr;
}

// One component: go to what it names. Sets *done when it was the last, with the answer in walk.
static status_t step(struct position *position, struct walk *walk, bool *done) {
    status_t status = may_pass(position);
    if (status < 0) {
        return status;
    }
    const char *name = position->name;
    bool dot = name[0] == '.' && position->length == 1;
    bool dots = name[0] == '.' && position->length == 2 && name[1] == '.';
    if (dot || dots) {
        if (dots) {
            move_up(position);
        }
        return 0;
    }
    bool slash = position->slash;
    bool last = position->next == PENDING_SIZE;
    struct node *child = nullptr;
    status = lookup(position, &child);
    if (status < 0 && !(status == ERR_NOT_FOUND && last && (position->flags & WALK_PARENT) != 0)) {
        return status;
    }
    bool is_link = child != nullptr && child->kind == NODE_LINK;
    if (is_link && !(last && !slash && (position->flags & WALK_NOFOLLOW) != 0)) {
        if (slash && last) {
            pending[--position->next] = '/';
        }
        status = follow(position, child);
        skip_slashes(position);
        node_unref(child);
        return status;
    }
    if (!last) {
        move_to(position, child);
        return 0;
    }
    if (slash && child != nullptr && !node_is_directory(child)) {
        node_unref(child);
        return ERR_NOT_DIR;
    }
    arrive(position, child, slash, walk);
    *done = true;
    return 0;
}

static status_t resolve(struct position *position, struct walk *walk) {
    status_t status = 0;
    bool done = false;
    skip_slashes(position);
    while (status == 0 && !done && take_component(position, &status)) {
        status = step(position, walk, &done);
    }
    if (status == 0 && !done) {
        arrive_here(position, walk);
    }
    return status;
}

// From position->start, who asks and how being set.
static status_t walk_from(struct position *position, const char *path, size_t length, struct walk *walk) {
    struct node *start = position->start;
    KASSERT(length <= PATH_LEN_MAX);
    stats.walks++;
    if (start->removed && length > 0) {
        stats.failures++;
        return ERR_REMOVED;
    }
    position->at = start;
    position->next = PENDING_SIZE - length;
    position->own = position->next;
    node_ref(start);
    memcpy(pending + position->next, path, length);
    memset(pending + PENDING_SIZE, '/', WORD_BYTES);
    status_t status = resolve(position, walk);
    node_unref(position->at);
    if (status == 0 && walk->length == 0 && length > 0 && !node_is_directory(walk->node)) {
        walk_done(walk);
        status = ERR_NOT_DIR;
    }
    stats.failures += status < 0;
    return status;
}

status_t walk_path(struct node *start, const struct process *caller, const char *path, size_t length, unsigned flags,
                   struct walk *walk) {
    struct position position = {.start = start, .caller = caller, .flags = flags};
    return walk_from(&position, path, length, walk);
}

status_t walk_look(struct node *start, const struct process *caller, const char *path, size_t length,
                   status_t (*told)(void *context, struct node *directory, const char *name, size_t length),
                   void *context) {
    struct position position = {.start = start, .caller = caller, .told = told, .context = context};
    struct walk walk;
    status_t status = walk_from(&position, path, length, &walk);
    if (status == 0) {
        walk_done(&walk);
    }
    return status == ERR_NOT_FOUND ? 0 : status;
}

void walk_done(struct walk *walk) {
    node_unref(walk->node);
    node_unref(walk->parent);
}

struct walk_stats walk_get_stats(void) {
    return stats;
}
