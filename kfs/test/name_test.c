// Names, permissions and rights, case by case.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bare.h"
#include "kernel/alloc_fault.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "kfs/node.h"
#include "kfs/tree.h"
#include "machine.h"
#include "property.h"

static struct user *self;

static void boot(void) {
    machine_boot(&(struct machine_options){});
    self = machine_init();
}

static struct user *other(uint32_t owner, uint32_t group) {
    struct user *user = machine_spawn(self, "other", nullptr, nullptr, PRIORITY_DEFAULT);
    user->thread->process->owner = owner;
    user->thread->process->group = group;
    return user;
}

static long try_open(struct user *user, const char *path, unsigned flags) {
    long handle = user_open(user, user->root, path, flags, 0);
    if (handle < 0) {
        return handle;
    }
    CALL(user, CLOSE, (uint64_t)handle);
    return 0;
}

static bool has_right(struct user *user, handle_t handle, uint32_t right) {
    long copy = CALL(user, DUP, handle, right);
    if (copy > 0) {
        CALL(user, CLOSE, (uint64_t)copy);
    }
    return copy > 0;
}

Test(name, paths) {
    static const struct {
        const char *path;
        long expected;
    } cases[] = {
        {"", 0},
        {"/", 0},
        {"///", 0},
        {".", 0},
        {"..", 0},
        {"/../../..", 0},
        {"/kern/version", 0},
        {"//kern///version", 0},
        {"kern/./version", 0},
        {"kern/../kern/version", 0},
        {"../kern/version", 0},
        {"kern/version/", ERR_NOT_DIR},
        {"kern/version/x", ERR_NOT_DIR},
        {"kern/version/..", ERR_NOT_DIR},
        {"kern/version/.", ERR_NOT_DIR},
        {"nothing", ERR_NOT_FOUND},
        {"nothing/x", ERR_NOT_FOUND},
        {"nothing/..", ERR_NOT_FOUND},
        {"proc/self", 0},
        {"proc/self/status", 0},
        {"proc/1/../self/../1/status", 0},
        {"proc/self/../../kern/version", 0},
        {"proc/01/status", ERR_NOT_FOUND},
        {"proc/1x", ERR_NOT_FOUND},
        {"proc/99999", ERR_NOT_FOUND},
        {"proc/4294967297", ERR_NOT_FOUND},
        {"proc/99999999999999999999", ERR_NOT_FOUND},
        {"up/kern/version", 0},
        {"tmp/inner/version", 0},
        {"tmp/inner", 0},
        {"tmp/inner/", 0},
        {"loop", ERR_LOOP},
        {"loop/x", ERR_LOOP},
        {"dangling", ERR_NOT_FOUND},
        {"file-link/", ERR_NOT_DIR},
    };
    boot();
    cr_assert_eq(user_link(self, self->root, "/up", "../../.."), 0);
    cr_assert_eq(user_link(self, self->root, "/tmp/inner", "../kern"), 0);
    cr_assert_eq(user_link(self, self->root, "/loop", "loop"), 0);
    cr_assert_eq(user_link(self, self->root, "/dangling", "nowhere"), 0);
    cr_assert_eq(user_link(self, self->root, "/file-link", "/kern/version"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long got = try_open(self, cases[i].path, OPEN_READ);
        cr_assert_eq(got, cases[i].expected, "'%s': %ld", cases[i].path, got);
    }
}

// A link's absolute target begins where the lookup began, and ".." stops there: a directory handle is a whole namespace.
Test(name, nothing_leads_out_of_the_starting_directory) {
    boot();
    struct abi_stat stat, outside;
    cr_assert_eq(user_make(self, self->root, "/tmp/jail", NODE_DIR, 0777), 0);
    cr_assert_eq(user_make(self, self->root, "/tmp/jail/kern", NODE_DIR, 0777), 0);
    cr_assert_eq(user_link(self, self->root, "/tmp/jail/absolute", "/kern"), 0);
    cr_assert_eq(user_link(self, self->root, "/tmp/jail/up", "../../../kern"), 0);
    handle_t jail = (handle_t)user_open(self, self->root, "/tmp/jail", OPEN_READ | OPEN_DIR, 0);
    cr_assert_eq(user_stat(self, self->root, "/kern", &outside), 0);
    const char *const paths[] = {"absolute/", "up/", "../kern", "../../kern", "kern/../../../kern"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        cr_assert_eq(user_stat(self, jail, paths[i], &stat), 0, "%s", paths[i]);
        cr_assert_neq(stat.id, outside.id, "%s", paths[i]);
    }
    cr_assert_eq(user_open(self, jail, "kern/version", OPEN_READ, 0), ERR_NOT_FOUND);
}

Test(name, eight_links_but_not_nine) {
    boot();
    char name[32], target[32];
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "/tmp/%d", i);
        snprintf(target, sizeof target, "%s%d", i == 0 ? "/kern/version" : "", i - 1);
        cr_assert_eq(user_link(self, self->root, name, i == 0 ? "/kern/version" : target), 0);
    }
    cr_assert_eq(try_open(self, "/tmp/7", OPEN_READ), 0);
    cr_assert_eq(try_open(self, "/tmp/8", OPEN_READ), ERR_LOOP);
}

