// hammer: many processes with several threads each, some killed at random, send, receive, serve, connect, close and
// remove a few channels as fast as they can, with good and hostile arguments. Each looks at what it sees:
//
//   a message is whole, from the process that the kernel says, and of a length that its channel permits;
//   what one client sent comes in its order, sequences only rise, and nothing comes behind a client's hang-up;
//   a call answers what the table says it may, and nothing is lost by one that failed.
//
// Meanwhile the parent reads statistics, in which every look must show sent = received + queued + discarded, in total
// and for each channel. When all are dead and the channels removed, nothing may be queued or open.
#include "../support/draw.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "isthmus/calls.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/option.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/self.h"
#include "lib/spawn.h"
#include "lib/table.h"
#include "lib/thread.h"

enum {
    CHANNELS = 6,
    WORKERS_MAX = 32,
    THREADS = 3,
    CONNECTIONS = 5, // of one thread
    SERVED = 2,
    PEERS = 64, // clients that a server's handle remembers
    VIOLATION = 77,
};

static const struct option options[] = {{'s', "seed", "N", "seed, 1 if not given"},
                                        {'t', "seconds", "N", "how long, 5 if not given"},
                                        {'w', "workers", "N", "processes at once, 6 if not given"},
                                        {'c', "child", "N", "(be worker number N)"},
                                        {}};
static const struct program program = {"[-s SEED] [-t SECONDS] [-w WORKERS]", "Hammer channels from all sides.",
                                       options};

static const struct abi_channel_config configs[CHANNELS] = {
    {.depth = 1, .message_max = 32},
    {.depth = 2, .flags = CHANNEL_TEMPORARY},
    {.depth = 14, .message_max = 100},
    {.depth = 256},
    {.depth = 1000},
    {.depth = CHANNEL_DEPTH_MAX, .message_max = 64, .flags = CHANNEL_TEMPORARY},
};

static uint32_t message_max(unsigned channel) {
    return configs[channel].message_max != 0 ? configs[channel].message_max : MESSAGE_MAX;
}

static void channel_path(unsigned channel, const char *child, char path[64]) {
    (void)format(path, 64, "/tmp/hammer/%u%s", channel, child);
}

// ---- a worker --------------------------------------------------------------------------------------------------------

struct peer {
    uint64_t connection, last_id;
    bool hung_up;
};

struct thread_world {
    uint64_t random;
    struct {
        handle_t handle; // 0: none
        unsigned channel;
        uint64_t sent, last_sequence;
    } client[CONNECTIONS];
    struct {
        handle_t handle;
        unsigned channel;
        uint64_t last_sequence;
        uint64_t answer_to; // a connection that lately sent something
        struct peer peer[PEERS];
    } server[SERVED];
    handle_t notifier; // watches what the thread has; 0: none
    uint64_t last_event;
    uint64_t actions;
};

static uint32_t own_pid;
static uint64_t death;           // when this worker has had enough
static volatile handle_t shared; // a connection that all threads of a worker use and any of them closes

[[noreturn, gnu::format(printf, 1, 2)]] static void violation(const char *text, ...) {
    va_list args;
    va_start(args, text);
    print_error_args(text, args);
    va_end(args);
    (void)sys_exit(VIOLATION);
    __builtin_trap();
}

static uint64_t draw(struct thread_world *world) {
    return draw_next(&world->random);
}

static uint64_t below(struct thread_world *world, uint64_t limit) {
    return draw_below(&world->random, limit);
}

static bool one_in(struct thread_world *world, uint64_t n) {
    return below(world, n) == 0;
}

// The answer is one of those; ERR_NO_MEMORY always is.
#define MAY(error) (1ull << -(error))

static void expect(const char *what, long status, uint64_t permitted) {
    if (status < 0 && status != ERR_NO_MEMORY && (permitted >> -status & 1) == 0) {
        violation("%s answers %ld", what, status);
    }
}

// A pointer that the kernel must refuse, or a good one.
static void *hostile(struct thread_world *world, void *good) {
    static const uint64_t bad[] = {
        0, 1, 0x7ffffffffff0, 0x800000000000, 0xffff800000000000, 0xffffffff80200000, 0xffffffffffffffff};
    return one_in(world, 3) ? good : (void *)bad[below(world, sizeof bad / sizeof *bad)];
}

// ---- messages: id counts, byte i is made of id and i, the first four bytes are the sender's pid ------------------------

