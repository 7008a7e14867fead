// watch_path: whoever may look a path up learns when looking again would find something else, by whatever change of the
// names on its way, and without a right to read a directory.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ipc/notifier.h"
#include "machine.h"
#include "property.h"

enum { WATCHERS = 4, BITS = 6 };

static struct user *init, *watcher;
static handle_t dir; // "/tmp/w" as the watcher has it: not to be read

static const char *const paths[] = {"a",        "b",     "a/b",    "a/b/c", "b/a", "a/../b",
                                    "b/../a/c", "a/./b", "/a//b/", "../a",  "c/c"};
static const char *const names[] = {"a", "b", "c"};
static const char *const targets[] = {"a", "b", "../a", "/b", "a/b", "c"};

static struct watched_path {
    const char *path; // null: not watched
    handle_t notifier;
    uint64_t id;
    int64_t status; // of looking, when it was watched
    uint64_t node;
} watched[WATCHERS];

static uint64_t put_path(struct user *user, const char *path) {
    cr_assert(user_store(user, user->scratch, path, strlen(path) + 1));
    return user->scratch;
}

static int64_t watch_path(struct user *user, handle_t notifier, handle_t from, const char *path, uint64_t bits) {
    return CALL(user, WATCH_PATH, notifier, from, put_path(user, path), strlen(path), bits);
}

// What is there: how opening it answers, and which node it is.
static int64_t look(const char *path, uint64_t *node) {
    struct abi_stat stat = {};
    int64_t handle = user_open(watcher, dir, path, OPEN_READ, 0);
    if (handle > 0) {
        cr_assert_eq(user_stat(watcher, (handle_t)handle, "", &stat), 0);
        cr_assert_eq(CALL(watcher, CLOSE, (uint64_t)handle), 0);
    }
    *node = stat.id;
    return handle > 0 ? 0 : handle;
}

static void begin(void) {
    machine_boot(&(struct machine_options){});
    init = machine_init();
    watcher = machine_spawn_as(init, "watcher", nullptr, nullptr, PRIORITY_DEFAULT, 1000, 1000);
    cr_assert_eq(user_make(init, init->root, "/tmp/w", NODE_DIR, 0711), 0);
    dir = (handle_t)user_open(watcher, watcher->root, "/tmp/w", OPEN_READ | OPEN_DIR, 0);
    memset(watched, 0, sizeof watched);
    for (unsigned i = 0; i < WATCHERS; i++) {
        watched[i].notifier = (handle_t)CALL(watcher, NOTIFIER_CREATE, 1);
    }
    const struct abi_watch_spec spec = {.events = EVENT_CREATED};
    cr_assert(user_store(watcher, watcher->scratch, &spec, sizeof spec));
    cr_assert_eq(CALL(watcher, WATCH, watched[0].notifier, dir, watcher->scratch), ERR_RIGHTS);
}

static void watch_some(struct property *p, struct watched_path *one) {
    const char *path = paths[property_choose(p, "path", sizeof paths / sizeof paths[0])];
    int64_t status = watch_path(watcher, one->notifier, dir, path, BITS);
    property_check(p, status == 0 || status == ERR_LOOP || status == ERR_NOT_DIR || status == ERR_ACCESS);
    if (status == 0) {
        one->path = path;
        one->id = watcher->word[0];
        one->status = look(path, &one->node);
        property_note(p, "watch %s: %lld", path, (long long)one->status);
    }
}

static void unwatch(struct property *p, struct watched_path *one) {
    property_equal(p, CALL(watcher, UNWATCH, one->notifier, one->id), 0);
    property_equal(p, CALL(watcher, UNWATCH, one->notifier, one->id), ERR_NOT_FOUND);
    one->path = nullptr;
    CALL(watcher, TAKE, one->notifier, BITS, 0);
}

static void change_something(struct property *p) {
    char path[64], to[64];
    const char *name = names[property_choose(p, "name", 3)], *above = names[property_choose(p, "above", 3)];
    bool deep = property_chance(p, "deep", 50);
    snprintf(path, sizeof path, deep ? "/tmp/w/%s/%s" : "/tmp/w/%s", deep ? above : name, name);
    switch (property_choose(p, "what", 6)) {
    case 0:
    case 1:
        user_make(init, init->root, path, NODE_DIR, 0711);
        property_note(p, "make %s", path);
        break;
    case 2:
        CALL(init, CLOSE, (uint64_t)user_open(init, init->root, path, OPEN_READ | OPEN_CREATE, 0644));
        property_note(p, "create %s", path);
        break;
    case 3:
        user_remove(init, init->root, path);
        property_note(p, "remove %s", path);
        break;
    case 4:
        snprintf(to, sizeof to, "/tmp/w/%s", names[property_choose(p, "to", 3)]);
        user_rename(init, init->root, path, to);
        property_note(p, "rename %s to %s", path, to);
        break;
    case 5: {
        const char *target = targets[property_choose(p, "target", sizeof targets / sizeof targets[0])];
        user_link(init, init->root, path, target);
        property_note(p, "link %s to %s", path, target);
        break;
    }
    }
}