Test(name, limits) {
    char path[PATH_LEN_MAX + 2];
    boot();
    memset(path, '/', sizeof path);
    path[PATH_LEN_MAX] = '\0';
    cr_assert_eq(try_open(self, path, OPEN_READ), 0);
    path[PATH_LEN_MAX] = '/';
    path[PATH_LEN_MAX + 1] = '\0';
    cr_assert_eq(try_open(self, path, OPEN_READ), ERR_NAME_TOO_LONG);
    memset(path, 'n', NAME_LEN_MAX + 1);
    path[NAME_LEN_MAX] = '\0';
    cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0), 0);
    path[NAME_LEN_MAX] = 'n';
    path[NAME_LEN_MAX + 1] = '\0';
    cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0), ERR_NAME_TOO_LONG);
    // Below directory handles one could go on for ever, but for the depth.
    handle_t at = self->root;
    long status = 0;
    int depth = 0;
    while (status == 0) {
        status = user_make(self, at, "deeper", NODE_DIR, 0777);
        if (status == 0) {
            handle_t next = (handle_t)user_open(self, at, "deeper", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
            at = next;
            depth++;
        }
    }
    cr_assert_eq(status, ERR_NAME_TOO_LONG);
    cr_assert_eq(depth, 127);
}

// Every class of users, every mode, every way to open.
Test(name, permission_matrix) {
    static const uint32_t owner[] = {0, 5, 6, 7}, group[] = {0, 50, 50, 70};
    static const unsigned shift[] = {0, 6, 3, 0};
    boot();
    struct user *user[4] = {self, other(5, 50), other(6, 50), other(7, 70)};
    (void)owner;
    (void)group;
    char path[32];
    for (uint32_t mode = 0; mode < 01000; mode++) {
        snprintf(path, sizeof path, "/tmp/%o", mode);
        long handle = user_open(user[1], user[1]->root, path, OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, mode);
        cr_assert_gt(handle, 0);
        CALL(user[1], CLOSE, (uint64_t)handle);
        for (unsigned who = 0; who < 4; who++) {
            for (unsigned flags = 1; flags < 8; flags++) { // OPEN_READ, OPEN_WRITE, OPEN_EXEC
                uint32_t bits = mode >> shift[who] & 7;
                bool may = ((flags & OPEN_READ) == 0 || (bits & MODE_READ) != 0) &&
                           ((flags & OPEN_WRITE) == 0 || (bits & MODE_WRITE) != 0) &&
                           ((flags & OPEN_EXEC) == 0 || (bits & MODE_EXEC) != 0);
                if (who == 0) {
                    may = (flags & OPEN_EXEC) == 0 || (mode & 0111) != 0;
                }
                long got = try_open(user[who], path, flags);
                cr_assert_eq(got, may ? 0 : ERR_ACCESS, "mode %o, user %u, flags %u: %ld", mode, who, flags, got);
            }
        }
    }
    machine_check();
}

Test(name, flags_that_make_no_sense) {
    static const unsigned bad[] = {
        0,
        OPEN_DIR,
        OPEN_CREATE,
        0x800,
        OPEN_READ | 0x80000000u,
        OPEN_READ | OPEN_EXCLUSIVE,
        OPEN_READ | OPEN_TRUNCATE,
        OPEN_READ | OPEN_APPEND,
        OPEN_READ | OPEN_CREATE | OPEN_DIR,
        OPEN_SERVE | OPEN_CREATE,
        OPEN_SERVE | OPEN_EXEC,
        OPEN_SERVE | OPEN_DIR,
    };
    boot();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(user_open(self, self->root, "/tmp/x", bad[i], 0644), ERR_INVALID, "%x", bad[i]);
    }
    cr_assert_eq(user_open(self, self->root, "/tmp/x", OPEN_WRITE | OPEN_CREATE, 01000), ERR_INVALID);
    cr_assert_eq(try_open(self, "/tmp", OPEN_WRITE), ERR_IS_DIR);
    cr_assert_eq(try_open(self, "/tmp", OPEN_EXEC), ERR_IS_DIR);
    cr_assert_eq(try_open(self, "/kern/version", OPEN_READ | OPEN_DIR), ERR_NOT_DIR);
    cr_assert_eq(try_open(self, "/kern/version", OPEN_WRITE), ERR_READ_ONLY);
    cr_assert_eq(try_open(self, "/kern/version", OPEN_SERVE), ERR_WRONG_KIND);
    cr_assert_eq(user_make(self, self->root, "/kern/x", NODE_DIR, 0777), ERR_READ_ONLY);
    cr_assert_eq(user_make(self, self->root, "/proc/x", NODE_DIR, 0777), ERR_READ_ONLY);
    cr_assert_eq(user_make(self, self->root, "/proc/self/x", NODE_DIR, 0777), ERR_READ_ONLY);
    cr_assert_eq(user_remove(self, self->root, "/kern"), ERR_READ_ONLY);
    cr_assert_eq(user_remove(self, self->root, "/dev/null"), ERR_READ_ONLY);
    cr_assert_eq(user_remove(self, self->root, "/proc/self"), ERR_READ_ONLY);
    cr_assert_eq(user_rename(self, self->root, "/kern/version", "/tmp/version"), ERR_READ_ONLY);
    cr_assert_eq(user_rename(self, self->root, "/proc/1", "/tmp/1"), ERR_READ_ONLY);
    cr_assert_eq(user_remove(self, self->root, "/svc"), ERR_READ_ONLY);
    cr_assert_eq(user_rename(self, self->root, "/ipc", "/ipc2"), ERR_READ_ONLY);
    cr_assert_eq(user_remove(self, self->root, "/"), ERR_BUSY);
    cr_assert_eq(user_remove(self, self->root, "/tmp/."), ERR_BUSY);
}

