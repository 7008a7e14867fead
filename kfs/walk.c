#include "kfs/walk.h"

#include "base/memory.h"
#include "base/word.h"
#include "kernel/panic.h"
#include "kfs/node.h"
#include "kfs/path_cache.h"
#include "kfs/tree.h"

// What is still to be resolved stands at the end of one buffer; a link's target is put in front of it. Each link adds its
// target and a slash, so this much always suffices. One buffer, because only one path is resolved at a time. A word of
// slashes stands behind it, so that every component ends in one.
enum { PENDING_SIZE = PATH_LEN_MAX + LINK_DEPTH_MAX * (PATH_LEN_MAX + 1) };
static char pending[PENDING_SIZE + WORD_BYTES];
static char *const pending_end = pending + PENDING_SIZE;

static struct walk_stats stats;

struct question {
    struct node *start;
    const struct process *caller;
    unsigned flags;
    status_t (*told)(void *context, struct node *directory, const char *name, size_t length); // null: nobody asks
    void *context;
};

// Its address is given to nobody who is not compiled into the same function, so that it lives in registers.
struct position {
    const struct question *asked;
    struct node *at;  // referenced
    const char *next; // in pending
    const char *own;  // what stands from here on is the caller's path, what is before it comes from links
    const char *last; // where the path cache is told what the path led to so far; null: nowhere
    const char *name; // the component taken last, in pending
    size_t length;
    bool slash;                 // behind it
    unsigned components, links; // so far
};

static void move_to(struct position *position, struct node *node) {
    node_unref(position->at);
    position->at = node;
    path_cache_pass(node);
}

