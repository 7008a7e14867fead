// Every call with arguments of every kind: sensible, wrong, and hostile. Whatever an unprivileged process does, the kernel
// stays up, its books add up after each step, and when the processes are gone everything is back.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/thread.h"
#include "machine.h"
#include "property.h"
#include "refusals.h"

enum { ACTORS = 4, OPERATIONS = 2000, SLOT = 512, CHECK_EVERY = 16 };

// Where things lie in scratch memory.
enum { PATHS_AT = 0, ITEMS_AT = 16384, CONFIG_AT = 20480, BUFFER_AT = 24576 };

static const char *const paths[] = {
    "",
    "a",
    "b",
    "a/b",
    "a/b/c",
    "c1",
    "c1/data",
    "c1/ctl",
    "c1/stats",
    "c2",
    "c2/data",
    "//a//b",
    "..",
    "../../x",
    "l1",
    "l2",
    "l1/x",
    "f1",
    "f2",
    "a/f3",
    ".",
    "a/./b",
    "a/../b",
    "c1/events",
    "/kern/log",
    "/proc/self/status",
    "/kern/mem/stats/pages",
    "/dev/console",
    "/bin/init",
    "/ipc/e",
    "/ipc/e/data",
    "nothing/at/all",
};
enum { PATHS = sizeof paths / sizeof paths[0] };

// Kinds of arguments by call, in order: handles: h any, D directory, F something open, M memory, E end of a conversation,
// S server, P process, N notifier; X what a watch asks for, B bits; p path, l its length, b buffer, n its length, W wait items, c count,
// t deadline, r rights, f flags, m mode, k kind, o offset, s status, C channel configuration, e entry or stack, a mapped
// address, z size, u small, w any word, q name.
static const char *const shapes[CALL_COUNT] = {
    [CALL_ABI_VERSION] = "",
    [CALL_CLOCK] = "",
    [CALL_CALL] = "Eubbt",
    [CALL_REPLY_WAIT] = "Subbt",
    [CALL_YIELD] = "",
    [CALL_EXIT] = "s",
    [CALL_THREAD_EXIT] = "",
    [CALL_WAIT] = "Wct",
    [CALL_CLOSE] = "h",
    [CALL_DUP] = "hr",
    [CALL_GIVE] = "Phr",
    [CALL_OPEN] = "Dplfm",
    [CALL_READ] = "Fbno",
    [CALL_WRITE] = "Fbno",
    [CALL_STAT] = "Dplb",
    [CALL_LIST] = "Dubc",
    [CALL_MAKE] = "Dxykm",
    [CALL_REMOVE] = "Dpl",
    [CALL_RENAME] = "Dplpl",
    [CALL_SETATTR] = "Dplum0",
    [CALL_CHANNEL_CREATE] = "DplC",
    [CALL_CONNECT] = "Sr",
    [CALL_SEND] = "Ebnw0",
    [CALL_RECV] = "Ebn",
    [CALL_PROCESS_CREATE] = "q1ii",
    [CALL_PROCESS_INFO] = "Pb",
    [CALL_KILL] = "Ps",
    [CALL_THREAD_CREATE] = "Peewu",
    [CALL_PAGES_CREATE] = "z",
    [CALL_MAP] = "PMaozR",
    [CALL_UNMAP] = "Pa",
    [CALL_DEBUG_PRINT] = "bn",
    [CALL_NOTIFIER_CREATE] = "u",
    [CALL_SIGNAL] = "NB",
    [CALL_TAKE] = "NBt",
    [CALL_WATCH] = "NhX",
    [CALL_UNWATCH] = "NB",
    [CALL_FINISH] = "E",
    [CALL_ATTACH] = "Su",
    [CALL_WATCH_PATH] = "NDplB",
};

struct actor {
    struct user *user;
    handle_t process; // init's handle of its process
};

static struct actor actors[ACTORS];
static unsigned born;

