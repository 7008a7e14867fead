// The path cache: it is used, it never answers for another path, directory or user, and it forgets what may lead elsewhere.
// That answers are the same as without it in any order of calls is tree_test.c's business.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/path_cache.h"
#include "machine.h"

static struct user *self;
static struct path_cache_stats before;

static void boot(void) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
}

static void make(const char *path) {
    cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0755), 0, "%s", path);
}

static void create(const char *path) {
    long file = user_open(self, self->root, path, OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, 0644);
    cr_assert_gt(file, 0, "%s", path);
    CALL(self, CLOSE, (uint64_t)file);
}

static long look(struct user *user, const char *path) {
    struct abi_stat stat;
    return user_stat(user, user->root, path, &stat);
}

static uint64_t id_of(struct user *user, handle_t dir, const char *path) {
    struct abi_stat stat;
    cr_assert_eq(user_stat(user, dir, path, &stat), 0, "%s", path);
    return stat.id;
}

static long set_mode(const char *path, uint32_t mode) {
    cr_assert(user_store(self, self->scratch, path, strlen(path)));
    return CALL(self, SETATTR, self->root, self->scratch, strlen(path), ATTR_MODE, mode, 0);
}

static long set_owner(const char *path, uint32_t owner) {
    cr_assert(user_store(self, self->scratch, path, strlen(path)));
    return CALL(self, SETATTR, self->root, self->scratch, strlen(path), ATTR_OWNER, 0, owner);
}

static struct user *other(uint32_t owner, uint32_t group) {
    struct user *user = machine_spawn(self, "other", nullptr, nullptr, PRIORITY_DEFAULT);
    user->thread->process->owner = owner;
    user->thread->process->group = group;
    return user;
}

static void count(void) {
    before = path_cache_get_stats();
}

static uint64_t found(void) {
    return path_cache_get_stats().found - before.found;
}

static uint64_t added(void) {
    return path_cache_get_stats().added - before.added;
}

static uint64_t voided(void) {
    return path_cache_get_stats().voided - before.voided;
}