// The handle of a file has the rights that were asked for, and never one that the directory's handle lacks.
Test(name, rights_only_shrink) {
    boot();
    long file = user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0777);
    cr_assert(has_right(self, (handle_t)file, RIGHT_READ | RIGHT_WRITE));
    cr_assert(!has_right(self, (handle_t)file, RIGHT_EXEC));
    cr_assert(!has_right(self, (handle_t)file, RIGHT_ADMIN));
    for (uint32_t rights = 0; rights <= RIGHTS_ALL; rights++) {
        long dir = CALL(self, DUP, self->root, rights);
        cr_assert_gt(dir, 0);
        for (unsigned flags = 1; flags < 8; flags++) {
            uint32_t needs = RIGHT_READ | ((flags & OPEN_WRITE) != 0 ? RIGHT_WRITE : 0) |
                             ((flags & OPEN_EXEC) != 0 ? RIGHT_EXEC : 0);
            long got = user_open(self, (handle_t)dir, "/tmp/f", flags, 0);
            cr_assert_eq(got > 0 ? 0 : got, (rights & needs) == needs ? 0 : ERR_RIGHTS);
            if (got > 0) {
                cr_assert_eq(has_right(self, (handle_t)got, flags & 1), (rights & RIGHT_GRANT) != 0);
                CALL(self, CLOSE, (uint64_t)got);
            }
        }
        bool changes = (rights & (RIGHT_READ | RIGHT_WRITE)) == (RIGHT_READ | RIGHT_WRITE);
        long made = user_make(self, (handle_t)dir, "/tmp/d", NODE_DIR, 0777);
        cr_assert_eq(made, changes ? 0 : ERR_RIGHTS);
        cr_assert_eq(user_remove(self, (handle_t)dir, "/tmp/d"), changes ? 0 : ERR_RIGHTS);
        CALL(self, CLOSE, (uint64_t)dir);
    }
    // A directory opened for reading only bounds everything below it.
    handle_t narrow = (handle_t)user_open(self, self->root, "/tmp", OPEN_READ | OPEN_DIR, 0);
    cr_assert_eq(user_open(self, narrow, "f", OPEN_WRITE, 0), ERR_RIGHTS);
    cr_assert_eq(user_make(self, narrow, "x", NODE_DIR, 0), ERR_RIGHTS);
}

// IPC-7.6: nobody takes a name that is another's, nor puts anything over it or below it.
Test(name, hijacking_is_refused) {
    boot();
    struct user *owner = other(5, 50), *thief = other(6, 60);
    long server = user_channel(owner, owner->root, "/svc/bank", nullptr);
    cr_assert_gt(server, 0);
    cr_assert_eq(user_make(owner, owner->root, "/svc/shop", NODE_DIR, 0755), 0);
    cr_assert_eq(user_channel(thief, thief->root, "/svc/bank", nullptr), ERR_EXISTS);
    cr_assert_eq(user_make(thief, thief->root, "/svc/bank", NODE_DIR, 0777), ERR_EXISTS);
    cr_assert_eq(user_link(thief, thief->root, "/svc/bank", "/tmp"), ERR_EXISTS);
    cr_assert_eq(user_remove(thief, thief->root, "/svc/bank"), ERR_ACCESS);
    cr_assert_eq(user_rename(thief, thief->root, "/svc/bank", "/svc/old"), ERR_ACCESS);
    cr_assert_eq(user_make(thief, thief->root, "/tmp/mine", NODE_DIR, 0777), 0);
    cr_assert_eq(user_rename(thief, thief->root, "/tmp/mine", "/svc/bank"), ERR_EXISTS);
    cr_assert_eq(user_rename(thief, thief->root, "/svc/shop", "/svc/old"), ERR_ACCESS);
    cr_assert_eq(user_channel(thief, thief->root, "/svc/shop/till", nullptr), ERR_ACCESS);
    cr_assert_eq(user_channel(thief, thief->root, "/svc/bank/data2", nullptr), ERR_READ_ONLY);
    cr_assert_eq(user_make(owner, owner->root, "/svc/bank/x", NODE_DIR, 0777), ERR_READ_ONLY);
    cr_assert_eq(user_remove(self, self->root, "/svc/bank/data"), ERR_READ_ONLY);
    cr_assert_eq(try_open(thief, "/svc/bank/data", OPEN_SERVE), ERR_ACCESS);
    cr_assert_eq(try_open(thief, "/svc/bank/ctl", OPEN_WRITE), ERR_ACCESS);
    cr_assert_eq(try_open(thief, "/svc/bank/data", OPEN_READ | OPEN_WRITE), 0);
    cr_assert_eq(try_open(owner, "/svc/bank/data", OPEN_SERVE), 0);
    cr_assert_eq(user_remove(owner, owner->root, "/svc/bank"), 0);
    cr_assert_eq(user_channel(thief, thief->root, "/svc/bank", nullptr) > 0, true);
}

