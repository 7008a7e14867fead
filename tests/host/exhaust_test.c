// Memory runs out, at every single allocation of whole stories and for good: each call answers with a documented refusal,
// the system stays up, and afterwards everything is back.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kernel/alloc_fault.h"
#include "kernel/page_alloc.h"
#include "machine.h"

static struct user *me;

static bool refused(int64_t status) {
    return status == ERR_NO_MEMORY;
}

static void close_if(int64_t handle) {
    if (handle > 0) {
        require_equal(CALL(me, CLOSE, (uint64_t)handle), 0);
    }
}

// Whatever a call answers, it is success or the refusal that was asked for.
static int64_t taken(int64_t status) {
    if (status < 0 && !refused(status)) {
        machine_fail("a call without memory gives %lld", (long long)status);
    }
    return status;
}

// Before each story: once without a refusal, so that what only grows has grown; tables of handles, of nodes, scratch.
static void prepare(void) {
    me = machine_init();
    for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += PAGE_SIZE) {
        user_store(me, me->scratch + at, "", 1);
    }
    handle_t many[64];
    for (unsigned i = 0; i < 64; i++) {
        int64_t handle = CALL(me, DUP, me->own, RIGHTS_ALL);
        require(handle > 0);
        many[i] = (handle_t)handle;
    }
    for (unsigned i = 0; i < 64; i++) {
        CALL(me, CLOSE, many[i]);
    }
}

static void prepare_and(void (*once)(void)) {
    prepare();
    once();
}

static void try_all(const char *story, void (*scenario)(void), void (*undo)(void), void (*ready)(void)) {
    struct machine_scenario all = {.prepare = ready == nullptr ? prepare : ready, .scenario = scenario, .undo = undo};
    unsigned refusals = machine_refuse_each_allocation(&all);
    cr_log_info("%s: %u allocations refused", story, refusals - 1);
    cr_assert_gt(refusals, 1);
}

// ---- stories ---------------------------------------------------------------------------------------------------------

static void files(void) {
    int64_t made = taken(user_make(me, me->root, "/tmp/dir", NODE_DIR, 0755));
    int64_t file = taken(user_open(me, me->root, "/tmp/file", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0644));
    if (file > 0) {
        static char page[9000];
        taken(user_write(me, (handle_t)file, page, sizeof page, 0));
        taken(user_write(me, (handle_t)file, "end", 3, 100000));
        taken(user_read(me, (handle_t)file, page, sizeof page, 4000));
        struct abi_stat stat;
        taken(user_stat(me, me->root, "/tmp/file", &stat));
    }
    close_if(file);
    if (made == 0) {
        taken(user_link(me, me->root, "/tmp/dir/link", "../file"));
        if (file > 0) {
            taken(user_rename(me, me->root, "/tmp/file", "/tmp/dir/moved"));
        }
    }
}

static void undo_files(void) {
    static const char *const paths[] = {"/tmp/dir/link", "/tmp/dir/moved", "/tmp/file", "/tmp/dir"};
    for (unsigned i = 0; i < 4; i++) {
        int64_t status = user_remove(me, me->root, paths[i]);
        require(status == 0 || status == ERR_NOT_FOUND);
    }
}

Test(exhaust, files, .timeout = 120) {
    try_all("files", files, undo_files, nullptr);
}

static void channels(void) {
    int64_t server = taken(user_channel(me, me->root, "/tmp/channel", nullptr));
    if (server < 0) {
        return;
    }
    int64_t client = taken(user_open(me, me->root, "/tmp/channel/data", OPEN_READ | OPEN_WRITE, 0));
    if (client > 0) {
        char text[MESSAGE_MAX] = "";
        unsigned queued = 0;
        for (unsigned i = 0; i < 40; i++) {
            queued += taken(user_send(me, (handle_t)client, text, sizeof text, i, 0)) == 0 ? 1 : 0;
        }
        for (unsigned i = 0; i < queued; i++) {
            require_equal(taken(user_recv(me, (handle_t)server, text, sizeof text)), MESSAGE_MAX);
            taken(user_send(me, (handle_t)server, "answer", 6, 0, me->word[2]));
        }
        taken(CALL(me, FINISH, (uint64_t)client));
        user_recv(me, (handle_t)client, text, sizeof text);
    }
    close_if(client);
    close_if(server);
    char text[1000];
    taken(user_text(me, "/kern/ipc/channels", text, sizeof text));
    taken(user_text(me, "/kern/ipc/stats/messages", text, sizeof text));
}

static void undo_channels(void) {
    int64_t status = user_remove(me, me->root, "/tmp/channel");
    require(status == 0 || status == ERR_NOT_FOUND);
}

Test(exhaust, channels, .timeout = 120) {
    try_all("channels", channels, undo_channels, nullptr);
}