// Files come, change and go: the way to their directory stays known.
Test(path_cache, knows_the_way_to_a_directory) {
    boot();
    make("/tmp/a");
    make("/tmp/a/b");
    cr_assert_eq(look(self, "/tmp/a/b/none"), ERR_NOT_FOUND);
    count();
    create("/tmp/a/b/f");
    create("/tmp/a/b/g");
    cr_assert_eq(look(self, "/tmp/a/b/f"), 0);
    cr_assert_eq(set_mode("/tmp/a/b/f", 0), 0);
    cr_assert_eq(user_rename(self, self->root, "/tmp/a/b/g", "/tmp/a/b/h"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/g"), ERR_NOT_FOUND);
    cr_assert_eq(look(self, "/tmp/a/b/h"), 0);
    cr_assert_eq(user_remove(self, self->root, "/tmp/a/b/f"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/f"), ERR_NOT_FOUND);
    cr_assert_eq(found(), 10);
    cr_assert_eq(added(), 0);
    cr_assert_eq(voided(), 0);
}

// What is no name in a directory, or was reached through what may change unnoticed, is none of its business.
Test(path_cache, ways_that_are_not_kept) {
    static const char *const paths[] = {
        "",          "/",          "version",        "/tmp",           "/tmp/a/",
        "/tmp/a/b/", "/tmp/l/f",   "/proc/1/status", "/proc/1/../1/x", "/proc/self/status",
        "tmp//",     "/tmp/a/b//", "/tmp/none/f",
    };
    boot();
    make("/tmp/a");
    make("/tmp/a/b");
    create("/tmp/a/f");
    cr_assert_eq(user_link(self, self->root, "/tmp/l", "a"), 0);
    for (unsigned turn = 0; turn < 2; turn++) {
        count();
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            (void)look(self, paths[i]);
            cr_assert_eq(added() + found(), 0, "%s", paths[i]);
        }
    }
}

// Nor is a directory that was made for one lookup kept, from which a path begins and comes back to.
Test(path_cache, a_start_that_is_made_by_looking) {
    struct abi_stat stat;
    boot();
    handle_t dir = (handle_t)user_open(self, self->root, "/proc/self/", OPEN_READ | OPEN_DIR, 0);
    cr_assert_gt((int32_t)dir, 0);
    count();
    for (unsigned turn = 0; turn < 2; turn++) {
        cr_assert_eq(user_stat(self, dir, "./status", &stat), 0);
        cr_assert_eq(user_stat(self, dir, "../status", &stat), 0);
    }
    cr_assert_eq(added() + found(), 0);
}

// What is no directory is none, the second time as well.
Test(path_cache, ways_to_what_is_no_directory) {
    boot();
    create("/tmp/f");
    for (unsigned turn = 0; turn < 3; turn++) {
        cr_assert_eq(look(self, "/tmp/f/x"), ERR_NOT_DIR);
        cr_assert_eq(look(self, "/tmp/f/."), ERR_NOT_DIR);
    }
}

// That the way is known makes no name valid.
Test(path_cache, names_are_checked_each_time) {
    char path[PATH_LEN_MAX + 1] = "/tmp/";
    boot();
    cr_assert_eq(look(self, "/tmp/f"), ERR_NOT_FOUND);
    memset(path + 5, 'n', NAME_LEN_MAX);
    cr_assert_eq(look(self, path), ERR_NOT_FOUND);
    path[5 + NAME_LEN_MAX] = 'n';
    cr_assert_eq(look(self, path), ERR_NAME_TOO_LONG);
    cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0777), ERR_NAME_TOO_LONG);
    path[5 + NAME_LEN_MAX] = '/';
    cr_assert_eq(look(self, path), ERR_NOT_FOUND);
    cr_assert_eq(look(self, "/tmp/."), 0);
    cr_assert_eq(look(self, "/tmp/../tmp"), 0);
    cr_assert_eq(look(self, "/tmp/.."), 0);
}

// One byte more than there is room for is not kept; all lengths up to there are, each for itself.
Test(path_cache, every_length) {
    boot();
    char path[PATH_LEN_MAX + 1] = "/tmp";
    for (unsigned i = 0; i < 4; i++) {
        strcat(path, "/directory-of-this-name");
        make(path);
    }
    strcat(path, "/f");
    create(path);
    uint64_t id = id_of(self, self->root, path);
    size_t shortest = strlen(path) - 2;
    cr_assert_gt(shortest, PATH_CACHE_LENGTH_MAX);
    for (size_t length = 1; length <= PATH_CACHE_LENGTH_MAX + 8; length++) {
        // So many slashes before the first name, of a path that leads to /tmp/directory-of-this-name or to /tmp.
        char text[2 * PATH_LEN_MAX] = "";
        const char *way = length > 40 ? "tmp/directory-of-this-name" : "tmp";
        if (length < strlen(way)) {
            continue;
        }
        memset(text, '/', length - strlen(way));
        strcat(text, way);
        strcat(text, "/directory-of-this-name");
        count();
        uint64_t first = id_of(self, self->root, text), second = id_of(self, self->root, text);
        cr_assert_eq(first, second);
        bool kept = length <= PATH_CACHE_LENGTH_MAX;
        cr_assert_eq(added() + found(), kept ? 2 : 0, "%zu", length);
        cr_assert_geq(found(), kept, "%zu", length);
    }
    cr_assert_eq(id_of(self, self->root, path), id);
}

// Many paths of the same shape, from two directories, by two users: more than there are places, so that they meet.
Test(path_cache, keeps_paths_apart) {
    enum { MANY = 150, TURNS = 3 };
    static uint64_t id[MANY];
    char path[64];
    boot();
    struct user *user[] = {self, other(7, 70), other(7, 71), other(8, 70)};
    handle_t tmp[4];
    for (unsigned who = 0; who < 4; who++) {
        tmp[who] = (handle_t)user_open(user[who], user[who]->root, "/tmp", OPEN_READ | OPEN_DIR, 0);
        cr_assert_gt((int32_t)tmp[who], 0);
    }
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/tmp/%08u", i);
        make(path);
        strcat(path, "/way-to-it");
        make(path);
        strcat(path, "/f");
        create(path);
        id[i] = id_of(self, self->root, path);
    }
    make("/tmp/tmp");
    for (unsigned i = 0; i < MANY; i++) { // the same paths lead elsewhere from /tmp
        snprintf(path, sizeof path, "/tmp/tmp/%08u", i);
        make(path);
    }
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (unsigned i = 0; i < MANY; i++) {
            for (unsigned who = 0; who < 4; who++) {
                snprintf(path, sizeof path, "/tmp/%08u/way-to-it/f", i);
                cr_assert_eq(id_of(user[who], user[who]->root, path), id[i]);
                cr_assert_eq(id_of(user[who], tmp[who], path + 4), id[i]);
                snprintf(path, sizeof path, "/tmp/%08u/way-to-it", i);
                struct abi_stat stat;
                cr_assert_eq(user_stat(user[who], tmp[who], path, &stat), ERR_NOT_FOUND);
                snprintf(path, sizeof path, "/tmp/%08u", i);
                cr_assert_eq(user_stat(user[who], tmp[who], path, &stat), 0);
            }
        }
    }
}