// r receives, w sends, x serves.
Test(name, channel_modes) {
    boot();
    struct user *owner = other(5, 50), *client = other(6, 60);
    for (uint32_t mode = 1; mode < 8; mode++) {
        struct abi_channel_config config = {.mode = 0700 | mode};
        char path[32];
        snprintf(path, sizeof path, "/ipc/%u", mode);
        long server = user_channel(owner, owner->root, path, &config);
        cr_assert_gt(server, 0);
        snprintf(path, sizeof path, "/ipc/%u/data", mode);
        cr_assert_eq(try_open(client, path, OPEN_READ), (mode & MODE_READ) != 0 ? 0 : ERR_ACCESS);
        cr_assert_eq(try_open(client, path, OPEN_WRITE), (mode & MODE_WRITE) != 0 ? 0 : ERR_ACCESS);
        cr_assert_eq(try_open(client, path, OPEN_SERVE), (mode & MODE_EXEC) != 0 ? 0 : ERR_ACCESS);
        snprintf(path, sizeof path, "/ipc/%u/stats", mode);
        cr_assert_eq(try_open(client, path, OPEN_READ), 0);
    }
    machine_check();
}

// What opens has only those directions.
Test(name, connection_has_the_rights_that_were_asked_for) {
    boot();
    char byte;
    long server = user_channel(self, self->root, "/ipc/c", nullptr);
    long sender = user_open(self, self->root, "/ipc/c/data", OPEN_WRITE, 0);
    long receiver = user_open(self, self->root, "/ipc/c/data", OPEN_READ, 0);
    cr_assert_eq(user_send(self, (handle_t)sender, "x", 1, 0, 0), 0);
    cr_assert_eq(user_recv(self, (handle_t)sender, &byte, 1), ERR_RIGHTS);
    cr_assert_eq(user_send(self, (handle_t)receiver, "x", 1, 0, 0), ERR_RIGHTS);
    cr_assert_eq(user_recv(self, (handle_t)receiver, &byte, 1), ERR_EMPTY);
    cr_assert_eq(user_recv(self, (handle_t)server, &byte, 1), 1);
}

Test(name, ctl_of_a_channel) {
    boot();
    struct user *owner = other(5, 50), *stranger = other(6, 60);
    struct abi_stat stat;
    cr_assert_gt(user_channel(owner, owner->root, "/ipc/c", nullptr), 0);
    long ctl = user_open(owner, owner->root, "/ipc/c/ctl", OPEN_WRITE | OPEN_TRUNCATE, 0);
    cr_assert_gt(ctl, 0);
    static const char *const bad[] = {"",        "\n",      "mode",        "mode 8", "mode 1000",
                                      "mode -1", "removed", "mode 0644 x", "MODE 1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(user_write(owner, (handle_t)ctl, bad[i], strlen(bad[i]), 0), ERR_INVALID, "'%s'", bad[i]);
    }
    cr_assert_eq(user_write(owner, (handle_t)ctl, "mode 0600\n", 10, OFFSET_CURRENT), 10);
    cr_assert_eq(user_stat(self, self->root, "/ipc/c", &stat), 0);
    cr_assert_eq(stat.mode, 0600);
    cr_assert_eq(try_open(stranger, "/ipc/c/data", OPEN_WRITE), ERR_ACCESS);
    cr_assert_eq(user_write(owner, (handle_t)ctl, "remove", 6, 0), 6);
    cr_assert_eq(user_stat(self, self->root, "/ipc/c", &stat), ERR_NOT_FOUND);
    cr_assert_eq(user_write(owner, (handle_t)ctl, "remove", 6, 0), ERR_REMOVED);
    cr_assert_eq(user_write(owner, (handle_t)ctl, "mode 1", 6, 0), ERR_REMOVED);
    machine_check();
}