// A handle of one of these kinds, as a process remembers what it was given: by the core's own table. 0 where it has none.
static uint64_t handle_of(struct property *p, struct user *user, unsigned kinds) {
    struct handle_table *table = &user->thread->process->handles;
    uint32_t index = (uint32_t)property_choose(p, "handle", table->fresh);
    for (uint32_t turns = 0; turns < table->fresh && turns < 64; turns++, index = (index + 1) % table->fresh) {
        uint32_t at = index;
        struct handle *handle = handle_next(table, &at);
        if (handle != nullptr && at == index && (kinds >> handle->object->ops->kind & 1) != 0) {
            return handle_value(handle, at);
        }
    }
    return 0;
}

static uint64_t some_handle(struct property *p, struct user *user, char kind) {
    if (user_gone(user) || user->thread->process->handles.fresh == 0 || property_chance(p, "no such handle", 4)) {
        return property_word(p, "handle");
    }
    unsigned kinds = kind == 'D'   ? 1 << OBJECT_FILE
                     : kind == 'F' ? 1 << OBJECT_FILE | 1 << OBJECT_CONNECTION | 1 << OBJECT_CHANNEL |
                                         1 << OBJECT_PAGES | 1 << OBJECT_NOTIFIER | 1 << OBJECT_EVENTS
                     : kind == 'M' ? 1 << OBJECT_PAGES | 1 << OBJECT_FILE
                     : kind == 'E' ? 1 << OBJECT_CONNECTION | 1 << OBJECT_CHANNEL
                     : kind == 'S' ? 1 << OBJECT_CHANNEL
                     : kind == 'P' ? 1 << OBJECT_PROCESS
                     : kind == 'N' ? 1 << OBJECT_NOTIFIER
                                   : ~0u;
    if (kind == 'D' && property_chance(p, "root", 60)) {
        return user->root;
    }
    if (property_chance(p, "any kind", 8)) {
        kinds = ~0u;
    }
    return handle_of(p, user, kinds);
}

static uint64_t some_address(struct property *p, struct user *user) {
    static const uint64_t hostile[] = {0,
                                       1,
                                       0xfff,
                                       ARCH_USER_BASE - 1,
                                       ARCH_USER_BASE,
                                       ARCH_USER_TOP - 1,
                                       ARCH_USER_TOP,
                                       0x8000000000000000,
                                       0xffff800000000000,
                                       0xfffffffffffff000,
                                       UINT64_MAX};
    switch (property_choose(p, "address", 12)) {
    case 0:
        return hostile[property_choose(p, "hostile", sizeof hostile / sizeof hostile[0])];
    case 1:
        return user->scratch + USER_SCRATCH_SIZE - property_choose(p, "before the end", 600);
    case 2:
        return property_word(p, "anywhere");
    default:
        return user->scratch + BUFFER_AT + property_choose(p, "offset", 4096);
    }
}

static unsigned chosen_path;

static void set_items(struct property *p, struct user *user) {
    struct abi_wait_item item[4];
    for (unsigned i = 0; i < 4; i++) {
        item[i].handle = (handle_t)some_handle(p, user, 'h');
        item[i].events = (uint32_t)property_choose(p, "events", 40);
    }
    user_store(user, user->scratch + ITEMS_AT, item, sizeof item);
}

static void set_config(struct property *p, struct user *user) {
    struct abi_channel_config config = {
        .depth = (uint32_t)property_choose(p, "depth", 300),
        .message_max = (uint32_t)property_choose(p, "message_max", 260),
        .mode = property_chance(p, "mode", 50) ? 0777 : 0,
        .flags = (uint32_t)property_choose(p, "flags", 5),
    };
    user_store(user, user->scratch + CONFIG_AT, &config, sizeof config);
}