static void mapped(void) {
    const struct abi_channel_config config = {.flags = CHANNEL_MAPPED};
    int64_t server = taken(user_channel(me, 0, nullptr, &config));
    int64_t client = server > 0 ? taken(CALL(me, CONNECT, (uint64_t)server, RIGHT_READ | RIGHT_WRITE)) : 0;
    if (client > 0 && taken(user_send(me, (handle_t)client, "", 0, 0, 0)) == 0) {
        require_equal(user_recv(me, (handle_t)server, nullptr, 0), 0);
        int64_t rings = taken(CALL(me, ATTACH, (uint64_t)server, me->word[2]));
        const int64_t sides[] = {client, rings};
        for (unsigned i = 0; i < 2; i++) {
            if (sides[i] > 0 && taken(CALL(me, MAP, me->own, (uint64_t)sides[i], 0, 0, PAGE_SIZE, PROT_READ)) == 0) {
                require_equal(CALL(me, UNMAP, me->own, me->word[0]), 0);
            }
        }
        close_if(rings);
    }
    close_if(client);
    close_if(server);
}

static void prepare_mapped(void) {
    prepare_and(mapped);
}

Test(exhaust, mapped, .timeout = 120) {
    try_all("mapped", mapped, nullptr, prepare_mapped);
}

static void notifications(void) {
    int64_t notifier = taken(CALL(me, NOTIFIER_CREATE, 4));
    if (notifier < 0) {
        return;
    }
    int64_t server = taken(user_channel(me, 0, nullptr, nullptr));
    struct abi_watch_spec spec = {.events = EVENT_READABLE | EVENT_WRITABLE, .bits = 3};
    user_store(me, me->scratch + 4096, &spec, sizeof spec);
    if (server > 0) {
        taken(CALL(me, WATCH, (uint64_t)notifier, (uint64_t)server, me->scratch + 4096));
        int64_t client = taken(CALL(me, CONNECT, (uint64_t)server, RIGHT_READ | RIGHT_WRITE));
        if (client > 0) {
            for (unsigned i = 0; i < 6; i++) {
                taken(user_send(me, (handle_t)client, "x", 1, i, 0));
            }
        }
        close_if(client);
    }
    CALL(me, TAKE, (uint64_t)notifier, 3, 0);
    close_if(server);
    close_if(notifier);
}

Test(exhaust, notifications, .timeout = 120) {
    try_all("notifications", notifications, nullptr, nullptr);
}

static void mappings(void) {
    int64_t pages = taken(CALL(me, PAGES_CREATE, 40 * PAGE_SIZE));
    if (pages < 0) {
        return;
    }
    uint64_t address[3] = {};
    for (unsigned i = 0; i < 3; i++) {
        if (taken(CALL(me, MAP, me->own, (uint64_t)pages, 0x100000000 * (i + 1) * 700, 0, 40 * PAGE_SIZE,
                       PROT_READ | PROT_WRITE)) == 0) {
            address[i] = me->word[0];
        }
    }
    for (unsigned i = 0; i < 40; i += 3) { // by the kernel: a page that cannot be had is an answer, not a fault
        taken(CALL(me, WRITE, (uint64_t)pages, me->scratch, 100, i * PAGE_SIZE));
        if (address[1] != 0) {
            taken(CALL(me, READ, (uint64_t)pages, address[1] + (39 - i) * PAGE_SIZE, 100, 0));
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        if (address[i] != 0) {
            require_equal(CALL(me, UNMAP, me->own, address[i]), 0);
        }
    }
    close_if(pages);
}

// Page tables stay with their address space once they are there.
static void prepare_tables(void) {
    prepare_and(mappings);
}

Test(exhaust, mappings, .timeout = 120) {
    try_all("mappings", mappings, nullptr, prepare_tables);
}

static void exit_program(struct user *self) {
    char byte = 1;
    user_store(self, self->scratch + 10000, &byte, 1);
    CALL(self, EXIT, 3);
}

// The child may die of a page that it cannot get; the parent must not.
static void births(void) {
    struct user *child = machine_spawn(me, "child", exit_program, nullptr, PRIORITY_DEFAULT);
    if (child == nullptr) {
        return;
    }
    handle_t process = child->process, thread = child->self;
    int64_t status = user_wait_one(me, process, EVENT_EXITED, FOREVER);
    if (status == USER_PARKED) {
        status = user_finish(me);
    }
    taken(status);
    close_if(process);
    close_if(thread);
}

static void undo_births(void) {
    machine_run_until_idle();
    machine_end_others();
    // Handles of a child that could not be waited for.
    for (uint32_t handle = 0x10000; handle < 0x90000; handle++) {
        if ((handle & 0xffff) < 80 && handle != me->own && handle != me->root) {
            CALL(me, CLOSE, handle);
        }
    }
}

Test(exhaust, births, .timeout = 120) {
    try_all("births", births, undo_births, nullptr);
}

static void figures(void) {
    static const char *const paths[] = {
        "/kern/version",
        "/kern/log",
        "/kern/mem/stats/pages",
        "/kern/mem/stats/slabs",
        "/kern/sched/stats/cpus",
        "/kern/proc/stats",
        "/proc/self/status",
        "/proc/self/handles",
        "/proc/self/threads",
        "/proc/self/maps",
        "/kern/cpus",
        "/kern/uptime",
        "/kern/ns/stats",
    };
    char text[4096];
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t status = user_text(me, paths[i], text, sizeof text);
        if (status != ERR_NOT_FOUND && status != ERR_IS_DIR) {
            taken(status);
        }
    }
    for (uint64_t cookie = 0;;) {
        int64_t handle = taken(user_open(me, me->root, "/proc", OPEN_READ | OPEN_DIR, 0));
        if (handle < 0) {
            break;
        }
        taken(CALL(me, LIST, (uint64_t)handle, cookie, me->scratch + 4096, 4));
        close_if(handle);
        break;
    }
}