// A directory, file or channel that is removed while open stays what it is for whoever has it.
Test(name, removed_while_open) {
    boot();
    char byte[2];
    struct abi_stat stat;
    long file = user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    cr_assert_eq(user_write(self, (handle_t)file, "ab", 2, 0), 2);
    cr_assert_eq(user_remove(self, self->root, "/tmp/f"), 0);
    cr_assert_eq(user_read(self, (handle_t)file, byte, 2, 0), 2);
    cr_assert_eq(byte[1], 'b');
    cr_assert_eq(user_stat(self, (handle_t)file, "", &stat), 0);
    cr_assert_eq(user_make(self, self->root, "/tmp/d", NODE_DIR, 0777), 0);
    long dir = user_open(self, self->root, "/tmp/d", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    cr_assert_eq(user_remove(self, self->root, "/tmp/d"), 0);
    cr_assert_eq(user_make(self, (handle_t)dir, "x", NODE_DIR, 0777), ERR_REMOVED);
    cr_assert_eq(user_open(self, (handle_t)dir, "..", OPEN_READ, 0), ERR_REMOVED);
    cr_assert_eq(CALL(self, LIST, (uint64_t)dir, 0, self->scratch, 1), ERR_REMOVED);
}

Test(name, ordinary_files) {
    boot();
    char text[64];
    long file = user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    cr_assert_eq(user_read(self, (handle_t)file, text, 10, 0), 0);
    cr_assert_eq(user_write(self, (handle_t)file, "hello", 0, OFFSET_CURRENT), 0);
    cr_assert_eq(user_write(self, (handle_t)file, "hello", 5, OFFSET_CURRENT), 5);
    cr_assert_eq(user_read(self, (handle_t)file, text, 0, 0), 0);
    cr_assert_eq(CALL(self, READ, (uint64_t)file, 64, 0, 0), 0);     // nothing is copied to nowhere
    cr_assert_eq(user_write(self, (handle_t)file, "!", 1, 9000), 1); // a hole reads as zeroes
    cr_assert_eq(user_read(self, (handle_t)file, text, 10, 8998), 3);
    cr_assert(text[0] == 0 && text[1] == 0 && text[2] == '!');
    cr_assert_eq(user_write(self, (handle_t)file, "x", 1, FILE_MAX), ERR_TOO_BIG);
    cr_assert_eq(user_write(self, (handle_t)file, "xy", 2, FILE_MAX - 1), ERR_TOO_BIG);
    cr_assert_eq(user_write(self, (handle_t)file, "x", 1, UINT64_MAX - 1), ERR_TOO_BIG);
    cr_assert_eq(user_write(self, (handle_t)file, "x", 1, FILE_MAX - 1), 1);
    long append = user_open(self, self->root, "/tmp/f", OPEN_WRITE | OPEN_TRUNCATE | OPEN_APPEND, 0);
    cr_assert_eq(user_read(self, (handle_t)file, text, 10, 0), 0);
    cr_assert_eq(user_write(self, (handle_t)append, "one", 3, 0), 3);
    cr_assert_eq(user_write(self, (handle_t)append, "two", 3, OFFSET_CURRENT), 3);
    cr_assert_eq(user_read(self, (handle_t)file, text, 10, 0), 6);
    cr_assert_eq(memcmp(text, "onetwo", 6), 0);
    // A write that ends in memory that cannot be read: what was written counts, and nothing else shows.
    uint64_t end = self->scratch + USER_SCRATCH_SIZE;
    long big = user_open(self, self->root, "/tmp/g", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    cr_assert_eq(CALL(self, WRITE, (uint64_t)big, end - 5000, 6000, 0), 4096);
    cr_assert_eq(user_write(self, (handle_t)big, "z", 1, 8000), 1);
    for (uint64_t at = 4096; at < 8000; at += sizeof text) {
        long got = user_read(self, (handle_t)big, text, sizeof text, at);
        for (long i = 0; i < got && at + (uint64_t)i < 8000; i++) {
            cr_assert_eq(text[i], 0);
        }
    }
    machine_check();
}

// Writing goes page by page, and is still one write; one that fails early has changed nothing further on.
Test(name, writes_over_many_pages) {
    enum { LENGTH = 3 * PAGE_SIZE + 1000 };
    static char bytes[LENGTH], back[LENGTH + 100];
    struct abi_stat stat;
    boot();
    for (unsigned i = 0; i < LENGTH; i++) {
        bytes[i] = (char)(i * 7 / 5);
    }
    handle_t file = (handle_t)user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    for (uint64_t at = 0; at < 2 * PAGE_SIZE; at += PAGE_SIZE / 2 + 3) {
        cr_assert_eq(user_write(self, file, bytes, LENGTH, at), LENGTH);
        cr_assert_eq(user_stat(self, file, "", &stat), 0);
        cr_assert_eq(stat.size, at + LENGTH);
        cr_assert_eq(user_read(self, file, back, sizeof back, at), LENGTH);
        cr_assert_eq(memcmp(bytes, back, LENGTH), 0);
        for (uint64_t page = 0; page < 4; page++) {
            cr_assert_eq(CALL(self, WRITE, file, 64, 10, page * PAGE_SIZE), ERR_FAULT);
        }
        cr_assert_eq(user_read(self, file, back, sizeof back, at), LENGTH);
        cr_assert_eq(memcmp(bytes, back, LENGTH), 0);
    }
}

static long watch(struct user *user, long notifier, long object) {
    struct abi_watch_spec spec = {.events = EVENT_READABLE | EVENT_REMOVED | EVENT_OPENED};
    cr_assert(user_store(user, user->scratch, &spec, sizeof spec));
    return CALL(user, WATCH, (uint64_t)notifier, (uint64_t)object, user->scratch);
}

// A channel is watched through any of its files, but only by who may read it.
Test(name, watching_a_channel_needs_r) {
    boot();
    struct user *owner = other(5, 50), *stranger = other(6, 60);
    struct abi_channel_config config = {.mode = 0722};
    cr_assert_gt(user_channel(owner, owner->root, "/ipc/c", &config), 0);
    static const char *const paths[] = {"/ipc/c", "/ipc/c/stats", "/ipc/c/ctl"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct user *user[2] = {owner, stranger};
        for (unsigned who = 0; who < 2; who++) {
            long notifier = CALL(user[who], NOTIFIER_CREATE, 0);
            long file = user_open(user[who], user[who]->root, paths[i], OPEN_READ, 0);
            cr_assert_gt(file, 0);
            cr_assert_eq(watch(user[who], notifier, file), who == 0 ? 0 : ERR_RIGHTS, "%s", paths[i]);
        }
    }
    machine_check();
}

// Removal is told once: of a directory or a file by its node, of a channel by the channel.
Test(name, removal_is_told_once) {
    static const char *const paths[] = {"/tmp/d", "/tmp/f", "/ipc/c"};
    boot();
    struct abi_stat stat;
    struct abi_event_record record;
    cr_assert_eq(user_make(self, self->root, paths[0], NODE_DIR, 0777), 0);
    cr_assert_gt(user_open(self, self->root, paths[1], OPEN_READ | OPEN_CREATE, 0600), 0);
    cr_assert_gt(user_channel(self, self->root, paths[2], nullptr), 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        long notifier = CALL(self, NOTIFIER_CREATE, 0);
        long file = user_open(self, self->root, paths[i], OPEN_READ, 0);
        struct abi_watch_spec spec = {.events = EVENT_REMOVED};
        cr_assert(user_store(self, self->scratch, &spec, sizeof spec));
        cr_assert_eq(CALL(self, WATCH, (uint64_t)notifier, (uint64_t)file, self->scratch), 0);
        cr_assert_eq(user_stat(self, (handle_t)file, "", &stat), 0);
        cr_assert_eq(user_remove(self, self->root, paths[i]), 0);
        cr_assert_eq(user_read(self, (handle_t)notifier, &record, sizeof record, 0), (long)sizeof record, "%s",
                     paths[i]);
        cr_assert_eq(record.event, EVENT_REMOVED);
        cr_assert_eq(record.value, i < 2 ? stat.id : 0);
        cr_assert_eq(user_read(self, (handle_t)notifier, &record, sizeof record, 0), ERR_EMPTY, "%s", paths[i]);
    }
}

// What a synthesised node stands for is an object only where it has one: a link has a target in that place.
Test(name, watching_what_is_made_by_looking) {
    static const char *const paths[] = {"/proc/self",     "/proc",           "/proc/1",
                                        "/proc/1/status", "/proc/1/handles", "/ipc/c/stats"};
    boot();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    long notifier = CALL(self, NOTIFIER_CREATE, 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        long file = user_open(self, self->root, paths[i], OPEN_READ | OPEN_NOFOLLOW, 0);
        cr_assert_gt(file, 0);
        cr_assert_eq(watch(self, notifier, file), 0, "%s", paths[i]);
        CALL(self, CLOSE, (uint64_t)file);
    }
    machine_check();
}

// What does not fit loses its beginning, and there is always room to say so.
Test(name, path_of_a_node_in_little_space) {
    static const struct {
        size_t capacity;
        const char *expected;
    } cases[] = {{8, "..."}, {9, ".../defg"}, {12, ".../defg"}, {13, "/abc/defg"}, {64, "/abc/defg"}};
    static struct node root, above, below;
    above.parent = &root;
    above.name_length = 3;
    strcpy(above.name, "abc");
    below.parent = &above;
    below.name_length = 4;
    strcpy(below.name, "defg");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[65];
        memset(text, '#', sizeof text);
        node_path(&below, text, cases[i].capacity);
        cr_assert_str_eq(text, cases[i].expected, "in %zu: %s", cases[i].capacity, text);
        cr_assert_eq(text[cases[i].capacity], '#');
    }
}

// A refusal gives back what the walk had found.
Test(name, slash_after_a_file_keeps_nothing_of_it) {
    struct abi_stat stat;
    boot();
    handle_t file = (handle_t)user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600);
    uint64_t files = node_get_stats().alive[NODE_FILE];
    cr_assert_eq(user_stat(self, file, "", &stat), 0);
    cr_assert_eq(user_stat(self, file, "/", &stat), ERR_NOT_DIR);
    cr_assert_eq(user_stat(self, file, "//", &stat), ERR_NOT_DIR);
    cr_assert_eq(user_remove(self, self->root, "/tmp/f"), 0);
    cr_assert_eq(CALL(self, CLOSE, file), 0);
    cr_assert_eq(node_get_stats().alive[NODE_FILE], files - 1);
}