static void set_watch(struct property *p, struct user *user) {
    struct abi_watch_spec spec = {
        .cookie = 7,
        .bits = property_choose(p, "bits", 4),
        .match_mask = property_chance(p, "match", 10) ? 1 : 0,
        .events = (uint32_t)property_choose(p, "events", 0x420),
        .flags = (uint32_t)property_choose(p, "flags", 5),
    };
    user_store(user, user->scratch + CONFIG_AT, &spec, sizeof spec);
}

static uint64_t argument(struct property *p, struct user *user, char kind) {
    if (property_chance(p, "hostile", 2)) {
        return property_word(p, "hostile word");
    }
    switch (kind) {
    case 'h':
    case 'D':
    case 'F':
    case 'M':
    case 'E':
    case 'S':
    case 'P':
    case 'N':
        return some_handle(p, user, kind);
    case '0':
        return 0;
    case '1':
        return 1;
    case 'i':
        return property_chance(p, "inherit", 70) ? ID_INHERIT : property_choose(p, "id", 3);
    case 'R':
        return property_chance(p, "plain", 70) ? PROT_READ | PROT_WRITE : property_choose(p, "protection", 9);
    case 'x': // what make takes: a plain path, or a link with its target
        chosen_path = property_chance(p, "link", 40) ? 14 : (unsigned)property_choose(p, "path", PATHS);
        return user->scratch + PATHS_AT + chosen_path * SLOT;
    case 'y':
        return chosen_path == 14 ? 6 : strlen(paths[chosen_path]);
    case 'p':
        chosen_path = (unsigned)property_choose(p, "path", PATHS);
        return user->scratch + PATHS_AT + chosen_path * SLOT;
    case 'l':
        return property_chance(p, "other length", 3) ? property_choose(p, "length", 300) : strlen(paths[chosen_path]);
    case 'b':
        return some_address(p, user);
    case 'n':
        return property_chance(p, "long", 5) ? property_choose(p, "length", 70000) : property_choose(p, "length", 270);
    case 'W':
        if (user_gone(user)) {
            return 0;
        }
        set_items(p, user);
        return user->scratch + ITEMS_AT;
    case 'c':
        return property_choose(p, "count", 5);
    case 't': {
        unsigned when = (unsigned)property_choose(p, "deadline", 4);
        return when == 0 ? 0 : when == 1 ? FOREVER : host_time() + property_choose(p, "in", 20000000);
    }
    case 'r':
        return property_chance(p, "all", 40) ? RIGHTS_ALL : property_choose(p, "rights", 256);
    case 'f': {
        static const uint64_t flags[] = {OPEN_READ,
                                         OPEN_READ | OPEN_WRITE,
                                         OPEN_WRITE | OPEN_CREATE,
                                         OPEN_READ | OPEN_WRITE | OPEN_CREATE,
                                         OPEN_READ | OPEN_SERVE,
                                         OPEN_READ | OPEN_WRITE | OPEN_SERVE,
                                         OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE,
                                         OPEN_WRITE | OPEN_CREATE | OPEN_APPEND,
                                         OPEN_READ | OPEN_DIR,
                                         OPEN_READ | OPEN_ADMIN,
                                         OPEN_READ | OPEN_EXEC};
        return property_chance(p, "odd", 10) ? property_choose(p, "flags", 0x800)
                                             : flags[property_choose(p, "flags", sizeof flags / sizeof flags[0])];
    }
    case 'm':
        return property_chance(p, "mode", 80) ? 0755 : property_choose(p, "mode", 01001);
    case 'k':
        if (property_chance(p, "odd kind", 10)) {
            return property_choose(p, "kind", 8);
        }
        return chosen_path == 14 ? NODE_LINK : NODE_DIR;
    case 'o':
        return property_chance(p, "current", 20) ? OFFSET_CURRENT : 4096 * property_choose(p, "pages", 5);
    case 's':
        return property_choose(p, "status", 10);
    case 'C':
        if (property_chance(p, "default", 50) || user_gone(user)) {
            return 0;
        }
        set_config(p, user);
        return user->scratch + CONFIG_AT;
    case 'X':
        if (user_gone(user)) {
            return 0;
        }
        set_watch(p, user);
        return user->scratch + CONFIG_AT;
    case 'B':
        return property_choose(p, "bits", 8);
    case 'e':
        return 0x400000 + 16 * property_choose(p, "entry", 100);
    case 'a': {
        const struct space *space = &user->thread->process->space;
        if (space->mapping_count > 0 && property_chance(p, "mapped", 40)) {
            return space->mapping[property_choose(p, "mapping", space->mapping_count)]->base;
        }
        return property_chance(p, "chosen", 60) ? 0 : 0x10000000 + 4096 * property_choose(p, "at", 64);
    }
    case 'z':
        return property_chance(p, "large", 5) ? property_word(p, "size") : property_choose(p, "size", 40000);
    case 'u':
        return property_choose(p, "small", 18);
    case 'q':
        return user->scratch + PATHS_AT + SLOT * (1 + property_choose(p, "name", 2));
    default:
        return property_word(p, "word");
    }
}