static void fill(uint8_t *payload, uint64_t length, uint64_t id) {
    for (uint64_t i = 0; i < length; i++) {
        payload[i] = (uint8_t)(id * 17 + i);
    }
    if (length >= sizeof own_pid) {
        memcpy(payload, &own_pid, sizeof own_pid);
    }
}

static void check_message(const uint8_t *payload, uint64_t length, uint64_t id, uint32_t sender, unsigned channel) {
    uint32_t pid = 0;
    if (length > message_max(channel)) {
        violation("%lu bytes from a channel of %u", (unsigned long)length, message_max(channel));
    }
    if (length >= sizeof pid) {
        memcpy(&pid, payload, sizeof pid);
        if (pid != sender) {
            violation("process %u's message is said to be from %u", pid, sender);
        }
    }
    for (uint64_t i = length >= sizeof pid ? sizeof pid : 0; i < length; i++) {
        if (payload[i] != (uint8_t)(id * 17 + i)) {
            violation("byte %lu of %lu of message %lx is torn", (unsigned long)i, (unsigned long)length,
                      (unsigned long)id);
        }
    }
}

static uint64_t some_length(struct thread_world *world, unsigned channel) {
    return below(world, message_max(channel) + 1);
}

static void client_send(struct thread_world *world, unsigned i) {
    uint8_t payload[MESSAGE_MAX];
    unsigned channel = world->client[i].channel;
    uint64_t id = world->client[i].sent + 1, length = some_length(world, channel), sequence = 0;
    fill(payload, length, id);
    long status = one_in(world, 8) && length > 0
                      ? sys_send(world->client[i].handle, hostile(world, payload), length, id, 0, &sequence)
                      : sys_send(world->client[i].handle, payload, length, id, 0, &sequence);
    expect("send", status, MAY(ERR_FULL) | MAY(ERR_PEER_CLOSED) | MAY(ERR_REMOVED) | MAY(ERR_FAULT));
    if (status == 0) {
        world->client[i].sent = id;
        if (sequence == 0) {
            violation("send gives no sequence");
        }
    }
}

static void client_receive(struct thread_world *world, unsigned i) {
    uint8_t payload[MESSAGE_MAX];
    unsigned channel = world->client[i].channel;
    uint64_t sender, id, connection, sequence;
    uint64_t capacity = one_in(world, 8) ? below(world, MESSAGE_MAX) : MESSAGE_MAX;
    long length = sys_recv(world->client[i].handle, one_in(world, 10) ? (void *)8 : payload, capacity, &sender, &id,
                           &connection, &sequence);
    expect("recv", length,
           MAY(ERR_EMPTY) | MAY(ERR_PEER_CLOSED) | MAY(ERR_REMOVED) | MAY(ERR_FAULT) | MAY(ERR_TOO_BIG));
    if (length < 0) {
        return;
    }
    if (sender >> 32 != MESSAGE_DATA || connection != 0) {
        violation("a client receives kind %lu from connection %lu", (unsigned long)(sender >> 32),
                  (unsigned long)connection);
    }
    // Nobody but this thread takes from the connection: nothing may be missing.
    if (sequence != world->client[i].last_sequence + 1) {
        violation("a client receives sequence %lu after %lu", (unsigned long)sequence,
                  (unsigned long)world->client[i].last_sequence);
    }
    world->client[i].last_sequence = sequence;
    if (length > 0) {
        check_message(payload, (uint64_t)length, id, (uint32_t)sender, channel);
    }
}