// Which names can be given, against the rule in words: 1 to 63 bytes, neither "." nor "..", no slash, no control character.
static void names_follow_the_rule(struct property *p) {
    static const char odd[] = {'.', '/', '\0', '\x1f', ' ', '\x7f', '\x80', '\xff', '\\'};
    char name[NAME_LEN_MAX + 4];
    size_t length = property_chance(p, "long", 30) ? property_between(p, "length", NAME_LEN_MAX - 2, NAME_LEN_MAX + 3)
                                                   : property_choose(p, "length", 4);
    bool expected = length > 0 && length <= NAME_LEN_MAX;
    bool only_dots = true;
    for (size_t i = 0; i < length; i++) {
        bool plain = property_chance(p, "plain", i < 2 ? 30 : 90);
        name[i] = plain ? 'n' : odd[property_choose(p, "odd", sizeof odd)];
        only_dots = only_dots && name[i] == '.';
        expected = expected && strchr("/\x7f", name[i]) == nullptr && (unsigned char)name[i] >= ' ';
    }
    property_equal(p, node_name_valid(name, length), expected && !(only_dots && length <= 2));
}

Test(name, names_follow_the_rule) {
    cr_assert(property_run("names_follow_the_rule", 20000, names_follow_the_rule));
}

// Names that begin like "." and ".." are names.
Test(name, dots_in_names) {
    static const char *const names[] = {".a", "a.", "...", "..a", "aa"};
    boot();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[16];
        snprintf(path, sizeof path, "/tmp/%s", names[i]);
        cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0777), 0, "%s", path);
        strcat(path, "/x");
        cr_assert_eq(user_make(self, self->root, path, NODE_DIR, 0777), 0, "%s", path);
    }
    struct abi_stat tmp;
    cr_assert_eq(user_stat(self, self->root, "/tmp", &tmp), 0);
    cr_assert_eq(tmp.size, sizeof names / sizeof names[0]);
}