Test(exhaust, figures, .timeout = 120) {
    try_all("figures", figures, nullptr, nullptr);
}

// ---- for good --------------------------------------------------------------------------------------------------------

static uint64_t fill(const char *what, unsigned number) {
    char path[40];
    snprintf(path, sizeof path, "/tmp/%u", number);
    if (strcmp(what, "directories") == 0) {
        return (uint64_t)user_make(me, me->root, path, NODE_DIR, 0755);
    }
    if (strcmp(what, "channels") == 0) {
        return (uint64_t)user_channel(me, 0, nullptr, nullptr);
    }
    if (strcmp(what, "processes") == 0) {
        user_store(me, me->scratch, "filler", 6);
        return (uint64_t)CALL(me, PROCESS_CREATE, me->scratch, 6, ID_INHERIT, ID_INHERIT);
    }
    if (strcmp(what, "handles") == 0) {
        return (uint64_t)CALL(me, DUP, me->own, RIGHTS_ALL);
    }
    int64_t pages = CALL(me, PAGES_CREATE, 16 * PAGE_SIZE);
    for (unsigned i = 0; pages > 0 && i < 16; i++) {
        int64_t status = CALL(me, WRITE, (uint64_t)pages, me->scratch, 8, i * PAGE_SIZE);
        if (status < 0) {
            return (uint64_t)status;
        }
    }
    return (uint64_t)pages;
}

// A child fills the memory with one kind of thing until it is refused, lives on, and takes all of it with it. What it made
// by name, its parent removes.
static void until_full(const char *what) {
    machine_boot(&(struct machine_options){.memory = 8u << 20});
    prepare();
    struct user *init = machine_init();
    struct machine_census before, after;
    for (unsigned round = 0; round < 3; round++) {
        me = machine_spawn(init, "filler", nullptr, nullptr, PRIORITY_DEFAULT);
        require(me != nullptr);
        handle_t process = me->process, thread = me->self;
        for (uint64_t at = 0; at < USER_SCRATCH_SIZE; at += PAGE_SIZE) {
            user_store(me, me->scratch + at, "", 1);
        }
        unsigned number = 0;
        int64_t status;
        do {
            status = (int64_t)fill(what, number++);
        } while (status >= 0);
        cr_assert(status == ERR_NO_MEMORY || status == ERR_LIMIT, "%s: %lld", what, (long long)status);
        cr_assert_gt(number, 20);
        cr_assert_eq(CALL(me, ABI_VERSION), 1); // alive
        cr_assert_eq(CALL(init, ABI_VERSION), 1);
        machine_check();
        require_equal(CALL(init, KILL, process, 0), 0);
        status = user_wait_one(init, process, EVENT_EXITED, FOREVER);
        require_equal(status == USER_PARKED ? user_finish(init) : status, 0);
        require_equal(CALL(init, CLOSE, process), 0);
        require_equal(CALL(init, CLOSE, thread), 0);
        me = init;
        if (strcmp(what, "directories") == 0) {
            for (unsigned i = 0; i + 1 < number; i++) {
                char path[40];
                snprintf(path, sizeof path, "/tmp/%u", i);
                require_equal(user_remove(me, me->root, path), 0);
            }
        }
        if (round == 0) { // what only grows has grown
            machine_count(&before);
        }
    }
    machine_count(&after);
    machine_compare(&before, &after);
}

Test(exhaust, by_directories, .timeout = 120) {
    until_full("directories");
}
Test(exhaust, by_channels, .timeout = 120) {
    until_full("channels");
}
Test(exhaust, by_processes, .timeout = 120) {
    until_full("processes");
}
Test(exhaust, by_handles, .timeout = 120) {
    until_full("handles");
}
Test(exhaust, by_memory, .timeout = 120) {
    until_full("memory");
}
