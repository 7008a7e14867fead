#include "populate.h"

#include "base/format.h"
#include "isthmus/calls.h"
#include "lib/file.h"
#include "lib/notify.h"
#include "lib/self.h"
#include "loops.h"

enum { TAKERS = WATCHERS_MAX - 1 }; // threads that take from one notifier

const char *const population_name[POPULATION_COUNT] = {
    [POPULATION_CHANNELS] = "channels", [POPULATION_CONNECTED] = "connected", [POPULATION_CONNECTIONS] = "connections",
    [POPULATION_NODES] = "nodes",       [POPULATION_THREADS] = "threads",     [POPULATION_NOTIFIERS] = "notifiers",
    [POPULATION_HANDLES] = "handles",
};

static uint64_t made; // in all, for names

static long channel(void) {
    return sys_channel_create(0, "", 0, nullptr);
}

static long connected(void) {
    long server = channel();
    return server < 0 ? server : sys_connect((handle_t)server, RIGHT_READ | RIGHT_WRITE);
}

static long connection(void) {
    static long server;
    server = server == 0 ? channel() : server;
    return server < 0 ? server : sys_connect((handle_t)server, RIGHT_READ | RIGHT_WRITE);
}

static long node(void) {
    char path[48];
    struct abi_process_info info;
    long status = sys_process_info(self_process(), &info);
    if (status < 0) {
        return status;
    }
    (void)format(path, sizeof path, "/tmp/bench-%u", info.pid);
    if (made == 0 && (status = file_make_dir(path, 0755)) < 0) {
        return status;
    }
    (void)format(path, sizeof path, "/tmp/bench-%u/%lu", info.pid, (unsigned long)made);
    long file = file_open(path, OPEN_WRITE | OPEN_CREATE, 0644);
    if (file > 0) {
        file_close((handle_t)file);
    }
    return file;
}

// Its code uses no stack, so all have the same.
static long thread(void) {
    static _Alignas(16) char stack[16];
    static long notifier;
    static unsigned takers = TAKERS;
    if (takers == TAKERS) {
        notifier = notify_create(1);
        takers = 0;
    }
    if (notifier < 0) {
        return notifier;
    }
    takers++;
    long thread = sys_thread_create(self_process(), (uintptr_t)bench_parked, (uintptr_t)(stack + sizeof stack),
                                    (uint64_t)notifier, PRIORITY_DEFAULT);
    if (thread > 0) {
        file_close((handle_t)thread);
    }
    return thread;
}

static long notifier(void) {
    return notify_create(0);
}

static long handle(void) {
    return sys_dup(self_root(), RIGHT_READ);
}

long populate(enum population kind, uint64_t count) {
    static long (*const make[POPULATION_COUNT])(void) = {
        [POPULATION_CHANNELS] = channel, [POPULATION_CONNECTED] = connected, [POPULATION_CONNECTIONS] = connection,
        [POPULATION_NODES] = node,       [POPULATION_THREADS] = thread,      [POPULATION_NOTIFIERS] = notifier,
        [POPULATION_HANDLES] = handle,
    };
    for (uint64_t i = 0; i < count; i++, made++) {
        long status = make[kind]();
        if (status < 0) {
            return status;
        }
        // Threads get their turn to park, so that they wait where others have waited long.
        if (kind == POPULATION_THREADS && i % TAKERS == 0) {
            (void)sys_yield();
        }
    }
    (void)sys_yield();
    return 0;
}