static void server_receive(struct thread_world *world, unsigned i) {
    uint8_t payload[MESSAGE_MAX];
    unsigned channel = world->server[i].channel;
    uint64_t sender, id, connection, sequence;
    uint64_t capacity = one_in(world, 8) ? below(world, MESSAGE_MAX) : MESSAGE_MAX;
    long length = sys_recv(world->server[i].handle, one_in(world, 10) ? (void *)8 : payload, capacity, &sender, &id,
                           &connection, &sequence);
    expect("recv", length, MAY(ERR_EMPTY) | MAY(ERR_REMOVED) | MAY(ERR_FAULT) | MAY(ERR_TOO_BIG));
    if (length < 0) {
        return;
    }
    bool hang_up = sender >> 32 == MESSAGE_HANGUP;
    if (sequence < world->server[i].last_sequence + !hang_up) {
        violation("a server receives sequence %lu after %lu", (unsigned long)sequence,
                  (unsigned long)world->server[i].last_sequence);
    }
    world->server[i].last_sequence = sequence;
    struct peer *peer = &world->server[i].peer[connection % PEERS];
    if (peer->connection != connection) {
        *peer = (struct peer){.connection = connection};
    }
    if (peer->hung_up) {
        violation("connection %lu sends behind its hang-up", (unsigned long)connection);
    }
    peer->hung_up = hang_up;
    if (hang_up) {
        return;
    }
    world->server[i].answer_to = connection;
    if (length > 0) {
        check_message(payload, (uint64_t)length, id, (uint32_t)sender, channel);
    }
    // Those of connections that a thread has to itself count up; others have the highest bit.
    if (id >> 63 == 0) {
        if (id <= peer->last_id) {
            violation("connection %lu's message %lu comes after %lu", (unsigned long)connection, (unsigned long)id,
                      (unsigned long)peer->last_id);
        }
        peer->last_id = id;
    }
}

static void server_send(struct thread_world *world, unsigned i) {
    uint8_t payload[MESSAGE_MAX];
    uint64_t id = draw(world), length = some_length(world, world->server[i].channel), sequence;
    uint64_t to = one_in(world, 6) ? below(world, world->server[i].answer_to + 3) : world->server[i].answer_to;
    fill(payload, length, id);
    void *from = one_in(world, 8) && length > 0 ? hostile(world, payload) : payload;
    long status = sys_send(world->server[i].handle, from, length, id, to, &sequence);
    expect("server's send", status,
           MAY(ERR_FULL) | MAY(ERR_PEER_CLOSED) | MAY(ERR_REMOVED) | MAY(ERR_FAULT) | MAY(ERR_NOT_FOUND));
}

// ---- coming and going -------------------------------------------------------------------------------------------------

static const uint64_t OPEN_MAY = MAY(ERR_NOT_FOUND) | MAY(ERR_REMOVED) | MAY(ERR_LIMIT);

static void client_open(struct thread_world *world, unsigned i) {
    char path[64];
    unsigned channel = (unsigned)below(world, CHANNELS);
    channel_path(channel, "/data", path);
    long handle = file_open(path, OPEN_READ | OPEN_WRITE, 0);
    expect("open", handle, OPEN_MAY);
    if (handle > 0) {
        world->client[i].handle = (handle_t)handle;
        world->client[i].channel = channel;
        world->client[i].sent = world->client[i].last_sequence = 0;
    }
}

static void server_open(struct thread_world *world, unsigned i) {
    char path[64];
    unsigned channel = (unsigned)below(world, CHANNELS);
    channel_path(channel, "", path);
    long handle = sys_channel_create(self_root(), path, strlen(path), &configs[channel]);
    expect("channel_create", handle, OPEN_MAY | MAY(ERR_EXISTS));
    if (handle == ERR_EXISTS) {
        channel_path(channel, "/data", path);
        handle = file_open(path, OPEN_READ | OPEN_WRITE | OPEN_SERVE | OPEN_ADMIN, 0);
        expect("open to serve", handle, OPEN_MAY);
    }
    if (handle > 0) {
        memset(&world->server[i], 0, sizeof world->server[i]);
        world->server[i].handle = (handle_t)handle;
        world->server[i].channel = channel;
    }
}

static void close_one(handle_t *handle) {
    long status = sys_close(*handle);
    if (status != 0) {
        violation("close answers %ld", status);
    }
    *handle = 0;
}

static void wait_a_little(struct thread_world *world) {
    struct abi_wait_item items[CONNECTIONS + SERVED];
    uint32_t count = 0;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (world->client[i].handle != 0) {
            items[count++] = (struct abi_wait_item){world->client[i].handle, (uint32_t)below(world, 32)};
        }
    }
    for (unsigned i = 0; i < SERVED; i++) {
        if (world->server[i].handle != 0) {
            items[count++] = (struct abi_wait_item){world->server[i].handle, (uint32_t)below(world, 32)};
        }
    }
    uint64_t ready;
    expect("wait", sys_wait(items, count, clock_now() + below(world, 2 * MILLISECOND), &ready), MAY(ERR_TIMED_OUT));
}

