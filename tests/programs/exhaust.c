// exhaust: take one kind of thing until the kernel refuses, tell how many there were and why there is no more, and give
// everything back (or, with -k, end without doing so, which must come to the same).
#include "base/bits.h"
#include "base/format.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/self.h"

static const struct option options[] = {{'k', "keep", nullptr, "leave the giving back to the kernel"},
                                        {'n', "most", "N", "stop after N without a refusal"},
                                        {}};
static const struct program program = {
    "[-k] [-n N] memory|handles|processes|channels|threads|nodes|messages|connections|hang-ups",
    "Take one kind of thing until there is no more.", options};

enum { HELD_MAX = HANDLES_MAX };

static uint32_t held[HELD_MAX];
static uint64_t taken;
static uint64_t most = UINT64_MAX;

// One more of its kind; its handle, 0 for none, or the refusal.
struct kind {
    const char *name;
    long (*take)(void);
    void (*give_back)(void);
};

static void close_all(void) {
    for (uint64_t i = 0; i < taken && i < HELD_MAX; i++) {
        (void)sys_close(held[i]);
    }
}

static void node_path(char path[32], uint64_t number) {
    (void)format(path, 32, "/tmp/exhaust/%lu", (unsigned long)number);
}

static void remove_nodes(void) {
    for (uint64_t i = 0; i < taken; i++) {
        char path[32];
        node_path(path, i);
        (void)file_remove(path);
    }
    (void)file_remove("/tmp/exhaust");
}

static long take_memory(void) {
    enum { SIZE = 1 << 20 };
    long pages = sys_pages_create(SIZE);
    if (pages < 0) {
        return pages;
    }
    // Pages come at first touch; touching them by a call gives an error where an instruction would end the process.
    static const char byte[1] = {1};
    for (uint64_t offset = 0; offset < SIZE; offset += PAGE_SIZE) {
        long status = sys_write((handle_t)pages, byte, 1, offset);
        if (status < 0) {
            (void)sys_close((handle_t)pages);
            return status;
        }
    }
    return pages;
}

static long take_handle(void) {
    return sys_dup(self_root(), RIGHT_READ);
}

static long take_process(void) {
    return sys_process_create("exhaust", 7, ID_INHERIT, ID_INHERIT);
}

static long take_channel(void) {
    return sys_channel_create(0, nullptr, 0, nullptr);
}

static long take_thread(void) {
    static handle_t process; // one embryo; its threads fault at once, or wait for memory that is not there
    if (process == 0) {
        long made = sys_process_create("threads", 7, ID_INHERIT, ID_INHERIT);
        if (made < 0) {
            return made;
        }
        process = (handle_t)made;
    }
    long thread = sys_thread_create(process, 0x10000, 0x20000, 0, 0);
    return thread == ERR_DEAD ? sys_close(process), process = 0, take_thread() : thread; // NOLINT(misc-no-recursion)
}

static long take_node(void) {
    if (taken == 0) {
        (void)file_make_dir("/tmp/exhaust", 0755);
    }
    char path[32];
    node_path(path, taken);
    return file_make_dir(path, 0755);
}

static long take_message(void) {
    static handle_t channel, connection;
    if (connection == 0) {
        struct abi_channel_config config = {.depth = CHANNEL_DEPTH_MAX};
        long made = sys_channel_create(0, nullptr, 0, &config);
        if (made < 0) {
            return made;
        }
        channel = (handle_t)made;
        made = sys_connect(channel, RIGHT_READ | RIGHT_WRITE);
        if (made < 0) {
            return made;
        }
        connection = (handle_t)made;
    }
    static const char payload[MESSAGE_MAX];
    return sys_send(connection, payload, sizeof payload, taken, 0, nullptr);
}

static long take_connection(void) {
    static handle_t channel;
    if (channel == 0) {
        long made = sys_channel_create(0, nullptr, 0, nullptr);
        if (made < 0) {
            return made;
        }
        channel = (handle_t)made;
    }
    return sys_connect(channel, RIGHT_READ | RIGHT_WRITE);
}

// What a client leaves to a server that does not receive.
static long take_hang_up(void) {
    long connection = take_connection();
    if (connection > 0) {
        (void)sys_close((handle_t)connection);
    }
    return connection < 0 ? connection : 0;
}

static void nothing(void) {}

static const struct kind kinds[] = {
    {"memory", take_memory, close_all},     {"handles", take_handle, close_all},
    {"processes", take_process, close_all}, {"channels", take_channel, close_all},
    {"threads", take_thread, close_all},    {"nodes", take_node, remove_nodes},
    {"messages", take_message, nothing},    {"connections", take_connection, close_all},
    {"hang-ups", take_hang_up, nothing},
};

int main(int argc, char **argv) {
    bool keep = false;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'k') {
            keep = true;
        } else {
            most = option_number(&state, 1, UINT64_MAX);
        }
    }
    option_operands(&state, 1, 1);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_equal(kinds[i].name, state.argv[0])) {
            continue;
        }
        // All that printing needs must be in memory before there is none left.
        print("taking %s\n", kinds[i].name);
        print_flush();
        long status = 0;
        while (taken < most && (status = kinds[i].take()) >= 0) {
            if (taken < HELD_MAX) {
                held[taken] = (handle_t)status;
            }
            taken++;
        }
        if (!keep || kinds[i].give_back == remove_nodes) {
            kinds[i].give_back();
        }
        print("%lu %s, then %s\n", (unsigned long)taken, kinds[i].name,
              status < 0 ? abi_error_name(status) : "no refusal");
        return 0;
    }
    option_refuse("nothing is called '%s'", state.argv[0]);
}