static void fill_scratch(struct user *user) {
    for (unsigned i = 0; i < PATHS; i++) {
        user_store(user, user->scratch + PATHS_AT + i * SLOT, paths[i], strlen(paths[i]) + 1);
    }
    // A link as make wants it: path, NUL, target.
    user_store(user, user->scratch + PATHS_AT + 14 * SLOT, "l1\0a/b", 7);
}

static void give_birth(struct property *p, struct actor *actor, handle_t root) {
    struct user *init = machine_init();
    handle_t whole = init->root;
    char name[16];
    snprintf(name, sizeof name, "actor%u", ++born);
    init->root = root; // what it will see of the world
    unsigned priority = (unsigned)property_between(p, "priority", PRIORITY_DEFAULT - 1, PRIORITY_DEFAULT);
    actor->user = machine_spawn(init, name, nullptr, nullptr, priority);
    init->root = whole;
    if (actor->user == nullptr) {
        property_fail(p, "an actor cannot be made");
    }
    actor->process = actor->user->process;
    CALL(init, CLOSE, actor->user->self);
    fill_scratch(actor->user);
}

static void bury(struct actor *actor) {
    struct user *init = machine_init();
    if (actor->user != nullptr) {
        CALL(init, KILL, actor->process, 9); // it may be dead already
        int64_t status = user_wait_one(init, actor->process, EVENT_EXITED, FOREVER);
        require_equal(status == USER_PARKED ? user_finish(init) : status, 0);
        require_equal(CALL(init, CLOSE, actor->process), 0);
        actor->user = nullptr;
    }
}

static bool documented(uint64_t number, int64_t status) {
    if (number >= CALL_COUNT) {
        return status == ERR_NO_CALL;
    }
    for (unsigned i = 0; i < REFUSALS; i++) {
        if (refusals[i].call == number && refusals[i].error == status) {
            return true;
        }
    }
    return false;
}

static void operate(struct property *p, struct actor *actor) {
    struct user *user = actor->user;
    uint64_t number = property_choose(p, "call", CALL_COUNT);
    if ((number == CALL_EXIT || number == CALL_THREAD_EXIT || number == CALL_KILL) &&
        !property_chance(p, "really", 10)) {
        return;
    }
    if (property_chance(p, "no such call", 1)) {
        number = property_word(p, "number");
    }
    const char *shape = number < CALL_COUNT ? shapes[number] : "www";
    uint64_t arg[6] = {};
    for (unsigned i = 0; shape[i] != 0; i++) {
        arg[i] = argument(p, user, shape[i]);
    }
    if (user_gone(user)) {
        return;
    }
    int64_t status = user_call(user, number, arg);
    property_note(p, "%u: call %llu (%llx %llx %llx %llx %llx %llx) %lld", user->pid, (unsigned long long)number,
                  (unsigned long long)arg[0], (unsigned long long)arg[1], (unsigned long long)arg[2],
                  (unsigned long long)arg[3], (unsigned long long)arg[4], (unsigned long long)arg[5],
                  (long long)status);
    if (status >= 0 || status == USER_PARKED || status == USER_GONE) {
        return;
    }
    if (!documented(number, status)) {
        property_fail(p, "call %llu refuses with %lld, which is not documented", (unsigned long long)number,
                      (long long)status);
    }
    for (unsigned i = 0; i < 4; i++) {
        property_equal(p, user->word[i], 0); // and no results with it
    }
}