// What all threads of the worker do to one handle at once: any answer will do that the table has, and ERR_BAD_HANDLE.
static void use_shared(struct thread_world *world) {
    uint8_t payload[MESSAGE_MAX];
    handle_t handle = shared;
    uint64_t ready, id = draw(world) | 1ull << 63, length = some_length(world, 0);
    struct abi_wait_item item = {handle, EVENT_READABLE | EVENT_WRITABLE};
    switch (below(world, 6)) {
    case 0: {
        char path[64];
        channel_path((unsigned)below(world, CHANNELS), "/data", path);
        long opened = file_open(path, OPEN_READ | OPEN_WRITE, 0);
        expect("open", opened, OPEN_MAY);
        if (opened > 0) {
            shared = (handle_t)opened;
            (void)sys_close(handle);
        }
        break;
    }
    case 1:
        (void)sys_close(handle);
        break;
    case 2:
        (void)sys_wait(&item, 1, clock_now() + MILLISECOND, &ready);
        break;
    case 3: {
        long copy = sys_dup(handle, RIGHT_READ | RIGHT_WRITE);
        if (copy > 0) {
            (void)sys_read((handle_t)copy, payload, sizeof payload, 0);
            (void)sys_close((handle_t)copy);
        }
        break;
    }
    default:
        fill(payload, length, id);
        (void)sys_send(handle, payload, length, id, 0, nullptr);
        break;
    }
}

// Watch what the thread talks with, read what came of it: sequences rise, and records are of what was asked for.
static void use_notifier(struct thread_world *world) {
    if (world->notifier == 0) {
        long handle = sys_notifier_create((uint32_t)below(world, 40));
        expect("notifier_create", handle, MAY(ERR_LIMIT));
        world->notifier = handle > 0 ? (handle_t)handle : 0;
        world->last_event = 0;
        return;
    }
    struct abi_watch_spec spec = {
        .cookie = 5, .bits = below(world, 4), .events = 1 + (uint32_t)below(world, 0x3ff), .flags = 0};
    struct abi_event_record records[8];
    handle_t target =
        one_in(world, 2) ? world->client[below(world, CONNECTIONS)].handle : world->server[below(world, SERVED)].handle;
    uint64_t id, bits;
    if (target != 0) {
        spec.flags = one_in(world, 2) ? WATCH_COALESCE : 0;
        long status = sys_watch(world->notifier, target, &spec, &id);
        expect("watch", status, MAY(ERR_LIMIT));
        if (status == 0 && one_in(world, 2)) {
            expect("unwatch", sys_unwatch(world->notifier, id), 0);
        }
    }
    long length = sys_read(world->notifier, records, sizeof records, 0);
    expect("read of records", length, MAY(ERR_EMPTY));
    for (long i = 0; i < length / (long)sizeof *records; i++) {
        if (records[i].sequence <= world->last_event) {
            violation("event %lu comes after %lu", (unsigned long)records[i].sequence,
                      (unsigned long)world->last_event);
        }
        world->last_event = records[i].sequence;
        if (records[i].event != EVENT_OVERFLOW && records[i].cookie != 5) {
            violation("an event has the cookie %lu", (unsigned long)records[i].cookie);
        }
    }
    expect("take", sys_take(world->notifier, 1 + below(world, 3), clock_now() + below(world, 2) * MILLISECOND, &bits),
           MAY(ERR_TIMED_OUT));
    if (one_in(world, 10)) {
        (void)sys_close(world->notifier);
        world->notifier = 0;
    }
}

// A pipe of its own, without a name: what goes in comes out, then the end.
static void use_pipe(struct thread_world *world) {
    uint8_t in[MESSAGE_MAX], out[MESSAGE_MAX];
    long server = sys_channel_create(0, nullptr, 0, nullptr);
    expect("channel_create", server, MAY(ERR_LIMIT));
    if (server < 0) {
        return;
    }
    long client = sys_connect((handle_t)server, RIGHT_WRITE);
    expect("connect", client, MAY(ERR_LIMIT));
    if (client > 0) {
        uint64_t count = below(world, 40), sent = 0;
        for (uint64_t i = 0; i < count; i++) {
            fill(in, MESSAGE_MAX, i);
            long status = sys_write((handle_t)client, in, MESSAGE_MAX, 0);
            expect("write to a pipe", status, 0);
            sent += status > 0;
        }
        bool reader_first = one_in(world, 4);
        (void)sys_close(reader_first ? (handle_t)server : (handle_t)client);
        if (reader_first) {
            expect("write without a reader", sys_write((handle_t)client, in, 1, 0), MAY(ERR_PEER_CLOSED));
            (void)sys_close((handle_t)client);
            return;
        }
        for (uint64_t i = 0; i <= sent; i++) {
            long length = sys_read((handle_t)server, out, sizeof out, 0);
            if (length != (i < sent ? MESSAGE_MAX : 0)) {
                violation("read %lu of %lu from a pipe: %ld", (unsigned long)i, (unsigned long)sent, length);
            }
        }
    }
    (void)sys_close((handle_t)server);
}