// Whoever may not pass is told so, whoever else has just passed; and once he may not any more.
Test(path_cache, knows_who_may_pass) {
    boot();
    struct user *owner = other(7, 70), *group = other(8, 70), *rest = other(9, 90);
    make("/tmp/a");
    make("/tmp/a/b");
    create("/tmp/a/b/f");
    for (uint32_t mode = 0; mode < 8; mode++) {
        uint32_t bits = (mode & 4 ? 0100 : 0) | (mode & 2 ? 0010 : 0) | (mode & 1);
        cr_assert_eq(set_mode("/tmp/a", bits), 0);
        cr_assert_eq(set_owner("/tmp/a", 7), 0);
        for (unsigned turn = 0; turn < 2; turn++) {
            cr_assert_eq(look(self, "/tmp/a/b/f"), 0);
            cr_assert_eq(look(owner, "/tmp/a/b/f"), bits & 0100 ? 0 : ERR_ACCESS);
            // /tmp/a's group is 0.
            cr_assert_eq(look(group, "/tmp/a/b/f"), bits & 1 ? 0 : ERR_ACCESS);
            cr_assert_eq(look(rest, "/tmp/a/b/f"), bits & 1 ? 0 : ERR_ACCESS);
        }
        cr_assert_eq(set_owner("/tmp/a", 0), 0);
        cr_assert_eq(look(owner, "/tmp/a/b/f"), bits & 1 ? 0 : ERR_ACCESS);
    }
}

// The directory itself may be forbidden, too, though the way to it is known.
Test(path_cache, the_last_directory_is_asked_each_time) {
    boot();
    struct user *user = other(7, 70);
    make("/tmp/a");
    create("/tmp/a/f");
    cr_assert_eq(look(user, "/tmp/a/f"), 0);
    cr_assert_eq(set_mode("/tmp/a", 0700), 0);
    cr_assert_eq(look(user, "/tmp/a/f"), ERR_ACCESS);
    cr_assert_eq(look(self, "/tmp/a/f"), 0);
    cr_assert_eq(look(user, "/tmp/a/f"), ERR_ACCESS);
    cr_assert_eq(set_mode("/tmp/a", 0755), 0);
    cr_assert_eq(look(user, "/tmp/a/f"), 0);
}