static void remove_below(struct user *init, handle_t dir) {
    for (;;) {
        struct abi_dirent entry;
        int64_t count = CALL(init, LIST, dir, 0, init->scratch + 4096, 1);
        require(count >= 0);
        if (count == 0) {
            return;
        }
        user_load(init, &entry, init->scratch + 4096, sizeof entry);
        if (entry.stat.kind == NODE_DIR) {
            int64_t below = user_open(init, dir, entry.name, OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
            require(below > 0);
            remove_below(init, (handle_t)below);
            CALL(init, CLOSE, (uint64_t)below);
        }
        require_equal(user_remove(init, dir, entry.name), 0);
    }
}

// The table of all nodes grows and keeps what it took.
static void grow_node_table(struct user *init, handle_t dir) {
    char name[16];
    for (unsigned made = 1; made <= 2; made++) {
        for (unsigned i = 0; i < 300; i++) {
            snprintf(name, sizeof name, "node%u", i);
            require_equal(made == 1 ? user_make(init, dir, name, NODE_DIR, 0777) : user_remove(init, dir, name), 0);
        }
    }
}

static void hostile_calls_leave_nothing(struct property *p) {
    unsigned cpus = (unsigned)property_between(p, "cpus", 1, 4);
    memset(actors, 0, sizeof actors);
    machine_boot(&(struct machine_options){.property = p, .cpus = cpus, .memory = 16u << 20});
    struct user *init = machine_init();
    // A directory of their own as their whole world, or all of it.
    require_equal(user_make(init, init->root, "/tmp/world", NODE_DIR, 0777), 0);
    int64_t world = user_open(init, init->root, "/tmp/world", OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_DIR, 0);
    if (world < 0) {
        world = user_open(init, init->root, "/tmp/world", OPEN_READ | OPEN_WRITE | OPEN_DIR, 0);
    }
    require(world > 0);
    give_birth(p, &actors[0], (handle_t)world);
    bury(&actors[0]);
    for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += PAGE_SIZE) { // so that it takes no page later
        user_store(init, init->scratch + at, "", 1);
    }
    grow_node_table(init, (handle_t)world);
    struct machine_census before, after;
    machine_count(&before);

    for (unsigned i = 0; i < OPERATIONS && property_more(p, OPERATIONS * 50); i++) {
        struct actor *actor = &actors[property_choose(p, "actor", ACTORS)];
        if (actor->user != nullptr && user_gone(actor->user)) {
            bury(actor);
        }
        if (actor->user == nullptr) {
            give_birth(p, actor, (handle_t)world);
        }
        if (!user_answered(actor->user)) {
            if (property_chance(p, "let time pass", 20)) {
                host_time_advance(property_choose(p, "time", 30000000));
                machine_settle();
            }
            continue;
        }
        operate(p, actor);
        if (i % CHECK_EVERY == 0) {
            machine_check();
        }
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        bury(&actors[i]);
    }
    machine_end_others(); // what the actors made and left alone
    remove_below(init, (handle_t)world);
    machine_check();
    machine_count(&after);
    machine_compare(&before, &after);
}

Test(calls, every_call_has_a_shape) {
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        cr_assert_neq(shapes[i], nullptr, "call %u is not among the hostile ones", i);
    }
}

Test(calls, hostile_calls_leave_nothing, .timeout = 300) {
    cr_assert(property_run("hostile_calls_leave_nothing", 1400, hostile_calls_leave_nothing));
}