// The right to administrate is its owner's and user 0's, whatever the kind and the mode.
Test(name, administration_is_for_the_owner) {
    static const struct {
        const char *path;
        unsigned flags;
    } cases[] = {{"/tmp/d", OPEN_READ | OPEN_DIR}, {"/tmp/f", OPEN_READ}, {"/tmp/l", OPEN_READ | OPEN_NOFOLLOW}};
    boot();
    struct user *owner = other(5, 50), *stranger = other(6, 50);
    cr_assert_eq(user_make(owner, owner->root, "/tmp/d", NODE_DIR, 0777), 0);
    cr_assert_gt(user_open(owner, owner->root, "/tmp/f", OPEN_WRITE | OPEN_CREATE, 0777), 0);
    cr_assert_eq(user_link(owner, owner->root, "/tmp/l", "f"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = cases[i].path;
        cr_assert_eq(try_open(stranger, path, cases[i].flags), 0, "%s", path);
        cr_assert_eq(try_open(stranger, path, cases[i].flags | OPEN_ADMIN), ERR_ACCESS, "%s", path);
        cr_assert_eq(try_open(owner, path, cases[i].flags | OPEN_ADMIN), 0, "%s", path);
        cr_assert_eq(try_open(self, path, cases[i].flags | OPEN_ADMIN), 0, "%s", path);
    }
}

// A link is given as path, NUL, target; each has its own limit.
Test(name, both_parts_of_a_link_are_bounded) {
    static const struct {
        size_t path, target;
        long expected;
    } cases[] = {
        {6, PATH_LEN_MAX, 0},
        {6, PATH_LEN_MAX + 1, ERR_NAME_TOO_LONG},
        {PATH_LEN_MAX, 1, ERR_EXISTS},
        {PATH_LEN_MAX + 1, 1, ERR_NAME_TOO_LONG},
        {PATH_LEN_MAX + 1, PATH_LEN_MAX, ERR_NAME_TOO_LONG},
        {6, 0, ERR_INVALID},
    };
    boot();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2 * PATH_LEN_MAX + 8];
        memset(text, '/', sizeof text);
        memcpy(text + cases[i].path - 4, "/l/.", 4); // a path of slashes that ends in a name, as "//tmp/l"
        memcpy(text + cases[i].path - 6, "/tmp/l", 6);
        text[cases[i].path] = '\0';
        memset(text + cases[i].path + 1, 't', cases[i].target);
        size_t length = cases[i].path + 1 + cases[i].target;
        cr_assert(user_store(self, self->scratch, text, length));
        cr_assert_eq(CALL(self, MAKE, self->root, self->scratch, length, NODE_LINK, 0), cases[i].expected, "case %zu",
                     i);
    }
}

Test(name, a_link_has_both_parts) {
    static const char *const parts[] = {"\0t", "p", "p\0", "\0", "p\0t\0"};
    static const size_t lengths[] = {2, 1, 2, 1, 4};
    boot();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        cr_assert(user_store(self, self->scratch, parts[i], lengths[i]));
        cr_assert_eq(CALL(self, MAKE, self->root, self->scratch, lengths[i], NODE_LINK, 0), ERR_INVALID, "%zu", i);
    }
}

// Any number is a cookie: what a listing gives beyond its end is nothing.
Test(name, any_cookie_can_be_listed_from) {
    static const char *const paths[] = {"/", "/proc", "/proc/self/", "/ipc/c"};
    static const uint64_t cookies[] = {1, 8, UINT32_MAX - 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
    boot();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t dir = user_open(self, self->root, paths[i], OPEN_READ | OPEN_DIR, 0);
        cr_assert_gt(dir, 0);
        int64_t all = CALL(self, LIST, (uint64_t)dir, 0, self->scratch, 16);
        cr_assert_gt(all, 1);
        for (size_t k = 0; k < sizeof cookies / sizeof cookies[0]; k++) {
            int64_t from = CALL(self, LIST, (uint64_t)dir, cookies[k], self->scratch, 16);
            cr_assert(k < 2 ? from >= 0 && from < all + (i == 0) : from == 0, "%s from %zu: %ld", paths[i], k,
                      (long)from);
        }
    }
    machine_check();
}

// What a handle names after its name has gone is said to be gone.
Test(name, handles_of_what_was_removed) {
    char text[4096];
    boot();
    cr_assert_gt(user_open(self, self->root, "/tmp/f", OPEN_READ | OPEN_CREATE, 0600), 0);
    cr_assert_gt(user_text(self, "/proc/self/handles", text, sizeof text), 0);
    cr_assert_not_null(strstr(text, " /tmp/f\n"));
    cr_assert_null(strstr(text, "(removed)"));
    cr_assert_not_null(strstr(text, " /\n"));
    cr_assert_eq(user_remove(self, self->root, "/tmp/f"), 0);
    cr_assert_gt(user_text(self, "/proc/self/handles", text, sizeof text), 0);
    cr_assert_not_null(strstr(text, " (removed)\n"));
    cr_assert_null(strstr(text, "/tmp/f"));
}