static void act(struct thread_world *world) {
    unsigned client = (unsigned)below(world, CONNECTIONS), server = (unsigned)below(world, SERVED);
    uint64_t what = below(world, 100);
    uint64_t burst = one_in(world, 20) ? below(world, 400) : 1;
    if (what < 2) {
        wait_a_little(world);
    } else if (what < 6) {
        use_shared(world);
    } else if (what < 8) {
        use_notifier(world);
    } else if (what < 9) {
        use_pipe(world);
    } else if (what < 10 && one_in(world, 20)) {
        char path[64];
        channel_path((unsigned)below(world, CHANNELS), "", path);
        expect("remove", file_remove(path), MAY(ERR_NOT_FOUND) | MAY(ERR_REMOVED));
    } else if (what < 55) {
        if (world->client[client].handle == 0) {
            client_open(world, client);
        } else if (one_in(world, 50)) {
            close_one(&world->client[client].handle);
        } else if (one_in(world, 100)) {
            expect("finish", sys_finish(world->client[client].handle), 0);
        } else {
            for (uint64_t i = 0; i < burst; i++) {
                (one_in(world, 3) ? client_receive : client_send)(world, client);
            }
        }
    } else if (world->server[server].handle == 0) {
        server_open(world, server);
    } else if (one_in(world, 150)) {
        close_one(&world->server[server].handle);
    } else {
        for (uint64_t i = 0; i < burst; i++) {
            (one_in(world, 3) ? server_send : server_receive)(world, server);
        }
    }
}

static void run_thread(void *argument) {
    struct thread_world *world = argument;
    while (clock_now() < death) {
        act(world);
        world->actions++;
    }
    if (one_in(world, 2)) {
        (void)sys_exit(0); // with all handles open, and the others in the midst of something
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (world->client[i].handle != 0) {
            close_one(&world->client[i].handle);
        }
    }
    for (unsigned i = 0; i < SERVED; i++) {
        if (world->server[i].handle != 0) {
            close_one(&world->server[i].handle);
        }
    }
}

static int be_worker(uint64_t seed) {
    static struct thread_world worlds[THREADS];
    struct abi_process_info info;
    if (sys_process_info(self_process(), &info) != 0) {
        return 1;
    }
    own_pid = info.pid;
    for (unsigned i = 0; i < THREADS; i++) {
        worlds[i].random = hash_u64(seed * THREADS + i);
    }
    death = clock_now() + below(&worlds[0], 1500 * MILLISECOND);
    for (unsigned i = 1; i < THREADS; i++) {
        long thread = thread_start(run_thread, &worlds[i], 0);
        expect("thread_create", thread, 0);
    }
    run_thread(&worlds[0]);
    clock_sleep(20 * MILLISECOND);
    return 0;
}

// ---- the parent ------------------------------------------------------------------------------------------------------

static unsigned long violations, looks;

// The books of one statistics file balance; false if it cannot be read.
static bool balanced(const char *path, struct table *table) {
    static char text[4096];
    long length = file_load(path, text, sizeof text);
    if (length < 0) {
        return false;
    }
    uint64_t sent, received, queued, discarded;
    if (!table_parse(table, text) || !table_number(table, 0, "sent", &sent) ||
        !table_number(table, 0, "received", &received) || !table_number(table, 0, "queued", &queued) ||
        !table_number(table, 0, "discarded", &discarded)) {
        violations++;
        (void)error_say("%s is no statistics file", path);
        return false;
    }
    looks++;
    if (sent != received + queued + discarded) {
        violations++;
        (void)error_say("%s: %lu sent, %lu received, %lu queued, %lu discarded", path, (unsigned long)sent,
                        (unsigned long)received, (unsigned long)queued, (unsigned long)discarded);
    }
    return true;
}

static uint64_t figure(const char *path, const char *field) {
    static char text[4096];
    static struct table table;
    uint64_t value = 0;
    if (file_load(path, text, sizeof text) < 0 || !table_parse(&table, text) ||
        !table_number(&table, 0, field, &value)) {
        violations++;
        (void)error_say("%s has no %s", path, field);
    }
    return value;
}