// No lost wake-up: whenever looking again gives another answer, the notifier has been signalled.
static void tells_whenever_looking_changes(struct property *p) {
    begin();
    while (property_more(p, 80)) {
        struct watched_path *one = &watched[property_choose(p, "watcher", WATCHERS)];
        if (one->path == nullptr) {
            watch_some(p, one);
        } else if (property_chance(p, "unwatch", 5)) {
            unwatch(p, one);
        }
        change_something(p);
        for (unsigned i = 0; i < WATCHERS; i++) {
            uint64_t node;
            int64_t status = watched[i].path == nullptr ? 0 : look(watched[i].path, &node);
            if (watched[i].path == nullptr || (status == watched[i].status && node == watched[i].node)) {
                continue;
            }
            property_note(p, "%s has changed: %lld", watched[i].path, (long long)status);
            property_equal(p, CALL(watcher, TAKE, watched[i].notifier, BITS, 0), 0);
            property_equal(p, watcher->word[0], BITS);
            unwatch(p, &watched[i]);
        }
        machine_check();
    }
    struct notifier_totals totals;
    for (unsigned i = 0; i < WATCHERS; i++) {
        if (watched[i].path != nullptr) {
            unwatch(p, &watched[i]);
        }
    }
    notifier_get_totals(&totals);
    property_equal(p, totals.watches, 0);
    property_equal(p, totals.events, 0); // bits only: no record tells who did it
}

Test(watch, tells_whenever_looking_changes) {
    cr_assert(property_run("tells_whenever_looking_changes", 1500, tells_whenever_looking_changes));
}

// What happens to other names, in the same directory or elsewhere, is told to nobody.
Test(watch, other_names_are_not_told_of) {
    begin();
    cr_assert_eq(watch_path(watcher, watched[0].notifier, dir, "a/b", 1), 0);
    cr_assert_eq(user_make(init, init->root, "/tmp/w/b", NODE_DIR, 0711), 0);
    cr_assert_eq(user_make(init, init->root, "/tmp/w/aa", NODE_DIR, 0711), 0);
    cr_assert_eq(user_make(init, init->root, "/tmp/a", NODE_DIR, 0711), 0);
    cr_assert_eq(user_remove(init, init->root, "/tmp/w/b"), 0);
    cr_assert_eq(CALL(watcher, TAKE, watched[0].notifier, 1, 0), ERR_TIMED_OUT);
    cr_assert_eq(user_make(init, init->root, "/tmp/w/a", NODE_DIR, 0711), 0);
    cr_assert_eq(CALL(watcher, TAKE, watched[0].notifier, 1, 0), 0);
    // It is as far as the path led when it was watched: the next name is watched anew.
    cr_assert_eq(user_make(init, init->root, "/tmp/w/a/b", NODE_DIR, 0711), 0);
    cr_assert_eq(CALL(watcher, TAKE, watched[0].notifier, 1, 0), ERR_TIMED_OUT);
}

// A directory goes that the path led into.
Test(watch, removal_of_the_directory_is_told) {
    begin();
    cr_assert_eq(user_make(init, init->root, "/tmp/w/a", NODE_DIR, 0711), 0);
    handle_t inner = (handle_t)user_open(watcher, dir, "a", OPEN_READ | OPEN_DIR, 0);
    cr_assert_eq(watch_path(watcher, watched[0].notifier, inner, "b", 1), 0);
    cr_assert_eq(user_remove(init, init->root, "/tmp/w/a"), 0);
    cr_assert_eq(CALL(watcher, TAKE, watched[0].notifier, 1, 0), 0);
    cr_assert_eq(watch_path(watcher, watched[0].notifier, inner, "b", 1), ERR_REMOVED);
}

// Only who may look may watch; what is refused leaves no watch behind.
Test(watch, refused_where_looking_is) {
    static const struct {
        const char *path;
        int64_t expected;
    } cases[] = {
        {"closed/x", ERR_ACCESS}, {"open/x", 0},      {"file/x", ERR_NOT_DIR},
        {"loop/x", ERR_LOOP},     {".", ERR_INVALID}, {"/", ERR_INVALID},
        {"../..", ERR_INVALID},   {"", ERR_INVALID},  {"closed", 0},
    };
    begin();
    cr_assert_eq(user_make(init, init->root, "/tmp/w/closed", NODE_DIR, 0700), 0);
    cr_assert_eq(user_make(init, init->root, "/tmp/w/open", NODE_DIR, 0711), 0);
    cr_assert_gt(user_open(init, init->root, "/tmp/w/file", OPEN_READ | OPEN_CREATE, 0644), 0);
    cr_assert_eq(user_link(init, init->root, "/tmp/w/loop", "loop"), 0);
    struct notifier_totals totals;
    uint64_t watches = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(watch_path(watcher, watched[0].notifier, dir, cases[i].path, 1), cases[i].expected, "%s",
                     cases[i].path);
        notifier_get_totals(&totals);
        cr_assert(cases[i].expected == 0 ? totals.watches > watches : totals.watches == watches, "%s", cases[i].path);
        watches = totals.watches;
    }
    // The kernel does not tell of what it makes up.
    cr_assert_eq(watch_path(watcher, watched[0].notifier, watcher->root, "/proc/4711/status", 1), ERR_WRONG_KIND);
    cr_assert_eq(watch_path(watcher, watched[0].notifier, watcher->root, "/proc/self/status", 1), 0);
    cr_assert_eq(watch_path(watcher, watched[0].notifier, watcher->root, "/kern/none", 1), 0);
}
