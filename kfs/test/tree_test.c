// The tree against an independent, naive model: random calls of three users, each answer predicted, and every listing
// compared in the end.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/alloc_fault.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/node.h"
#include "machine.h"
#include "property.h"

enum { THINGS_MAX = 400, USERS = 3, TEXT_SIZE = 4096 };

// ---- the model: an array of things, paths resolved as strings ----

static struct thing {
    bool alive;
    int parent; // index; -1: the top
    char name[NAME_LEN_MAX + 1];
    char target[PATH_LEN_MAX + 1];
    uint32_t kind, mode, owner, group;
    uint64_t id;
} things[THINGS_MAX];
static int made;

static const uint32_t uid[USERS] = {0, 7, 8}, gid[USERS] = {0, 70, 70};
static struct user *user[USERS];
static handle_t top[USERS];
static struct node_stats stats_before;

static int child_of(int parent, const char *name) {
    for (int i = 0; i < made; i++) {
        if (things[i].alive && things[i].parent == parent && strcmp(things[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool permits(int who, int thing, uint32_t want) {
    const struct thing *t = &things[thing];
    if (uid[who] == 0) {
        return true;
    }
    uint32_t bits = t->owner == uid[who] ? t->mode >> 6 : t->group == gid[who] ? t->mode >> 3 : t->mode;
    return (bits & want) == want;
}

// What a path leads to. Channels' own files are no things of the model: `inside` names them.
struct found {
    int thing, parent;
    char name[256];
    bool slash, from_link;
    int inside; // 0 data, 1 ctl, 2 stats; -1
};

static long resolve(int who, const char *path, bool follow_last, bool may_miss, struct found *found) {
    char text[TEXT_SIZE], rest[TEXT_SIZE];
    size_t own = strlen(path); // how much of the text, at its end, is the caller's
    if (own > PATH_LEN_MAX) {
        return ERR_NAME_TOO_LONG;
    }
    strcpy(text, path);
    int at = 0, inside = -1, links = 0;
    *found = (struct found){.inside = -1};
    for (;;) {
        size_t skip = strspn(text, "/");
        memmove(text, text + skip, strlen(text) - skip + 1);
        size_t length = strcspn(text, "/");
        if (length == 0) {
            bool file = inside >= 0 || (things[at].kind != NODE_DIR && things[at].kind != NODE_CHANNEL);
            if (file && path[0] != '\0') {
                return ERR_NOT_DIR;
            }
            found->thing = at;
            found->parent = -1;
            found->name[0] = '\0';
            return 0;
        }
        if (length > NAME_LEN_MAX) {
            return ERR_NAME_TOO_LONG;
        }
        char name[256];
        memcpy(name, text, length);
        name[length] = '\0';
        bool from_link = strlen(text) > own;
        own = own < strlen(text + length) ? own : strlen(text + length);
        strcpy(rest, text + length);
        bool slash = rest[0] == '/';
        bool last = strspn(rest, "/") == strlen(rest);
        if (inside >= 0 || (things[at].kind != NODE_DIR && things[at].kind != NODE_CHANNEL)) {
            return ERR_NOT_DIR;
        }
        if (things[at].kind == NODE_DIR && !permits(who, at, MODE_EXEC)) {
            return ERR_ACCESS;
        }
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            at = name[1] == '.' && at != 0 ? things[at].parent : at;
            strcpy(text, rest);
            continue;
        }
        int child = -1;
        if (things[at].kind == NODE_CHANNEL) {
            static const char *const files[] = {"data", "ctl", "stats"};
            for (int i = 0; i < 3; i++) {
                inside = strcmp(name, files[i]) == 0 ? i : inside;
            }
        } else {
            child = child_of(at, name);
        }
        if (child < 0 && inside < 0) {
            if (!(last && may_miss)) {
                return ERR_NOT_FOUND;
            }
        } else if (child >= 0 && things[child].kind == NODE_LINK && !(last && !slash && !follow_last)) {
            if (++links > LINK_DEPTH_MAX) {
                return ERR_LOOP;
            }
            char target[PATH_LEN_MAX + 1];
            strcpy(target, things[child].target);
            if (target[0] == '/') {
                at = 0;
            }
            snprintf(text, sizeof text, "%s%s%s", target, slash || rest[0] != '\0' ? "/" : "", rest);
            continue;
        }
        if (last) {
            bool directory = child >= 0 && (things[child].kind == NODE_DIR || things[child].kind == NODE_CHANNEL);
            if (slash && (child >= 0 || inside >= 0) && !directory) {
                return ERR_NOT_DIR;
            }
            found->thing = child;
            found->inside = inside;
            found->parent = at;
            found->slash = slash;
            found->from_link = from_link;
            strcpy(found->name, name);
            return 0;
        }
        at = child >= 0 ? child : at;
        strcpy(text, rest);
    }
}

static long may_add(int who, const struct found *found) {
    if (found->thing >= 0 || found->inside >= 0) {
        return ERR_EXISTS;
    }
    if (found->from_link) {
        return ERR_NOT_FOUND;
    }
    if (things[found->parent].kind == NODE_CHANNEL) {
        return ERR_READ_ONLY;
    }
    if (!permits(who, found->parent, MODE_WRITE | MODE_EXEC)) {
        return ERR_ACCESS;
    }
    for (const char *at = found->name; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return ERR_INVALID;
        }
    }
    return 0;
}

static bool owns(int who, int thing) {
    return uid[who] == 0 || things[thing].owner == uid[who];
}

static long may_take(int who, const struct found *found) {
    if (found->name[0] == '\0') {
        return ERR_BUSY;
    }
    if (found->inside >= 0) {
        return owns(who, found->parent) ? ERR_READ_ONLY : ERR_ACCESS;
    }
    return permits(who, found->parent, MODE_WRITE | MODE_EXEC) && owns(who, found->thing) ? 0 : ERR_ACCESS;
}

static int add(int who, const struct found *found, uint32_t kind, uint32_t mode, const char *target) {
    cr_assert_lt(made, THINGS_MAX);
    things[made] = (struct thing){
        .alive = true, .parent = found->parent, .kind = kind, .mode = mode, .owner = uid[who], .group = gid[who]};
    strcpy(things[made].name, found->name);
    strcpy(things[made].target, target);
    return made++;
}

static bool has_children(int thing) {
    for (int i = 0; i < made; i++) {
        if (things[i].alive && things[i].parent == thing) {
            return true;
        }
    }
    return false;
}

static bool below(int thing, int ancestor) {
    for (; thing >= 0; thing = things[thing].parent) {
        if (thing == ancestor) {
            return true;
        }
    }
    return false;
}

// ---- random paths ----

static void append(char *path, const char *text) {
    size_t length = strlen(path);
    snprintf(path + length, 512 - length, "%s", text);
}

static void choose_path(struct property *p, char path[512], bool maybe_long) {
    static const char *const part[] = {"a", "b", "c", "d", "..", ".", "data", "ctl", "x\x01y", "e"};
    path[0] = '\0';
    unsigned parts = (unsigned)property_between(p, "parts", 1, 4);
    if (property_chance(p, "leading slash", 20)) {
        append(path, property_chance(p, "doubled", 30) ? "//" : "/");
    }
    for (unsigned i = 0; i < parts; i++) {
        if (i > 0) {
            append(path, property_chance(p, "doubled", 10) ? "//" : "/");
        }
        unsigned which = (unsigned)property_choose(p, "part", maybe_long ? 24 : 20);
        if (which == 22) {
            append(path, "sixty-three-bytes-are-the-longest-name-that-there-can-be-in-a-dir");
            path[strlen(path) - 2] = '\0';
        } else if (which == 23) {
            append(path, "sixty-four-bytes-are-one-too-many-for-a-name-as-the-table-says-so!");
        } else {
            append(path, part[which < 10 ? which : which % 4]);
        }
    }
    if (property_chance(p, "trailing slash", 10)) {
        append(path, "/");
    }
}

// ---- the steps: each predicts, calls, compares ----

// Some calls find no memory: then they are refused and have changed nothing.
static void maybe_refuse_memory(struct property *p) {
    if (property_chance(p, "refuse memory", 10)) {
        alloc_fault_arm(property_between(p, "which", 1, 6), false);
    }
}

// Whether the answer is the expected one; false: refused for want of memory.
static bool answered(struct property *p, long got, long expected) {
    bool refused = alloc_fault_fired() && got == ERR_NO_MEMORY;
    alloc_fault_arm(0, false);
    if (!refused) {
        property_equal(p, got, expected);
    }
    return !refused;
}

static void step_make(struct property *p, int who, const char *path) {
    bool link = property_chance(p, "link", 30);
    char target[512] = "";
    uint32_t mode = (uint32_t)(property_chance(p, "mode", 30) ? property_choose(p, "bits", 01000) : 0777);
    struct found found;
    long expected = resolve(who, path, false, true, &found);
    expected = expected == 0 ? may_add(who, &found) : expected;
    if (link) {
        choose_path(p, target, false);
    }
    property_note(p, "%u: make %s %s%s", who, path, link ? "-> " : "", target);
    long got =
        link ? user_link(user[who], top[who], path, target) : user_make(user[who], top[who], path, NODE_DIR, mode);
    if (answered(p, got, expected) && got == 0) {
        add(who, &found, link ? NODE_LINK : NODE_DIR, link ? 0777 : mode, target);
    }
}

static void step_create(struct property *p, int who, const char *path) {
    uint32_t mode = (uint32_t)property_choose(p, "bits", 01000);
    bool exclusive = property_chance(p, "exclusive", 30);
    struct found found;
    long expected = resolve(who, path, !exclusive, true, &found);
    if (expected == 0) {
        int thing = found.thing;
        if (thing >= 0 || found.inside >= 0 || found.name[0] == '\0') {
            uint32_t kind = found.inside >= 0 ? NODE_DEVICE : things[thing].kind;
            bool directory = kind == NODE_DIR || kind == NODE_CHANNEL;
            if (exclusive) {
                expected = ERR_EXISTS;
            } else if (directory) {
                expected = ERR_IS_DIR;
            } else if (found.inside >= 0) {
                return; // what opening a channel's files means is another suite's matter
            } else if (!permits(who, thing, MODE_READ | MODE_WRITE)) {
                expected = ERR_ACCESS;
            }
        } else {
            expected = may_add(who, &found);
            expected = expected == 0 && found.slash ? ERR_IS_DIR : expected;
        }
    }
    property_note(p, "%u: create %s%s", who, path, exclusive ? " exclusive" : "");
    unsigned flags = OPEN_READ | OPEN_WRITE | OPEN_CREATE | (exclusive ? OPEN_EXCLUSIVE : 0);
    maybe_refuse_memory(p);
    long got = user_open(user[who], top[who], path, flags, mode);
    if (answered(p, got < 0 ? got : 0, expected) && got >= 0) {
        if (found.thing < 0) {
            add(who, &found, NODE_FILE, mode, "");
        }
        CALL(user[who], CLOSE, (uint64_t)got);
    }
}

static void step_channel(struct property *p, int who, const char *path) {
    struct abi_channel_config config = {
        .mode = (uint32_t)property_between(p, "bits", 1, 0777),
        .flags = property_chance(p, "temporary", 30) ? CHANNEL_TEMPORARY : 0,
    };
    struct found found;
    long expected = resolve(who, path, false, true, &found);
    expected = expected == 0 ? may_add(who, &found) : expected;
    property_note(p, "%u: channel %s%s", who, path, config.flags != 0 ? " temporary" : "");
    maybe_refuse_memory(p);
    long got = user_channel(user[who], top[who], path, &config);
    if (answered(p, got < 0 ? got : 0, expected) && got >= 0) {
        // A temporary channel goes with this, its only server.
        CALL(user[who], CLOSE, (uint64_t)got);
        if (config.flags == 0) {
            add(who, &found, NODE_CHANNEL, config.mode, "");
        }
    }
}

static void step_remove(struct property *p, int who, const char *path) {
    struct found found;
    long expected = resolve(who, path, false, false, &found);
    expected = expected == 0 ? may_take(who, &found) : expected;
    if (expected == 0 && things[found.thing].kind == NODE_DIR && has_children(found.thing)) {
        expected = ERR_NOT_EMPTY;
    }
    property_note(p, "%u: remove %s", who, path);
    maybe_refuse_memory(p);
    long got = user_remove(user[who], top[who], path);
    if (answered(p, got, expected) && got == 0) {
        things[found.thing].alive = false;
    }
}

static void step_rename(struct property *p, int who, const char *path) {
    char other[512];
    choose_path(p, other, true);
    struct found from, to;
    long expected = resolve(who, path, false, false, &from);
    expected = expected == 0 ? resolve(who, other, false, true, &to) : expected;
    expected = expected == 0 ? may_take(who, &from) : expected;
    expected = expected == 0 ? may_add(who, &to) : expected;
    if (expected == 0 && to.slash && things[from.thing].kind != NODE_DIR) {
        expected = ERR_NOT_DIR;
    }
    if (expected == 0 && below(to.parent, from.thing)) {
        expected = ERR_LOOP;
    }
    property_note(p, "%u: rename %s %s", who, path, other);
    maybe_refuse_memory(p);
    long got = user_rename(user[who], top[who], path, other);
    if (answered(p, got, expected) && got == 0) {
        things[from.thing].parent = to.parent;
        strcpy(things[from.thing].name, to.name);
    }
}

static void step_setattr(struct property *p, int who, const char *path) {
    uint32_t mask = (uint32_t)property_choose(p, "mask", 8);
    uint32_t mode = (uint32_t)property_choose(p, "bits", 01000);
    uint32_t owner = uid[property_choose(p, "owner", USERS)], group = gid[property_choose(p, "group", USERS)];
    struct found found;
    long expected = resolve(who, path, true, false, &found);
    if (expected == 0) {
        bool others = (mask & (ATTR_OWNER | ATTR_GROUP)) != 0;
        int owned = found.inside >= 0 ? found.parent : found.thing;
        expected = !owns(who, owned) || (others && uid[who] != 0) ? ERR_ACCESS : found.inside >= 0 ? ERR_READ_ONLY : 0;
    }
    property_note(p, "%u: setattr %s %u %o", who, path, mask, mode);
    cr_assert(user_store(user[who], user[who]->scratch, path, strlen(path)));
    long got =
        CALL(user[who], SETATTR, top[who], user[who]->scratch, strlen(path), mask, mode, (uint64_t)group << 32 | owner);
    if (answered(p, got, expected) && got == 0) {
        struct thing *thing = &things[found.thing];
        thing->mode = (mask & ATTR_MODE) != 0 ? mode : thing->mode;
        thing->owner = (mask & ATTR_OWNER) != 0 ? owner : thing->owner;
        thing->group = (mask & ATTR_GROUP) != 0 ? group : thing->group;
    }
}

static void step_stat(struct property *p, int who, const char *path) {
    struct found found;
    struct abi_stat stat;
    long expected = resolve(who, path, false, false, &found);
    property_note(p, "%u: stat %s", who, path);
    maybe_refuse_memory(p);
    long got = user_stat(user[who], top[who], path, &stat);
    if (!answered(p, got, expected) || got < 0 || found.inside >= 0) {
        return;
    }
    struct thing *thing = &things[found.thing];
    property_equal(p, stat.kind, thing->kind);
    property_equal(p, stat.mode, thing->mode);
    property_equal(p, stat.owner, thing->owner);
    property_equal(p, stat.group, thing->group);
    property_check(p, thing->id == 0 || thing->id == stat.id);
    thing->id = stat.id;
}

// ---- comparing whole directories ----

static void compare_directory(struct property *p, int thing, const char *path) {
    handle_t dir = (handle_t)user_open(user[0], top[0], path, OPEN_READ | OPEN_DIR, 0);
    property_check(p, (int32_t)dir > 0);
    unsigned count = 0, expected = 0;
    uint64_t cookie = 0;
    for (;;) {
        struct abi_dirent entry[3];
        long got = CALL(user[0], LIST, dir, cookie, user[0]->scratch, 3);
        property_check(p, got >= 0 && got <= 3);
        if (got == 0) {
            break;
        }
        cr_assert(user_load(user[0], entry, user[0]->scratch, sizeof entry));
        for (long i = 0; i < got; i++) {
            int child = child_of(thing, entry[i].name);
            property_check(p, child >= 0);
            property_equal(p, entry[i].stat.kind, things[child].kind);
            property_check(p, entry[i].cookie > cookie);
            cookie = entry[i].cookie;
            count++;
        }
    }
    CALL(user[0], CLOSE, dir);
    for (int i = 0; i < made; i++) {
        expected += things[i].alive && things[i].parent == thing;
    }
    property_equal(p, count, expected);
}

static void path_of(int thing, char path[TEXT_SIZE]) {
    path[0] = '\0';
    for (; thing > 0; thing = things[thing].parent) {
        char rest[TEXT_SIZE];
        strcpy(rest, path);
        snprintf(path, TEXT_SIZE, "/%s%s", things[thing].name, rest);
    }
}

static void make_world(void) {
    machine_boot(&(struct machine_options){});
    memset(things, 0, sizeof things);
    made = 0;
    user[0] = machine_init();
    cr_assert_eq(user_make(user[0], user[0]->root, "/tmp/top", NODE_DIR, 0777), 0);
    add(0, &(struct found){.parent = -1, .name = "top"}, NODE_DIR, 0777, "");
    for (int i = 1; i < USERS; i++) {
        user[i] = machine_spawn(user[0], "user", nullptr, nullptr, PRIORITY_DEFAULT);
        user[i]->thread->process->owner = uid[i];
        user[i]->thread->process->group = gid[i];
    }
    for (int i = 0; i < USERS; i++) {
        static const char nothing[16384];
        cr_assert(user_store(user[i], user[i]->scratch, nothing, sizeof nothing)); // its own pages are there
        unsigned flags = OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_DIR;
        top[i] = (handle_t)user_open(user[i], user[i]->root, "/tmp/top", flags, 0);
        cr_assert_gt((int32_t)top[i], 0);
    }
    stats_before = node_get_stats();
}

static void tree_is_as_the_model(struct property *p) {
    static void (*const step[])(struct property *p, int who, const char *path) = {
        step_make, step_stat, step_create, step_remove, step_rename, step_channel, step_setattr, step_make,
    };
    make_world();
    while (property_more(p, 120) && made < THINGS_MAX - 2) {
        char path[512];
        int who = (int)property_choose(p, "user", USERS);
        choose_path(p, path, true);
        step[property_choose(p, "step", sizeof step / sizeof step[0])](p, who, path);
    }
    for (int i = 0; i < made; i++) {
        char path[TEXT_SIZE];
        path_of(i, path);
        if (things[i].alive && things[i].kind == NODE_DIR && strlen(path) <= PATH_LEN_MAX) {
            compare_directory(p, i, path);
        }
    }
    // No node is alive but those of the model: nothing refused left one behind.
    struct node_stats stats = node_get_stats();
    uint64_t alive = 0;
    for (int i = 1; i < made; i++) {
        alive += things[i].alive;
    }
    property_equal(p, stats.linked - stats_before.linked, alive);
    property_equal(p, stats.created - stats_before.created, stats.destroyed - stats_before.destroyed + alive);
    machine_check();
}

Test(tree, is_as_the_model) {
    cr_assert(property_run("tree_is_as_the_model", 1500, tree_is_as_the_model));
}

// ---- listing while the directory changes ----

// Entries that are there from the first call of a listing to its last come exactly once, in whatever pieces it is read.
static void listing_is_exact(struct property *p) {
    enum { NAMES = 40 };
    bool there[NAMES] = {}, throughout[NAMES];
    unsigned seen[NAMES] = {};
    machine_boot(&(struct machine_options){});
    struct user *self = machine_init();
    cr_assert_eq(user_make(self, self->root, "/tmp/d", NODE_DIR, 0777), 0);
    handle_t dir = (handle_t)user_open(self, self->root, "/tmp/d", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    uint64_t cookie = 0;
    bool listing = false;
    do {
        char name[8], other[8];
        unsigned which = (unsigned)property_choose(p, "name", NAMES), to;
        snprintf(name, sizeof name, "n%u", which);
        switch (property_choose(p, "what", listing ? 5 : 2)) {
        case 0:
            if (!there[which]) {
                property_equal(p, user_make(self, dir, name, NODE_DIR, 0777), 0);
                there[which] = true;
            }
            break;
        case 1:
            to = (unsigned)property_choose(p, "to", NAMES);
            snprintf(other, sizeof other, "n%u", to);
            if (there[which] && !there[to]) {
                property_equal(p, user_rename(self, dir, name, other), 0);
                there[which] = throughout[which] = false;
                there[to] = true;
            }
            break;
        case 2:
            if (there[which]) {
                property_equal(p, user_remove(self, dir, name), 0);
                there[which] = throughout[which] = false;
            }
            break;
        default: {
            struct abi_dirent entry[16];
            uint64_t count = property_between(p, "count", 1, 20);
            long got = CALL(self, LIST, dir, cookie, self->scratch, count);
            property_check(p, got >= 0 && got <= 16 && (uint64_t)got <= count);
            cr_assert(user_load(self, entry, self->scratch, sizeof entry));
            for (long i = 0; i < got; i++) {
                seen[atoi(entry[i].name + 1)]++;
                cookie = entry[i].cookie;
            }
            if (got == 0) {
                for (unsigned i = 0; i < NAMES; i++) {
                    property_check(p, !throughout[i] || seen[i] == 1);
                }
                return;
            }
        }
        }
        if (!listing && property_chance(p, "begin", 5)) {
            listing = true;
            memcpy(throughout, there, sizeof there);
        }
    } while (property_more(p, 300));
}

Test(tree, listing_is_exact) {
    cr_assert(property_run("listing_is_exact", 1000, listing_is_exact));
}

// ---- many ----

// A name is found in a number of steps that does not depend on how many there are, and no operation takes long.
Test(tree, hundred_thousand_nodes) {
    enum { COUNT = 100000, FOLDERS = 10 };
    machine_boot(&(struct machine_options){.memory = 128u << 20});
    struct user *self = machine_init();
    struct machine_census before, after;
    machine_count(&before);
    char path[64];
    for (unsigned i = 0; i < FOLDERS; i++) {
        snprintf(path, sizeof path, "/tmp/%u", i);
        cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0777), 0);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/tmp/%u/node-%u", i % FOLDERS, i);
        cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0755), 0);
    }
    struct node_stats full = node_get_stats();
    for (unsigned i = 0; i < COUNT; i += 17) {
        struct abi_stat stat;
        snprintf(path, sizeof path, "/tmp/%u/node-%u", i % FOLDERS, i);
        cr_assert_eq(user_stat(self, self->root, path, &stat), 0);
    }
    struct node_stats looked = node_get_stats();
    double steps =
        (double)(looked.child_steps - full.child_steps) / (double)(looked.child_lookups - full.child_lookups);
    cr_assert_lt(steps, 3.0, "%f nodes compared for one lookup", steps);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/tmp/%u/node-%u", i % FOLDERS, i);
        cr_assert_eq(user_remove(self, self->root, path), 0);
    }
    for (unsigned i = 0; i < FOLDERS; i++) {
        snprintf(path, sizeof path, "/tmp/%u", i);
        cr_assert_eq(user_remove(self, self->root, path), 0);
    }
    machine_count(&after);
    cr_assert_eq(after.nodes, before.nodes);
    machine_check();
}