// A way leads nowhere or elsewhere once a directory on it is gone, moved, or another.
Test(path_cache, forgets_what_may_lead_elsewhere) {
    boot();
    make("/tmp/a");
    make("/tmp/a/b");
    make("/tmp/a/b/c");
    create("/tmp/a/b/c/f");
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), 0);
    count();
    cr_assert_eq(user_rename(self, self->root, "/tmp/a", "/tmp/z"), 0);
    cr_assert_eq(voided(), 1);
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), ERR_NOT_FOUND);
    cr_assert_eq(look(self, "/tmp/z/b/c/f"), 0);
    make("/tmp/a"); // another of the old name
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), ERR_NOT_FOUND);
    cr_assert_eq(user_rename(self, self->root, "/tmp/z/b", "/tmp/a/b"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), 0);
    cr_assert_eq(look(self, "/tmp/z/b/c/f"), ERR_NOT_FOUND);
    cr_assert_eq(user_remove(self, self->root, "/tmp/a/b/c/f"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), ERR_NOT_FOUND);
    cr_assert_eq(user_remove(self, self->root, "/tmp/a/b/c"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), ERR_NOT_FOUND);
    cr_assert_eq(user_link(self, self->root, "/tmp/a/b/c", "/kern"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/c/version"), 0);
    cr_assert_eq(look(self, "/tmp/a/b/c/f"), ERR_NOT_FOUND);
    machine_check();
}

// Up and down again: what is passed on the way counts, though the path does not end below it.
Test(path_cache, ways_with_dots) {
    boot();
    make("/tmp/a");
    make("/tmp/b");
    create("/tmp/b/f");
    struct user *user = other(7, 70);
    cr_assert_eq(look(user, "/tmp/a/.././b/f"), 0);
    count();
    cr_assert_eq(look(user, "/tmp/a/.././b/f"), 0);
    cr_assert_eq(found(), 1);
    cr_assert_eq(set_mode("/tmp/a", 0), 0);
    cr_assert_eq(look(user, "/tmp/a/.././b/f"), ERR_ACCESS);
    cr_assert_eq(look(self, "/tmp/a/.././b/f"), 0);
    cr_assert_eq(user_remove(self, self->root, "/tmp/a"), 0);
    cr_assert_eq(look(self, "/tmp/a/.././b/f"), ERR_NOT_FOUND);
}

// A path from a directory that is itself changed, moved or gone.
Test(path_cache, ways_from_a_directory) {
    struct abi_stat stat;
    boot();
    make("/tmp/a");
    make("/tmp/a/b");
    create("/tmp/a/b/f");
    struct user *user = other(7, 70);
    handle_t dir = (handle_t)user_open(user, user->root, "/tmp/a", OPEN_READ | OPEN_DIR, 0);
    cr_assert_gt((int32_t)dir, 0);
    for (unsigned turn = 0; turn < 2; turn++) {
        cr_assert_eq(user_stat(user, dir, "b/f", &stat), 0);
        cr_assert_eq(user_stat(user, dir, "../b/f", &stat), 0); // nothing leads out
    }
    cr_assert_eq(user_rename(self, self->root, "/tmp/a", "/tmp/c"), 0);
    cr_assert_eq(user_stat(user, dir, "b/f", &stat), 0);
    cr_assert_eq(set_mode("/tmp/c", 0), 0);
    cr_assert_eq(user_stat(user, dir, "b/f", &stat), ERR_ACCESS);
    cr_assert_eq(set_mode("/tmp/c", 0755), 0);
    cr_assert_eq(user_stat(user, dir, "b/f", &stat), 0);
    cr_assert_eq(user_remove(self, self->root, "/tmp/c/b/f"), 0);
    cr_assert_eq(user_remove(self, self->root, "/tmp/c/b"), 0);
    cr_assert_eq(user_stat(user, dir, "b/f", &stat), ERR_NOT_FOUND);
    cr_assert_eq(user_remove(self, self->root, "/tmp/c"), 0);
    cr_assert_eq(user_stat(user, dir, "b/f", &stat), ERR_REMOVED);
    machine_check();
}

// A channel is a directory on the way to its files, and goes with its server.
Test(path_cache, ways_to_channels) {
    struct abi_channel_config config = {.mode = 0777, .flags = CHANNEL_TEMPORARY};
    boot();
    long server = user_channel(self, self->root, "/ipc/c", &config);
    cr_assert_gt(server, 0);
    cr_assert_eq(look(self, "/ipc/c/stats"), 0);
    count();
    cr_assert_eq(look(self, "/ipc/c/stats"), 0);
    cr_assert_eq(look(self, "/ipc/c/none"), ERR_NOT_FOUND);
    cr_assert_eq(found(), 2);
    CALL(self, CLOSE, (uint64_t)server);
    cr_assert_eq(look(self, "/ipc/c/stats"), ERR_NOT_FOUND);
    machine_check();
}

// A process is no entry whose end would void anything: what leads through one is looked up each time.
Test(path_cache, ways_through_a_process) {
    boot();
    struct user *user = other(0, 0);
    char through[64], up[64];
    snprintf(through, sizeof through, "/proc/%u/../1/status", user->pid);
    snprintf(up, sizeof up, "/proc/%u/../../tmp", user->pid);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(look(self, through), 0);
        cr_assert_eq(look(self, up), 0);
    }
    cr_assert_eq(CALL(self, KILL, user->process, 0), 0);
    cr_assert_eq(CALL(self, CLOSE, user->process), 0);
    cr_assert_eq(CALL(self, CLOSE, user->self), 0);
    machine_run_until_idle();
    cr_assert_eq(look(self, through), ERR_NOT_FOUND);
    cr_assert_eq(look(self, up), ERR_NOT_FOUND);
}