static const char messages[] = "/kern/ipc/stats/messages", channels[] = "/kern/ipc/stats/channels";

static long start_worker(char *path, uint64_t seed) {
    char number[24];
    (void)format(number, sizeof number, "%lu", (unsigned long)seed);
    char *arguments[] = {path, "-c", number, nullptr};
    struct spawn spawn = {.path = path, .arguments = arguments, .error = self_error()};
    return spawn_program(&spawn);
}

int main(int argc, char **argv) {
    uint64_t seed = 1, seconds = 5, workers = 6;
    struct option_state state = option_begin(&program, argc, argv);
    for (int option; (option = option_next(&state)) != 0;) {
        if (option == 'c') {
            return be_worker(option_number(&state, 0, UINT64_MAX));
        } else if (option == 's') {
            seed = option_number(&state, 0, UINT32_MAX);
        } else if (option == 't') {
            seconds = option_number(&state, 1, 3600);
        } else {
            workers = option_number(&state, 1, WORKERS_MAX);
        }
    }
    option_operands(&state, 0, 0);
    static struct table table;
    static handle_t worker[WORKERS_MAX];
    struct thread_world chance = {.random = seed};
    uint64_t channels_before = figure(channels, "active"), open_before = figure(channels, "connections_active");
    uint64_t queued_before = figure(messages, "queued"), received_before = figure(messages, "received");
    unsigned long started = 0, killed = 0, refused = 0;
    long status = file_make_dir("/tmp/hammer", 0777);
    if (status < 0 && status != ERR_EXISTS) {
        return error_report("/tmp/hammer", status);
    }
    uint64_t end = clock_deadline(seconds * SECOND);
    while (clock_now() < end) {
        for (uint64_t i = 0; i < workers; i++) {
            struct abi_process_info info;
            if (worker[i] != 0 && process_wait(worker[i], 0, &info) == 0) {
                if (info.state == PROCESS_FAULTED || info.exit_status == VIOLATION) {
                    violations++;
                }
                file_close(worker[i]);
                worker[i] = 0;
            } else if (worker[i] != 0 && one_in(&chance, 40)) {
                killed += sys_kill(worker[i], 9) == 0;
            }
            if (worker[i] == 0) {
                long process = start_worker(argv[0], seed * 1000003 + started);
                refused += process < 0;
                if (process > 0) {
                    worker[i] = (handle_t)process;
                    started++;
                }
            }
        }
        if (!balanced(messages, &table)) {
            refused++;
        }
        char path[64];
        channel_path((unsigned)below(&chance, CHANNELS), "/stats", path);
        (void)balanced(path, &table);
        clock_sleep(2 * MILLISECOND);
    }
    for (uint64_t i = 0; i < workers; i++) {
        if (worker[i] != 0) {
            (void)sys_kill(worker[i], 9);
            (void)process_finish(worker[i]);
        }
    }
    for (unsigned i = 0; i < CHANNELS; i++) {
        char path[64];
        channel_path(i, "", path);
        (void)file_remove(path);
    }
    if (file_remove("/tmp/hammer") < 0) {
        violations++;
        (void)error_say("/tmp/hammer is not empty");
    }
    // Ends are worked off in steps.
    for (unsigned i = 0; i < 200 && (figure(channels, "active") > channels_before ||
                                     figure(channels, "connections_active") > open_before);
         i++) {
        clock_sleep(10 * MILLISECOND);
    }
    const uint64_t now[] = {figure(channels, "active"), figure(channels, "connections_active"),
                            figure(messages, "queued")};
    const uint64_t before[] = {channels_before, open_before, queued_before};
    uint64_t left[3] = {};
    for (unsigned i = 0; i < 3; i++) {
        left[i] = now[i] > before[i] ? now[i] - before[i] : 0;
    }
    if (left[0] != 0 || left[1] != 0 || left[2] != 0) {
        violations++;
        (void)error_say("%lu channels, %lu connections, %lu messages are left", (unsigned long)left[0],
                        (unsigned long)left[1], (unsigned long)left[2]);
    }
    print("%lu messages received, %lu processes, %lu killed, %lu refused; %lu looks at the books\n",
          (unsigned long)(figure(messages, "received") - received_before), started, killed, refused, looks);
    print("violations %lu\n", violations);
    return violations != 0;
}