// More nodes than the table of names grows for: each is still found by its name, and by no other, while there are so many
// and when they are gone again.
Test(name, more_names_than_the_table_grows_for, .timeout = 120) {
    enum { BUCKETS_MAX = 1025 * 512, SOME = 2000, MANY = BUCKETS_MAX + SOME + 200 };
    static struct node *node[MANY];
    bare_boot(&(struct host_options){.memory = 256u << 20});
    node_init();
    struct node *root = node_new(NODE_DIR, 0755, 0, 0);
    char name[16];
    for (unsigned i = 0; i < MANY; i++) {
        node[i] = node_new(NODE_LINK, 0777, 0, 0);
        cr_assert_not_null(node[i]);
        cr_assert_eq(node_set_target(node[i], "t", 1), 0);
        alloc_fault_arm(i < SOME ? 1 : 0, true); // at first there is no memory for a bigger table
        node_link(root, node[i], name, (size_t)snprintf(name, sizeof name, "%u", i));
        alloc_fault_arm(0, false);
        node_unref(node[i]);
    }
    uint64_t buckets = node_get_stats().buckets;
    cr_assert_eq(buckets, BUCKETS_MAX);
    cr_assert_eq(node_get_stats().linked, MANY);
    for (unsigned i = 0; i < MANY + SOME; i++) {
        struct node *found = node_child(root, name, (size_t)snprintf(name, sizeof name, "%u", i));
        cr_assert_eq(found, i < MANY ? node[i] : nullptr, "%u", i);
    }
    for (unsigned i = SOME; i < MANY; i++) {
        node_unlink(node[i]);
    }
    cr_assert_eq(node_get_stats().linked, SOME);
    for (unsigned i = 0; i < 2 * SOME; i++) {
        struct node *found = node_child(root, name, (size_t)snprintf(name, sizeof name, "%u", i));
        cr_assert_eq(found, i < SOME ? node[i] : nullptr, "%u", i);
    }
    cr_assert_eq(node_get_stats().buckets, buckets);
}

// The table grows with the names, one bucket for each that comes.
Test(name, the_table_grows_by_one) {
    enum { FIRST = PAGE_SIZE / sizeof(void *), MANY = 3 * FIRST };
    bare_boot(&(struct host_options){.memory = 16u << 20});
    node_init();
    struct node *root = node_new(NODE_DIR, 0755, 0, 0);
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        struct node *node = node_new(NODE_DIR, 0777, 0, 0);
        node_link(root, node, name, (size_t)snprintf(name, sizeof name, "%u", i));
        node_unref(node);
        cr_assert_eq(node_get_stats().linked, i + 1);
        cr_assert_eq(node_get_stats().buckets, i > FIRST ? i : FIRST, "%u", i);
    }
}

// What everybody may write to belongs to nobody in particular.
Test(name, public_directories_are_the_systems) {
    static const char *const paths[] = {"/tmp", "/ipc"};
    boot();
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct abi_stat stat;
        cr_assert_eq(user_stat(self, self->root, paths[i], &stat), 0);
        cr_assert_eq(stat.owner, 0);
        cr_assert_eq(stat.group, 0);
        cr_assert_eq(stat.mode, 0777);
    }
}

Test(name, zeroes_fill_what_was_asked_for_and_no_more) {
    enum { SIZE = 5000 };
    static unsigned char bytes[SIZE + 1];
    boot();
    handle_t zero = (handle_t)user_open(self, self->root, "/dev/zero", OPEN_READ, 0);
    memset(bytes, 0xee, sizeof bytes);
    cr_assert(user_store(self, self->scratch, bytes, sizeof bytes));
    cr_assert_eq(CALL(self, READ, zero, self->scratch, SIZE, OFFSET_CURRENT), SIZE);
    cr_assert(user_load(self, bytes, self->scratch, sizeof bytes));
    for (unsigned i = 0; i < SIZE; i++) {
        cr_assert_eq(bytes[i], 0, "%u", i);
    }
    cr_assert_eq(bytes[SIZE], 0xee);
}

// The longest that is read as a command at all is refused as unknown, a longer one and none unread.
Test(name, commands_have_a_length) {
    char command[COMMAND_MAX + 2];
    memset(command, 'x', sizeof command);
    boot();
    cr_assert_gt(user_channel(self, self->root, "/ipc/c", nullptr), 0);
    handle_t control = (handle_t)user_open(self, self->root, "/ipc/c/ctl", OPEN_WRITE, 0);
    cr_assert_eq(user_write(self, control, command, 0, OFFSET_CURRENT), ERR_INVALID);
    cr_assert_eq(user_write(self, control, command, COMMAND_MAX, OFFSET_CURRENT), ERR_INVALID);
    cr_assert_eq(user_write(self, control, command, COMMAND_MAX + 1, OFFSET_CURRENT), ERR_INVALID);
    cr_assert_eq(user_write(self, control, "remove", 6, OFFSET_CURRENT), 6);
}

// An entry's coming and its leaving are changes of the directory, and the times say when.
Test(name, a_directory_changes_with_its_entries) {
    struct abi_stat stat;
    boot();
    user_work(self, 1000);
    uint64_t begun = host_time();
    cr_assert_eq(user_make(self, self->root, "/tmp/entry", NODE_DIR, 0700), 0);
    cr_assert_eq(user_stat(self, self->root, "/tmp", &stat), 0);
    cr_assert_eq(stat.modified, begun);
    user_work(self, 2000);
    cr_assert_eq(user_remove(self, self->root, "/tmp/entry"), 0);
    cr_assert_eq(user_stat(self, self->root, "/tmp", &stat), 0);
    cr_assert_eq(stat.modified, begun + 2000);
}