// The parent, but the starting directory is its own. Compared by id: synthesised nodes are made anew at each lookup.
static void move_up(struct position *position) {
    struct node *at = position->at;
    if (at->id == position->asked->start->id) {
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
    position->components++;
    if (at->ops != nullptr) {
        position->last = nullptr;
        status_t status = at->ops->lookup(at, position->asked->caller, name, length, child);
        return status == ERR_NOT_FOUND && position->asked->told != nullptr ? ERR_WRONG_KIND : status;
    }
    if (position->asked->told != nullptr) {
        status_t status = position->asked->told(position->asked->context, at, name, length);
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
    if (position->at->kind == NODE_DIR && !node_permits(position->at, position->asked->caller, MODE_EXEC)) {
        return ERR_ACCESS;
    }
    return 0;
}

static status_t follow(struct position *position, struct node *link) {
    if (++position->links > LINK_DEPTH_MAX) {
        return ERR_LOOP;
    }
    position->last = nullptr; // the target overwrites the path so far
    size_t length = link->link.length;
    if (position->own < position->next) {
        position->own = position->next;
    }
    char *next = pending + (position->next - pending);
    KASSERT(length > 0 && length <= PATH_LEN_MAX && (size_t)(next - pending) > length);
    if (next < pending_end) {
        *--next = '/';
    }
    next -= length;
    memcpy(next, link->link.target, length);
    position->next = next;
    if (*next == '/') {
        node_ref(position->asked->start);
        move_to(position, position->asked->start);
    }
    return 0;
}

static const char *skip_slashes(const char *at) {
    while (at < pending_end && *at == '/') {
        at++;
    }
    return at;
}

// Where something other begins than a slash, or a dot with one behind it.
static const char *skip_dots(const char *at) {
    while (at < pending_end && (at[0] == '/' || (at[0] == '.' && at[1] == '/'))) {
        at++;
    }
    return at;
}

// Where the component that begins here ends: at the next slash.
static const char *component_end(const char *at) {
    uint64_t slashes;
    while ((slashes = word_matches(word_load(at), '/')) == 0) {
        at += WORD_BYTES;
    }
    return at + word_first(slashes);
}

// Take the next component, which begins here, and the slashes behind it.
static status_t take_component(struct position *position) {
    const char *name = position->next;
    const char *end = component_end(name);
    position->name = name;
    position->length = (size_t)(end - name);
    position->slash = end < pending_end;
    position->next = skip_slashes(end);
    return position->length > NAME_LEN_MAX ? ERR_NAME_TOO_LONG : 0;
}

// The last component led to child, or to nothing. Both references become the walk's.
static inline void arrive(struct walk *walk, struct node *parent, struct node *child, const char *name, size_t length) {
    walk->node = child;
    walk->parent = parent;
    walk->length = length;
    if (child == nullptr) {
        memcpy(walk->name, name, length);
        walk->name[length] = '\0';
    }
}

// The path ended in no name: it means where we are.
static void arrive_here(struct position *position, struct walk *walk) {
    walk->node = position->at;
    walk->parent = nullptr;
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
    if (name[0] == '.' && (position->length == 1 || (position->length == 2 && name[1] == '.'))) {
        if (position->length == 2) {
            move_up(position);
        } else {
            position->next = skip_dots(position->next); // whoever may pass here once may stay
        }
        return 0;
    }
    bool last = position->next == pending_end;
    struct node *child = nullptr;
    status = lookup(position, &child);
    if (status < 0 && !(status == ERR_NOT_FOUND && last && (position->asked->flags & WALK_PARENT) != 0)) {
        return status;
    }
    bool slash = position->slash;
    bool is_link = child != nullptr && child->kind == NODE_LINK;
    if (is_link && !(last && !slash && (position->asked->flags & WALK_NOFOLLOW) != 0)) {
        if (slash && last) {
            position->next = pending_end - 1; // at the last slash behind it
        }
        status = follow(position, child);
        position->next = skip_slashes(position->next);
        node_unref(child);
        return status;
    }
    if (!last) {
        KASSERT(child != nullptr); // a missing one was refused
        move_to(position, child);
        return 0;
    }
    if (slash && child != nullptr && !node_is_directory(child)) {
        node_unref(child);
        return ERR_NOT_DIR;
    }
    arrive(walk, position->at, child, position->name, position->length);
    walk->through_link = position->name < position->own;
    walk->wants_directory = slash;
    position->at = nullptr;
    *done = true;
    return 0;
}

// ---- the path cache ----

// Where the last component of a path begins, behind a slash; null: there is no name behind the last slash or it is too long,
// or there is nothing before it or more than the path cache keeps.
static const char *last_component(const char *path) {
    const char *at = pending_end - WORD_BYTES; // what stands before the path is of no account, but can be read
    uint64_t slashes;
    while ((slashes = word_matches(word_load(at), '/')) == 0 && at > path) {
        at -= WORD_BYTES;
    }
    const char *slash = slashes != 0 ? at + word_last(slashes) : path;
    // Smaller by one: lengths from 1 on.
    size_t name = (size_t)(pending_end - slash) - 2, before = (size_t)(slash - path) - 1;
    return name < NAME_LEN_MAX && before < PATH_CACHE_LENGTH_MAX ? slash + 1 : nullptr;
}

// All of the path before its last component, and the slash there, leads to directory.
[[gnu::noinline]] static void learn(const struct question *asked, const char *path, const char *last,
                                    struct node *directory, unsigned components) {
    if (!directory->synthesised) {
        const struct path_cache_key key = {
            .start = asked->start, .caller = asked->caller, .bytes = path, .length = (size_t)(last - 1 - path)};
        path_cache_add(&key, directory, components);
    }
}

// Go there name by name: from the start, and then what leads to the last component is to be remembered if that is not null;
// or from what is known to be the directory that it is in.
[[gnu::noinline]] static status_t resolve(const struct question *asked, const char *path, const char *last,
                                          const struct path_cache_entry *known, struct walk *walk) {
    struct position position = {.asked = asked, .own = path};
    if (known != nullptr) {
        position.at = known->directory;
        position.next = last;
        position.components = known->components;
    } else {
        position.at = asked->start;
        position.next = skip_slashes(path);
        position.last = last;
        path_cache_pass(position.at);
    }
    node_ref(position.at);
    status_t status = 0;
    bool done = false;
    while (status == 0 && !done && position.next < pending_end) {
        status = take_component(&position);
        if (status == 0) {
            status = step(&position, walk, &done);
        }
        if (status == 0 && !done && position.next == position.last) {
            learn(asked, path, last, position.at, position.components);
        }
    }
    if (status == 0 && !done) {
        arrive_here(&position, walk);
        if (path < pending_end && !node_is_directory(walk->node)) {
            walk_done(walk);
            status = ERR_NOT_DIR;
        }
    }
    node_unref(position.at);
    stats.components += position.components;
    stats.links += position.links;
    stats.failures += status < 0;
    return status;
}

// The same for a path whose last component is, as a rule, a plain name in the directory that is known.
static status_t resolve_known(const struct question *asked, const char *path, const char *last,
                              const struct path_cache_entry *known, struct walk *walk) {
    struct node *directory = known->directory;
    if (directory->kind != NODE_DIR || directory->ops != nullptr || last[0] == '.' ||
        !node_permits(directory, asked->caller, MODE_EXEC)) {
        return resolve(asked, path, last, known, walk);
    }
    size_t length = (size_t)(pending_end - last);
    struct node *child = node_child(directory, last, length);
    if (child != nullptr) {
        if (child->kind == NODE_LINK) {
            return resolve(asked, path, last, known, walk);
        }
        node_ref(child);
    }
    stats.components += known->components + 1u;
    if (child == nullptr && (asked->flags & WALK_PARENT) == 0) {
        stats.failures++;
        return ERR_NOT_FOUND;
    }
    node_ref(directory);
    arrive(walk, directory, child, last, length);
    walk->through_link = false;
    walk->wants_directory = false;
    return 0;
}

char *walk_room(size_t length) {
    memset(pending_end, '/', WORD_BYTES);
    return pending_end - length;
}

// Have the path where it is resolved.
static inline status_t begin(const struct question *asked, const char *path, size_t length, const char **room) {
    KASSERT(length <= PATH_LEN_MAX);
    stats.walks++;
    if (asked->start->removed && length > 0) {
        stats.failures++;
        return ERR_REMOVED;
    }
    char *to = walk_room(length);
    if (path != to) {
        memcpy(to, path, length);
    }
    *room = to;
    return 0;
}

status_t walk_path(struct node *start, const struct process *caller, const char *path, size_t length, unsigned flags,
                   struct walk *walk) {
    const struct question asked = {.start = start, .caller = caller, .flags = flags};
    const char *room;
    status_t status = begin(&asked, path, length, &room);
    if (status < 0) {
        return status;
    }
    const char *last = caller != nullptr ? last_component(room) : nullptr;
    if (last != nullptr) {
        const struct path_cache_key key = {
            .start = start, .caller = caller, .bytes = room, .length = (size_t)(last - 1 - room)};
        const struct path_cache_entry *known = path_cache_find(&key);
        if (known != nullptr) {
            return resolve_known(&asked, room, last, known, walk);
        }
    }
    return resolve(&asked, room, last, nullptr, walk);
}

status_t walk_look(struct node *start, const struct process *caller, const char *path, size_t length,
                   status_t (*told)(void *context, struct node *directory, const char *name, size_t length),
                   void *context) {
    const struct question asked = {.start = start, .caller = caller, .told = told, .context = context};
    const char *room;
    status_t status = begin(&asked, path, length, &room);
    if (status < 0) {
        return status;
    }
    struct walk walk;
    status = resolve(&asked, room, nullptr, nullptr, &walk);
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
